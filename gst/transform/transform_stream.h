// SPDX-License-Identifier: LGPL-2.1-or-later
// The streaming side of sdv2transform: what happens to buffers, events and queries between its sink and its
// source pad.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/gst_ptr.h"
#include "common/query_relay.h"
#include "sdv2/sdv2meta.h"
#include "transform/chunk_ledger.h"
#include "transform/engine_session.h"
#include "transform/latency_estimator.h"
#include "transform/live_control.h"
#include "transform/picture_output.h"
#include "transform/slot_timeline.h"

namespace sdv2 {

// Counters since the element left READY.
struct TransformStats {
  guint64 frames_in = 0;
  guint64 frames_out = 0;
  guint64 frames_transformed = 0;
  guint64 frames_passed = 0;    // left as they came
  guint64 frames_repeated = 0;  // left with the last picture
  guint64 frames_dropped = 0;
  guint64 chunks_submitted = 0;
  guint64 chunks_partial = 0;
  guint64 chunks_late = 0;
  guint64 chunks_failed = 0;
};

// One mutex guards all shared state. It is never held while a pad, the bus, a clock's wait or the engine is
// called, except to start or pause the source pad's task, which takes GStreamer's object locks after it;
// nothing takes them in the other order.
//
// Threads: chain(), serialized events and queries come from upstream's streaming thread; loop() is the source
// pad's task and the only place that pushes buffers and serialized events; chunk_done() comes from threads of
// the engine; model_ready() and model_failed() from the loader's; FLUSH_START, state changes, control and
// stats from any.
class TransformStream final : private ChunkListener {
 public:
  // The element owns this object and both pads.
  TransformStream(GstElement* element, GstPad* sink, GstPad* src, LiveControl* control);
  ~TransformStream();

  // The model: no longer there and being loaded, ready, or not to be had (an error has been posted).
  void model_loading();
  void model_ready(LoadedModel model);
  void model_failed();

  // What loads the model on these devices after one was lost: called in the source pad's task, with no lock
  // held; model_ready() or replan_failed() answers. To be set before the first stream.
  using Reload = std::function<void(const std::vector<std::string>& devices)>;
  void set_reload(Reload reload) { reload_ = std::move(reload); }
  void replan_failed(const EngineStatus& status);

  // READY to PAUSED, before the pads are active: forgets the last stream.
  void start();
  // PAUSED to READY, before the pads are deactivated: nothing waits any more. After them, stop() ends the
  // session.
  void unblock();
  void stop();
  // After PAUSED to PLAYING, before PLAYING to PAUSED: frames are late only while the clock runs.
  void set_playing(bool playing);

  gboolean activate_sink(bool active);
  gboolean activate_src(bool active);

  GstFlowReturn chain(GstBuffer* buffer);     // takes the buffer
  GstFlowReturn sink_event(GstEvent* event);  // takes the event
  gboolean src_event(GstEvent* event);        // takes the event
  gboolean sink_query(GstQuery* query);
  gboolean src_query(GstQuery* query);

  // Sets the properties that the structure's fields name (see apply_control); each is answered by a message
  // when it holds. False, and a WARNING message, when it is refused.
  bool control(const GstStructure* changes);
  // The settings that the latency depends on have changed.
  void latency_settings_changed();
  // A new structure for the property "stats".
  GstStructure* new_stats();

 private:
  // A frame with its source or only its record, an event of ours, or a query that its sender waits with.
  struct Item {
    GstPtr<GstMiniObject> owned;
    GstQuery* query = nullptr;
    bool has_pixels = false;  // the frame's picture, for it may have to leave as it came
    bool bypass = false;
    bool bypass_changed = false;
    GstClockTime running_time = GST_CLOCK_TIME_NONE;
    GstClockTime stream_time = GST_CLOCK_TIME_NONE;
    GstBuffer* buffer() const { return GST_BUFFER_CAST(owned.get()); }
    GstEvent* event() const { return GST_EVENT_CAST(owned.get()); }
  };
  using Timeline = SlotTimeline<Item>;
  using Lock = std::unique_lock<std::mutex>;
  using SessionPtr = std::shared_ptr<EngineSession>;

