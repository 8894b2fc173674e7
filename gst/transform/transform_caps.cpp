// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps answers, choice of the output format, mapping of formats and colorimetry.
#include "transform/transform_caps.h"

#include <array>
#include <memory>

namespace sdv2 {
namespace {

using CapsPtr = GstPtr<GstCaps>;

struct FormatRow {
  GstVideoFormat gst;
  sdv2_pixel_format engine;
};
constexpr std::array kFormats = {
    FormatRow{GST_VIDEO_FORMAT_NV12, SDV2_FORMAT_NV12}, FormatRow{GST_VIDEO_FORMAT_I420, SDV2_FORMAT_I420},
    FormatRow{GST_VIDEO_FORMAT_YUY2, SDV2_FORMAT_YUY2}, FormatRow{GST_VIDEO_FORMAT_UYVY, SDV2_FORMAT_UYVY},
    FormatRow{GST_VIDEO_FORMAT_RGB, SDV2_FORMAT_RGB},   FormatRow{GST_VIDEO_FORMAT_BGR, SDV2_FORMAT_BGR},
    FormatRow{GST_VIDEO_FORMAT_RGBx, SDV2_FORMAT_RGBX}, FormatRow{GST_VIDEO_FORMAT_BGRx, SDV2_FORMAT_BGRX},
    FormatRow{GST_VIDEO_FORMAT_xRGB, SDV2_FORMAT_XRGB}, FormatRow{GST_VIDEO_FORMAT_xBGR, SDV2_FORMAT_XBGR},
    FormatRow{GST_VIDEO_FORMAT_RGBA, SDV2_FORMAT_RGBA}, FormatRow{GST_VIDEO_FORMAT_BGRA, SDV2_FORMAT_BGRA},
    FormatRow{GST_VIDEO_FORMAT_ARGB, SDV2_FORMAT_ARGB}, FormatRow{GST_VIDEO_FORMAT_ABGR, SDV2_FORMAT_ABGR},
};

sdv2_pixel_format engine_format(GstVideoFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.gst == format) return row.engine;
  }
  return SDV2_FORMAT_UNKNOWN;
}

// Matrices that are not in the interface are rare; the nearest stands in for them. Unknown ones were replaced
// by the size's default when the caps were parsed.
sdv2_color_matrix engine_matrix(const GstVideoInfo& info) {
  if (GST_VIDEO_INFO_IS_RGB(&info)) return SDV2_MATRIX_RGB;
  switch (info.colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return SDV2_MATRIX_BT709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return SDV2_MATRIX_BT2020;
    default:
      return SDV2_MATRIX_BT601;
  }
}

// The caps, and behind them the same in any format and size: only the rate of frames is kept through the
// element. Of caps with any memory the system's is taken; other memory is left out.
CapsPtr with_any_picture(GstCaps* caps) {
  CapsPtr result = CapsPtr::adopt(gst_caps_new_empty());
  CapsPtr any = CapsPtr::adopt(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GstCapsFeatures* features = gst_caps_get_features(caps, i);
    if (!gst_caps_features_is_any(features) &&
        !gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
      continue;
    const GstStructure* structure = gst_caps_get_structure(caps, i);
    gst_caps_append_structure(result.get(), gst_structure_copy(structure));
    GstStructure* rate = gst_structure_new_empty("video/x-raw");
    for (const char* field : {"framerate", "max-framerate"}) {
      const GValue* value = gst_structure_get_value(structure, field);
      if (value != nullptr) gst_structure_set_value(rate, field, value);
    }
    gst_caps_append_structure(any.get(), rate);
  }
  return CapsPtr::adopt(gst_caps_merge(result.release(), any.release()));
}

// A pixel's shape after the picture has been stretched to another size; cropping and letterboxing keep it.
void set_pixel_aspect_ratio(GstStructure* out, const GstVideoInfo& in, Fit fit) {
  gint width = in.width;
  gint height = in.height;
  gst_structure_get_int(out, "width", &width);
  gst_structure_get_int(out, "height", &height);
  gint n = in.par_n;
  gint d = in.par_d;
  if (fit == Fit::kStretch && (width != in.width || height != in.height)) {
    gint x_n = 1, x_d = 1, y_n = 1, y_d = 1;
    if (!gst_util_fraction_multiply(in.width, width, height, in.height, &x_n, &x_d) ||
        !gst_util_fraction_multiply(n, d, x_n, x_d, &y_n, &y_d))
      return;
    n = y_n;
    d = y_d;
  }
  if (gst_structure_has_field(out, "pixel-aspect-ratio")) {
    gst_structure_fixate_field_nearest_fraction(out, "pixel-aspect-ratio", n, d);
  } else {
    gst_structure_set(out, "pixel-aspect-ratio", GST_TYPE_FRACTION, n, d, nullptr);
  }
}

// YUV stays in its colour space unless downstream wants another.
void set_colorimetry(GstStructure* out, const GstVideoInfo& in) {
  const GstVideoFormat format = gst_video_format_from_string(gst_structure_get_string(out, "format"));
  const GstVideoFormatInfo* info = gst_video_format_get_info(format);
  if (!GST_VIDEO_FORMAT_INFO_IS_YUV(info) || !GST_VIDEO_INFO_IS_YUV(&in)) return;
  if (gst_structure_has_field(out, "colorimetry")) return;
  const std::unique_ptr<gchar, decltype(&g_free)> text(gst_video_colorimetry_to_string(&in.colorimetry),
                                                       g_free);
  if (text) gst_structure_set(out, "colorimetry", G_TYPE_STRING, text.get(), nullptr);
}

}  // namespace

