// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/encode_tensor_map.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

namespace sdv2 {
namespace {

// Asked of the runtime: the driver's library is not linked, so that programs start without a GPU.
Result<void*> encode_address() {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error =
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &address, 12000, cudaEnableDefault, &found);
  if (error != cudaSuccess)
    return Error{ErrorCode::kDevice,
                 std::string("looking for cuTensorMapEncodeTiled: ") + cudaGetErrorString(error)};
  if (found != cudaDriverEntryPointSuccess || address == nullptr)
    return Error{ErrorCode::kDevice, "the GPU's driver has no cuTensorMapEncodeTiled"};
  return address;
}

constexpr size_t kMaxRank = 5;

}  // namespace

Result<void> encode_tensor_map(CUtensorMap& map, const void* data, std::initializer_list<int64_t> sizes,
                               std::initializer_list<int64_t> strides, std::initializer_list<int> box,
                               CUtensorMapSwizzle swizzle) {
  static const Result<void*> address = encode_address();
  if (!address.ok()) return address.error();
  const auto encode = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(*address);
  const size_t rank = sizes.size();
  assert(rank <= kMaxRank && strides.size() + 1 == rank && box.size() == rank);
  std::array<cuuint64_t, kMaxRank> all{}, bytes{};
  std::array<cuuint32_t, kMaxRank> boxes{}, steps{};
  std::copy(sizes.begin(), sizes.end(), all.begin());
  std::copy(strides.begin(), strides.end(), bytes.begin());
  std::copy(box.begin(), box.end(), boxes.begin());
  steps.fill(1);
  const CUresult result =
      encode(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, static_cast<cuuint32_t>(rank), const_cast<void*>(data),
             all.data(), bytes.data(), boxes.data(), steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    return Error{ErrorCode::kDevice, "cuTensorMapEncodeTiled failed with code " + std::to_string(result)};
  return {};
}

}  // namespace sdv2
