// SPDX-License-Identifier: LGPL-2.1-or-later
// What sdv2slo does with each buffer. Nothing is allocated per buffer.
#include "slo/slo_filter.h"

#include <algorithm>

#include "common/gst_ptr.h"
#include "sdv2/sdv2meta.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_slo_debug);
#define GST_CAT_DEFAULT gst_sdv2_slo_debug

namespace sdv2 {
namespace {

// Larger pictures are compared by some of their rows only: about a tenth of a millisecond of work.
constexpr size_t kMostComparedBytes = 1 << 20;

// Brightness and colour in separate bytes, so that blocks can be drawn.
bool has_byte_components(const GstVideoFormatInfo* format) {
  if (!GST_VIDEO_FORMAT_INFO_IS_YUV(format) && !GST_VIDEO_FORMAT_INFO_IS_RGB(format) &&
      !GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
    return false;
  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE(format)) return false;
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); ++c) {
    if (GST_VIDEO_FORMAT_INFO_DEPTH(format, c) != 8 || GST_VIDEO_FORMAT_INFO_SHIFT(format, c) != 0)
      return false;
  }
  return true;
}

bool is_in_system_memory(GstCaps* caps) {
  GstCapsFeatures* features = gst_caps_get_features(caps, 0);
  return features == nullptr || gst_caps_features_get_size(features) == 0 ||
         gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
}

// Maps a frame for as long as this lives.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags)
      : mapped_(gst_video_frame_map(
            &frame_, &info, buffer,
            static_cast<GstMapFlags>(flags | static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF)))) {}
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  explicit operator bool() const { return mapped_; }
  const GstVideoFrame& operator*() const { return frame_; }

 private:
  GstVideoFrame frame_;
  bool mapped_;
};

}  // namespace

void SloFilter::start(MarkMode mark, MarkClock mark_clock, GstClockTime window) {
  mark_ = mark;
  mark_clock_ = mark_clock;
  raw_video_ = false;
  format_.reset();
  next_mark_ = 0;
  last_mark_.reset();
  start_time_ = gst_util_get_timestamp();
  const std::lock_guard lock(mutex_);
  any_frame_ = false;
  meter_.emplace(static_cast<int64_t>(window));
  meter_->set_targets(static_cast<int64_t>(targets_.latency),
                      static_cast<double>(targets_.fps_n) / targets_.fps_d);
}

void SloFilter::set_playing(bool playing) {
  const std::lock_guard lock(mutex_);
  playing_ = playing;
  if (meter_) meter_->interrupt();
}

void SloFilter::set_targets(const SloTargets& targets) {
  const std::lock_guard lock(mutex_);
  targets_ = targets;
  if (meter_)
    meter_->set_targets(static_cast<int64_t>(targets.latency),
                        static_cast<double>(targets.fps_n) / targets.fps_d);
}

void SloFilter::interrupt() {
  last_mark_.reset();
  const std::lock_guard lock(mutex_);
  if (meter_) meter_->interrupt();
}

SloReport SloFilter::report() const {
  const auto clock = GstPtr<GstClock>::adopt(gst_element_get_clock(element_));
  const GstClockTime now = clock ? gst_clock_get_time(clock.get()) : 0;
  const std::lock_guard lock(mutex_);
  return meter_ ? meter_->report(static_cast<int64_t>(now)) : SloReport{};
}

std::optional<SloFilter::Format> SloFilter::make_format(GstCaps* caps) {
  Format format;
  if (!is_in_system_memory(caps) || !gst_video_info_from_caps(&format.info, caps)) return std::nullopt;
  const GstVideoInfo& info = format.info;
  const GstVideoFormatInfo* finfo = info.finfo;
  format.can_carry_mark = has_byte_components(finfo) && GST_VIDEO_INFO_WIDTH(&info) >= kMarkWidth &&
                          GST_VIDEO_INFO_HEIGHT(&info) >= kMarkHeight;
  // Formats that are packed in their own way (v210, tiles) have no rows of known length.
  format.comparable = !GST_VIDEO_FORMAT_INFO_IS_COMPLEX(finfo) && !GST_VIDEO_FORMAT_INFO_IS_TILED(finfo);
  size_t bytes = 0;
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(finfo); ++c) {
    const guint plane = GST_VIDEO_FORMAT_INFO_PLANE(finfo, c);
    const size_t length =
        static_cast<size_t>(GST_VIDEO_INFO_COMP_WIDTH(&info, c)) * GST_VIDEO_FORMAT_INFO_PSTRIDE(finfo, c);
    format.row_bytes[plane] = std::max(format.row_bytes[plane], length);
    format.rows[plane] = GST_VIDEO_INFO_COMP_HEIGHT(&info, c);
    format.mark_rows[plane] = kMarkHeight >> GST_VIDEO_FORMAT_INFO_H_SUB(finfo, c);
  }
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p)
    bytes += format.row_bytes[p] * static_cast<size_t>(format.rows[p]);
  format.row_step = static_cast<int>(1 + bytes / kMostComparedBytes);
  return format;
}

void SloFilter::set_caps(GstCaps* caps) {
  raw_video_ = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
  format_ = raw_video_ ? make_format(caps) : std::nullopt;
  if (mark_ == MarkMode::kNone || (format_ && format_->can_carry_mark)) return;
  GST_ELEMENT_WARNING(
      element_, STREAM, FORMAT,
      ("This video format cannot carry the latency mark; latency is measured on the clock only."),
      ("a mark needs raw video in system memory with 8 bits per component and at least %dx%d pixels (for "
       "example NV12, I420, "
       "YUY2, UYVY, RGB, BGRx: put videoconvert before this element), not %" GST_PTR_FORMAT,
       kMarkWidth, kMarkHeight, static_cast<void*>(caps)));
}

