// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/fused_support.h"

#ifdef SDV2_HAVE_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

namespace sdv2 {

bool has_fused_kernels([[maybe_unused]] c10::ScalarType type, [[maybe_unused]] c10::Device device) {
#ifdef SDV2_HAVE_CUDA
  if (!device.is_cuda() || type != c10::ScalarType::BFloat16) return false;
  const cudaDeviceProp& properties = *at::cuda::getDeviceProperties(device.index());
  return properties.major == 9 && properties.minor == 0;
#else
  return false;
#endif
}

Result<bool> use_fused_kernels(const std::string& kernels, c10::ScalarType type, c10::Device device) {
  if (kernels == "plain") return false;
  const bool there = has_fused_kernels(type, device);
  if (kernels == "fused" && !there)
    return Error{ErrorCode::kUnsupported, "there are no fused kernels for " +
                                              std::string(c10::toString(type)) + " on " + device.str() +
                                              "; they need BFloat16 on a Hopper GPU: choose kernels=auto"};
  return there;
}

}  // namespace sdv2
