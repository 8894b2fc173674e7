// SPDX-License-Identifier: LGPL-2.1-or-later
// The entry point of libgstsdv2.so. It registers types and does nothing else.
#include <gst/gst.h>

#include "gstsdv2chunk.h"
#include "gstsdv2slo.h"
#include "gstsdv2transform.h"
#include "sdv2/sdv2meta.h"

static gboolean plugin_init(GstPlugin* plugin) {
  sdv2_chunk_meta_register();
  return GST_ELEMENT_REGISTER(sdv2chunk, plugin) && GST_ELEMENT_REGISTER(sdv2slo, plugin) &&
         GST_ELEMENT_REGISTER(sdv2transform, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sdv2, "Live video diffusion", plugin_init,
                  SDV2_VERSION, "LGPL", GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
