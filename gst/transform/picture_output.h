// SPDX-License-Identifier: LGPL-2.1-or-later
// The buffers that leave: negotiation of format and memory with downstream, pixels that do not come from the
// engine, and what is carried over from the frame that came in.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <mutex>

#include "common/gst_ptr.h"
#include "transform/transform_settings.h"

namespace sdv2 {

// All calls from the source pad's task, but for set_flushing() (any thread) and stop() (while the task is
// stopped). Holds no lock while it calls GStreamer.
class PictureOutput {
 public:
  explicit PictureOutput(GstPad* src) : src_(src) {}
  ~PictureOutput() { stop(); }

  // Whether the format for pictures of `in_caps` has to be agreed upon before the next buffer.
  bool needs_negotiation() const { return !out_caps_; }
  // The pictures that follow have this format; negotiate() takes it up.
  void set_input(GstCaps* in_caps, const GstVideoInfo& in);
  // Agrees with downstream on format and memory, and sends CAPS when they have changed. OK without input.
  GstFlowReturn negotiate(Fit fit);

  // A buffer of the agreed format for the frame that came in as `record`: with its times, flags, offsets and
  // metas, and no picture yet. FLUSHING while set_flushing().
  GstFlowReturn acquire(GstBuffer* record, GstBuffer** out);
  const GstVideoInfo& info() const { return out_; }

  // Writes the picture of `source` (of the input's format), converted and scaled.
  bool write_source(GstBuffer* source, GstBuffer* out);

  // Keeps a picture for write_last(), which copies it.
  void keep_last(GstBuffer* out) { last_ = GstPtr<GstBuffer>::ref(out); }
  bool has_last() const { return static_cast<bool>(last_); }
  void forget_last() { last_ = {}; }
  bool write_last(GstBuffer* out);

  // Wakes acquire(), and lets it work again.
  void set_flushing(bool flushing);
  // Forgets the formats and gives the pool back.
  void stop();

 private:
  GstFlowReturn agree_on_caps(Fit fit);
  bool agree_on_memory();
  void carry_metas(GstBuffer* record, GstBuffer* out) const;
  void set_pool(GstPtr<GstBufferPool> pool);

  struct FreeConverter {
    void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
  };

  GstPad* src_;
  GstPtr<GstCaps> in_caps_;
  GstVideoInfo in_{};
  GstPtr<GstCaps> sent_caps_;  // the last CAPS event's
  GstPtr<GstCaps> out_caps_;   // empty: to be negotiated
  GstVideoInfo out_{};
  std::unique_ptr<GstVideoConverter, FreeConverter> converter_;
  GstPtr<GstBuffer> last_;

  std::mutex mutex_;  // guards the two below
  GstPtr<GstBufferPool> pool_;
  bool flushing_ = false;
};

}  // namespace sdv2
