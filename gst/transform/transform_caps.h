// SPDX-License-Identifier: LGPL-2.1-or-later
// Video formats of sdv2transform: what its pads take, what leaves for what came in, and pictures as the
// engine sees them.
#pragma once

#include <gst/video/video.h>

#include <string>

#include "common/gst_ptr.h"
#include "sdv2/sdv2.h"
#include "transform/transform_settings.h"

namespace sdv2 {

// The formats that the engine converts from and to, in any size. Interlace mode is left open: fields are
// refused with an explanation when they come.
#define SDV2_TRANSFORM_CAPS                                                                     \
  "video/x-raw, format = (string) { NV12, I420, YUY2, UYVY, RGB, BGR, RGBx, BGRx, xRGB, xBGR, " \
  "RGBA, BGRA, ARGB, ABGR }, width = (int) [ 1, 16384 ], height = (int) [ 1, 16384 ], "         \
  "framerate = (fraction) [ 0/1, 2147483647/1 ]"

// Answers a CAPS query at `pad`: the other side's caps, first as they are, then in any format and size.
void answer_transform_caps_query(GstPad* pad, GstPad* other, GstQuery* query);

// The caps to send for pictures of `in`, among those that downstream allows: as they came when that is
// possible, else in their format, or at their size or shape, as far as downstream lets. Null when there are
// none. `in_caps` are fixed.
GstPtr<GstCaps> choose_output_caps(GstCaps* in_caps, const GstVideoInfo& in, GstCaps* allowed, Fit fit);

// Describes a mapped frame for the engine. The planes stay the frame's.
sdv2_image image_of(const GstVideoFrame& frame);

}  // namespace sdv2
