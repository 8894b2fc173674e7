// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of fused kernels share.
#pragma once

#include <ATen/ATen.h>
#include <c10/cuda/CUDAFunctions.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/fused_support.h"

namespace sdv2 {

inline at::Device gpu() { return {at::kCUDA, 0}; }

// Tests that need a Hopper GPU.
class HopperTest : public testing::Test {
 protected:
  void SetUp() override {
    if (c10::cuda::device_count() == 0 || !has_fused_kernels(at::kBFloat16, gpu()))
      GTEST_SKIP() << "no Hopper GPU here: the fused kernels were not run";
    at::manual_seed(7);
    at::globalContext().setAllowTF32CuBLAS(false);
  }
};

inline at::Tensor random_bf16(at::IntArrayRef shape) {
  return at::randn(shape, at::TensorOptions(at::kFloat).device(gpu())).to(at::kBFloat16);
}

inline at::Tensor poison(at::IntArrayRef shape) {
  return at::full(shape, std::numeric_limits<float>::quiet_NaN(),
                  at::TensorOptions(at::kBFloat16).device(gpu()));
}

// ‖got − want‖ / ‖want‖; NaN when anything is.
inline double relative_error(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor reference = want.to(at::kDouble);
  return ((got.to(at::kDouble) - reference).norm() / reference.norm()).item<double>();
}

}  // namespace sdv2