  // The chunk that is being filled.
  struct OpenChunk {
    uint64_t id = 0;      // of the timeline; 0: the chunk is skipped
    uint32_t frames = 0;  // that it has
    uint32_t size = 0;    // that it takes
    std::optional<Settlement> skipped;
    std::optional<guint64> meta_chunk;                // its number in the chunk metas that it follows
    GstClockTime running_time = GST_CLOCK_TIME_NONE;  // of its first frame
  };
  enum class ModelState { kLoading, kReady, kFailed };
  // Going on without a device that was lost: not asked for, when the session has ended, or being loaded.
  enum class Replan { kNo, kWanted, kUnderWay };
  // What tells of a change, and waits for the first frame made with it.
  struct PendingMessage {
    int64_t first_chunk;  // of the engine
    GstStructure* message;
  };
  // What the source pad's task reports when it holds no lock.
  struct Failure {
    EngineStatus status;
    bool fatal;
    bool reloading = false;  // after a device was lost
  };
  struct Latency {
    GstClockTime min = 0;
    GstClockTime max = 0;
    bool operator==(const Latency&) const = default;
  };

  // Frames in: transform_stream_sink.cpp.
  GstFlowReturn refusal() const;
  Item item_at(GstBuffer* buffer) const;
  void keep(Item& item, GstPtr<GstBuffer> buffer, const TransformSettings& settings);
  guint held_frames(const TransformSettings& settings) const;
  GstFlowReturn accept(Lock& lock, Item item, const std::optional<Sdv2ChunkInfo>& tag,
                       const TransformSettings& settings);
  GstFlowReturn without_engine(Lock& lock, Item item, const TransformSettings& settings);
  GstFlowReturn open_session(Lock& lock, const TransformSettings& settings);
  static Settlement on_error_settlement(OnError policy);
  static Settlement on_late_settlement(OnLate policy, const char* reason);

  // Frames into chunks of the engine: transform_stream_chunks.cpp.
  bool ends_before(const std::optional<Sdv2ChunkInfo>& tag) const;
  std::optional<guint64> followed_chunk(const std::optional<Sdv2ChunkInfo>& tag, uint32_t size);
  GstFlowReturn begin_chunk(Lock& lock, const Item& item, const std::optional<Sdv2ChunkInfo>& tag,
                            const TransformSettings& settings);
  bool too_late(const Item& item) const;
  GstFlowReturn put(Lock& lock, Item& item);
  void submit(Lock& lock);
  void apply_changes(const SessionPtr& session);
  int64_t deadline_of(GstClockTime running_time) const;

  // Events and queries from upstream: transform_stream_events.cpp.
  GstFlowReturn enqueue_event(GstPtr<GstEvent> event);
  GstFlowReturn take_caps(GstPtr<GstEvent> event);
  void take_segment(Lock& lock, const GstSegment& segment);
  gboolean enqueue_query(GstQuery* query);
  void answer_allocation(GstQuery* query);
  void flush_start(GstPtr<GstEvent> event);
  void flush_stop(GstPtr<GstEvent> event);
  GstClockTime chunk_duration() const;

  // Frames out: transform_stream_src.cpp.
  static void loop_entry(gpointer self);
  void start_task();
  void loop();
  bool do_chores(Lock& lock);
  GstFlowReturn push_next(Lock& lock);
  GstFlowReturn push_event(Lock& lock, GstPtr<GstEvent> event);
  void give_room_back(Lock& lock);
  void discard_until_new_stream();
  void end_task(Lock& lock);
  void keep_sticky_events(const std::vector<Timeline::Entry>& entries);
  std::vector<Timeline::Entry> forget_stream();

  // One frame out: transform_stream_frame.cpp.
  GstFlowReturn push_frame(Lock& lock, Timeline::Entry entry);
  Outcome write_picture(const Timeline::Entry& entry, std::optional<int64_t> number,
                        const SessionPtr& session, GstBuffer* out, EngineStatus* status);
  GstFlowReturn stop_with_error(Lock& lock);
  void count(Outcome outcome);

