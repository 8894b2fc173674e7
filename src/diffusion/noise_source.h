// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the sampler's Gaussian noise comes from.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// What a draw is for.
struct NoiseKey {
  uint64_t chunk = 0;  // counted from the start of the session
  uint32_t step = 0;   // denoising step that the noise is for; 0 is the mixing noise of a chunk
};

// One per session. Not thread-safe unless a class says so.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;

  // A standard-normal tensor, contiguous, float32, float16 or bfloat16, for one chunk of one session. On a
  // CUDA device it is made on the current stream.
  virtual Result<at::Tensor> draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                                  at::Device device) = 0;
};

// Philox noise (kernels/philox.h). Every element depends on the seed, the key and its row-major index only:
// not on the order of draws, the device or what else runs. The bits are the same on every device; half types
// are the rounded float32 numbers. Any thread.
class PhiloxNoise : public NoiseSource {
 public:
  explicit PhiloxNoise(uint64_t seed) : seed_(seed) {}

  // Errors: kUnsupported for other types, kInvalidArgument for more than 2^34 elements. Failures of the
  // device throw c10::Error.
  Result<at::Tensor> draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                          at::Device device) override;

 private:
  uint64_t seed_;
};

// Returns recorded draws in the order in which they were recorded, whatever the key: for comparison with the
// reference, which draws from one stream of random numbers.
class ReplayNoise : public NoiseSource {
 public:
  explicit ReplayNoise(std::vector<at::Tensor> draws) : draws_(std::move(draws)) {}

  // The next recorded draw, converted to type and device. Errors: kNotFound when there is none left,
  // kInvalidArgument when its shape is another one.
  Result<at::Tensor> draw(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                          at::Device device) override;

 private:
  std::vector<at::Tensor> draws_;
  size_t next_ = 0;
};

}  // namespace sdv2
