// SPDX-License-Identifier: LGPL-2.1-or-later
// How alike a new frame and the sinks of a cache are: what the adaptive sink decides by.
#pragma once

#include <ATen/core/Tensor.h>

#include "dit/kv_store.h"

namespace sdv2 {

// For one row and each of its first `sinks` slots: the mean of two cosines, of keys and of values, between
// the slot's mean token and the new frame's. `cache` k and v [K·S, heads, 128], `frame` the (rotated) k and v
// of one latent frame [S, heads, 128]. → [sinks] in their type; an empty (zero) slot gives 0.
at::Tensor sink_similarity(const KvRow& cache, const KvRow& frame, int64_t sinks);

}  // namespace sdv2
