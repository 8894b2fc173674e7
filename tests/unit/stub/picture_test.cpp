// SPDX-License-Identifier: LGPL-2.1-or-later
// How the stub scales (formats and strides are tested for all engines, in unit/api).
#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class PictureTest : public StubTest {
 protected:
  // Makes the picture of one frame.
  void pass(client::Session& session, const sdv2_image& in, const sdv2_image& out) {
    ASSERT_TRUE(session.put_frame(in).ok());
    const auto chunk = session.submit();
    ASSERT_TRUE(chunk.ok());
    ASSERT_EQ(sdv2_stub_step(-1, 1), 1);
    const client::Status status = session.read_frame(*chunk, 0, out);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(session.release_chunk(*chunk).ok());
  }
};

TEST_F(PictureTest, SizesAreScaledByNearest) {
  auto session = open();
  RgbImage source(2, 1, {0, 0, 0});
  source.bytes() = {0, 0, 0, 255, 255, 255};
  const RgbImage wide(4, 3, {9, 9, 9});
  pass(session, source.view(), wide.view());
  EXPECT_EQ(wide.pixel(1, 2), (Rgb{255, 255, 255}));
  EXPECT_EQ(wide.pixel(2, 0), (Rgb{0, 0, 0}));
}

}  // namespace
}  // namespace sdv2
