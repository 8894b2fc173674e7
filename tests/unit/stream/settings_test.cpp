// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/settings.h"

#include <gtest/gtest.h>

namespace sdv2 {
namespace {

std::string error_of(const char* json) {
  const auto settings = parse_settings(json, {}, {});
  return settings.ok() ? "none" : settings.error().message;
}

TEST(Settings, EmptyObjectGivesTheDefaults) {
  SessionSettings defaults;
  defaults.width = 256;
  defaults.live.noise_scale = 0.3;
  const auto settings = parse_settings("{}", defaults, {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->width, 256);
  EXPECT_EQ(settings->live, defaults.live);
}

TEST(Settings, EveryFieldIsReadBackFromItsJson) {
  SessionSettings all;
  all.width = 320;
  all.height = 192;
  all.fit = Fit::kLetterbox;
  all.capacity = 9;
  all.kv_cache_frames = 12;
  all.sink_frames = 2;
  all.warm_up_with_frame = true;
  all.live = {.prompt = "ink \"cartoon\"",
              .prompt_blend = 7,
              .blend = PromptBlend::kSlerp,
              .reset_on_prompt = true,
              .negative_prompt = "blurry",
              .guidance = 3.5,
              .guidance_mode = GuidanceMode::kFull,
              .steps = 3,
              .noise_scale = 0.25,
              .adaptive_noise = false,
              .seed = 9007199254740991,
              .adaptive_sink = 0.5,
              .execution = Execution::kThroughput,
              .priority = -7,
              .target_fps = 29.97,
              .target_latency_ms = 400,
              .degrade = kDegradeSteps | kDegradeSource,
              .similarity_filter = 0.98,
              .mix = 0.5};
  const auto read = parse_settings(to_json(all), {}, {});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(all));
  EXPECT_EQ(read->live, all.live);
}

TEST(Settings, ErrorsNameTheFieldAndWhatIsAllowed) {
  EXPECT_EQ(error_of("{\"width\": 100}"), "setting 'width' is 100; it must be a multiple of 16");
  EXPECT_EQ(error_of("{\"noise_scale\": 1.5}"), "setting 'noise_scale' is 1.5; it must be a number 0 … 1");
  EXPECT_EQ(error_of("{\"seed\": 9007199254740993}"),
            "setting 'seed' is 9007199254740993; it must be a whole number 0 … 9007199254740992");
  EXPECT_NE(error_of("{\"seed\": 18446744073709551615}"), "none");
  EXPECT_EQ(error_of("{\"steps\": 2.0}"), "setting 'steps' is 2.0; it must be a whole number 1 … 4");
  EXPECT_EQ(error_of("{\"prompt\": 5}"), "setting 'prompt' is 5; it must be a text");
  EXPECT_EQ(error_of("{\"fit\": \"fill\"}"),
            "setting 'fit' is \"fill\"; it must be one of \"stretch\", \"crop\", \"letterbox\"");
  EXPECT_EQ(error_of("{\"degrade\": [\"steps\", \"size\"]}"),
            "setting 'degrade' is \"size\"; it must be one of \"steps\", \"repeat\", \"source\"");
  EXPECT_EQ(error_of("{\"degrade\": \"steps\"}"),
            "setting 'degrade' is \"steps\"; it must be a list of names, like [\"steps\"]");
  EXPECT_NE(error_of("{\"degrade\": [1]}"), "none");
  EXPECT_EQ(error_of("{\"target_fps\": -1}"), "setting 'target_fps' is -1; it must be a number 0 … 1000");
  EXPECT_EQ(error_of("{\"colour\": 1}"), "'colour' is not a setting of a session");
  EXPECT_NE(error_of("[]"), "none");
  EXPECT_NE(error_of("{\"steps\": 1, \"steps\": 2}"), "none");
  EXPECT_NE(error_of("nonsense"), "none");
}

TEST(Settings, ModelLimitsTheSteps) {
  EXPECT_TRUE(parse_settings("{\"steps\": 2}", {}, {.max_steps = 2}).ok());
  EXPECT_FALSE(parse_settings("{\"steps\": 3}", {}, {.max_steps = 2}).ok());
}

TEST(Settings, LongPromptsAreRefused) {
  const std::string longest(65536, 'x');
  EXPECT_TRUE(parse_settings("{\"prompt\": \"" + longest + "\"}", {}, {}).ok());
  EXPECT_FALSE(parse_settings("{\"prompt\": \"" + longest + "x\"}", {}, {}).ok());
}

TEST(Settings, ChangesAreAllTakenOrNone) {
  LiveSettings current;
  EXPECT_FALSE(parse_changes("{\"prompt\": \"new\", \"mix\": 2}", current, {}).ok());
  const auto live = parse_changes("{\"prompt\": \"new\", \"mix\": 0.5}", current, {});
  ASSERT_TRUE(live.ok());
  EXPECT_EQ(live->prompt, "new");
  EXPECT_EQ(live->mix, 0.5);
  EXPECT_EQ(live->steps, current.steps);
}

TEST(Settings, FixedOnesCannotChange) {
  const auto live = parse_changes("{\"width\": 256}", {}, {});
  ASSERT_FALSE(live.ok());
  EXPECT_NE(live.error().message.find("fixed when a session opens"), std::string::npos);
}

}  // namespace
}  // namespace sdv2
