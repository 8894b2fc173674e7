// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform's latency promise, settings documents, model descriptions and model folders.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "transform/latency_estimator.h"
#include "transform/model_folder.h"
#include "transform/transform_settings.h"

namespace sdv2 {
namespace {

using Json = nlohmann::json;
constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;

TEST(LatencyEstimator, GrowsAtOnceWithHeadroom) {
  LatencyEstimator estimator;
  estimator.restart(100 * kMs, false);
  EXPECT_FALSE(estimator.observe(90 * kMs, 1 * kSecond));
  EXPECT_TRUE(estimator.observe(200 * kMs, 2 * kSecond));
  EXPECT_EQ(estimator.declared_ns(), 210 * kMs);
  EXPECT_FALSE(estimator.observe(205 * kMs, 4 * kSecond));
  EXPECT_EQ(estimator.exceeded(), 1u);
}

TEST(LatencyEstimator, DoesNotChangeTwiceWithinASecond) {
  LatencyEstimator estimator;
  estimator.restart(100 * kMs, false);
  EXPECT_TRUE(estimator.observe(200 * kMs, 0));
  EXPECT_FALSE(estimator.observe(300 * kMs, kSecond - 1));
  EXPECT_TRUE(estimator.observe(100 * kMs, kSecond));  // the larger one is still in the window
  EXPECT_EQ(estimator.declared_ns(), 315 * kMs);
}

TEST(LatencyEstimator, ShrinksAfterAFullWindowFarBelow) {
  LatencyEstimator estimator;
  estimator.restart(200 * kMs, false);
  for (size_t i = 0; i + 1 < LatencyEstimator::kWindow; ++i)
    EXPECT_FALSE(estimator.observe(100 * kMs, static_cast<int64_t>(i) * kSecond));
  EXPECT_TRUE(estimator.observe(100 * kMs, 100 * kSecond));
  EXPECT_EQ(estimator.declared_ns(), 105 * kMs);
  for (int i = 0; i < 200; ++i)
    EXPECT_FALSE(estimator.observe(85 * kMs, (200 + i) * kSecond));  // inside of the band
}

TEST(LatencyEstimator, AFixedPromiseStays) {
  LatencyEstimator estimator;
  estimator.restart(100 * kMs, true);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(estimator.observe(500 * kMs, i * kSecond));
  EXPECT_EQ(estimator.declared_ns(), 100 * kMs);
  EXPECT_EQ(estimator.measured_ns(), 500 * kMs);
  EXPECT_EQ(estimator.exceeded(), 100u);
}

TEST(TransformSettings, TheModelsOwnValuesAreLeftOut) {
  const Json json = Json::parse(session_settings_json({}));
  for (const char* key :
       {"width", "height", "steps", "noise_scale", "kv_cache_frames", "sink_frames", "adaptive_sink"})
    EXPECT_FALSE(json.contains(key)) << key;
  EXPECT_EQ(json["capacity"], 4);
  EXPECT_EQ(json["fit"], "stretch");
  EXPECT_EQ(json["execution"], "auto");
  EXPECT_EQ(json["priority"], 0);
  EXPECT_EQ(json["target_fps"], 0);
  EXPECT_EQ(json["target_latency"], 0);
  EXPECT_EQ(json["degrade"], Json::array());
}

TEST(TransformSettings, AModelsConfigurationNamesKernelsAndLinearsOnlyWhenTheyWereChosen) {
  TransformSettings settings;
  const Json json = Json::parse(model_config_json(settings, "random:tiny"));
  EXPECT_FALSE(json.contains("kernels"));
  EXPECT_FALSE(json.contains("linears"));
  EXPECT_EQ(json["model"], "random:tiny");
  EXPECT_EQ(json["plan"], "auto");
  settings.kernels = Kernels::kPlain;
  settings.linears = Linears::kFp8;
  settings.plan = "0=enc.0|1=dec.0";
  const Json chosen = Json::parse(model_config_json(settings, "random:tiny"));
  EXPECT_EQ(chosen["kernels"], "plain");
  EXPECT_EQ(chosen["linears"], "fp8");
  EXPECT_EQ(chosen["plan"], "0=enc.0|1=dec.0");
}

TEST(TransformSettings, ChangesHoldOnlyWhatChanged) {
  TransformSettings settings;
  settings.prompt = "a \"b\"\n";
  settings.mix = 0.5;
  settings.priority = -3;
  ModelInfo info;
  info.noise_scale = 0.7;
  EXPECT_EQ(Json::parse(session_changes_json(
                settings, {LiveSetting::kPrompt, LiveSetting::kMix, LiveSetting::kPriority}, info)),
            (Json{{"prompt", "a \"b\"\n"}, {"mix", 0.5}, {"priority", -3}}));
  EXPECT_EQ(Json::parse(session_changes_json(settings, {LiveSetting::kNoiseScale}, info)),
            (Json{{"noise_scale", 0.7}}));
}

TEST(TransformSettings, TargetsAndFlagsAreInTheEnginesUnits) {
  TransformSettings settings;
  settings.target_fps = 29.97;
  settings.target_latency = 400'000'000;
  settings.degrade = static_cast<unsigned>(Degrade::kSteps) | static_cast<unsigned>(Degrade::kSource);
  const Json json = Json::parse(session_settings_json(settings));
  EXPECT_EQ(json["target_fps"], 29.97);
  EXPECT_EQ(json["target_latency"], 400);
  EXPECT_EQ(json["degrade"], (Json{"steps", "source"}));
}

TEST(TransformSettings, TextThatIsNotUtf8BecomesUtf8) {
  TransformSettings settings;
  settings.prompt = "\xff\xfe";
  EXPECT_NO_THROW(EXPECT_FALSE(session_settings_json(settings).empty()));
}

TEST(TransformSettings, EveryLiveSettingIsAPropertyAndBack) {
  for (int i = 0; i <= static_cast<int>(LiveSetting::kDegrade); ++i) {
    const auto setting = static_cast<LiveSetting>(i);
    EXPECT_EQ(live_setting_named(property_name(setting)), setting);
  }
  EXPECT_FALSE(live_setting_named("model"));
}

TEST(ModelInfo, ReadsWhatIsThereAndSurvivesTheRest) {
  const auto info = parse_model_info(
      R"({"chunk": 3, "default": {"width": 832, "height": 480, "steps": 2, "noise_scale": 0.8}, "more": []})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->chunk_frames(), 12u);
  EXPECT_EQ(info->first_chunk_frames(false), 13u);
  EXPECT_EQ(info->first_chunk_frames(true), 1u);
  EXPECT_EQ(info->width, 832u);
  EXPECT_EQ(info->steps, 2u);
  for (const char* text :
       {R"({"chunk": -1})", R"({"chunk": 1e9})", R"({"chunk": "1", "default": 3})", "{}"}) {
    ASSERT_TRUE(parse_model_info(text)) << text;
    EXPECT_EQ(parse_model_info(text)->latent_frames, 1u) << text;
  }
  for (const char* text : {"", "[1]", "{", "null"}) EXPECT_FALSE(parse_model_info(text)) << text;
}

TEST(ModelFolder, ChecksWhatCostsNothing) {
  EXPECT_TRUE(check_model_folder("random:tiny").found);
  EXPECT_FALSE(check_model_folder("/nowhere").found);
  EXPECT_FALSE(check_model_folder("").found);
  const auto folder = std::filesystem::path(::testing::TempDir()) / "sdv2-model-folder";
  std::filesystem::create_directories(folder);
  EXPECT_TRUE(check_model_folder(folder).problem.empty());
  std::ofstream(folder / "model.json") << "{}";
  EXPECT_TRUE(check_model_folder(folder).problem.empty());
  std::ofstream(folder / "model.json") << "[";
  EXPECT_FALSE(check_model_folder(folder).problem.empty());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sdv2
