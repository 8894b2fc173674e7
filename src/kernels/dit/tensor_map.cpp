// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/tensor_map.h"

#include <c10/cuda/CUDAException.h>
#include <cuda_runtime_api.h>

#include <span>

#include "kernels/dit/attention.h"

namespace sdv2 {
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

// Asked of the runtime: the driver's library is not linked, so that programs start without a GPU.
Encode encode_function() {
  static const Encode function = [] {
    void* address = nullptr;
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    C10_CUDA_CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &address, 12000,
                                                    cudaEnableDefault, &found));
    TORCH_CHECK(found == cudaDriverEntryPointSuccess && address != nullptr,
                "the GPU's driver has no cuTensorMapEncodeTiled");
    return reinterpret_cast<Encode>(address);
  }();
  return function;
}

CUtensorMap encode(const void* data, std::span<const cuuint64_t> sizes, std::span<const cuuint64_t> strides,
                   std::span<const cuuint32_t> box) {
  const cuuint32_t steps[] = {1, 1, 1};
  CUtensorMap map;
  const CUresult result = encode_function()(
      &map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, static_cast<cuuint32_t>(sizes.size()), const_cast<void*>(data),
      sizes.data(), strides.data(), box.data(), steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
      CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  TORCH_CHECK(result == CUDA_SUCCESS, "cuTensorMapEncodeTiled failed with error ", static_cast<int>(result));
  return map;
}

constexpr cuuint32_t kColumns = 64;  // of a box: 128 bytes, the width of the swizzle

}  // namespace

CUtensorMap query_map(const void* q, int64_t rows, int64_t tokens, int64_t width) {
  const auto line = static_cast<cuuint64_t>(width) * 2;
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(width), static_cast<cuuint64_t>(tokens),
                              static_cast<cuuint64_t>(rows)};
  const cuuint64_t strides[] = {line, line * static_cast<cuuint64_t>(tokens)};
  const cuuint32_t box[] = {kColumns, kQueryTile, 1};
  return encode(q, sizes, strides, box);
}

CUtensorMap kv_map(const void* keys, int64_t tokens, int64_t width, int block) {
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(width), static_cast<cuuint64_t>(tokens)};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(width) * 2};
  const cuuint32_t box[] = {kColumns, static_cast<cuuint32_t>(block)};
  return encode(keys, sizes, strides, box);
}

}  // namespace sdv2
