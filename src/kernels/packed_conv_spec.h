// SPDX-License-Identifier: LGPL-2.1-or-later
// From packed weights (conv_packing.h) to what the direct convolution kernel is told (direct_conv.h).
#pragma once

#include "kernels/conv_packing.h"
#include "kernels/direct_conv.h"

namespace sdv2 {

// For input frames of height × width and `frames` output frames per call (pairs of them for kTimeDouble), a
// multiple of the tile's. Group g of output frames sees the input frames from g · group_step on; normally
// that is tile.frames. `chunk`: device memory. Residual, outputs and gamma are left to the caller.
DirectConvSpec spec_of(const PackedConv& conv, const FrameTensor& in, int64_t height, int64_t width,
                       int frames, int group_step, const int* chunk);

}  // namespace sdv2
