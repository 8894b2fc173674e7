// SPDX-License-Identifier: LGPL-2.1-or-later
// Launching kernels that overlap their start with the end of the kernel before them.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

namespace sdv2::hopper {

// Launches a kernel that calls wait_for_earlier_kernels(), in all its threads, before it touches what others
// write. What precedes it in the stream is a kernel. More shared memory than 48 KiB must have been allowed
// before (cudaFuncSetAttribute).
template <class Kernel, class... Arguments>
cudaError_t launch(Kernel kernel, dim3 grid, int threads, int shared_bytes, cudaStream_t stream,
                   Arguments... arguments) {
  cudaLaunchAttribute overlap = {};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
  config.stream = stream;
  config.attrs = &overlap;
  config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, std::move(arguments)...);
}

}  // namespace sdv2::hopper
