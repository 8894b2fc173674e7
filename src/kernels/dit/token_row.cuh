// SPDX-License-Identifier: LGPL-2.1-or-later
// One token's channels, spread over the threads of one or several warps in registers: vectors of 8
// neighbours.
#pragma once

#include "kernels/dit/hopper.cuh"

namespace sdv2::hopper {

constexpr int kVector = 8;          // bf16 channels: 16 bytes
constexpr int kTokenThreads = 256;  // of a thread block

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

// The sum over a token's threads, for all of them. `round`: another number for each call in a kernel. All
// threads of the block call it.
template <int kVectors, int kWarps>
__device__ __forceinline__ float token_sum(float value, const TokenPlace<kVectors, kWarps>& place,
                                           [[maybe_unused]] int round) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kAllLanes, value, lanes);
  if constexpr (kWarps == 1) {
    return value;
  } else {
    __shared__ float sums[2][TokenPlace<kVectors, kWarps>::kTokens][kWarps];
    if (place.thread % 32 == 0) sums[round][place.group][place.thread / 32] = value;
    __syncthreads();
    float total = 0;
#pragma unroll
    for (int warp = 0; warp < kWarps; ++warp) total += sums[round][place.group][warp];
    return total;
  }
}

// Calls run(kVectors, kWarps as constants) for a width of at most kMaxTokenWidth channels: one warp per token
// up to 2048, four above (more would spill registers).
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

}  // namespace sdv2::hopper
