// SPDX-License-Identifier: LGPL-2.1-or-later
// The streaming side of sdv2chunk: what happens to buffers, events and queries between its sink and its
// source pad.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "chunk/chunk_assembler.h"
#include "chunk/chunk_caps.h"
#include "chunk/chunk_queue.h"
#include "chunk/frame_rate_adapter.h"
#include "common/gst_ptr.h"
#include "common/query_relay.h"

namespace sdv2 {

// What happens when a chunk begins and max_chunks wait already.
enum class LeakPolicy { kOldest, kNewest, kNone };

// The element's properties; gstsdv2chunk.cpp documents them.
struct ChunkSettings {
  guint chunk_size = 4;
  guint first_chunk_size = 0;  // 0: chunk_size + 1
  guint max_chunks = 2;
  LeakPolicy leaky = LeakPolicy::kOldest;
  FrameRate framerate;

  ChunkSizes sizes() const {
    return {.first = first_chunk_size > 0 ? first_chunk_size : chunk_size + 1, .next = chunk_size};
  }
};

// Counters since the element left READY, and the present level.
struct ChunkStats {
  guint64 frames_in = 0;
  guint64 frames_out = 0;
  guint64 chunks_out = 0;      // of which the first frame has been pushed
  guint64 partial_chunks = 0;  // ended early
  guint64 frames_dropped = 0;  // because the queue was full, in whole chunks
  guint64 chunks_dropped = 0;
  guint64 rate_dropped_frames = 0;  // by frame-rate adaption
  guint64 repeated_frames = 0;      // by frame-rate adaption
  guint64 frames_waiting = 0;
  guint64 chunks_waiting = 0;
};

// One mutex guards all state. It is never held while a pad, the bus or a clock is called, except to start or
// pause the source pad's task, which takes GStreamer's object locks after it; nothing takes them in the other
// order.
//
// Threads: chain(), serialized events and queries come from upstream's streaming thread; loop() is the source
// pad's task and the only place that pushes; FLUSH_START, state changes, the time-out and stats() come from
// any thread.
class ChunkStream {
 public:
  // The element owns this object and both pads.
  ChunkStream(GstElement* element, GstPad* sink, GstPad* src);

  // READY to PAUSED, before the pads are active: forgets the last stream.
  void start(const ChunkSettings& settings);
  // PAUSED to READY, before the pads are deactivated: nothing waits any more.
  void unblock();
  // After PAUSED to PLAYING, before PLAYING to PAUSED: time-outs need a running clock.
  void set_playing(bool playing);
  // Time without a frame after which an open chunk of a live stream ends; 0: never. At any time.
  void set_max_wait(GstClockTime max_wait);

  gboolean activate_sink(bool active);
  gboolean activate_src(bool active);

  GstFlowReturn chain(GstBuffer* buffer);     // takes the buffer
  GstFlowReturn sink_event(GstEvent* event);  // takes the event
  gboolean src_event(GstEvent* event);        // takes the event
  gboolean sink_query(GstQuery* query);
  gboolean src_query(GstQuery* query);

  ChunkStats stats() const;

 private:
  // A buffer or event of ours, or a query that its sender waits with.
  struct Item {
    GstPtr<GstMiniObject> owned;
    GstQuery* query = nullptr;
    GstClockTime running_time = GST_CLOCK_TIME_NONE;  // of a buffer
    GstClockTime stream_time = GST_CLOCK_TIME_NONE;
  };
  using Queue = ChunkQueue<Item>;
  using Lock = std::unique_lock<std::mutex>;

  // A frame that will not leave, and what its QOS message says.
  struct DroppedFrame {
    GstClockTime running_time;
    GstClockTime stream_time;
    GstClockTime timestamp;
    GstClockTime duration;
    guint64 frames_out;
    guint64 frames_dropped;
    const char* reason;
  };
  using Dropped = std::vector<DroppedFrame>;

  // Buffers: chunk_stream_sink.cpp.
  GstFlowReturn accept(Lock& lock, GstPtr<GstBuffer> buffer, Dropped& dropped);
  GstFlowReturn accept_at_rate(Lock& lock, GstPtr<GstBuffer> buffer, Dropped& dropped);
  GstFlowReturn enqueue(Lock& lock, GstPtr<GstBuffer> buffer, Dropped& dropped);
  bool make_room(Lock& lock, Dropped& dropped);
  GstPtr<GstBuffer> stamp(GstPtr<GstBuffer> buffer, int64_t slot) const;
  void drop(const GstBuffer* buffer, const Item& times, const char* reason, Dropped& dropped);
  Item times_of(const GstBuffer* buffer) const;
  void end_chunk();
  bool gap_before(const GstBuffer* buffer, GstClockTime running_time);
  GstClockTime chunk_duration() const;
  GstFlowReturn refusal() const;
  void post_qos(const Dropped& dropped);

  // Events and queries from upstream: chunk_stream_events.cpp.
  GstFlowReturn enqueue_event(GstPtr<GstEvent> event);
  GstFlowReturn take_caps(GstPtr<GstEvent> event);
  void take_segment(const GstSegment& segment);
  gboolean enqueue_query(GstQuery* query);
  void flush_start(GstPtr<GstEvent> event);
  void flush_stop(GstPtr<GstEvent> event);
  guint held_frames() const;
  FrameRate framerate() const;

  // Source side: chunk_stream_src.cpp.
  static void loop_entry(gpointer self);
  void start_task();
  void loop();
  GstFlowReturn push_next(Lock& lock);
  GstFlowReturn push_frame(Lock& lock, Queue::Entry entry);
  void end_task(Lock& lock);
  void discard_until_new_stream();
  void keep_sticky_events(const std::vector<Queue::Entry>& entries);
  std::vector<Queue::Entry> forget_stream();

  // Time-out of an open chunk: chunk_stream_timeout.cpp.
  static gboolean on_timeout(GstClock* clock, GstClockTime time, GstClockID id, gpointer element_and_self);
  GstPtr<GstClock> running_clock() const;
  void ask_if_live();
  bool is_live() const;
  void note_arrival();
  void watch_open_chunk();
  void time_out(GstClock* clock, GstClockID id);
  void cancel_timeout();

  GstElement* element_;
  GstPad* sink_;
  GstPad* src_;

  mutable std::mutex mutex_;
  std::condition_variable item_added_;
  std::condition_variable room_made_;

  ChunkSettings settings_;
  GstClockTime max_wait_ = GST_SECOND;
  Queue queue_;
  ChunkAssembler assembler_;
  std::optional<FrameRateAdapter> adapter_;
  GstPtr<GstBuffer> last_input_;  // what frame-rate adaption repeats
  bool refusing_ = false;         // the open chunk is being dropped as it comes
  GstFlowReturn src_result_ = GST_FLOW_FLUSHING;
  bool eos_ = false;             // EOS has come: nothing more is accepted
  bool downstream_eos_ = false;  // downstream wants no more buffers
  QueryRelay queries_;

  GstSegment segment_;
  std::optional<GstVideoInfo> info_;
  GstClockTime frame_duration_ = GST_CLOCK_TIME_NONE;         // of the frames that leave; NONE: unknown
  GstClockTime expected_running_time_ = GST_CLOCK_TIME_NONE;  // end of the last frame
  bool live_ = true;
  ChunkStats stats_;

  bool playing_ = false;
  GstClockTime last_arrival_ = GST_CLOCK_TIME_NONE;  // clock time of the last frame
  GstClockID timeout_ = nullptr;                     // owned; set while armed
};

}  // namespace sdv2
