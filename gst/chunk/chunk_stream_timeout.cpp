// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk: ends an open chunk when no frame comes for max-wait. Time is the pipeline clock's, and passes
// only in PLAYING.
#include "chunk/chunk_stream.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_chunk_debug);
#define GST_CAT_DEFAULT gst_sdv2_chunk_debug

namespace sdv2 {
namespace {

// Keeps the element alive while its time-out is armed.
struct TimeoutTarget {
  GstPtr<GstElement> element;
  ChunkStream* stream;
};

}  // namespace

void ChunkStream::set_max_wait(GstClockTime max_wait) {
  {
    const Lock lock(mutex_);
    max_wait_ = max_wait;
  }
  cancel_timeout();
  watch_open_chunk();
}

void ChunkStream::set_playing(bool playing) {
  if (playing) {
    ask_if_live();
    const auto clock = running_clock();
    Lock lock(mutex_);
    playing_ = true;
    last_arrival_ = clock ? gst_clock_get_time(clock.get()) : GST_CLOCK_TIME_NONE;
    lock.unlock();
    watch_open_chunk();
  } else {
    {
      const Lock lock(mutex_);
      playing_ = false;
    }
    cancel_timeout();
  }
}

GstPtr<GstClock> ChunkStream::running_clock() const {
  return GstPtr<GstClock>::adopt(gst_element_get_clock(element_));
}

// Only live streams are late. Asks upstream, so not with a lock.
void ChunkStream::ask_if_live() {
  const auto query = GstPtr<GstQuery>::adopt(gst_query_new_latency());
  gboolean live = FALSE;
  if (gst_pad_peer_query(sink_, query.get())) gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  const Lock lock(mutex_);
  live_ = live;
}

bool ChunkStream::is_live() const {
  const Lock lock(mutex_);
  return live_;
}

void ChunkStream::note_arrival() {
  const auto clock = running_clock();
  if (!clock) return;
  const GstClockTime now = gst_clock_get_time(clock.get());
  const Lock lock(mutex_);
  last_arrival_ = now;
}

// Arms the time-out when a chunk is open and none is armed. One time-out serves many frames: it looks again
// when it fires early.
void ChunkStream::watch_open_chunk() {
  const auto clock = running_clock();
  if (!clock) return;
  Lock lock(mutex_);
  const bool needed =
      playing_ && live_ && max_wait_ > 0 && assembler_.open() && GST_CLOCK_TIME_IS_VALID(last_arrival_);
  if (!needed || timeout_ != nullptr) return;
  timeout_ = gst_clock_new_single_shot_id(clock.get(), last_arrival_ + max_wait_);
  const GstClockID id = gst_clock_id_ref(timeout_);
  lock.unlock();
  auto* target = new TimeoutTarget{GstPtr<GstElement>::ref(element_), this};
  gst_clock_id_wait_async(id, on_timeout, target,
                          [](gpointer data) { delete static_cast<TimeoutTarget*>(data); });
  gst_clock_id_unref(id);
}

gboolean ChunkStream::on_timeout(GstClock* clock, GstClockTime, GstClockID id, gpointer data) {
  static_cast<TimeoutTarget*>(data)->stream->time_out(clock, id);
  return TRUE;
}

// In a thread of the clock.
void ChunkStream::time_out(GstClock* clock, GstClockID id) {
  const GstClockTime now = gst_clock_get_time(clock);
  {
    const Lock lock(mutex_);
    if (timeout_ != id) return;  // cancelled meanwhile
    gst_clock_id_unref(std::exchange(timeout_, nullptr));
    if (assembler_.open() && now >= last_arrival_ + max_wait_) {
      GST_INFO_OBJECT(element_, "no frame for %" GST_TIME_FORMAT, GST_TIME_ARGS(now - last_arrival_));
      end_chunk();
    }
  }
  watch_open_chunk();
}

void ChunkStream::cancel_timeout() {
  GstClockID id = nullptr;
  {
    const Lock lock(mutex_);
    id = std::exchange(timeout_, nullptr);
  }
  if (id == nullptr) return;
  gst_clock_id_unschedule(id);
  gst_clock_id_unref(id);
}

}  // namespace sdv2
