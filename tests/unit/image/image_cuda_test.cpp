// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA kernels must give the bits of the host, for every format, size and fit.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "image/chunk_input.h"
#include "image/chunk_output.h"
#include "unit/image/picture.h"

#if SDV2_HAVE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace sdv2 {
namespace {

using testing::format_at;
using testing::Picture;
using testing::spec_of;

class ImageCuda : public ::testing::Test {
 protected:
  void SetUp() override {
#if SDV2_HAVE_CUDA
    if (!at::hasCUDA()) GTEST_SKIP() << "no GPU: the CUDA picture kernels were not run";
#else
    GTEST_SKIP() << "this build has no CUDA kernels: the CUDA picture kernels were not run";
#endif
  }
};

at::Tensor converted(const std::vector<PackedImage>& pictures, Size size, Fit fit, at::ScalarType type,
                     at::Device device) {
  auto input = make_chunk_input(size, fit, device);
  EXPECT_TRUE(input.ok());
  const at::Tensor out = at::empty({static_cast<int64_t>(pictures.size()), 3, size.height, size.width},
                                   at::TensorOptions(type).device(device));
  for (int round = 0; round < 2; ++round) {  // the second time with tables and memory in place
    const auto result = (*input)->convert(pictures, out);
    EXPECT_TRUE(result.ok()) << result.error().message;
  }
  return out.cpu();
}

TEST_F(ImageCuda, InputHasTheBitsOfTheHost) {
  const at::Device device(at::kCUDA, 0);
  for (const Size source : {Size{1, 1}, {35, 17}, {640, 360}, {1281, 721}})
    for (const Fit fit : {Fit::kStretch, Fit::kCrop, Fit::kLetterbox}) {
      std::vector<std::vector<uint8_t>> bytes;
      std::vector<PackedImage> pictures;  // a chunk in which every picture has another format
      for (int f = 0; f < kPixelFormats; ++f) {
        const ImageSpec spec = spec_of(format_at(f), source);
        Picture picture(spec);
        picture.fill_random(f);
        pack(picture.view(), bytes.emplace_back(packed_size(spec)).data());
        pictures.push_back({spec, bytes.back().data()});
      }
      for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf})
        EXPECT_TRUE(at::equal(converted(pictures, {416, 240}, fit, type, device),
                              converted(pictures, {416, 240}, fit, type, at::kCPU)))
            << source.width << "x" << source.height << " " << at::toString(type);
    }
}

TEST_F(ImageCuda, OutputHasTheBytesOfTheHost) {
  const at::Tensor pixels = at::linspace(-1.5, 1.5, 2 * 3 * 240 * 416).reshape({2, 3, 240, 416});
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf})
    for (const auto scale : {PixelScale::kMinusOneToOne, PixelScale::kZeroToOne}) {
      const at::Tensor values = pixels.to(type);
      const at::Tensor host = at::empty(pixels.sizes(), at::kByte);
      const at::Tensor device = at::empty(pixels.sizes(), at::TensorOptions(at::kByte).device(at::kCUDA));
      ASSERT_TRUE(convert_chunk_output(values, scale, host).ok());
      ASSERT_TRUE(convert_chunk_output(values.to(at::kCUDA), scale, device).ok());
      EXPECT_TRUE(at::equal(device.cpu(), host));
    }
}

#if SDV2_HAVE_CUDA
TEST_F(ImageCuda, RunsOnTheCurrentStream) {
  // While a side stream is busy, work queued on it cannot have overtaken; reading it back there sees the
  // result.
  const ImageSpec spec = spec_of(PixelFormat::kNv12, {640, 360});
  Picture picture(spec);
  picture.fill_random(1);
  std::vector<uint8_t> bytes(packed_size(spec));
  pack(picture.view(), bytes.data());
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  const auto input = make_chunk_input({416, 240}, Fit::kStretch, at::Device(at::kCUDA, 0));
  ASSERT_TRUE(input.ok());
  at::Tensor out = at::empty({1, 3, 240, 416}, at::TensorOptions(at::kFloat).device(at::kCUDA));
  at::Tensor late = at::ones({4096, 4096}, at::TensorOptions(at::kFloat).device(at::kCUDA));
  for (int i = 0; i < 8; ++i) late = late.matmul(late) * 0;
  out.fill_(late[0][0]);  // queued first; a conversion on another stream would be overwritten by it
  ASSERT_TRUE((*input)->convert(std::vector<PackedImage>{{spec, bytes.data()}}, out).ok());
  EXPECT_GT(out.abs().max().item<float>(), 0.1F);
}
#endif

}  // namespace
}  // namespace sdv2
