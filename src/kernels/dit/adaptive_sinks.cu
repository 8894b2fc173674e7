// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/adaptive_sinks.h"

#include "kernels/dit/launch.cuh"
#include "kernels/dit/token_row.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

constexpr int kMeanThreads = 512;
constexpr int kMeanWarps = kMeanThreads / 32;
constexpr int kChannels = 64;  // of a thread block: 128 bytes of a token
constexpr int kVectorsOfBlock = kChannels / kVector;
constexpr int kPlaceWarps = kTokenThreads / 32;
constexpr float kSmallestNorm = 1e-8F;  // as at::cosine_similarity

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kAllLanes, value, lanes);
  return value;
}

// A row's share of the scratch memory.
struct Scratch {
  float* fresh;  // [2, width]: the frame's mean key and value
  float* sums;   // [sinks, 2, width/32, 3]: frame · sink, frame · frame, sink · sink

  __device__ Scratch(const AdaptiveSinks& op, int64_t row, int width)
      : fresh(op.scratch + row * adaptive_sink_floats(1, op.sinks, width)), sums(fresh + 2 * width) {}
};

// The mean of a channel's tokens, for the first kChannels threads of the block; all threads call it. from:
// the first token, at the block's first channel.
__device__ float mean_token(const bf16* from, int64_t stride, int tokens) {
  __shared__ float sums[kMeanWarps][kChannels];
  from += threadIdx.x % kVectorsOfBlock * kVector;
  float sum[kVector] = {};
#pragma unroll 8
  for (int token = static_cast<int>(threadIdx.x) / kVectorsOfBlock; token < tokens;
       token += kMeanThreads / kVectorsOfBlock) {
    float x[kVector];
    unpack(*reinterpret_cast<const uint4*>(from + token * stride), x);
#pragma unroll
    for (int j = 0; j < kVector; ++j) sum[j] += x[j];
  }
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  __syncthreads();  // the sums of the call before have been read
#pragma unroll
  for (int j = 0; j < kVector; ++j) {
#pragma unroll
    for (int lanes = 16; lanes >= kVectorsOfBlock; lanes /= 2)
      sum[j] += __shfl_xor_sync(kAllLanes, sum[j], lanes);
    if (lane < kVectorsOfBlock) sums[warp][lane * kVector + j] = sum[j];
  }
  __syncthreads();
  if (threadIdx.x >= kChannels) return 0;
  float total = 0;
#pragma unroll
  for (int i = 0; i < kMeanWarps; ++i) total += sums[i][threadIdx.x];
  return total / static_cast<float>(tokens);
}

// Thread blocks (channels; 0 keys, 1 values; row): mean tokens, and their part of what is compared.
__global__ void __launch_bounds__(kMeanThreads)
    compare_kernel(const AdaptiveSinks op, int tokens, int width) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int64_t row = blockIdx.z;
  const int which = static_cast<int>(blockIdx.y), first = static_cast<int>(blockIdx.x) * kChannels;
  const SinkChoice choice = op.choices[row];
  if (choice.sinks == 0) return;
  const Scratch scratch(op, row, width);
  const int channel = first + static_cast<int>(threadIdx.x);  // of the first kChannels threads
  const bool has_channel = threadIdx.x < kChannels;
  const float fresh =
      mean_token(op.products + (row * tokens * 3 + 1 + which) * width + first, int64_t{3} * width, tokens);
  if (has_channel) scratch.fresh[which * width + channel] = fresh;
  const bf16* ring = which == 0 ? op.rings[row].k : op.rings[row].v;
  for (int64_t sink = 0; sink < choice.sinks; ++sink) {
    float* known = choice.means + (sink * 2 + which) * width + channel;
    float mean = 0;
    if (choice.stale) {
      mean = mean_token(ring + sink * tokens * width + first, width, tokens);
      if (has_channel) *known = mean;
    } else if (has_channel) {
      mean = *known;
    }
    if (!has_channel) continue;
    const float sums[3] = {warp_sum(fresh * mean), warp_sum(fresh * fresh), warp_sum(mean * mean)};
    float* to = scratch.sums + ((sink * 2 + which) * (width / 32) + channel / 32) * 3;
    if (threadIdx.x % 32 > 0) continue;
#pragma unroll
    for (int i = 0; i < 3; ++i) to[i] = sums[i];
  }
}

