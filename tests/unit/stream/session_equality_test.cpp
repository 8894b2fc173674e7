// SPDX-License-Identifier: LGPL-2.1-or-later
// The same seed and pictures give the same bits, however the work is cut and ordered.
#include <gtest/gtest.h>

#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

using test::load;
using test::TestSession;

constexpr int kChunks = 12;  // more than the ring has slots

const std::vector<uint8_t>& expected() {
  static const std::vector<uint8_t> pixels =
      TestSession(load(), "{\"steps\": 2, \"execution\": \"latency\"}").run(kChunks, 1);
  return pixels;
}

TEST(SessionEquality, ThePicturesAreNoConstant) {
  ASSERT_EQ(expected().size(), static_cast<size_t>(1 + 4 * kChunks) * 64 * 64 * 3);
  EXPECT_NE(std::vector(expected().end() - 12288, expected().end()),
            std::vector(expected().end() - 2 * 12288, expected().end() - 12288));
}

TEST(SessionEquality, ExecutionChangesNothing) {
  for (const char* execution : {"latency", "throughput", "auto"}) {
    const std::string settings = std::string("{\"steps\": 2, \"execution\": \"") + execution + "\"}";
    EXPECT_TRUE(TestSession(load(), settings).run(kChunks) == expected()) << execution;
  }
}

struct Cut {
  const char* devices;
  const char* plan;
};

class SessionPlans : public testing::TestWithParam<Cut> {};

TEST_P(SessionPlans, CutsChangeNothing) {
  const auto model = load(GetParam().devices, GetParam().plan);
  for (const char* execution : {"latency", "throughput"}) {
    const std::string settings = std::string("{\"steps\": 2, \"execution\": \"") + execution + "\"}";
    EXPECT_TRUE(TestSession(model, settings).run(kChunks) == expected()) << execution;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SessionPlans,
                         testing::Values(Cut{"cpu,cpu", "auto"}, Cut{"cpu,cpu,cpu", "auto"},
                                         Cut{"cpu,cpu", "0=enc.0|1=enc.3"},              // inside the encoder
                                         Cut{"cpu,cpu", "0=enc.0|1=s0.b1"},              // between blocks
                                         Cut{"cpu,cpu", "1=enc.0|0=s1.patch"},           // between steps
                                         Cut{"cpu,cpu,cpu", "0=enc.0|1=s0.b1|2=dec.4"},  // inside the decoder
                                         Cut{"cpu,cpu,cpu",
                                             "2=enc.0|0=mix|1=s0.head|0=s1.b0|2=s1.head|1=dec.2"}));

TEST(SessionEquality, SessionsTogetherAreAsEachAlone) {
  const auto model = load();
  TestSession one(model, "{\"steps\": 2, \"seed\": 1}");
  TestSession two(model, "{\"steps\": 2, \"seed\": 2}");
  std::vector<uint8_t> pixels_one, pixels_two;
  for (int i = 0; i < 6; ++i) {
    const int64_t chunk_one = one.submit_chunk();
    const int64_t chunk_two = two.submit_chunk();
    const auto part_one = one.take(chunk_one), part_two = two.take(chunk_two);
    pixels_one.insert(pixels_one.end(), part_one.begin(), part_one.end());
    pixels_two.insert(pixels_two.end(), part_two.begin(), part_two.end());
  }
  EXPECT_TRUE(TestSession(model, "{\"steps\": 2, \"seed\": 1}").run(6) == pixels_one);
  EXPECT_TRUE(TestSession(model, "{\"steps\": 2, \"seed\": 2}").run(6) == pixels_two);
  EXPECT_FALSE(pixels_one == pixels_two);
}

TEST(SessionEquality, ResetGivesAFreshSession) {
  TestSession session(load(), "{\"steps\": 2}");
  session.run(5);
  ASSERT_TRUE(session->reset().ok());
  session.rewind();
  EXPECT_TRUE(session.run(kChunks) == expected());
}

TEST(SessionEquality, FlushWhileBusyGivesAFreshSession) {
  TestSession session(load(), "{\"steps\": 2}");
  session.submit_chunk();
  session.submit_chunk();
  ASSERT_TRUE(session->flush().ok());
  session.rewind();
  EXPECT_TRUE(session.run(kChunks) == expected());
}

}  // namespace
}  // namespace sdv2
