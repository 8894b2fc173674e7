// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/adaptive_sinks.h"

#include "kernels/dit/launch.cuh"
#include "kernels/dit/token_row.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

constexpr int kCompareThreads = 512;
constexpr int kCompareWarps = kCompareThreads / 32;
constexpr int kVectorsOfGroup = kSinkChannels / kVector;
constexpr float kSmallestNorm = 1e-8F;  // as at::cosine_similarity

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kAllLanes, value, lanes);
  return value;
}

// The mean of tokens, of kSinkChannels channels from `from` on: channel i for thread i of the first warp. All
// threads of the block call it.
__device__ float mean_token(const bf16* from, int64_t stride, int tokens) {
  __shared__ float sums[kCompareWarps][kSinkChannels];
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const bf16* mine = from + threadIdx.x % kVectorsOfGroup * kVector;
  float sum[kVector] = {};
#pragma unroll 4
  for (int token = static_cast<int>(threadIdx.x) / kVectorsOfGroup; token < tokens;
       token += kCompareThreads / kVectorsOfGroup) {
    float x[kVector];
    unpack(*reinterpret_cast<const uint4*>(mine + token * stride), x);
#pragma unroll
    for (int j = 0; j < kVector; ++j) sum[j] += x[j];
  }
#pragma unroll
  for (int j = 0; j < kVector; ++j) {
#pragma unroll
    for (int lanes = 16; lanes >= kVectorsOfGroup; lanes /= 2)
      sum[j] += __shfl_xor_sync(kAllLanes, sum[j], lanes);
    if (lane < kVectorsOfGroup) sums[warp][lane * kVector + j] = sum[j];
  }
  __syncthreads();
  float total = 0;
#pragma unroll
  for (int i = 0; i < kCompareWarps; ++i) total += sums[i][lane];
  __syncthreads();
  return total / static_cast<float>(tokens);
}

// Thread block (group of channels; 0 keys, 1 values; row). Of its channels: the squared norm of the frame's
// mean token, and per sink the product with its mean token and its squared norm.
__global__ void __launch_bounds__(kCompareThreads)
    compare_kernel(const AdaptiveSinks op, int tokens, int width) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int group = static_cast<int>(blockIdx.x), which = static_cast<int>(blockIdx.y);
  const int64_t row = blockIdx.z;
  const int sinks = op.choices[row].sinks;
  if (sinks == 0) return;
  const bf16* fresh = op.products + (row * tokens * 3 + 1 + which) * width + group * kSinkChannels;
  const bf16* ring = (which == 0 ? op.rings[row].k : op.rings[row].v) + group * kSinkChannels;
  float* out = op.partial + ((row * gridDim.x + group) * 2 + which) * (1 + 2 * op.sinks);
  const float mean = mean_token(fresh, int64_t{3} * width, tokens);
  const auto put = [out](int i, float value) {
    const float sum = warp_sum(value);
    if (threadIdx.x == 0) out[i] = sum;
  };
  put(0, mean * mean);
  for (int sink = 0; sink < sinks; ++sink) {
    const float of_sink = mean_token(ring + int64_t{sink} * tokens * width, width, tokens);
    put(1 + 2 * sink, mean * of_sink);
    put(2 + 2 * sink, of_sink * of_sink);
  }
}

// The row's slot, by one warp; `report`: it also writes down what it compared.
__device__ int choose_slot(const AdaptiveSinks& op, int64_t row, int groups, bool report) {
  const SinkChoice choice = op.choices[row];
  if (choice.sinks == 0) return choice.next_slot;
  const int lane = static_cast<int>(threadIdx.x) % 32, numbers = 1 + 2 * op.sinks;
  const auto total = [&](int which, int i) {
    float sum = 0;
    for (int group = lane; group < groups; group += 32)
      sum += op.partial[((row * groups + group) * 2 + which) * numbers + i];
    return warp_sum(sum);
  };
  const auto norm = [&](int which, int i) { return fmaxf(sqrtf(total(which, i)), kSmallestNorm); };
  const float fresh[2] = {norm(0, 0), norm(1, 0)};
  float least = 0;
  int least_sink = -1;
  for (int sink = 0; sink < choice.sinks; ++sink) {
    float similarity = 0;
#pragma unroll
    for (int which = 0; which < 2; ++which)
      similarity += total(which, 1 + 2 * sink) / (fresh[which] * norm(which, 2 + 2 * sink)) * 0.5F;
    if (report && lane == 0) op.similarity[row * op.sinks + sink] = similarity;
    if (least_sink < 0 || similarity < least) {
      least = similarity;
      least_sink = sink;
    }
  }
  const int replaced = static_cast<double>(least) < choice.threshold ? least_sink : choice.pending;
  return choice.full && replaced >= 0 ? replaced : choice.next_slot;
}

// Thread blocks (tokens, row), one warp per token. Every block chooses for itself.
__global__ void __launch_bounds__(kTokenThreads) place_kernel(const AdaptiveSinks op, int tokens, int width) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int64_t row = blockIdx.y;
  __shared__ int shared_slot;
  if (threadIdx.x < 32) {
    const int slot = choose_slot(op, row, width / kSinkChannels, blockIdx.x == 0);
    if (threadIdx.x == 0) shared_slot = slot;
  }
  __syncthreads();
  const int token = static_cast<int>(blockIdx.x * (kTokenThreads / 32) + threadIdx.x / 32);
  if (token >= tokens) return;
  const bf16* k = op.products + ((row * tokens + token) * 3 + 1) * width;
  const int64_t to = (int64_t{shared_slot} * tokens + token) * width;
  const RingPointers ring = op.rings[row];
  for (int c = static_cast<int>(threadIdx.x) % 32 * kVector; c < width; c += 32 * kVector) {
    *reinterpret_cast<uint4*>(ring.k + to + c) = *reinterpret_cast<const uint4*>(k + c);
    *reinterpret_cast<uint4*>(ring.v + to + c) = *reinterpret_cast<const uint4*>(k + width + c);
  }
}

}  // namespace

cudaError_t launch_place_with_adaptive_sinks(const AdaptiveSinks& op, const TokenShape& shape,
                                             cudaStream_t stream) {
  const auto rows = static_cast<unsigned>(shape.rows);
  const cudaError_t error =
      launch(compare_kernel, dim3(static_cast<unsigned>(shape.width / kSinkChannels), 2, rows),
             kCompareThreads, 0, stream, op, shape.per_frame, shape.width);
  if (error != cudaSuccess) return error;
  constexpr int kTokens = kTokenThreads / 32;
  return launch(place_kernel, dim3(static_cast<unsigned>((shape.per_frame + kTokens - 1) / kTokens), rows),
                kTokenThreads, 0, stream, op, shape.per_frame, shape.width);
}

}  // namespace sdv2
