// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/vae_frames.h"

#include <cuda_bf16.h>

#include <cmath>

namespace sdv2 {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr unsigned kAllLanes = 0xffffffffu;

unsigned blocks_for(int64_t items, int per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

__device__ float low(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }
__device__ uint32_t bf16_pair(float a, float b) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ float silu(float v) { return v / (1.f + __expf(-v)); }

__device__ int64_t slot_of(const FrameSlots& at, int chunk, int frame) {
  return (chunk * at.step + at.first + frame) % at.slots;
}

// A warp per pixel, four channels per lane at a time.
template <FrameOp OP>
__global__ void frame_op_kernel(FrameTensor in, FrameTensor out, const float* gamma, const int* chunk_at,
                                int64_t pixels, int64_t all_pixels, int channels, float scale) {
  const int64_t warp = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (warp >= all_pixels) return;
  const int lane = threadIdx.x & 31, quads = channels / 4;
  const int chunk = __ldg(chunk_at);
  const int frame = static_cast<int>(warp / pixels);
  const int64_t pixel = warp % pixels;
  const auto* from =
      static_cast<const uint2*>(in.data) + (slot_of(in.at, chunk, frame) * pixels + pixel) * quads;
  auto* to = static_cast<uint2*>(out.data) + (slot_of(out.at, chunk, frame) * pixels + pixel) * quads;
  constexpr int kRounds = kMaxNormChannels / 128;
  uint2 v[kRounds];
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kRounds; ++i) {
    const int quad = lane + 32 * i;
    v[i] = quad < quads ? from[quad] : make_uint2(0, 0);
    squares += low(v[i].x) * low(v[i].x) + high(v[i].x) * high(v[i].x) + low(v[i].y) * low(v[i].y) +
               high(v[i].y) * high(v[i].y);
  }
  if constexpr (OP == FrameOp::kCopy) {
#pragma unroll
    for (int i = 0; i < kRounds; ++i)
      if (lane + 32 * i < quads) to[lane + 32 * i] = v[i];
  } else {
#pragma unroll
    for (int other = 16; other > 0; other /= 2) squares += __shfl_xor_sync(kAllLanes, squares, other);
    const float factor = scale * rsqrtf(fmaxf(squares, 1e-24f));
#pragma unroll
    for (int i = 0; i < kRounds; ++i) {
      const int quad = lane + 32 * i;
      if (quad >= quads) continue;
      const float4 g = __ldg(reinterpret_cast<const float4*>(gamma) + quad);
      float y[4] = {low(v[i].x) * factor * g.x, high(v[i].x) * factor * g.y, low(v[i].y) * factor * g.z,
                    high(v[i].y) * factor * g.w};
      if (OP == FrameOp::kNormSilu)
        for (float& value : y) value = silu(value);
      to[quad] = make_uint2(bf16_pair(y[0], y[1]), bf16_pair(y[2], y[3]));
    }
  }
}

__global__ void pack_pictures_kernel(const __nv_bfloat16* history, const __nv_bfloat16* pictures, uint4* out,
                                     int height, int width) {
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t pixels = int64_t{height} * width;
  if (index >= 4 * pixels) return;
  const int frame = static_cast<int>(index / pixels);
  const int64_t pixel = index % pixels;
  const int column = static_cast<int>(pixel % width);
  __align__(16) __nv_bfloat16 v[32];
#pragma unroll
  for (int k = 27; k < 32; ++k) v[k] = __float2bfloat16(0.f);
#pragma unroll
  for (int time = 0; time < 3; ++time) {
    const int t = frame + time;  // counted from the history
    const __nv_bfloat16* picture = t < 2 ? history + t * 3 * pixels : pictures + (t - 2) * 3 * pixels;
#pragma unroll
    for (int dx = 0; dx < 3; ++dx) {
      const int x = column + dx - 1;
      const bool inside = x >= 0 && x < width;
#pragma unroll
      for (int colour = 0; colour < 3; ++colour)
        v[(time * 3 + dx) * 3 + colour] =
            inside ? picture[colour * pixels + pixel + dx - 1] : __float2bfloat16(0.f);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) out[index * 4 + i] = reinterpret_cast<const uint4*>(v)[i];
}

__global__ void latent_conv_kernel(const __nv_bfloat16* in, const float* weight, const float* bias,
                                   FrameTensor out, const int* chunk_at, int64_t pixels, int64_t all_pixels) {
  const int64_t index = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= all_pixels) return;
  const int frame = static_cast<int>(index / pixels);
  const int64_t pixel = index % pixels;
  float z[16];
#pragma unroll
  for (int c = 0; c < 16; ++c) z[c] = __bfloat162float(in[(int64_t{frame} * 16 + c) * pixels + pixel]);
  auto* to = static_cast<uint4*>(out.data) + (slot_of(out.at, __ldg(chunk_at), frame) * pixels + pixel) * 4;
#pragma unroll
  for (int block = 0; block < 2; ++block) {
    float y[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      y[i] = __ldg(bias + block * 8 + i);
#pragma unroll
      for (int c = 0; c < 16; ++c) y[i] += __ldg(weight + (block * 8 + i) * 16 + c) * z[c];
    }
    to[block] = make_uint4(bf16_pair(y[0], y[1]), bf16_pair(y[2], y[3]), bf16_pair(y[4], y[5]),
                           bf16_pair(y[6], y[7]));
  }
  to[2] = to[3] = make_uint4(0, 0, 0, 0);
}

// The sum or maximum over a block, in every thread.
template <class Op>
__device__ float over_block(float value, float* shared, Op op) {
#pragma unroll
  for (int other = 16; other > 0; other /= 2) value = op(value, __shfl_xor_sync(kAllLanes, value, other));
  __syncthreads();  // of the call before, all have read
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  value = shared[0];
#pragma unroll
  for (int i = 1; i < kWarps; ++i) value = op(value, shared[i]);
  return value;
}

// A block per row, two columns at a time.
__global__ void softmax_kernel(uint32_t* scores, int64_t pairs) {
  __shared__ float shared[kWarps];
  uint32_t* row = scores + blockIdx.x * pairs;
  float most = -INFINITY;
  for (int64_t i = threadIdx.x; i < pairs; i += kThreads)
    most = fmaxf(most, fmaxf(low(row[i]), high(row[i])));
  most = over_block(most, shared, [](float a, float b) { return fmaxf(a, b); });
  float sum = 0;
  for (int64_t i = threadIdx.x; i < pairs; i += kThreads)
    sum += __expf(low(row[i]) - most) + __expf(high(row[i]) - most);
  sum = over_block(sum, shared, [](float a, float b) { return a + b; });
  const float factor = 1.f / sum;
  for (int64_t i = threadIdx.x; i < pairs; i += kThreads)
    row[i] = bf16_pair(__expf(low(row[i]) - most) * factor, __expf(high(row[i]) - most) * factor);
}

__global__ void next_chunk_kernel(int* chunk) { *chunk = (*chunk + 1) % kChunkPeriod; }

}  // namespace

