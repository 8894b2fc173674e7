// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/sink_similarity.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

at::Tensor cosines(const at::Tensor& cache, const at::Tensor& frame, int64_t sinks) {
  const int64_t slot = frame.size(0);
  const at::Tensor slots = cache.narrow(0, 0, sinks * slot).flatten(1).unflatten(0, {sinks, slot}).mean(1);
  const at::Tensor fresh = frame.flatten(1).mean(0, /*keepdim=*/true);
  return at::cosine_similarity(slots, fresh, 1);  // [sinks, heads·128], [1, heads·128] → [sinks]
}

}  // namespace

at::Tensor sink_similarity(const KvRow& cache, const KvRow& frame, int64_t sinks) {
  return (cosines(cache.k, frame.k, sinks) + cosines(cache.v, frame.v, sinks)) * 0.5;
}

}  // namespace sdv2