void answer_transform_caps_query(GstPad* pad, GstPad* other, GstQuery* query) {
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  const CapsPtr allowed = CapsPtr::adopt(gst_pad_get_pad_template_caps(pad));
  const CapsPtr asked = with_any_picture(filter != nullptr ? filter : allowed.get());
  const CapsPtr theirs = CapsPtr::adopt(gst_pad_peer_query_caps(other, asked.get()));
  const CapsPtr here =
      gst_caps_is_any(theirs.get()) ? CapsPtr::ref(allowed.get()) : with_any_picture(theirs.get());
  CapsPtr result =
      CapsPtr::adopt(gst_caps_intersect_full(here.get(), allowed.get(), GST_CAPS_INTERSECT_FIRST));
  if (filter != nullptr)
    result = CapsPtr::adopt(gst_caps_intersect_full(filter, result.get(), GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result(query, result.get());
}

CapsPtr choose_output_caps(GstCaps* in_caps, const GstVideoInfo& in, GstCaps* allowed, Fit fit) {
  if (gst_caps_can_intersect(in_caps, allowed)) return CapsPtr::ref(in_caps);
  const CapsPtr any = CapsPtr::adopt(gst_caps_from_string(SDV2_TRANSFORM_CAPS));
  GstStructure* wanted = gst_caps_get_structure(any.get(), 0);
  gst_structure_set(wanted, "framerate", GST_TYPE_FRACTION, in.fps_n, in.fps_d, nullptr);
  CapsPtr out = CapsPtr::adopt(gst_caps_intersect_full(allowed, any.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(out.get())) return {};
  out = CapsPtr::adopt(gst_caps_make_writable(gst_caps_truncate(out.release())));
  GstStructure* structure = gst_caps_get_structure(out.get(), 0);
  gst_structure_fixate_field_string(structure, "format",
                                    gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&in)));
  gst_structure_fixate_field_nearest_int(structure, "width", in.width);
  gint width = in.width;
  gst_structure_get_int(structure, "width", &width);
  gst_structure_fixate_field_nearest_int(
      structure, "height", static_cast<gint>(gst_util_uint64_scale_int_round(in.height, width, in.width)));
  set_pixel_aspect_ratio(structure, in, fit);
  set_colorimetry(structure, in);
  return CapsPtr::adopt(gst_caps_fixate(out.release()));
}

sdv2_image image_of(const GstVideoFrame& frame) {
  sdv2_image image = {};
  image.struct_size = sizeof image;
  image.format = engine_format(GST_VIDEO_FRAME_FORMAT(&frame));
  image.matrix = engine_matrix(frame.info);
  image.range =
      frame.info.colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235 ? SDV2_RANGE_LIMITED : SDV2_RANGE_FULL;
  image.width = GST_VIDEO_FRAME_WIDTH(&frame);
  image.height = GST_VIDEO_FRAME_HEIGHT(&frame);
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame); ++i) {
    image.planes[i] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i));
    image.strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i);
  }
  return image;
}

}  // namespace sdv2
