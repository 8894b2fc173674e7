// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/stage_times.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

std::vector<std::string> names_since(const StageTimes& times, std::chrono::steady_clock::time_point since) {
  std::vector<std::string> names;
  for (const auto& stage : times.summaries(since)) names.push_back(stage.name);
  return names;
}

// With one step more, a step begins where decoding began before.
TEST(StageTimes, StagesOfOtherNumbersOfStepsKeepTheirNames) {
  DeviceStream stream(at::kCPU);
  StageTimes times;
  const auto add = [&](int order, const char* name) {
    const Mark begin = stream.mark();
    times.add(order, name, 0, begin, stream.mark());
  };
  const auto begin = std::chrono::steady_clock::now();
  add(0, "encode");
  add(3, "denoise 0");
  add(6, "decode");
  EXPECT_EQ(names_since(times, begin), (std::vector<std::string>{"encode", "denoise 0", "decode"}));
  const auto second = std::chrono::steady_clock::now();
  add(0, "encode");
  add(3, "denoise 0");
  add(6, "denoise 1");
  add(9, "decode");
  EXPECT_EQ(names_since(times, second),
            (std::vector<std::string>{"encode", "denoise 0", "denoise 1", "decode"}));
}

}  // namespace
}  // namespace sdv2
