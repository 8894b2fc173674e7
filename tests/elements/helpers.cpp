// SPDX-License-Identifier: LGPL-2.1-or-later
// Implementation of the element tests' helpers.
#include "helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace sdv2::testing {

Recorder::Recorder(GstPad* pad) : pad_(GST_PAD_CAST(gst_object_ref(pad))) {
  const auto types = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM |
                                                  static_cast<int>(GST_PAD_PROBE_TYPE_EVENT_FLUSH));
  probe_ = gst_pad_add_probe(pad, types, on_data, this, nullptr);
}

Recorder::~Recorder() {
  release();
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
  for (GstBuffer* buffer : buffers_) gst_buffer_unref(buffer);
}

GstPadProbeReturn Recorder::on_data(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto* recorder = static_cast<Recorder*>(self);
  if (GST_IS_EVENT(info->data)) return recorder->see_event(GST_EVENT_CAST(info->data));
  return recorder->see_buffer(info);
}

GstPadProbeReturn Recorder::see_event(GstEvent* event) {
  const std::lock_guard lock(mutex_);
  const GstEventType type = GST_EVENT_TYPE(event);
  if (type == GST_EVENT_FLUSH_START) flushing_ = true;
  if (type == GST_EVENT_FLUSH_STOP) flushing_ = false;
  const GstStructure* structure = gst_event_get_structure(event);
  log_.emplace_back(type == GST_EVENT_CUSTOM_DOWNSTREAM ? gst_structure_get_name(structure)
                                                        : GST_EVENT_TYPE_NAME(event));
  changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn Recorder::see_buffer(GstPadProbeInfo* info) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  std::unique_lock lock(mutex_);
  held_ = hold_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !hold_ || flushing_; });
  held_ = false;
  GstFlowReturn flow = flushing_ ? GST_FLOW_FLUSHING : flow_;
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref(buffer);
    GST_PAD_PROBE_INFO_DATA(info) = nullptr;
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = flow;
    return GST_PAD_PROBE_HANDLED;
  }
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  log_.push_back(GST_CLOCK_TIME_IS_VALID(time) ? "b" + std::to_string(time / GST_MSECOND) : "b-");
  buffers_.push_back(gst_buffer_ref(buffer));
  changed_.notify_all();
  return GST_PAD_PROBE_OK;
}

std::vector<std::string> Recorder::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::string Recorder::text(size_t begin) const {
  std::string text;
  const auto entries = log();
  for (size_t i = begin; i < entries.size(); ++i) text += (i > begin ? " " : "") + entries[i];
  return text;
}

template <class Condition>
void Recorder::wait(std::unique_lock<std::mutex>& lock, const std::string& what, Condition condition) {
  // The system clock, because g++ 12's ThreadSanitizer does not know the wait on the steady one.
  const auto limit = std::chrono::system_clock::now() + std::chrono::seconds(20);
  if (!changed_.wait_until(lock, limit, condition)) ADD_FAILURE() << "waited in vain for " << what;
}

void Recorder::wait_for(const std::string& entry) {
  std::unique_lock lock(mutex_);
  wait(lock, entry, [&] { return std::find(log_.begin(), log_.end(), entry) != log_.end(); });
}

std::vector<GstBuffer*> Recorder::wait_for_buffers(size_t count) {
  std::unique_lock lock(mutex_);
  wait(lock, std::to_string(count) + " buffers", [&] { return buffers_.size() >= count; });
  return buffers_;
}

std::vector<GstBuffer*> Recorder::buffers() const {
  const std::lock_guard lock(mutex_);
  return buffers_;
}

void Recorder::hold() {
  const std::lock_guard lock(mutex_);
  hold_ = true;
}

void Recorder::wait_until_held() {
  std::unique_lock lock(mutex_);
  wait(lock, "a held buffer", [this] { return held_; });
}

void Recorder::release() {
  const std::lock_guard lock(mutex_);
  hold_ = false;
  changed_.notify_all();
}

void Recorder::set_flow(GstFlowReturn flow) {
  const std::lock_guard lock(mutex_);
  flow_ = flow;
}

ElementHarness::ElementHarness(const char* factory, Properties properties, const char* caps) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  g_assert_nonnull(element);
  begin(gst_harness_new_with_element(element, "sink", "src"), properties, caps);
  gst_object_unref(element);
}

ElementHarness::ElementHarness(const std::string& launch, const char* caps) {
  begin(gst_harness_new_parse(launch.c_str()), {}, caps);
}

void ElementHarness::begin(GstHarness* harness, Properties properties, const char* caps) {
  harness_ = harness;
  // The harness has started the element with the system's clock: start again with the test's.
  gst_element_set_state(element(), GST_STATE_NULL);
  gst_harness_use_testclock(harness_);
  for (const auto& [name, value] : properties) gst_util_set_object_arg(G_OBJECT(element()), name, value);
  bus_ = gst_bus_new();
  gst_element_set_bus(element(), bus_);
  recorder_ = new Recorder(src());
  gst_harness_play(harness_);
  if (caps != nullptr) gst_harness_set_src_caps_str(harness_, caps);
}

ElementHarness::~ElementHarness() {
  recorder_->release();
  gst_element_set_state(element(), GST_STATE_NULL);
  delete recorder_;
  gst_element_set_bus(element(), nullptr);
  gst_bus_set_flushing(bus_, TRUE);
  gst_object_unref(bus_);
  gst_harness_teardown(harness_);
}

GstFlowReturn ElementHarness::push(GstClockTime time, GstClockTime duration) {
  GstCaps* caps = gst_pad_get_current_caps(harness_->srcpad);
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  gst_caps_unref(caps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  gst_buffer_memset(buffer, 0, 0, info.size);
  GST_BUFFER_PTS(buffer) = time;
  GST_BUFFER_DURATION(buffer) = duration;
  return gst_pad_push(harness_->srcpad, buffer);
}

GstFlowReturn ElementHarness::push_frames(int begin, int count) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = begin; i < begin + count && flow == GST_FLOW_OK; ++i)
    flow = push(static_cast<GstClockTime>(i) * 50 * kMs);
  return flow;
}

void ElementHarness::flush() {
  push_event(gst_event_new_flush_start());
  push_event(gst_event_new_flush_stop(TRUE));
}

double ElementHarness::stat(const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(element(), "stats", &stats, nullptr);
  double result = -1;
  const GValue* value = gst_structure_get_value(stats, field);
  if (value != nullptr) {
    GValue number = G_VALUE_INIT;
    g_value_init(&number, G_TYPE_DOUBLE);
    g_value_transform(value, &number);
    result = g_value_get_double(&number);
  }
  gst_structure_free(stats);
  return result;
}

GstMessage* ElementHarness::wait_for_message(GstMessageType type) {
  return gst_bus_timed_pop_filtered(bus_, 10 * GST_SECOND, type);
}

std::vector<GstMessage*> ElementHarness::take_messages(GstMessageType type) {
  std::vector<GstMessage*> messages;
  while (GstMessage* message = gst_bus_pop_filtered(bus_, type)) messages.push_back(message);
  return messages;
}

size_t ElementHarness::count_messages(GstMessageType type) {
  const auto messages = take_messages(type);
  for (GstMessage* message : messages) gst_message_unref(message);
  return messages.size();
}

bool have_factory(const char* name) {
  GstElementFactory* factory = gst_element_factory_find(name);
  if (factory == nullptr) return false;
  gst_object_unref(factory);
  return true;
}

}  // namespace sdv2::testing
