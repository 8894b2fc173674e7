// SPDX-License-Identifier: LGPL-2.1-or-later
// The buckets of T5's relative position bias.
#pragma once

#include <cstdint>

namespace sdv2 {

// Bucket of a relative position (key - query), bidirectional: the upper half of `num_buckets` is for keys
// after the query; within a half of n buckets the distances below n/2 have their own, the others share the
// rest in logarithmic steps up to `max_distance` (Raffel et al., "Exploring the Limits of Transfer Learning",
// section 2.1). num_buckets: even, ≥ 4; max_distance > num_buckets / 4.
int64_t relative_bucket(int64_t relative_position, int64_t num_buckets, int64_t max_distance);

}  // namespace sdv2
