// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2slo: measures latency, rate and losses of the frames that pass.
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SDV2_SLO (gst_sdv2_slo_get_type())
G_DECLARE_FINAL_TYPE(GstSdv2Slo, gst_sdv2_slo, GST, SDV2_SLO, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(sdv2slo)

G_END_DECLS
