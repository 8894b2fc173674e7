// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sdv2::sim {
namespace {

using testing::HasSubstr;

Result<Options> parse(std::vector<const char*> arguments) { return parse_options(arguments); }

std::string error(std::vector<const char*> arguments) {
  const auto options = parse(std::move(arguments));
  return options.ok() ? "" : options.error().message;
}

TEST(SimOptions, AreRead) {
  const auto options =
      parse({"--gpus", "2x1,1x0.5", "--streams",
             "3:fps=30:latency=400:steps=2:size=480x832:priority=1:degrade=steps+source", "--streams=5",
             "--slow", "all@20+10.5x2", "--sweep", "1:9:2", "--policies", "none,slo"});
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_EQ(options->gpu_count(), 3);
  EXPECT_EQ(options->gpus[1].speed, 0.5);
  EXPECT_EQ(options->stream_count(), 8);
  const StreamKind& kind = options->streams.front();
  EXPECT_EQ(kind.fps, 30);
  EXPECT_EQ(kind.latency_s, 0.4);
  EXPECT_EQ(kind.steps, 2);
  EXPECT_EQ(kind.height, 480);
  EXPECT_EQ(kind.width, 832);
  EXPECT_EQ(kind.priority, 1);
  EXPECT_EQ(kind.degrade, kDegradeSteps | kDegradeSource);
  EXPECT_EQ(options->slow.front().gpu, -1);
  EXPECT_EQ(options->slow.front().seconds, 10.5);
  EXPECT_EQ(options->sweep->step, 2);
  EXPECT_THAT(options->policies, testing::ElementsAre(Policy::kNone, Policy::kSlo));
}

TEST(SimOptions, ErrorsNameTheOptionAndWhatItTakes) {
  EXPECT_THAT(error({"--gpu", "2"}), HasSubstr("unknown option '--gpu'"));
  EXPECT_THAT(error({"--gpus"}), HasSubstr("--gpus needs a value"));
  EXPECT_THAT(error({"--gpus", "0"}), HasSubstr("--gpus must be GPUs such as"));
  EXPECT_THAT(error({"--gpus", "2,"}), HasSubstr("--gpus must be"));
  EXPECT_THAT(error({"--gpus", "3", "--gpus-per-stream", "2"}), HasSubstr("does not divide the 3 GPUs"));
  EXPECT_THAT(error({"--streams", "4:fps=0"}), HasSubstr("--streams 'fps' must be 1 to 240"));
  EXPECT_THAT(error({"--streams", "4:fps=nan"}), HasSubstr("must be 1 to 240"));
  EXPECT_THAT(error({"--streams", "4:speed=1"}), HasSubstr("'speed' is not known"));
  EXPECT_THAT(error({"--streams", "4:degrade=steps+colour"}), HasSubstr("not 'colour'"));
  EXPECT_THAT(error({"--streams", "4:size=500x500"}), HasSubstr("multiples of 16"));
  EXPECT_THAT(error({"--streams", "4:size=512"}), HasSubstr("HxW"));
  EXPECT_THAT(error({"--sweep", "9:1"}), HasSubstr("--sweep must be counts"));
  EXPECT_THAT(error({"--slow", "0x2@3+4"}), HasSubstr("GPU@T+DxF"));
  EXPECT_THAT(error({"--slow", "3@1+1x2"}), HasSubstr("names GPU 3, but there are 1"));
  EXPECT_THAT(error({"--policies", "fast"}), HasSubstr("not 'fast'"));
  EXPECT_THAT(error({"--model", "7b"}), HasSubstr("--model must be 1.3b or 14b, not '7b'"));
}

}  // namespace
}  // namespace sdv2::sim