// How similar the sinks are to the frame, for all threads of the block, which all call it.
__device__ const float* similarities(const AdaptiveSinks& op, int64_t row, int sinks, int width) {
  __shared__ float halves[2 * kMaxSinks];
  __shared__ float similarity[kMaxSinks];
  const Scratch scratch(op, row, width);
  const int lane = static_cast<int>(threadIdx.x) % 32, groups = width / 32;
  for (int i = static_cast<int>(threadIdx.x) / 32; i < 2 * sinks; i += kPlaceWarps) {
    float sums[3] = {};
    for (int group = lane; group < groups; group += 32)
#pragma unroll
      for (int j = 0; j < 3; ++j) sums[j] += __ldcg(scratch.sums + (int64_t{i} * groups + group) * 3 + j);
#pragma unroll
    for (int j = 0; j < 3; ++j) sums[j] = warp_sum(sums[j]);
    if (lane == 0)
      halves[i] =
          sums[0] / (fmaxf(sqrtf(sums[1]), kSmallestNorm) * fmaxf(sqrtf(sums[2]), kSmallestNorm)) * 0.5F;
  }
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < sinks)
    similarity[threadIdx.x] = halves[2 * threadIdx.x] + halves[2 * threadIdx.x + 1];
  __syncthreads();
  return similarity;
}

// The row's slot. `first`: of the row's thread blocks, which writes down what is to stay.
__device__ int choose_slot(const AdaptiveSinks& op, int64_t row, int width, bool first) {
  const SinkChoice choice = op.choices[row];
  if (choice.sinks == 0) return choice.next_slot;
  const float* similarity = similarities(op, row, choice.sinks, width);
  int least = 0;
  for (int sink = 1; sink < choice.sinks; ++sink)
    if (similarity[sink] < similarity[least]) least = sink;
  const int replaced = static_cast<double>(similarity[least]) < choice.threshold ? least : choice.pending;
  const int slot = choice.full && replaced >= 0 ? replaced : choice.next_slot;
  if (first) {
    if (static_cast<int>(threadIdx.x) < choice.sinks)
      op.similarity[row * op.sinks + threadIdx.x] = similarity[threadIdx.x];
    if (slot < choice.sinks)
      for (int c = static_cast<int>(threadIdx.x); c < 2 * width; c += kTokenThreads)
        choice.means[int64_t{slot} * 2 * width + c] = Scratch(op, row, width).fresh[c];
  }
  return slot;
}

// Thread blocks (tokens, row), one warp per token. Every block chooses for itself.
__global__ void __launch_bounds__(kTokenThreads) place_kernel(const AdaptiveSinks op, int tokens, int width) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int64_t row = blockIdx.y;
  const int slot = choose_slot(op, row, width, blockIdx.x == 0);
  const int token = static_cast<int>(blockIdx.x * kPlaceWarps + threadIdx.x / 32);
  if (token >= tokens) return;
  const bf16* k = op.products + ((row * tokens + token) * 3 + 1) * width;
  const int64_t to = (int64_t{slot} * tokens + token) * width;
  const RingPointers ring = op.rings[row];
  for (int c = static_cast<int>(threadIdx.x) % 32 * kVector; c < width; c += 32 * kVector) {
    *reinterpret_cast<uint4*>(ring.k + to + c) = *reinterpret_cast<const uint4*>(k + c);
    *reinterpret_cast<uint4*>(ring.v + to + c) = *reinterpret_cast<const uint4*>(k + width + c);
  }
}

}  // namespace

cudaError_t launch_place_with_adaptive_sinks(const AdaptiveSinks& op, const TokenShape& shape,
                                             cudaStream_t stream) {
  if (op.sinks > kMaxSinks) return cudaErrorInvalidValue;
  const auto rows = static_cast<unsigned>(shape.rows);
  const dim3 channels(static_cast<unsigned>(shape.width / kChannels), 2, rows);
  const cudaError_t error =
      launch(compare_kernel, channels, kMeanThreads, 0, stream, op, shape.per_frame, shape.width);
  if (error != cudaSuccess) return error;
  return launch(place_kernel,
                dim3(static_cast<unsigned>((shape.per_frame + kPlaceWarps - 1) / kPlaceWarps), rows),
                kTokenThreads, 0, stream, op, shape.per_frame, shape.width);
}

}  // namespace sdv2
