// SPDX-License-Identifier: LGPL-2.1-or-later
// Rounding of the model's output, and fading it into the source.
#include "image/pixel_bytes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "image/mix.h"
#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using testing::Picture;
using testing::spec_of;

TEST(PixelBytes, EveryByteIsReached) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(pixel_byte(static_cast<float>(byte) / 127.5F - 1, PixelScale::kMinusOneToOne), byte);
    EXPECT_EQ(pixel_byte(static_cast<float>(byte) / 255.0F, PixelScale::kZeroToOne), byte);
  }
}

TEST(PixelBytes, RoundsToTheNearestAndClamps) {
  EXPECT_EQ(pixel_byte(100.49F / 255, PixelScale::kZeroToOne), 100);
  EXPECT_EQ(pixel_byte(100.51F / 255, PixelScale::kZeroToOne), 101);
  EXPECT_EQ(pixel_byte(254.6F / 255, PixelScale::kZeroToOne), 255);
  EXPECT_EQ(pixel_byte(0, PixelScale::kMinusOneToOne), 128);
  EXPECT_EQ(pixel_byte(-1.3F, PixelScale::kMinusOneToOne), 0);
  EXPECT_EQ(pixel_byte(7, PixelScale::kMinusOneToOne), 255);
  EXPECT_EQ(pixel_byte(std::numeric_limits<float>::infinity(), PixelScale::kZeroToOne), 255);
  EXPECT_EQ(pixel_byte(-std::numeric_limits<float>::infinity(), PixelScale::kZeroToOne), 0);
  EXPECT_EQ(pixel_byte(std::nanf(""), PixelScale::kMinusOneToOne), 0);
}

TEST(PixelBytes, RowsAreTheSame) {
  std::vector<float> values;
  for (int i = -300; i < 300; ++i) values.push_back(static_cast<float>(i) / 211);
  std::vector<uint8_t> bytes(values.size());
  for (const PixelScale scale : {PixelScale::kMinusOneToOne, PixelScale::kZeroToOne}) {
    pixel_bytes(values.data(), scale, static_cast<int64_t>(values.size()), bytes.data());
    for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(bytes[i], pixel_byte(values[i], scale));
  }
}

class Mix : public ::testing::Test {
 protected:
  Mix() : source_(spec_of(PixelFormat::kRgb, {16, 8})), restyled_(384), out_(384) {
    source_.fill_random(1);
    for (size_t i = 0; i < restyled_.size(); ++i) restyled_[i] = static_cast<uint8_t>(5 * i);
  }
  Result<void> mix(float share) {
    InputConverter converter({16, 8}, Fit::kStretch);
    return mix_source(converter, source_.view(), share, restyled_.data(), out_.data());
  }
  uint8_t source_byte(size_t i) {
    return source_.at(static_cast<int>(i / 128), static_cast<int>(i % 16), static_cast<int>(i / 16 % 8));
  }
  Picture source_;
  std::vector<uint8_t> restyled_, out_;
};

TEST_F(Mix, EndsAreThePicturesThemselves) {
  ASSERT_TRUE(mix(1).ok());
  EXPECT_EQ(out_, restyled_);
  ASSERT_TRUE(mix(0).ok());
  for (size_t i = 0; i < out_.size(); ++i) ASSERT_EQ(out_[i], source_byte(i));
}

TEST_F(Mix, SharesAddUp) {
  ASSERT_TRUE(mix(0.25F).ok());
  for (size_t i = 0; i < out_.size(); ++i)
    ASSERT_NEAR(out_[i], 0.25 * restyled_[i] + 0.75 * source_byte(i), 0.51);
}

TEST_F(Mix, OtherSharesAreRefused) {
  EXPECT_FALSE(mix(-0.1F).ok());
  EXPECT_FALSE(mix(1.1F).ok());
  EXPECT_FALSE(mix(std::nanf("")).ok());
}

}  // namespace
}  // namespace sdv2
