// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element tests share: an element in a harness, a recorder of everything that leaves it, frames,
// messages. Nothing sleeps: tests wait for what must happen, and time is a GstTestClock.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <condition_variable>
#include <initializer_list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sdv2::testing {

inline constexpr GstClockTime kMs = GST_MSECOND;
inline constexpr const char* kCaps = "video/x-raw,format=I420,width=16,height=16,framerate=20/1";

using Properties = std::initializer_list<std::pair<const char*, const char*>>;

// Sees every buffer and serialized event that leaves a source pad, in order, and can stand for a downstream
// that is slow, at its end or broken.
class Recorder {
 public:
  explicit Recorder(GstPad* pad);
  ~Recorder();

  // What has left: "b" + frame time in ms (or "b-" without time) for buffers, the type's name for events, the
  // structure's name for custom events.
  std::vector<std::string> log() const;
  // The log as one line, from entry `begin` on.
  std::string text(size_t begin = 0) const;
  // The waits below fail the test after 20 s.
  // Waits until `entry` is in the log.
  void wait_for(const std::string& entry);
  // Waits until at least `count` buffers have left, and returns them all. The caller owns nothing.
  std::vector<GstBuffer*> wait_for_buffers(size_t count);
  std::vector<GstBuffer*> buffers() const;

  // From now on buffers stay in the push, until release() or a flush.
  void hold();
  void wait_until_held();
  void release();

  // Downstream's answer to further buffers.
  void set_flow(GstFlowReturn flow);

 private:
  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, const std::string& what, Condition condition);
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  GstPadProbeReturn see_event(GstEvent* event);
  GstPadProbeReturn see_buffer(GstPadProbeInfo* info);

  GstPad* pad_;
  gulong probe_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<GstBuffer*> buffers_;
  bool hold_ = false;
  bool held_ = false;
  bool flushing_ = false;
  GstFlowReturn flow_ = GST_FLOW_OK;
};

// One element, playing, with a test clock at 0, a bus and a recorder on its source pad. Base time is 0.
class ElementHarness {
 public:
  ElementHarness(const char* factory, Properties properties, const char* caps = kCaps);
  // A description as for gst-launch-1.0, which must have one free sink and source pad.
  explicit ElementHarness(const std::string& launch, const char* caps = kCaps);
  ~ElementHarness();

  GstHarness* harness() { return harness_; }
  GstElement* element() { return harness_->element; }
  GstPad* sink() { return GST_PAD_PEER(harness_->srcpad); }
  GstPad* src() { return GST_PAD_PEER(harness_->sinkpad); }
  GstBus* bus() { return bus_; }
  Recorder& out() { return *recorder_; }

  void set_time(GstClockTime time) { gst_harness_set_time(harness_, time); }

  // Pushes a black frame with this time, for 50 ms unless told.
  GstFlowReturn push(GstClockTime time, GstClockTime duration = 50 * kMs);
  // Pushes `count` frames of 50 ms that follow each other from frame `begin` on.
  GstFlowReturn push_frames(int begin, int count);
  bool push_event(GstEvent* event) { return gst_pad_push_event(harness_->srcpad, event); }
  bool eos() { return push_event(gst_event_new_eos()); }
  void flush();

  // A field of the "stats" property; -1 when it has none.
  double stat(const char* field);

  // The next message of this type within 10 s; null when there is none. The caller owns it.
  GstMessage* wait_for_message(GstMessageType type);
  // All messages of this type that are on the bus; others are thrown away. The caller owns them.
  std::vector<GstMessage*> take_messages(GstMessageType type);
  // How many they are.
  size_t count_messages(GstMessageType type);

 private:
  void begin(GstHarness* harness, Properties properties, const char* caps);
  GstHarness* harness_ = nullptr;
  GstBus* bus_ = nullptr;
  Recorder* recorder_ = nullptr;
};

// Whether a factory is installed; tests that need others' plugins skip themselves.
bool have_factory(const char* name);

}  // namespace sdv2::testing
