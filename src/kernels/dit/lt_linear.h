// SPDX-License-Identifier: LGPL-2.1-or-later
// Linear layers by cuBLASLt: bf16 with fp32 sums, bias and GELU in the product's epilogue; or products of
// e4m3 operands.
//
// The weights are the library's first operand (M) and the tokens its second (N): it then cuts 1560 tokens
// into tiles of 144, which wastes 1.5 %, against 6.7 % of the tiles of 128 that it has for the first.
#pragma once

#include <ATen/core/Tensor.h>
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

namespace sdv2 {

enum class LinearEpilogue : uint8_t { kBias, kBiasGelu };  // GELU: the tanh approximation

// Products of one stream at a time. The algorithm of a shape is chosen at its first use, the one that the
// library puts first: on an H200, none of the next seven was more than 2 % faster in any of the transformer's
// products. The workspace is allocated once. Errors of the library throw c10::Error.
class LtLinear {
 public:
  explicit LtLinear(at::Device device);

  // y [tokens, out] = x [tokens, in] · weightᵀ + bias. weight [out, in] and bias [out] are contiguous bf16
  // tensors; in and out are multiples of 8.
  void run(const __nv_bfloat16* x, const at::Tensor& weight, const at::Tensor& bias, LinearEpilogue epilogue,
           __nv_bfloat16* y, int64_t tokens, cudaStream_t stream);

  // y [tokens, out] = x [tokens, in] · weightᵀ, as they come: operands in e4m3, whose factors and bias are
  // the business of what reads y (ProductScale). weight [out, in] is contiguous; in and out are multiples
  // of 16.
  void run_e4m3(const uint8_t* x, const at::Tensor& weight, __nv_bfloat16* y, int64_t tokens,
                cudaStream_t stream);

 private:
  struct Product;
  enum class Kind : uint8_t { kBias, kBiasGelu, kE4m3 };
  using Shape = std::tuple<int64_t, int64_t, int64_t, Kind>;  // tokens, out, in

  Product& product(const Shape& shape);
  void multiply(const Product& product, const void* x, const at::Tensor& weight, __nv_bfloat16* y,
                cudaStream_t stream);

  std::shared_ptr<cublasLtContext> handle_;
  at::Tensor workspace_;
  std::map<Shape, std::shared_ptr<Product>> products_;
};

}  // namespace sdv2
