// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: restyles video with a causal diffusion model.
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SDV2_TRANSFORM (gst_sdv2_transform_get_type())
G_DECLARE_FINAL_TYPE(GstSdv2Transform, gst_sdv2_transform, GST, SDV2_TRANSFORM, GstElement)

GST_ELEMENT_REGISTER_DECLARE(sdv2transform)

G_END_DECLS
