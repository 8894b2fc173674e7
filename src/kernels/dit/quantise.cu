// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/launch.cuh"
#include "kernels/dit/token_ops.h"
#include "kernels/dit/token_row.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

// x/2 · (1 + tanh(u)) = x / (1 + e^(−2u)), u = √(2/π)·(x + 0.044715·x³).
__device__ __forceinline__ float gelu(float x) {
  constexpr float kFactor = -2 * 0.7978845608F * 1.4426950409F;  // −2·√(2/π)·log2(e)
  return __fdividef(x, 1 + exp2_approx(kFactor * (x + 0.044715F * x * x * x)));
}

template <int kVectors, int kWarps>
__global__ void __launch_bounds__(kTokenThreads)
    quantise_kernel(const Quantise op, int64_t tokens, int width) {
  let_next_kernel_start();
  const TokenPlace<kVectors, kWarps> place;
  wait_for_earlier_kernels();
  const bool there = place.token < tokens;
  const int64_t token = there ? place.token : 0;
  const float of_token = factor_of(op.scale, token);
  float x[kVectors][kVector] = {};
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    if (c >= width) continue;
    load_products(op.x + token * width + c, op.scale, of_token, c, x[i]);
    if (!op.gelu) continue;
#pragma unroll
    for (int j = 0; j < kVector; ++j) x[i][j] = gelu(x[i][j]);
  }
  store_quantised(place, x, width, there, op.y8);
}

}  // namespace

cudaError_t launch_quantise(const Quantise& op, const TokenShape& shape, cudaStream_t stream) {
  return with_wide_token_layout(shape.width, [&](auto vectors, auto warps) {
    constexpr int kTokens = TokenPlace<vectors(), warps()>::kTokens;
    const dim3 grid(static_cast<unsigned>((shape.tokens() + kTokens - 1) / kTokens));
    return launch(quantise_kernel<vectors(), warps()>, grid, kTokenThreads, 0, stream, op, shape.tokens(),
                  shape.width);
  });
}

}  // namespace sdv2
