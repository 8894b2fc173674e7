// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/launch.cuh"
#include "kernels/dit/token_ops.h"
#include "kernels/dit/token_row.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

constexpr int kPairs = 64;  // of a head's channels
constexpr int kVectorsOfHead = 16;

// x [width], spread over the token's threads, normed and weighted as they are read from memory. `first`: the
// channel of the products that they begin with.
template <int kVectors, int kWarps>
__device__ __forceinline__ void rms_norm(const TokenPlace<kVectors, kWarps>& place, const bf16* from,
                                         const ProductScale& scale, float of_token, int first,
                                         const float* weight, float eps, int width,
                                         float (&x)[kVectors][kVector]) {
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    if (c < width) {
      load_products(from + c, scale, of_token, first + c, x[i]);
    } else {
#pragma unroll
      for (int j = 0; j < kVector; ++j) x[i][j] = 0;
    }
#pragma unroll
    for (int j = 0; j < kVector; ++j) squares += x[i][j] * x[i][j];
  }
  const float inverse = rsqrtf(token_sum(squares, place, 0) / static_cast<float>(width) + eps);
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    if (c >= width) continue;
    float w[kVector];
    load(weight + c, w);
#pragma unroll
    for (int j = 0; j < kVector; ++j) x[i][j] *= inverse * w[j];
  }
}

template <int kVectors, int kWarps>
__device__ __forceinline__ void store(const TokenPlace<kVectors, kWarps>& place,
                                      const float (&x)[kVectors][kVector], int width, bf16* to) {
#pragma unroll
  for (int i = 0; i < kVectors; ++i)
    if (place.channel(i) < width) *reinterpret_cast<uint4*>(to + place.channel(i)) = pack(x[i]);
}

// Thread blocks (tokens; 0 q, 1 k, 2 v where it changes or moves). A thread's vectors lie at the same place
// in every head, so it needs four turns only.
template <int kVectors, int kWarps>
__global__ void __launch_bounds__(kTokenThreads)
    norm_and_rotate_kernel(const NormAndRotate op, int64_t tokens, int frames, int per_frame, int width) {
  let_next_kernel_start();
  const TokenPlace<kVectors, kWarps> place;
  wait_for_earlier_kernels();
  const bool there = place.token < tokens;
  const int64_t token = there ? place.token : 0;
  const int which = static_cast<int>(blockIdx.y);
  bf16* from = op.products + (token * 3 + which) * width;
  bf16* to = which == 0 ? op.q + token * width : from;
  if (which > 0 && op.rings != nullptr) {
    const int64_t frame = token / per_frame;  // of all rows
    const RingPointers ring = op.rings[frame / frames];
    to = (which == 1 ? ring.k : ring.v) + (op.slots[frame] * int64_t{per_frame} + token % per_frame) * width;
  }
  const float of_token = factor_of(op.scale, token);
  if (which == 2) {
#pragma unroll
    for (int i = 0; i < kVectors; ++i) {
      const int c = place.channel(i);
      if (!there || c >= width) continue;
      float v[kVector];
      load_products(from + c, op.scale, of_token, 2 * width + c, v);
      *reinterpret_cast<uint4*>(to + c) = pack(v);
    }
    return;
  }
  float x[kVectors][kVector];
  rms_norm(place, from, op.scale, of_token, which * width, which == 0 ? op.q_weight : op.k_weight, op.eps,
           width, x);
  if (!there) return;
  float turns[kVector];  // cosine and sine of 4 pairs
  load(reinterpret_cast<const float*>(op.turns + token * kPairs +
                                      place.thread % kVectorsOfHead * (kVector / 2)),
       turns);
#pragma unroll
  for (int i = 0; i < kVectors; ++i)
#pragma unroll
    for (int j = 0; j < kVector; j += 2) {
      const float a = x[i][j], b = x[i][j + 1];
      x[i][j] = a * turns[j] - b * turns[j + 1];
      x[i][j + 1] = a * turns[j + 1] + b * turns[j];
    }
  store(place, x, width, to);
}

template <int kVectors, int kWarps>
__global__ void __launch_bounds__(kTokenThreads)
    rms_norm_kernel(const bf16* from, const ProductScale scale, const float* weight, float eps, bf16* to,
                    int64_t tokens, int width) {
  let_next_kernel_start();
  const TokenPlace<kVectors, kWarps> place;
  wait_for_earlier_kernels();
  const bool there = place.token < tokens;
  const int64_t first = there ? place.token * width : 0;
  float x[kVectors][kVector];
  rms_norm(place, from + first, scale, factor_of(scale, there ? place.token : 0), 0, weight, eps, width, x);
  if (there) store(place, x, width, to + first);
}

}  // namespace

cudaError_t launch_norm_and_rotate(const NormAndRotate& op, const TokenShape& shape, cudaStream_t stream) {
  return with_token_layout(shape.width, [&](auto vectors, auto warps) {
    constexpr int kTokens = TokenPlace<vectors(), warps()>::kTokens;
    const dim3 grid(static_cast<unsigned>((shape.tokens() + kTokens - 1) / kTokens),
                    op.rings != nullptr || op.scale.tokens != nullptr ? 3 : 2);
    return launch(norm_and_rotate_kernel<vectors(), warps()>, grid, kTokenThreads, 0, stream, op,
                  shape.tokens(), shape.frames, shape.per_frame, shape.width);
  });
}

cudaError_t launch_rms_norm(const __nv_bfloat16* x, const ProductScale& scale, const float* weight, float eps,
                            __nv_bfloat16* y, const TokenShape& shape, cudaStream_t stream) {
  return with_token_layout(shape.width, [&](auto vectors, auto warps) {
    constexpr int kTokens = TokenPlace<vectors(), warps()>::kTokens;
    const dim3 grid(static_cast<unsigned>((shape.tokens() + kTokens - 1) / kTokens));
    return launch(rms_norm_kernel<vectors(), warps()>, grid, kTokenThreads, 0, stream, x, scale, weight, eps,
                  y, shape.tokens(), shape.width);
  });
}

}  // namespace sdv2