  // What the engine and the clock say: transform_stream_outcome.cpp.
  void chunk_done(const EngineSession* session, const sdv2_chunk_info& info) override;
  void take_result(const ChunkLedger::Finished& finished);
  static Settlement settlement_of(int show);
  void note_quality(const ChunkResult& result);
  void fail_chunk(uint64_t chunk, const EngineStatus& status);
  void report(const Failure& failure);

  // A device is lost: transform_stream_replan.cpp.
  bool may_replan() const;
  OnError error_policy(const EngineStatus& status) const;
  bool lose_device(const EngineStatus& status);
  void replan(Lock& lock);
  void await_replan(Lock& lock);

  // What the clock says: transform_stream_outcome.cpp.
  bool settle_late(Lock& lock);
  static gboolean on_late_timer(GstClock* clock, GstClockTime time, GstClockID id, gpointer target);
  void arm_late_timer(Lock& lock, GstClockTime deadline);
  void cancel_late_timer(Lock& lock);
  std::vector<GstStructure*> take_messages(std::optional<int64_t> number);
  void post_messages(const std::vector<GstStructure*>& messages, const Item& item);
  void post_qos(const Item& item, const char* reason);

  // Latency and what is asked from downstream: transform_stream_latency.cpp.
  Latency own_latency() const;
  void restart_latency();
  bool latency_differs() const;
  void announce_latency();
  gboolean answer_latency(GstQuery* query);

  GstElement* element_;
  GstPad* sink_;
  GstPad* src_;
  LiveControl* control_;

  mutable std::mutex mutex_;
  std::condition_variable work_added_;      // the source pad's task
  std::condition_variable engine_changed_;  // upstream's thread: model, room, flush

  ModelState model_state_ = ModelState::kLoading;
  std::optional<LoadedModel> model_;
  SessionPtr session_;
  bool session_dead_ = false;  // a device failed: nothing goes to the engine any more
  Replan replan_ = Replan::kNo;
  Reload reload_;
  bool stream_fresh_ = true;  // the engine has no frame of its present stream
  Timeline timeline_;
  ChunkLedger ledger_;
  unsigned max_chunks_ = 4;
  bool from_one_frame_ = false;  // warm-up=frame
  Fit fit_ = Fit::kStretch;
  std::vector<PendingMessage> pending_messages_;
  std::vector<Failure> failures_;  // to be reported
  bool failing_ = false;           // the last chunk has failed
  int rung_ = 0;                   // of the degradation ladder, of the last chunk
  int told_rung_ = 0;              // of it, what a message has told
  bool error_posted_ = false;      // the application knows why the stream has ended
  bool can_repeat_ = false;        // a picture has left that can be repeated

  GstFlowReturn src_result_ = GST_FLOW_FLUSHING;
  bool eos_ = false;             // EOS has come: nothing more is accepted
  bool downstream_eos_ = false;  // downstream wants no more buffers
  QueryRelay queries_;
  bool gap_in_output_ = false;  // frames were dropped: the next buffer is marked
  TransformStats stats_;

  GstClockTime frame_duration_ = GST_CLOCK_TIME_NONE;
  LatencyEstimator estimator_;
  std::optional<Latency> announced_;  // the answer that downstream has seen
  bool announce_ = false;             // it has changed
  bool live_ = false;
  GstClockTime configured_latency_ = GST_CLOCK_TIME_NONE;
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE;  // running time that downstream still wants
  bool playing_ = false;
  GstPtr<GstClock> clock_;  // while playing
  GstClockTime base_time_ = 0;
  GstClockID late_timer_ = nullptr;  // owned; set while armed
  GstClockTime late_timer_time_ = GST_CLOCK_TIME_NONE;

  std::atomic<bool> answer_bypass_ = false;  // the next frame tells that it holds

  // Only upstream's streaming thread (under the sink pad's stream lock).
  std::optional<GstVideoInfo> info_;
  GstSegment segment_;
  std::optional<OpenChunk> open_;
  bool bypass_ = false;
  bool warned_of_metas_ = false;

  PictureOutput output_;  // only the source pad's task, but for what it says itself
};

}  // namespace sdv2
