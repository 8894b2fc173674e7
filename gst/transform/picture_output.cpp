// SPDX-License-Identifier: LGPL-2.1-or-later
// Output buffers.
#include "transform/picture_output.h"

#include "transform/transform_caps.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_transform_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

namespace sdv2 {
namespace {

using PoolPtr = GstPtr<GstBufferPool>;

// A mapped frame that unmaps itself.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags)
      : mapped_(gst_video_frame_map(&frame_, &info, buffer, flags)) {}
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;
  explicit operator bool() const { return mapped_; }
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_;
  bool mapped_;
};

// Sets a pool up; false when it cannot serve these caps.
bool configure(GstBufferPool* pool, GstQuery* query, GstCaps* caps, guint size, guint min, guint max) {
  GstAllocator* allocator = nullptr;
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  if (gst_query_get_n_allocation_params(query) > 0)
    gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
  const auto owned = GstPtr<GstAllocator>::adopt(allocator);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, min, max);
  gst_buffer_pool_config_set_allocator(config, allocator, &params);
  // Strides of one's own choice only for those who read them.
  if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) &&
      gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_META))
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config(pool, config)) return true;
  // The pool has changed what was asked: is that good enough?
  config = gst_buffer_pool_get_config(pool);
  if (!gst_buffer_pool_config_validate_params(config, caps, size, min, max)) {
    gst_structure_free(config);
    return false;
  }
  return gst_buffer_pool_set_config(pool, config);
}

}  // namespace

void PictureOutput::set_input(GstCaps* in_caps, const GstVideoInfo& in) {
  in_caps_ = GstPtr<GstCaps>::ref(in_caps);
  in_ = in;
  out_caps_ = {};
}

GstFlowReturn PictureOutput::negotiate(Fit fit) {
  if (!in_caps_) return GST_FLOW_OK;
  const GstFlowReturn flow = agree_on_caps(fit);
  if (flow != GST_FLOW_OK) return flow;
  return agree_on_memory() ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
}

GstFlowReturn PictureOutput::agree_on_caps(Fit fit) {
  const auto filter = GstPtr<GstCaps>::adopt(gst_pad_get_pad_template_caps(src_));
  const auto allowed = GstPtr<GstCaps>::adopt(gst_pad_peer_query_caps(src_, filter.get()));
  GstPtr<GstCaps> caps = choose_output_caps(in_caps_.get(), in_, allowed.get(), fit);
  GstVideoInfo out;
  if (!caps || !gst_video_info_from_caps(&out, caps.get())) {
    if (GST_PAD_IS_FLUSHING(src_)) return GST_FLOW_FLUSHING;
    GST_ERROR_OBJECT(src_, "downstream takes no format that can be made: %" GST_PTR_FORMAT,
                     static_cast<void*>(allowed.get()));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  const bool changed = !sent_caps_ || !gst_caps_is_equal(sent_caps_.get(), caps.get());
  if (changed || !gst_video_info_is_equal(&out, &out_)) {
    converter_.reset();
    last_ = {};
  }
  out_ = out;
  if (changed) {
    sent_caps_ = GstPtr<GstCaps>::ref(caps.get());
    // A refusal shows in the next push's flow.
    gst_pad_push_event(src_, gst_event_new_caps(caps.get()));
  }
  out_caps_ = std::move(caps);
  return GST_FLOW_OK;
}

bool PictureOutput::agree_on_memory() {
  GstCaps* caps = out_caps_.get();
  const auto query = GstPtr<GstQuery>::adopt(gst_query_new_allocation(caps, TRUE));
  gst_pad_peer_query(src_, query.get());  // without an answer everything is our own
  PoolPtr pool;
  guint size = static_cast<guint>(out_.size);
  guint min = 0;
  guint max = 0;
  if (gst_query_get_n_allocation_pools(query.get()) > 0) {
    GstBufferPool* offered = nullptr;
    guint offered_size = 0;
    gst_query_parse_nth_allocation_pool(query.get(), 0, &offered, &offered_size, &min, &max);
    pool = PoolPtr::adopt(offered);
    size = std::max(size, offered_size);
  }
  if (!pool || !configure(pool.get(), query.get(), caps, size, min, max)) {
    pool = PoolPtr::adopt(gst_video_buffer_pool_new());
    if (!configure(pool.get(), query.get(), caps, size, min, max)) return false;
  }
  set_pool(std::move(pool));
  return true;
}

void PictureOutput::set_pool(PoolPtr pool) {
  // A pool that is shared with others may be active already.
  if (pool) gst_buffer_pool_set_active(pool.get(), TRUE);
  std::unique_lock lock(mutex_);
  const PoolPtr before = std::exchange(pool_, PoolPtr::ref(pool.get()));
  const bool flushing = flushing_;
  lock.unlock();
  if (flushing && pool) gst_buffer_pool_set_flushing(pool.get(), TRUE);
  if (before && before.get() != pool.get()) gst_buffer_pool_set_active(before.get(), FALSE);
}

GstFlowReturn PictureOutput::acquire(GstBuffer* record, GstBuffer** out) {
  std::unique_lock lock(mutex_);
  const PoolPtr pool = PoolPtr::ref(pool_.get());
  const bool flushing = flushing_;
  lock.unlock();
  if (flushing) return GST_FLOW_FLUSHING;
  if (!pool) return GST_FLOW_NOT_NEGOTIATED;
  const GstFlowReturn flow = gst_buffer_pool_acquire_buffer(pool.get(), out, nullptr);
  if (flow != GST_FLOW_OK) return flow;
  gst_buffer_copy_into(
      *out, record,
      static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | static_cast<int>(GST_BUFFER_COPY_TIMESTAMPS)),
      0, static_cast<gsize>(-1));
  carry_metas(record, *out);
  return GST_FLOW_OK;
}

