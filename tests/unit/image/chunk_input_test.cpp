// SPDX-License-Identifier: LGPL-2.1-or-later
// Chunks of pictures → tensors on the host, and the model's output → bytes.
#include "image/chunk_input.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/chunk_output.h"
#include "image/input_converter.h"
#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using ::testing::HasSubstr;
using testing::Picture;
using testing::spec_of;

constexpr Size kSize = {48, 32};

std::vector<uint8_t> packed_noise(const ImageSpec& spec, uint32_t seed) {
  Picture picture(spec);
  picture.fill_random(seed);
  std::vector<uint8_t> bytes(packed_size(spec));
  pack(picture.view(), bytes.data());
  return bytes;
}

std::unique_ptr<ChunkInput> host_input(Fit fit) {
  auto input = make_chunk_input(kSize, fit, at::kCPU);
  EXPECT_TRUE(input.ok());
  return std::move(*input);
}

TEST(ChunkInput, EveryPictureGoesToItsFrame) {
  const ImageSpec specs[] = {spec_of(PixelFormat::kI420, {60, 50}), spec_of(PixelFormat::kI420, {60, 50}),
                             spec_of(PixelFormat::kBgra, {33, 77})};
  const std::vector<uint8_t> bytes[] = {packed_noise(specs[0], 1), packed_noise(specs[1], 2),
                                        packed_noise(specs[2], 3)};
  std::vector<PackedImage> pictures;
  for (int t = 0; t < 3; ++t) pictures.push_back({specs[t], bytes[t].data()});
  const at::Tensor out = at::full({3, 3, kSize.height, kSize.width}, 9, at::kFloat);
  ASSERT_TRUE(host_input(Fit::kCrop)->convert(pictures, out).ok());
  for (int t = 0; t < 3; ++t) {
    const at::Tensor expected = at::empty({3, kSize.height, kSize.width}, at::kFloat);
    InputConverter converter(kSize, Fit::kCrop);
    ASSERT_TRUE(converter.convert(view_of(pictures[t]), expected.mutable_data_ptr<float>()).ok());
    EXPECT_TRUE(at::equal(out[t], expected));
  }
}

TEST(ChunkInput, OtherTypesAreRounded) {
  const ImageSpec spec = spec_of(PixelFormat::kYuy2, {31, 31});
  const auto bytes = packed_noise(spec, 5);
  const PackedImage pictures[] = {{spec, bytes.data()}, {spec, bytes.data()}};
  const auto input = host_input(Fit::kLetterbox);
  const at::Tensor exact = at::empty({2, 3, kSize.height, kSize.width}, at::kFloat);
  ASSERT_TRUE(input->convert(pictures, exact).ok());
  for (const auto type : {at::kBFloat16, at::kHalf}) {
    const at::Tensor out = at::empty(exact.sizes(), type);
    ASSERT_TRUE(input->convert(pictures, out).ok());
    EXPECT_TRUE(at::equal(out, exact.to(type)));
  }
}

TEST(ChunkInput, RefusesWhatDoesNotFit) {
  const ImageSpec spec = spec_of(PixelFormat::kRgb, {8, 8});
  const auto bytes = packed_noise(spec, 5);
  const PackedImage good[] = {{spec, bytes.data()}};
  const auto input = host_input(Fit::kStretch);
  const auto error = [&](std::span<const PackedImage> pictures, const at::Tensor& out) {
    const auto result = input->convert(pictures, out);
    return result.ok() ? "" : result.error().message;
  };
  EXPECT_THAT(error(good, at::empty({2, 3, 32, 48})), HasSubstr("[1, 3, 32, 48]"));
  EXPECT_THAT(error(good, at::empty({1, 3, 48, 32})), HasSubstr("[1, 3, 48, 32]"));
  EXPECT_THAT(error(good, at::empty({1, 3, 32, 48}, at::kDouble)), HasSubstr("Double"));
  EXPECT_THAT(error(good, at::empty({1, 3, 48, 32}).transpose(2, 3)), HasSubstr("contiguous"));
  const PackedImage empty[] = {{spec, nullptr}};
  EXPECT_THAT(error(empty, at::empty({1, 3, 32, 48})), HasSubstr("no data"));
  EXPECT_FALSE(make_chunk_input({0, 16}, Fit::kStretch, at::kCPU).ok());
  EXPECT_FALSE(make_chunk_input(kSize, Fit::kStretch, at::kMeta).ok());
}

TEST(ChunkOutput, RoundsEveryType) {
  const at::Tensor pixels = at::linspace(-1.2, 1.2, 2 * 3 * 16 * 16).reshape({2, 3, 16, 16});
  const at::Tensor out = at::empty(pixels.sizes(), at::kByte);
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor values = pixels.to(type);
    const at::Tensor exact = values.to(at::kDouble);
    ASSERT_TRUE(convert_chunk_output(values, PixelScale::kMinusOneToOne, out).ok());
    EXPECT_LE((out.to(at::kDouble) - (exact * 127.5 + 127.5).clamp(0, 255)).abs().max().item<double>(),
              0.50001);
    ASSERT_TRUE(convert_chunk_output(values, PixelScale::kZeroToOne, out).ok());
    EXPECT_LE((out.to(at::kDouble) - (exact * 255).clamp(0, 255)).abs().max().item<double>(), 0.50001);
  }
}

TEST(ChunkOutput, RefusesWhatDoesNotFit) {
  const at::Tensor pixels = at::zeros({1, 3, 16, 16});
  const auto scale = PixelScale::kZeroToOne;
  EXPECT_FALSE(convert_chunk_output(pixels, scale, at::empty({1, 3, 16, 16}, at::kFloat)).ok());
  EXPECT_FALSE(convert_chunk_output(pixels, scale, at::empty({3, 16, 16}, at::kByte)).ok());
  EXPECT_FALSE(convert_chunk_output(pixels.to(at::kInt), scale, at::empty({1, 3, 16, 16}, at::kByte)).ok());
}

}  // namespace
}  // namespace sdv2
