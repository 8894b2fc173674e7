// SPDX-License-Identifier: LGPL-2.1-or-later
// The model's output → bytes, on the host and in a CUDA kernel with the same result.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "base/host_device.h"
#include "image/byte_rounding.h"

#if SDV2_HAVE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace sdv2 {

// What black and white are in the model's output.
enum class PixelScale : uint8_t {
  kMinusOneToOne,  // Wan's autoencoder
  kZeroToOne,      // TAEHV
};

// The byte for a value: 0 for black, 255 for white, clamped and rounded to the nearest; NaN gives 0.
SDV2_HOST_DEVICE inline uint8_t pixel_byte(float value, PixelScale scale) {
  return rounded_byte(scale == PixelScale::kZeroToOne ? value * 255.0F : value * 127.5F + 127.5F);
}

// out[i] = pixel_byte(values[i], scale) for i < count.
void pixel_bytes(const float* values, PixelScale scale, int64_t count, uint8_t* out);

#if SDV2_HAVE_CUDA
// Queues the same on `stream`; pointers are memory of the stream's device, values of type kF32, kF16 or
// kBF16. Returns the error of the launch; other types give cudaErrorInvalidValue.
cudaError_t launch_pixel_bytes(const void* values, DType type, PixelScale scale, int64_t count, uint8_t* out,
                               cudaStream_t stream);
#endif

}  // namespace sdv2
