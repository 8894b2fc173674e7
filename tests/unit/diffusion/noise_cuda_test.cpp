// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA kernel must give the bits of the host, on whatever stream is current.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "diffusion/noise_source.h"

#if SDV2_HAVE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace sdv2 {
namespace {

class PhiloxNoiseCuda : public testing::Test {
 protected:
  void SetUp() override {
#if SDV2_HAVE_CUDA
    if (!at::hasCUDA()) GTEST_SKIP() << "no GPU: the CUDA noise kernel was not run";
#else
    GTEST_SKIP() << "this build has no CUDA kernels: the CUDA noise kernel was not run";
#endif
  }

  static at::Tensor drawn(const NoiseKey& key, at::IntArrayRef shape, at::ScalarType type,
                          at::Device device) {
    auto noise = PhiloxNoise(0x123456789ABCDEF0).draw(key, shape, type, device);
    EXPECT_TRUE(noise.ok()) << noise.error().message;
    return *noise;
  }
};

TEST_F(PhiloxNoiseCuda, HasTheBitsOfTheHost) {
  const NoiseKey key = {(uint64_t{1} << 40) + 3, 2};
  // An odd length, the latent of a chunk, and more than one round of the grid.
  for (const auto& shape :
       std::vector<std::vector<int64_t>>{{0}, {1}, {1001}, {1, 16, 60, 104}, {5, 1'000'003}})
    for (const auto type : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const at::Tensor host = drawn(key, shape, type, at::kCPU);
      const at::Tensor device = drawn(key, shape, type, at::kCUDA);
      ASSERT_TRUE(device.is_cuda());
      const auto bits = type == at::kFloat ? at::kInt : at::kShort;
      EXPECT_TRUE(at::equal(device.cpu().view(bits), host.view(bits)))
          << type << ", " << host.numel() << " elements";
    }
}

#if SDV2_HAVE_CUDA
TEST_F(PhiloxNoiseCuda, RunsOnTheCurrentStream) {
  // Keeps the default stream busy, so that a kernel there would come too late for the copy on the side
  // stream.
  at::Tensor busy = at::zeros({4096, 4096}, at::TensorOptions(at::kFloat).device(at::kCUDA));
  for (int i = 0; i < 50; ++i) busy = busy.mm(busy);

  at::Tensor noise;
  {
    const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
    noise = drawn({1, 1}, {1 << 20}, at::kFloat, at::kCUDA).cpu();
  }
  EXPECT_TRUE(at::equal(noise, drawn({1, 1}, {1 << 20}, at::kFloat, at::kCPU)));
}
#endif

}  // namespace
}  // namespace sdv2
