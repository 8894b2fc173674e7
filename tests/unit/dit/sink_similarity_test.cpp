// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/sink_similarity.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sdv2 {
namespace {

// A frame of two tokens whose mean points along channel `axis`.
at::Tensor frame_along(int64_t axis, double length) {
  at::Tensor frame = at::zeros({2, 3, 128});
  frame[0][1][axis] = 2 * length;
  frame[1][0][5] = 1;
  frame[0][0][5] = -1;  // cancels in the mean
  return frame;
}

TEST(SinkSimilarity, IsTheMeanOfTheKeysAndValuesCosine) {
  const at::Tensor along0 = frame_along(0, 1), along1 = frame_along(1, 1), empty = at::zeros({2, 3, 128});
  const KvRow frame = {frame_along(0, 3), frame_along(1, 0.5)};
  //                      slot 0            slot 1   slot 2   not a sink
  const KvRow cache = {at::cat({along0, along0, empty, along0}), at::cat({along1, -along0, empty, along1})};
  const at::Tensor similarity = sink_similarity(cache, frame, 3);
  ASSERT_EQ(similarity.sizes(), at::IntArrayRef({3}));
  EXPECT_NEAR(similarity[0].item<double>(), 1.0, 1e-6);
  EXPECT_NEAR(similarity[1].item<double>(), 0.5, 1e-6);
  EXPECT_EQ(similarity[2].item<double>(), 0.0);
}

}  // namespace
}  // namespace sdv2