cudaError_t launch_frame_op(FrameOp op, const FrameTensor& in, const FrameTensor& out, const float* gamma,
                            const int* chunk, int64_t pixels, int frames, int channels, cudaStream_t stream) {
  if (channels % 4 != 0 || channels > kMaxNormChannels) return cudaErrorInvalidValue;
  const auto kernel = op == FrameOp::kCopy   ? frame_op_kernel<FrameOp::kCopy>
                      : op == FrameOp::kNorm ? frame_op_kernel<FrameOp::kNorm>
                                             : frame_op_kernel<FrameOp::kNormSilu>;
  kernel<<<blocks_for(pixels * frames, kWarps), kThreads, 0, stream>>>(
      in, out, gamma, chunk, pixels, pixels * frames, channels, std::sqrt(static_cast<float>(channels)));
  return cudaGetLastError();
}

cudaError_t launch_pack_pictures(const void* history, const void* pictures, void* out, int height, int width,
                                 cudaStream_t stream) {
  pack_pictures_kernel<<<blocks_for(int64_t{4} * height * width, kThreads), kThreads, 0, stream>>>(
      static_cast<const __nv_bfloat16*>(history), static_cast<const __nv_bfloat16*>(pictures),
      static_cast<uint4*>(out), height, width);
  return cudaGetLastError();
}

cudaError_t launch_latent_conv(const void* in, const float* weight, const float* bias, const FrameTensor& out,
                               const int* chunk, int64_t pixels, int frames, cudaStream_t stream) {
  latent_conv_kernel<<<blocks_for(pixels * frames, kThreads), kThreads, 0, stream>>>(
      static_cast<const __nv_bfloat16*>(in), weight, bias, out, chunk, pixels, pixels * frames);
  return cudaGetLastError();
}

cudaError_t launch_softmax(void* scores, int64_t rows, int64_t columns, cudaStream_t stream) {
  if (columns % 2 != 0) return cudaErrorInvalidValue;
  softmax_kernel<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(static_cast<uint32_t*>(scores),
                                                                       columns / 2);
  return cudaGetLastError();
}

cudaError_t launch_next_chunk(int* chunk, cudaStream_t stream) {
  next_chunk_kernel<<<1, 1, 0, stream>>>(chunk);
  return cudaGetLastError();
}

}  // namespace sdv2