// Metas that depend on the size are scaled when they know how, those about colours are dropped when colours
// change, those about the memory always; all others stay on their frame.
void PictureOutput::carry_metas(GstBuffer* record, GstBuffer* out) const {
  const bool same_size = in_.width == out_.width && in_.height == out_.height;
  const bool same_format = GST_VIDEO_INFO_FORMAT(&in_) == GST_VIDEO_INFO_FORMAT(&out_);
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(record, &state)) {
    const GType api = meta->info->api;
    if (api == GST_VIDEO_META_API_TYPE || meta->info->transform_func == nullptr ||
        gst_meta_api_type_has_tag(api, _gst_meta_tag_memory))
      continue;
    if (!same_format &&
        gst_meta_api_type_has_tag(api, g_quark_from_static_string(GST_META_TAG_VIDEO_COLORSPACE_STR)))
      continue;
    if (!same_size &&
        gst_meta_api_type_has_tag(api, g_quark_from_static_string(GST_META_TAG_VIDEO_SIZE_STR))) {
      GstVideoInfo in = in_;
      GstVideoInfo to = out_;
      GstVideoMetaTransform scale = {&in, &to};
      meta->info->transform_func(out, meta, record, gst_video_meta_transform_scale_get_quark(), &scale);
      continue;
    }
    GstMetaTransformCopy copy = {FALSE, 0, static_cast<gsize>(-1)};
    meta->info->transform_func(out, meta, record, _gst_meta_transform_copy, &copy);
  }
}

bool PictureOutput::write_source(GstBuffer* source, GstBuffer* out) {
  MappedFrame from(in_, source, GST_MAP_READ);
  MappedFrame to(out_, out, GST_MAP_WRITE);
  if (!from || !to) return false;
  if (gst_video_info_is_equal(&in_, &out_)) return gst_video_frame_copy(to.get(), from.get());
  if (!converter_) {
    GstVideoInfo in = in_;
    GstVideoInfo info = out_;
    converter_.reset(gst_video_converter_new(&in, &info, nullptr));
    if (!converter_) return false;
  }
  gst_video_converter_frame(converter_.get(), from.get(), to.get());
  return true;
}

bool PictureOutput::write_last(GstBuffer* out) {
  MappedFrame from(out_, last_.get(), GST_MAP_READ);
  MappedFrame to(out_, out, GST_MAP_WRITE);
  return from && to && gst_video_frame_copy(to.get(), from.get());
}

void PictureOutput::set_flushing(bool flushing) {
  std::unique_lock lock(mutex_);
  flushing_ = flushing;
  const PoolPtr pool = PoolPtr::ref(pool_.get());
  lock.unlock();
  if (pool) gst_buffer_pool_set_flushing(pool.get(), flushing);
}

void PictureOutput::stop() {
  set_pool({});
  in_caps_ = {};
  sent_caps_ = {};
  out_caps_ = {};
  last_ = {};
  converter_.reset();
  out_ = {};
}

}  // namespace sdv2
