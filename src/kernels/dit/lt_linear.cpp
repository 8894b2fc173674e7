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

std::shared_ptr<cublasLtMatrixLayoutOpaque_t> layout(int64_t rows, int64_t columns,
                                                     cudaDataType type = CUDA_R_16BF) {
  cublasLtMatrixLayout_t it = nullptr;
  check(cublasLtMatrixLayoutCreate(&it, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns),
                                   rows),
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
  const auto [tokens, out, in, kind] = shape;
  auto product = std::make_shared<Product>();
  cublasLtMatmulDesc_t description = nullptr;
  check(cublasLtMatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
  product->description = owned(description, cublasLtMatmulDescDestroy);
  set(description, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  if (kind == Kind::kE4m3) {
    // Sums stay in the tensor cores, which keep fewer bits of them than fp32 has.
    set(description, CUBLASLT_MATMUL_DESC_FAST_ACCUM, int8_t{1});
  } else {
    set(description, CUBLASLT_MATMUL_DESC_EPILOGUE,
        kind == Kind::kBiasGelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
    set(description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_16BF);
  }
  const cudaDataType operands = kind == Kind::kE4m3 ? CUDA_R_8F_E4M3 : CUDA_R_16BF;
  product->weight = layout(in, out, operands);
  product->x = layout(in, tokens, operands);
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
  const Kind kind = epilogue == LinearEpilogue::kBiasGelu ? Kind::kBiasGelu : Kind::kBias;
  const Product& known = product({tokens, weight.size(0), weight.size(1), kind});
  const void* bias_values = bias.const_data_ptr();
  set(known.description.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias_values);
  multiply(known, x, weight, y, stream);
}

void LtLinear::run_e4m3(const uint8_t* x, const at::Tensor& weight, __nv_bfloat16* y, int64_t tokens,
                        cudaStream_t stream) {
  multiply(product({tokens, weight.size(0), weight.size(1), Kind::kE4m3}), x, weight, y, stream);
}

void LtLinear::multiply(const Product& product, const void* x, const at::Tensor& weight, __nv_bfloat16* y,
                        cudaStream_t stream) {
  const float one = 1, zero = 0;
  check(cublasLtMatmul(handle_.get(), product.description.get(), &one, weight.const_data_ptr(),
                       product.weight.get(), x, product.x.get(), &zero, y, product.y.get(), y,
                       product.y.get(), &product.algorithm, workspace_.mutable_data_ptr(),
                       static_cast<size_t>(kWorkspaceBytes), stream),
        "cublasLtMatmul");
}

}  // namespace sdv2
