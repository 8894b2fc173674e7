// SPDX-License-Identifier: LGPL-2.1-or-later
// What is the same for all blocks, or all tokens of a frame: rotations and modulation.
#include "kernels/dit/hopper.cuh"
#include "kernels/dit/token_ops.h"

namespace sdv2 {
namespace {

using namespace hopper;

constexpr int kThreads = 256;
constexpr int kPairs = 64, kSpacePairs = 21, kTimePairs = 22;
constexpr double kTheta = 10000.0;

unsigned blocks_for(int64_t count) { return static_cast<unsigned>((count + kThreads - 1) / kThreads); }

// One thread per pair of channels of a token. In float64, as positions are large and turns are exact.
__global__ void __launch_bounds__(kThreads)
    turns_kernel(const double* starts, int frames, int height, int width, int64_t count, float2* turns) {
  let_next_kernel_start();
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) return;
  const int pair = static_cast<int>(i % kPairs);
  const int64_t token = i / kPairs;
  const int64_t frame = token / (height * width), row = frame / frames;
  double position, part;
  if (pair < kTimePairs) {
    position = starts[row] + static_cast<double>(frame % frames);
    part = static_cast<double>(pair) / kTimePairs;
  } else {
    const bool by_row = pair < kTimePairs + kSpacePairs;
    position = static_cast<double>(by_row ? token / width % height : token % width);
    part = static_cast<double>(pair - kTimePairs - (by_row ? 0 : kSpacePairs)) / kSpacePairs;
  }
  double sine, cosine;
  sincos(position * pow(kTheta, -part), &sine, &cosine);
  turns[i] = make_float2(static_cast<float>(cosine), static_cast<float>(sine));
}

__global__ void __launch_bounds__(kThreads) modulation_kernel(const Modulation op, int64_t count) {
  let_next_kernel_start();
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) return;
  const int c = static_cast<int>(i % op.width);
  const int vector = static_cast<int>(i / op.width % op.vectors);
  const int64_t frame = i / op.width / op.vectors % op.frames;
  const int64_t layer = i / op.width / op.vectors / op.frames;
  const float of_layer = op.table[(layer * op.vectors + vector) * op.width + c];
  const float of_frame = __bfloat162float(op.of_frame[frame][vector * op.stride + c]);
  op.out[i] = of_layer + of_frame + static_cast<float>(op.scales >> vector & 1);
}

}  // namespace

// Launched in plain order: what precedes them may be copies, which the overlapped start (launch.cuh) is not
// for.
cudaError_t launch_turns(const double* starts, int rows, int frames, int height, int width, float2* turns,
                         cudaStream_t stream) {
  const int64_t count = int64_t{rows} * frames * height * width * kPairs;
  turns_kernel<<<blocks_for(count), kThreads, 0, stream>>>(starts, frames, height, width, count, turns);
  return cudaGetLastError();
}

cudaError_t launch_modulation(const Modulation& op, cudaStream_t stream) {
  const int64_t count = int64_t{op.layers} * op.frames * op.vectors * op.width;
  modulation_kernel<<<blocks_for(count), kThreads, 0, stream>>>(op, count);
  return cudaGetLastError();
}

}  // namespace sdv2
