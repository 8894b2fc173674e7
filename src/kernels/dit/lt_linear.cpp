// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/lt_linear.h"

#include <ATen/ATen.h>

namespace sdv2 {
namespace {

constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;  // what NVIDIA recommends for Hopper

void check(cublasStatus_t status, const char* what) {
  TORCH_CHECK(status == CUBLAS_STATUS_SUCCESS, what, " failed: ", cublasLtGetStatusString(status));
}

template <class T, class Destroy>
std::shared_ptr<T> owned(T* handle, Destroy destroy) {
  return std::shared_ptr<T>(handle, [destroy](T* it) { destroy(it); });
}

std::shared_ptr<cublasLtMatrixLayoutOpaque_t> layout(int64_t rows, int64_t columns) {
  cublasLtMatrixLayout_t it = nullptr;
  check(cublasLtMatrixLayoutCreate(&it, CUDA_R_16BF, static_cast<uint64_t>(rows),
                                   static_cast<uint64_t>(columns), rows),
        "cublasLtMatrixLayoutCreate");
  return owned(it, cublasLtMatrixLayoutDestroy);
}

template <class T>
void set(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof value),
        "cublasLtMatmulDescSetAttribute");
}

}  // namespace

// The library's matrices are column by column: weight [out, in] is its in × out matrix, taken transposed.
struct LtLinear::Product {
  std::shared_ptr<cublasLtMatmulDescOpaque_t> description;
  std::shared_ptr<cublasLtMatrixLayoutOpaque_t> weight, x, y;
  cublasLtMatmulAlgo_t algorithm;
};

LtLinear::LtLinear(at::Device device)
    : workspace_(at::empty({kWorkspaceBytes}, at::TensorOptions(at::kByte).device(device))) {
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "cublasLtCreate");
  handle_ = owned(handle, cublasLtDestroy);
}

LtLinear::Product& LtLinear::product(const Shape& shape) {
  if (const auto known = products_.find(shape); known != products_.end()) return *known->second;
  const auto [tokens, out, in, epilogue] = shape;
  auto product = std::make_shared<Product>();
  cublasLtMatmulDesc_t description = nullptr;
  check(cublasLtMatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
  product->description = owned(description, cublasLtMatmulDescDestroy);
  set(description, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(description, CUBLASLT_MATMUL_DESC_EPILOGUE,
      epilogue == LinearEpilogue::kBiasGelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
  set(description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_16BF);
  product->weight = layout(in, out);
  product->x = layout(in, tokens);
  product->y = layout(out, tokens);

  cublasLtMatmulPreference_t wanted = nullptr;
  check(cublasLtMatmulPreferenceCreate(&wanted), "cublasLtMatmulPreferenceCreate");
  const auto preference = owned(wanted, cublasLtMatmulPreferenceDestroy);
  const auto bytes = static_cast<size_t>(kWorkspaceBytes);
  check(cublasLtMatmulPreferenceSetAttribute(wanted, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                             sizeof bytes),
        "cublasLtMatmulPreferenceSetAttribute");
  cublasLtMatmulHeuristicResult_t best;
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle_.get(), description, product->weight.get(), product->x.get(),
                                       product->y.get(), product->y.get(), wanted, 1, &best, &found),
        "cublasLtMatmulAlgoGetHeuristic");
  TORCH_CHECK(found > 0, "cuBLASLt has no product for ", tokens, " tokens from ", in, " to ", out,
              " channels");
  product->algorithm = best.algo;
  return *products_.emplace(shape, std::move(product)).first->second;
}

void LtLinear::run(const __nv_bfloat16* x, const at::Tensor& weight, const at::Tensor& bias,
                   LinearEpilogue epilogue, __nv_bfloat16* y, int64_t tokens, cudaStream_t stream) {
  Product& known = product({tokens, weight.size(0), weight.size(1), epilogue});
  const void* bias_values = bias.const_data_ptr();
  set(known.description.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias_values);
  const float one = 1, zero = 0;
  check(cublasLtMatmul(handle_.get(), known.description.get(), &one, weight.const_data_ptr(),
                       known.weight.get(), x, known.x.get(), &zero, y, known.y.get(), y, known.y.get(),
                       &known.algorithm, workspace_.mutable_data_ptr(), static_cast<size_t>(kWorkspaceBytes),
                       stream),
        "cublasLtMatmul");
}

}  // namespace sdv2
