// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/time_cache.h"

#include <ATen/ATen.h>

#include "runtime/upload.h"

namespace sdv2 {
namespace {

constexpr size_t kKept = 64;  // timesteps between calls

}  // namespace

std::vector<const TimeVectors*> TimeCache::of(const std::vector<double>& timesteps) {
  if (known_.size() > kKept) known_.clear();
  std::vector<const TimeVectors*> vectors;
  for (const double timestep : timesteps) {
    auto found = known_.find(timestep);
    if (found == known_.end())
      found = known_.emplace(timestep, dit_.time(upload({&timestep, 1}, device_).view({1, 1}), at::kBFloat16))
                  .first;
    vectors.push_back(&found->second);
  }
  return vectors;
}

}  // namespace sdv2
