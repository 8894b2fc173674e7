// SPDX-License-Identifier: LGPL-2.1-or-later
// One token's channels, spread over the threads of one or several warps in registers: vectors of 8
// neighbours.
#pragma once

#include <cuda_fp8.h>

#include <type_traits>

#include "kernels/dit/hopper.cuh"
#include "kernels/dit/token_ops.h"

namespace sdv2::hopper {

constexpr int kVector = 8;          // bf16 channels: 16 bytes
constexpr int kTokenThreads = 256;  // of a thread block
constexpr float kLargestE4m3 = 448;

__device__ __forceinline__ void unpack(const uint4& words, float (&values)[kVector]) {
  const float2 a = unpack(words.x), b = unpack(words.y), c = unpack(words.z), d = unpack(words.w);
  values[0] = a.x, values[1] = a.y, values[2] = b.x, values[3] = b.y;
  values[4] = c.x, values[5] = c.y, values[6] = d.x, values[7] = d.y;
}
__device__ __forceinline__ uint4 pack(const float (&values)[kVector]) {
  return make_uint4(pack(values[0], values[1]), pack(values[2], values[3]), pack(values[4], values[5]),
                    pack(values[6], values[7]));
}
__device__ __forceinline__ void load(const float* from, float (&values)[kVector]) {
  const float4 a = __ldg(reinterpret_cast<const float4*>(from)),
               b = __ldg(reinterpret_cast<const float4*>(from) + 1);
  values[0] = a.x, values[1] = a.y, values[2] = a.z, values[3] = a.w;
  values[4] = b.x, values[5] = b.y, values[6] = b.z, values[7] = b.w;
}

// Eight neighbouring products, the first of `channel`, as numbers. of_token: factor_of(scale, token).
__device__ __forceinline__ float factor_of(const ProductScale& scale, int64_t token) {
  return scale.tokens != nullptr ? scale.tokens[token] : 1.F;
}
__device__ __forceinline__ void as_numbers(const uint4& products, const ProductScale& scale, float of_token,
                                           int channel, float (&x)[kVector]) {
  unpack(products, x);
  if (scale.tokens == nullptr) return;
  const auto* terms = reinterpret_cast<const uint4*>(scale.channels + channel);
  const uint4 low = __ldg(terms), high = __ldg(terms + 1);
  const uint32_t words[kVector] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
  for (int j = 0; j < kVector; ++j) {
    const float2 term = unpack(words[j]);
    x[j] = x[j] * of_token * term.x + term.y;
  }
}

__device__ __forceinline__ void load_products(const bf16* from, const ProductScale& scale, float of_token,
                                              int channel, float (&x)[kVector]) {
  as_numbers(*reinterpret_cast<const uint4*>(from), scale, of_token, channel, x);
}

__device__ __forceinline__ uint32_t pack_e4m3(float a, float b, float c, float d) {
  const uint32_t low = __nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E4M3);
  const uint32_t high = __nv_cvt_float2_to_fp8x2(make_float2(c, d), __NV_SATFINITE, __NV_E4M3);
  return low | high << 16;
}

// Which token this thread works on, and which of its vectors are its own: kVectors at most, `threads` apart.
template <int kVectors, int kWarps>
struct TokenPlace {
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kTokens = kTokenThreads / kThreads;  // of a thread block

  int group = static_cast<int>(threadIdx.x) / kThreads;
  int thread = static_cast<int>(threadIdx.x) % kThreads;
  int64_t token = int64_t{blockIdx.x} * kTokens + group;

  // Channel of the thread's vector i; beyond the width for the last ones of some threads.
  __device__ __forceinline__ int channel(int i) const { return (i * kThreads + thread) * kVector; }
};

// The sum over a token's threads, or what else `join` makes of two values, for all of them. `round`: another
// number (0…2) for each call in a kernel. All threads of the block call it.
template <int kVectors, int kWarps, class Join>
__device__ __forceinline__ float over_token(float value, const TokenPlace<kVectors, kWarps>& place,
                                            [[maybe_unused]] int round, Join join) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value = join(value, __shfl_xor_sync(kAllLanes, value, lanes));
  if constexpr (kWarps == 1) {
    return value;
  } else {
    __shared__ float values[3][TokenPlace<kVectors, kWarps>::kTokens][kWarps];
    if (place.thread % 32 == 0) values[round][place.group][place.thread / 32] = value;
    __syncthreads();
    float total = values[round][place.group][0];
#pragma unroll
    for (int warp = 1; warp < kWarps; ++warp) total = join(total, values[round][place.group][warp]);
    return total;
  }
}
template <int kVectors, int kWarps>
__device__ __forceinline__ float token_sum(float value, const TokenPlace<kVectors, kWarps>& place,
                                           int round) {
  return over_token(value, place, round, [](float a, float b) { return a + b; });
}

// Writes the thread's part of a token [width] in e4m3 if the token is there; channels beyond the width are 0.
// `round`: as of over_token; all threads of the block call it.
template <int kVectors, int kWarps>
__device__ __forceinline__ void store_quantised(const TokenPlace<kVectors, kWarps>& place,
                                                const float (&x)[kVectors][kVector], int width, bool there,
                                                const QuantisedTokens& to, int round) {
  float largest = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i)
#pragma unroll
    for (int j = 0; j < kVector; ++j) largest = fmaxf(largest, fabsf(x[i][j]));
  largest = over_token(largest, place, round, [](float a, float b) { return fmaxf(a, b); });
  if (!there) return;
  const float inverse = largest > 0 ? kLargestE4m3 / largest : 1.F;
  if (place.thread == 0) to.scales[place.token] = largest > 0 ? largest / kLargestE4m3 : 1.F;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    if (c >= width) continue;
    *reinterpret_cast<uint2*>(to.values + place.token * width + c) =
        make_uint2(pack_e4m3(x[i][0] * inverse, x[i][1] * inverse, x[i][2] * inverse, x[i][3] * inverse),
                   pack_e4m3(x[i][4] * inverse, x[i][5] * inverse, x[i][6] * inverse, x[i][7] * inverse));
  }
}

// Calls run(kVectors, kWarps as constants) for a width of at most kMaxTokenWidth channels: one warp per token
// up to 2048, four above (more would spill registers). with_wide_token_layout: up to kMaxQuantisedWidth.
template <int kVectorsTo, int kVectorsFrom, int kWarps, class Run>
cudaError_t with_vectors(int vectors, Run run) {
  if (vectors == kVectorsTo)
    return run(std::integral_constant<int, kVectorsTo>(), std::integral_constant<int, kWarps>());
  if constexpr (kVectorsTo > kVectorsFrom)
    return with_vectors<kVectorsTo - 1, kVectorsFrom, kWarps>(vectors, run);
  else
    return cudaErrorInvalidValue;
}
template <class Run>
cudaError_t with_token_layout(int width, Run run) {
  const auto vectors_over = [width](int warps) {
    return (width + 32 * warps * kVector - 1) / (32 * warps * kVector);
  };
  if (width <= 2048) return with_vectors<8, 1, 1>(vectors_over(1), run);
  return with_vectors<8, 3, 4>(vectors_over(4), run);
}
template <class Run>
cudaError_t with_wide_token_layout(int width, Run run) {
  if (width <= kMaxTokenWidth) return with_token_layout(width, run);
  return with_vectors<8, 5, 8>((width + 8 * 32 * kVector - 1) / (8 * 32 * kVector), run);
}

}  // namespace sdv2::hopper
