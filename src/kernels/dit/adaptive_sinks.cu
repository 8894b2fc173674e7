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

// Thread block (channels; 0 the frame, i + 1 sink i; 2·row, + 1 for values): their mean token.
__global__ void __launch_bounds__(kMeanThreads) mean_kernel(const AdaptiveSinks op, int tokens, int width) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int64_t row = blockIdx.z / 2, frames = gridDim.y, frame = blockIdx.y;
  const int which = static_cast<int>(blockIdx.z % 2);
  const int sinks = op.choices[row].sinks;
  if (sinks == 0 || frame > sinks) return;
  const bf16* from = op.products + (row * tokens * 3 + 1 + which) * width;
  int64_t stride = int64_t{3} * width;
  if (frame > 0) {
    from = (which == 0 ? op.rings[row].k : op.rings[row].v) + (frame - 1) * tokens * width;
    stride = width;
  }
  const int first = static_cast<int>(blockIdx.x) * kChannels;
  from += first + threadIdx.x % kVectorsOfBlock * kVector;
  float sum[kVector] = {};
#pragma unroll 8
  for (int token = static_cast<int>(threadIdx.x) / kVectorsOfBlock; token < tokens;
       token += kMeanThreads / kVectorsOfBlock) {
    float x[kVector];
    unpack(*reinterpret_cast<const uint4*>(from + token * stride), x);
#pragma unroll
    for (int j = 0; j < kVector; ++j) sum[j] += x[j];
  }
  __shared__ float sums[kMeanWarps][kChannels];
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int j = 0; j < kVector; ++j) {
#pragma unroll
    for (int lanes = 16; lanes >= kVectorsOfBlock; lanes /= 2)
      sum[j] += __shfl_xor_sync(kAllLanes, sum[j], lanes);
    if (lane < kVectorsOfBlock) sums[warp][lane * kVector + j] = sum[j];
  }
  __syncthreads();
  if (threadIdx.x >= kChannels) return;
  float total = 0;
#pragma unroll
  for (int i = 0; i < kMeanWarps; ++i) total += sums[i][threadIdx.x];
  op.means[((row * 2 + which) * frames + frame) * width + first + threadIdx.x] =
      total / static_cast<float>(tokens);
}

// How similar a row's sink is to the frame, for all threads of the block, which all call it.
__device__ float similarity_to(const AdaptiveSinks& op, int64_t row, int sink, int width) {
  __shared__ float sums[6][kPlaceWarps];
  float products[6] = {};  // of keys, then of values: frame · sink, frame · frame, sink · sink
#pragma unroll
  for (int which = 0; which < 2; ++which) {
    const float* fresh = op.means + (row * 2 + which) * (1 + op.sinks) * width;
    const float* of_sink = fresh + int64_t{1 + sink} * width;
    for (int c = static_cast<int>(threadIdx.x); c < width; c += kTokenThreads) {
      const float a = __ldcg(fresh + c), b = __ldcg(of_sink + c);
      products[3 * which] += a * b;
      products[3 * which + 1] += a * a;
      products[3 * which + 2] += b * b;
    }
  }
  __syncthreads();  // the sums of the sink before have been read
#pragma unroll
  for (int i = 0; i < 6; ++i) {
    const float sum = warp_sum(products[i]);
    if (threadIdx.x % 32 == 0) sums[i][threadIdx.x / 32] = sum;
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 6; ++i) {
    products[i] = 0;
#pragma unroll
    for (int warp = 0; warp < kPlaceWarps; ++warp) products[i] += sums[i][warp];
  }
  float similarity = 0;
#pragma unroll
  for (int i = 0; i < 6; i += 3)
    similarity +=
        products[i] /
        (fmaxf(sqrtf(products[i + 1]), kSmallestNorm) * fmaxf(sqrtf(products[i + 2]), kSmallestNorm)) * 0.5F;
  return similarity;
}

// The row's slot; `report`: what was compared is written down, too.
__device__ int choose_slot(const AdaptiveSinks& op, int64_t row, int width, bool report) {
  const SinkChoice choice = op.choices[row];
  if (choice.sinks == 0) return choice.next_slot;
  float least = 0;
  int least_sink = -1;
  for (int sink = 0; sink < choice.sinks; ++sink) {
    const float similarity = similarity_to(op, row, sink, width);
    if (report && threadIdx.x == 0) op.similarity[row * op.sinks + sink] = similarity;
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
  const auto rows = static_cast<unsigned>(shape.rows);
  const dim3 means(static_cast<unsigned>(shape.width / kChannels), static_cast<unsigned>(1 + op.sinks),
                   2 * rows);
  const cudaError_t error =
      launch(mean_kernel, means, kMeanThreads, 0, stream, op, shape.per_frame, shape.width);
  if (error != cudaSuccess) return error;
  return launch(place_kernel,
                dim3(static_cast<unsigned>((shape.per_frame + kPlaceWarps - 1) / kPlaceWarps), rows),
                kTokenThreads, 0, stream, op, shape.per_frame, shape.width);
}

}  // namespace sdv2