PictureView SloFilter::view_of(const GstVideoFrame& frame) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  PictureView view;
  view.width = GST_VIDEO_FRAME_WIDTH(&frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(&frame);
  view.rgb = GST_VIDEO_FORMAT_INFO_IS_RGB(format);
  view.components = std::min<int>(3, GST_VIDEO_FRAME_N_COMPONENTS(&frame));
  for (int c = 0; c < view.components; ++c) {
    view.component[c] = {.data = GST_VIDEO_FRAME_COMP_DATA(&frame, c),
                         .row_stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, c),
                         .pixel_stride = GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c),
                         .width_shift = static_cast<int>(GST_VIDEO_FORMAT_INFO_W_SUB(format, c)),
                         .height_shift = static_cast<int>(GST_VIDEO_FORMAT_INFO_H_SUB(format, c))};
  }
  return view;
}

// The mark changes with every frame, so its rows say nothing about the picture.
uint64_t SloFilter::hash_of(const GstVideoFrame& frame) const {
  const bool marked = mark_ != MarkMode::kNone && format_->can_carry_mark;
  uint64_t hash = 0;
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame); ++p) {
    hash = hash_plane(hash,
                      {.data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p)),
                       .row_stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p),
                       .row_bytes = format_->row_bytes[p],
                       .rows = format_->rows[p]},
                      format_->row_step, marked ? format_->mark_rows[p] : 0);
  }
  return hash;
}

bool SloFilter::has_mark_time(GstClockTime clock_now) const {
  return mark_clock_ == MarkClock::kRealtime || GST_CLOCK_TIME_IS_VALID(clock_now);
}

// Microseconds on the clock that both meters share.
uint64_t SloFilter::mark_now(GstClockTime clock_now) const {
  return mark_clock_ == MarkClock::kRealtime ? static_cast<uint64_t>(g_get_real_time())
                                             : clock_now / GST_USECOND;
}

void SloFilter::write_mark(const GstVideoFrame& frame, GstClockTime clock_now) {
  draw_mark(view_of(frame), encode_mark({.time = mark_now(clock_now), .sequence = next_mark_++}));
}

void SloFilter::read_mark(const GstVideoFrame& frame, GstClockTime clock_now, FrameSample& sample) {
  sample.mark_expected = true;
  const auto mark = decode_mark(read_mark_levels(view_of(frame)));
  if (!mark) return;
  const bool repeated =
      last_mark_ && last_mark_->time == mark->time && last_mark_->sequence == mark->sequence;
  last_mark_ = mark;
  sample.sequence = mark->sequence;
  sample.sequence_modulus = kMarkSequenceModulus;
  if (repeated) {
    sample.mark_expected = false;  // the same picture once more says nothing about the way
  } else {
    sample.mark_latency = mark_age(*mark, mark_now(clock_now));
  }
}

void SloFilter::look_at_pixels(GstBuffer* buffer, GstClockTime clock_now, FrameSample& sample) {
  const bool marks = mark_ != MarkMode::kNone && format_->can_carry_mark && has_mark_time(clock_now);
  if (!format_->comparable && !marks) return;
  const bool writes = marks && mark_ == MarkMode::kWrite;
  const MappedFrame frame(format_->info, buffer, writes ? GST_MAP_READWRITE : GST_MAP_READ);
  if (!frame) {
    GST_WARNING_OBJECT(element_, "cannot map a buffer; its picture is not looked at");
    return;
  }
  if (format_->comparable) sample.picture_hash = hash_of(*frame);
  if (writes) write_mark(*frame, clock_now);
  if (marks && mark_ == MarkMode::kRead) read_mark(*frame, clock_now, sample);
}

void SloFilter::process(GstBuffer* buffer, const GstSegment& segment) {
  const auto clock = GstPtr<GstClock>::adopt(gst_element_get_clock(element_));
  const GstClockTime now = clock ? gst_clock_get_time(clock.get()) : GST_CLOCK_TIME_NONE;
  FrameSample sample;
  sample.now = static_cast<int64_t>(now);
  Sdv2ChunkInfo chunk;
  if (mark_ == MarkMode::kRead && format_ && format_->can_carry_mark) {
    // Numbered by the mark; a frame whose mark cannot be read has no number.
  } else if (sdv2_buffer_get_chunk_info(buffer, &chunk)) {
    sample.sequence = chunk.frame;
  } else if (raw_video_ && GST_BUFFER_OFFSET_IS_VALID(buffer)) {
    sample.sequence = GST_BUFFER_OFFSET(buffer);
  }
  if (GST_BUFFER_PTS_IS_VALID(buffer) && segment.format == GST_FORMAT_TIME) {
    const GstClockTime running_time =
        gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(running_time)) {
      sample.due = static_cast<int64_t>(running_time);
      sample.latency = GST_CLOCK_DIFF(gst_element_get_base_time(element_) + running_time, now);
    }
  }
  if (format_) look_at_pixels(buffer, now, sample);

  const std::lock_guard lock(mutex_);
  if (!any_frame_) {
    any_frame_ = true;
    meter_->set_first_frame_time(static_cast<int64_t>(gst_util_get_timestamp() - start_time_));
  }
  if (playing_ && clock) {
    meter_->add(sample);
  } else {
    meter_->add_untimed();
  }
}

}  // namespace sdv2
