// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk: groups frames into whole chunks and bounds how many of them wait.
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SDV2_CHUNK (gst_sdv2_chunk_get_type())
G_DECLARE_FINAL_TYPE(GstSdv2Chunk, gst_sdv2_chunk, GST, SDV2_CHUNK, GstElement)

GST_ELEMENT_REGISTER_DECLARE(sdv2chunk)

G_END_DECLS
