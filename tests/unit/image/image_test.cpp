// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of pictures, and their copies into staging memory.
#include "image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/image/picture.h"

namespace sdv2 {
namespace {

using ::testing::AllOf;
using testing::format_at;
using ::testing::HasSubstr;
using testing::Picture;
using testing::spec_of;

std::string error_of(const Result<void>& result) { return result.ok() ? "" : result.error().message; }

TEST(Image, SpecsOfAnyFormatAndSizeAreValid) {
  for (int f = 0; f < kPixelFormats; ++f)
    for (const Size size : {Size{1, 1}, {3, 5}, {1280, 720}, {kMaxImageSide, kMaxImageSide}})
      EXPECT_EQ(error_of(check(spec_of(format_at(f), size))), "");
}

TEST(Image, ErrorsNameWhatIsWrong) {
  ImageSpec spec = spec_of(PixelFormat::kI420, {64, 48});
  spec.size.width = 0;
  EXPECT_THAT(error_of(check(spec)), AllOf(HasSubstr("width is 0"), HasSubstr("1 to 16384")));
  spec.size = {64, kMaxImageSide + 1};
  EXPECT_THAT(error_of(check(spec)), HasSubstr("height is 16385"));
  spec.size = {64, 48};
  spec.matrix = ColorMatrix::kRgb;
  EXPECT_THAT(error_of(check(spec)), AllOf(HasSubstr("I420"), HasSubstr("BT.709")));
  spec = spec_of(PixelFormat::kBgrx, {64, 48});
  spec.matrix = ColorMatrix::kBt601;
  EXPECT_THAT(error_of(check(spec)), AllOf(HasSubstr("BGRx"), HasSubstr("RGB")));
  spec = spec_of(PixelFormat::kI420, {64, 48});
  spec.format = static_cast<PixelFormat>(kPixelFormats);
  EXPECT_THAT(error_of(check(spec)), HasSubstr("pixel format 14"));
  spec = spec_of(PixelFormat::kI420, {64, 48});
  spec.matrix = static_cast<ColorMatrix>(9);
  EXPECT_THAT(error_of(check(spec)), HasSubstr("matrix 9"));
  spec = spec_of(PixelFormat::kI420, {64, 48});
  spec.range = static_cast<ColorRange>(2);
  EXPECT_THAT(error_of(check(spec)), HasSubstr("range 2"));
}

TEST(Image, PlanesAndStridesAreChecked) {
  for (int f = 0; f < kPixelFormats; ++f) {
    const Picture picture(spec_of(format_at(f), {5, 3}));
    EXPECT_EQ(error_of(check(ImageView(picture.view()))), "");
    const FormatInfo& info = info_of(format_at(f));
    for (int p = 0; p < info.planes; ++p) {
      ImageView view = picture.view();
      --view.strides[p];
      EXPECT_THAT(error_of(check(view)),
                  AllOf(HasSubstr("stride of plane " + std::to_string(p)),
                        HasSubstr(std::to_string(picture.view().strides[p])), HasSubstr(info.name)));
      view = picture.view();
      view.planes[p] = nullptr;
      EXPECT_THAT(error_of(check(view)), HasSubstr("plane " + std::to_string(p)));
    }
  }
}

TEST(Image, PackingDropsThePaddingAndKeepsEverySample) {
  for (int f = 0; f < kPixelFormats; ++f) {
    for (const int padding : {0, 7}) {
      const ImageSpec spec = spec_of(format_at(f), {5, 3});
      Picture picture(spec, padding);
      picture.fill_random(f + 1);
      std::vector<uint8_t> packed(packed_size(spec) + 1, testing::kPadding);
      pack(picture.view(), packed.data());
      EXPECT_EQ(packed.back(), testing::kPadding);
      const ImageView view = view_of({spec, packed.data()});
      EXPECT_EQ(error_of(check(view)), "");
      const FormatInfo& info = info_of(spec.format);
      for (int p = 0; p < info.planes; ++p)
        for (int y = 0; y < row_count(info, p, spec.size.height); ++y)
          for (int x = 0; x < row_bytes(info, p, spec.size.width); ++x)
            ASSERT_EQ(view.planes[p][y * view.strides[p] + x],
                      picture.view().planes[p][y * picture.view().strides[p] + x]);
    }
  }
}

TEST(Image, PackedSizes) {
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kRgb, {5, 3})), 45);
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kAbgr, {5, 3})), 60);
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kI420, {5, 3})), 15 + 2 * 6);
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kNv12, {5, 3})), 15 + 12);
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kYuy2, {5, 3})), 36);
  EXPECT_EQ(packed_size(spec_of(PixelFormat::kRgba, {kMaxImageSide, kMaxImageSide})), int64_t{1} << 30);
}

TEST(Image, AlphaIsFoundWhereThereIsOne) {
  for (int f = 0; f < kPixelFormats; ++f) {
    const FormatInfo& info = info_of(format_at(f));
    Picture picture(spec_of(format_at(f), {4, 2}), 3);
    const AlphaView alpha = alpha_of(picture.view());
    ASSERT_EQ(alpha.data != nullptr, info.alpha) << info.name;
    if (!info.alpha) continue;
    picture.fill(3, [](int x, int y) { return 10 * y + x; });
    EXPECT_EQ(alpha.data[alpha.stride + 2 * alpha.step], 12) << info.name;
  }
}

}  // namespace
}  // namespace sdv2
