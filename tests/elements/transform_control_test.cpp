// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: settings that change while the stream runs, and their answers.
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

#include <nlohmann/json.hpp>

#include "transform_harness.h"

namespace sdv2::testing {
namespace {

class TransformControl : public TransformTest {
 protected:
  // "property=value@timestamp in ms" of the next answer.
  std::string answer() {
    GstMessage* found = message(GST_MESSAGE_ELEMENT);
    if (found == nullptr) return "";
    const GstStructure* s = gst_message_get_structure(found);
    EXPECT_TRUE(gst_structure_has_name(s, "sdv2-applied"));
    gchar* value = gst_value_serialize(gst_structure_get_value(s, "value"));
    guint64 timestamp = 0;
    gst_structure_get_uint64(s, "timestamp", &timestamp);
    const std::string text = std::string(gst_structure_get_string(s, "property")) + "=" + value + "@" +
                             std::to_string(timestamp / kMs);
    g_free(value);
    gst_message_unref(found);
    return text;
  }
  nlohmann::json settings() {
    char* text = sdv2_stub_session(-1);
    auto json = nlohmann::json::parse(text);
    sdv2_string_free(text);
    return json["settings"];
  }
  static GstEvent* control_event(GstEventType type, const char* fields) {
    return gst_event_new_custom(
        type, gst_structure_from_string((std::string("sdv2-control, ") + fields).c_str(), nullptr));
  }
};

TEST_F(TransformControl, PropertiesReachTheSession) {
  begin("{}", {{"prompt", "a"},
               {"noise-scale", "0.5"},
               {"steps", "3"},
               {"width", "100"},
               {"height", "64"},
               {"fit", "crop"},
               {"execution", "latency"},
               {"warm-up", "chunk"},
               {"sink-frames", "1"},
               {"seed", "7"},
               {"guidance-mode", "one-time-negative"},
               {"prompt-blend-mode", "slerp"},
               {"reset-on-prompt", "true"},
               {"adaptive-sink", "-1"}});
  h().push_frames(0, 5);
  h().out().wait_for_buffers(5);
  const auto json = settings();
  EXPECT_EQ(json["prompt"], "a");
  EXPECT_EQ(json["noise_scale"], 0.5);
  EXPECT_EQ(json["steps"], 3);
  EXPECT_EQ(json["width"], 96);  // a multiple of 16
  EXPECT_EQ(json["height"], 64);
  EXPECT_EQ(json["fit"], "crop");
  EXPECT_EQ(json["execution"], "latency");
  EXPECT_EQ(json["sink_frames"], 1);
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["capacity"], 4);
  EXPECT_EQ(json["guidance_mode"], "one-time-negative");
  EXPECT_EQ(json["blend"], "slerp");
  EXPECT_EQ(json["reset_on_prompt"], true);
  EXPECT_EQ(json["adaptive_sink"], -1);
}

TEST_F(TransformControl, APropertyHoldsFromTheNextChunkAndIsAnswered) {
  begin("{}", {}, kRgbCaps);
  for (guint i = 0; i < 5; ++i) push_frame(new_frame(10, i * 50 * kMs));
  g_object_set(h().element(), "prompt", "oil", "seed", G_GUINT64_CONSTANT(3), nullptr);
  for (guint i = 5; i < 9; ++i) push_frame(new_frame(10, i * 50 * kMs));
  const auto buffers = h().out().wait_for_buffers(9);
  const guint8 source[3] = {10, 10, 10};
  guint8 expected[3];
  ASSERT_EQ(sdv2_stub_expect(R"({"prompt": "oil", "seed": 3})", source, expected), 1);
  EXPECT_EQ(first_byte(buffers[4]), 245);
  EXPECT_EQ(first_byte(buffers[5]), expected[0]);
  EXPECT_EQ(answer(), "prompt=oil@250");
  EXPECT_EQ(answer(), "seed=3@250");
}

TEST_F(TransformControl, ASerializedEventHoldsFromTheChunkOfTheNextFrame) {
  begin("{}", {}, kRgbCaps);
  h().push_frames(0, 5);
  h().push_event(control_event(GST_EVENT_CUSTOM_DOWNSTREAM, "prompt=(string)oil"));
  h().push_frames(5, 4);
  h().out().wait_for_buffers(9);
  EXPECT_EQ(answer(), "prompt=oil@250");
  EXPECT_EQ(h().out().text().find("sdv2-control"), std::string::npos);
}

TEST_F(TransformControl, AnUpstreamEventIsTakenAndAnsweredWhenItHolds) {
  begin(R"({"prompt_chunks": 1})", {}, kRgbCaps);
  h().push_frames(0, 5);
  EXPECT_TRUE(gst_harness_push_upstream_event(
      h().harness(),
      control_event(GST_EVENT_CUSTOM_UPSTREAM, "prompt=(string)ink, noise-scale=(string)0.25")));
  h().push_frames(5, 8);
  h().out().wait_for_buffers(13);
  EXPECT_EQ(answer(), "prompt=ink@450");  // the engine needs a chunk's time for it
  EXPECT_EQ(answer(), "noise-scale=0.25@450");
}

TEST_F(TransformControl, SignalsAreAnsweredEvenWhenNothingIsNew) {
  begin("{}", {{"prompt", "oil"}});
  h().push_frames(0, 5);
  gboolean accepted = FALSE;
  g_signal_emit_by_name(h().element(), "set-prompt", "oil", &accepted);
  EXPECT_TRUE(accepted);
  GstStructure* changes =
      gst_structure_new("sdv2-control", "mix", G_TYPE_INT, 1, "bypass", G_TYPE_BOOLEAN, TRUE, nullptr);
  g_signal_emit_by_name(h().element(), "control", changes, &accepted);
  gst_structure_free(changes);
  EXPECT_TRUE(accepted);
  h().push_frames(5, 4);
  h().out().wait_for_buffers(9);
  std::vector<std::string> answers = {answer(), answer(), answer()};
  std::sort(answers.begin(), answers.end());
  EXPECT_EQ(answers, (std::vector<std::string>{"bypass=true@250", "mix=1@250", "prompt=oil@250"}));
}

TEST_F(TransformControl, WhatDoesNotFitIsRefusedAsAWhole) {
  begin("{}");
  for (const char* fields :
       {"prompt=(string)x, noise-scale=(double)2", "prompt=(string)x, model=(string)y",
        "prompt=(string)x, unknown=(int)1", "prompt=(string)x, execution=(string)fast"}) {
    EXPECT_FALSE(
        gst_harness_push_upstream_event(h().harness(), control_event(GST_EVENT_CUSTOM_UPSTREAM, fields)));
    error_text(GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  }
  gchar* prompt = nullptr;
  g_object_get(h().element(), "prompt", &prompt, nullptr);
  EXPECT_STREQ(prompt, "");
  g_free(prompt);
}

TEST_F(TransformControl, BackToTheModelsOwnValue) {
  begin("{}", {{"steps", "4"}, {"adaptive-sink", "0.9"}});
  h().push_frames(0, 5);
  h().out().wait_for_buffers(5);
  g_object_set(h().element(), "steps", 0, "adaptive-sink", -2.0, nullptr);
  h().push_frames(5, 4);
  h().out().wait_for_buffers(9);
  EXPECT_EQ(settings()["steps"], 2);  // the stub's defaults
  EXPECT_EQ(settings()["adaptive_sink"], 0.2);
}

TEST_F(TransformControl, ControllersAreSynchronisedAtTheChunksStreamTime) {
  begin("{}");
  GstControlSource* source = gst_interpolation_control_source_new();
  g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, nullptr);
  auto* values = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(values, 0, 0.0);
  gst_timed_value_control_source_set(values, GST_SECOND, 1.0);
  gst_object_add_control_binding(
      GST_OBJECT(h().element()),
      gst_direct_control_binding_new_absolute(GST_OBJECT(h().element()), "noise-scale", source));
  gst_object_unref(source);
  h().push_frames(0, 9);
  h().out().wait_for_buffers(9);
  EXPECT_NEAR(settings()["noise_scale"].get<double>(), 0.25, 1e-9);  // the second chunk begins at 250 ms
  EXPECT_EQ(answer(), "noise-scale=0@0");
  EXPECT_EQ(answer(), "noise-scale=0.25@250");
}

TEST_F(TransformControl, AControlledBypassBeginsWithItsChunk) {
  begin("{}", {}, kRgbCaps);
  GstControlSource* source = gst_interpolation_control_source_new();  // from 250 ms on
  auto* values = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(values, 0, 0.0);
  gst_timed_value_control_source_set(values, 250 * kMs, 1.0);
  gst_object_add_control_binding(GST_OBJECT(h().element()), gst_direct_control_binding_new_absolute(
                                                                GST_OBJECT(h().element()), "bypass", source));
  gst_object_unref(source);
  for (guint i = 0; i < 9; ++i) push_frame(new_frame(10, i * 50 * kMs));
  const auto buffers = h().out().wait_for_buffers(9);
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(first_byte(buffers[i]), i < 5 ? 245 : 10) << i;
  EXPECT_EQ(answer(), "bypass=true@250");
}

TEST_F(TransformControl, EveryPresetThatIsShippedLoads) {
  begin("{}");
  GstPreset* presets = GST_PRESET(h().element());
  gchar** names = gst_preset_get_preset_names(presets);
  EXPECT_GE(g_strv_length(names), 5u);
  for (gchar** name = names; *name != nullptr; ++name) {
    g_object_set(h().element(), "noise-scale", -1.0, nullptr);
    EXPECT_TRUE(gst_preset_load_preset(presets, *name)) << *name;
    gdouble noise_scale = -1;
    g_object_get(h().element(), "noise-scale", &noise_scale, nullptr);
    EXPECT_GT(noise_scale, 0) << *name;
  }
  g_strfreev(names);
}

TEST_F(TransformControl, PresetsHoldStyleAndNoPaths) {
  begin("{}");
  ASSERT_TRUE(GST_IS_PRESET(h().element()));
  gchar** names = gst_preset_get_property_names(GST_PRESET(h().element()));
  EXPECT_TRUE(g_strv_contains(names, "prompt"));
  EXPECT_FALSE(g_strv_contains(names, "model"));
  EXPECT_FALSE(g_strv_contains(names, "devices"));
  g_strfreev(names);
}

TEST_F(TransformControl, StatisticsTellWhatHappened) {
  begin("{}");
  h().push_frames(0, 7);
  h().eos();
  h().out().wait_for("eos");
  EXPECT_EQ(h().stat("frames-in"), 7);
  EXPECT_EQ(h().stat("frames-out"), 7);
  EXPECT_EQ(h().stat("chunks"), 2);
  EXPECT_EQ(h().stat("partial-chunks"), 1);
  EXPECT_EQ(h().stat("frames-waiting"), 0);
  EXPECT_EQ(h().stat("failed-chunks"), 0);
}

class TransformLatency : public TransformTest {
 protected:
  struct Answer {
    gboolean live;
    GstClockTime min;
    GstClockTime max;
  };
  Answer ask() {
    Answer answer{};
    GstQuery* query = gst_query_new_latency();
    EXPECT_TRUE(gst_pad_peer_query(h().harness()->sinkpad, query));
    gst_query_parse_latency(query, &answer.live, &answer.min, &answer.max);
    gst_query_unref(query);
    return answer;
  }
  // Upstream answers 10 to 500 ms; the pad's query function has no closure.
  void limit_upstream() {
    gst_pad_set_query_function(h().harness()->srcpad,
                               [](GstPad* pad, GstObject* parent, GstQuery* query) -> gboolean {
                                 if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
                                   return gst_pad_query_default(pad, parent, query);
                                 gst_query_set_latency(query, TRUE, 10 * kMs, 500 * kMs);
                                 return TRUE;
                               });
  }
};

TEST_F(TransformLatency, IsTheLongestChunksWaitAndThePromise) {
  begin("{}", {{"processing-latency", "70000000"}});
  wait_until_loaded();
  limit_upstream();
  EXPECT_TRUE(ask().live);
  EXPECT_EQ(ask().min, (10 + 4 * 50 + 70) * kMs);
  EXPECT_EQ(ask().max, (500 + 4 * 4 * 50) * kMs);
}

TEST_F(TransformLatency, NoneStaysNoneAndTheModelsChunkCounts) {
  begin(R"({"chunk": 2})", {{"processing-latency", "70000000"}});
  wait_until_loaded();
  EXPECT_EQ(ask().min, (8 * 50 + 70) * kMs);
  EXPECT_EQ(ask().max, GST_CLOCK_TIME_NONE);
}

TEST_F(TransformLatency, WithoutAFrameRateUpstreamsAnswerStandsButForThePromise) {
  constexpr const char* kNoRate = "video/x-raw,format=I420,width=16,height=16,framerate=0/1";
  begin("{}", {}, kNoRate);
  wait_until_loaded();
  limit_upstream();
  EXPECT_EQ(ask().min, 10 * kMs);
  EXPECT_EQ(ask().max, 500 * kMs);
  begin("{}", {{"processing-latency", "70000000"}}, kNoRate);
  limit_upstream();
  EXPECT_EQ(ask().min, 80 * kMs);
}

TEST_F(TransformLatency, AMeasurementOutsideTheBandIsAnnouncedOnce) {
  // Twice a chunk's length: slower than the model that was assumed.
  begin(R"({"pace": "virtual", "chunk_ms": 400})");
  wait_until_loaded();
  EXPECT_EQ(ask().min, (4 * 50 + 200) * kMs);
  h().count_messages(GST_MESSAGE_LATENCY);
  h().push_frames(0, 5);
  ASSERT_EQ(sdv2_stub_wait_submitted(-1, 1, kWaitMs), 1);
  sdv2_stub_advance(400 * static_cast<int64_t>(kMs));
  h().out().wait_for_buffers(5);
  GstMessage* latency = message(GST_MESSAGE_LATENCY);
  gst_message_unref(latency);
  EXPECT_EQ(ask().min, (4 * 50 + 420) * kMs);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_LATENCY), 0u);
}

TEST_F(TransformLatency, AChangedPromiseIsAnnounced) {
  begin("{}", {{"processing-latency", "70000000"}});
  wait_until_loaded();
  ask();
  h().count_messages(GST_MESSAGE_LATENCY);
  g_object_set(h().element(), "processing-latency", 90 * kMs, nullptr);
  EXPECT_EQ(h().count_messages(GST_MESSAGE_LATENCY), 1u);
  EXPECT_EQ(ask().min, 290 * kMs);
}

}  // namespace
}  // namespace sdv2::testing
