/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sdv2meta.h is a C interface: this file only has to compile as C. */
#include "sdv2/sdv2meta.h"

gboolean meta_from_c(GstBuffer* buffer, GstEvent* event);

gboolean meta_from_c(GstBuffer* buffer, GstEvent* event) {
  Sdv2ChunkInfo info = {0, 0, 4, 0, TRUE};
  guint64 chunk;
  sdv2_buffer_set_chunk_info(buffer, &info);
  return sdv2_buffer_get_chunk_info(buffer, &info) && sdv2_chunk_end_event_parse(event, &chunk, NULL);
}
