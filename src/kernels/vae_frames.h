// SPDX-License-Identifier: LGPL-2.1-or-later
// The small steps of a video autoencoder beside its convolutions (direct_conv.h), on bf16 frames in device
// memory. `chunk`: number of the chunk in device memory. All are queued on a stream and return the error of
// the launch.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/direct_conv.h"

namespace sdv2 {

enum class FrameOp : int {
  kCopy,
  kNorm,      // RMS norm over the channels, times √C, times gamma
  kNormSilu,  // and SiLU
};

constexpr int kMaxNormChannels = 512;

// `frames` frames of [slots, pixels, channels]; channels a multiple of 4, at most kMaxNormChannels.
cudaError_t launch_frame_op(FrameOp op, const FrameTensor& in, const FrameTensor& out, const float* gamma,
                            const int* chunk, int64_t pixels, int frames, int channels, cudaStream_t stream);

// The first convolution of an encoder has 3 channels, a tenth of what the kernel takes at a time. Its taps in
// time and along rows become channels: out [4, H, W, 32], channel (time·3 + column)·3 + colour of 27 taps, 5
// zeros. `pictures` [4, 3, H, W] are the new ones, `history` [2, 3, H, W] the two before.
cudaError_t launch_pack_pictures(const void* history, const void* pictures, void* out, int height, int width,
                                 cudaStream_t stream);

// A 1×1 convolution of 16 channels: in [frames, 16, pixels] to out [slots, pixels, 32], the upper 16 zero.
// `weight` [out][in] and `bias` in float32.
cudaError_t launch_latent_conv(const void* in, const float* weight, const float* bias, const FrameTensor& out,
                               const int* chunk, int64_t pixels, int frames, cudaStream_t stream);

// Softmax of every row of [rows, columns], in place; float32 inside.
cudaError_t launch_softmax(void* scores, int64_t rows, int64_t columns, cudaStream_t stream);

// *chunk = (*chunk + 1) mod kChunkPeriod
cudaError_t launch_next_chunk(int* chunk, cudaStream_t stream);

}  // namespace sdv2
