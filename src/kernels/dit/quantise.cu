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

// What is in memory of a thread's part of a token.
template <int kVectors>
struct Part {
  uint4 x[kVectors];
  float factor;

  template <int kWarps>
  __device__ __forceinline__ Part(const Quantise& op, const TokenPlace<kVectors, kWarps>& place,
                                  int64_t tokens, int width) {
    const int64_t token = place.token < tokens ? place.token : 0;
    factor = factor_of(op.scale, token);
#pragma unroll
    for (int i = 0; i < kVectors; ++i)
      if (place.channel(i) < width)
        x[i] = *reinterpret_cast<const uint4*>(op.x + token * width + place.channel(i));
  }
};

// More would spill registers.
constexpr int blocks_per_processor(int vectors) { return vectors <= 5 ? 3 : 2; }

// Thread blocks stay, and fetch their next token while they work on one.
template <int kVectors, int kWarps>
__global__ void __launch_bounds__(kTokenThreads, blocks_per_processor(kVectors))
    quantise_kernel(const Quantise op, int64_t tokens, int width) {
  let_next_kernel_start();
  TokenPlace<kVectors, kWarps> place;
  wait_for_earlier_kernels();
  const int64_t stride = int64_t{gridDim.x} * place.kTokens;
  Part<kVectors> next(op, place, tokens, width);
  int round = 0;
  // As often in all groups of the block.
  for (int64_t first = int64_t{blockIdx.x} * place.kTokens; first < tokens; first += stride) {
    const Part<kVectors> part = next;
    const TokenPlace<kVectors, kWarps> here = place;
    place.token += stride;
    if (first + stride < tokens) next = Part<kVectors>(op, place, tokens, width);
    float x[kVectors][kVector] = {};
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int c = here.channel(i);
      if (c >= width) continue;
      as_numbers(part.x[i], op.scale, part.factor, c, x[i]);
      if (!op.gelu) continue;
#pragma unroll
      for (int j = 0; j < kVector; ++j) x[i][j] = gelu(x[i][j]);
    }
    store_quantised(here, x, width, here.token < tokens, op.y8, round);
    round ^= 1;  // threads may still be reading what the last round has exchanged
  }
}

}  // namespace

cudaError_t launch_quantise(const Quantise& op, const TokenShape& shape, int processors,
                            cudaStream_t stream) {
  return with_wide_token_layout(shape.width, [&](auto vectors, auto warps) {
    constexpr int kTokens = TokenPlace<vectors(), warps()>::kTokens;
    const int64_t wanted = (shape.tokens() + kTokens - 1) / kTokens;
    const int64_t room = int64_t{processors} * blocks_per_processor(vectors());
    const dim3 grid(static_cast<unsigned>(wanted < room ? wanted : room));
    return launch(quantise_kernel<vectors(), warps()>, grid, kTokenThreads, 0, stream, op, shape.tokens(),
                  shape.width);
  });
}

}  // namespace sdv2
