/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How chunks are marked in a GStreamer stream: a buffer meta on every frame, and an event where a chunk ends
 * early.
 *
 * Header only: it needs gstreamer-1.0 and no library of sdv2. Usable from C and C++.
 *
 * A causal video model takes frames in chunks: a session's first chunk has 1 + 4 P frames, every later one 4
 * P (P latent frames per chunk). sdv2chunk decides where chunks begin, and puts this meta on each frame that
 * it lets pass. A chunk is complete when `size` frames of it have come, or when the `sdv2-chunk-end` event
 * says that no more of them will come. Frames of one chunk follow each other without frames of another chunk
 * in between; chunk numbers grow, and leave out the chunks that were dropped.
 *
 * The meta has no tags, so elements that change the picture's size or format keep it.
 */
#ifndef SDV2_SDV2META_H
#define SDV2_SDV2META_H

#include <gst/gst.h>

/* NOLINTBEGIN(modernize-use-nullptr): C reads this header too. */
G_BEGIN_DECLS

/* Name of the custom meta, as for gst_buffer_get_custom_meta(). */
#define SDV2_CHUNK_META_NAME "Sdv2ChunkMeta"

/* Name of the structure in the serialized custom downstream event that ends a chunk before it has `size`
 * frames. */
#define SDV2_CHUNK_END_EVENT_NAME "sdv2-chunk-end"

/* The place of one frame in its chunk. */
typedef struct {
  /* Number of the chunk, from 0 since the element left READY; grows over flushes and changes of format too.
   */
  guint64 chunk;
  /* Place of the frame in its chunk, 0 ... size - 1. */
  guint index;
  /* Frames that the chunk is planned to have, at least 1. A chunk that ends early has fewer. */
  guint size;
  /* Number of the frame, from 0 since the element left READY. Frames of dropped chunks are counted: a step of
   * more than one is a loss. */
  guint64 frame;
  /* TRUE on every frame of a session's first chunk: after start, after a flush, after a change of format. */
  gboolean first;
} Sdv2ChunkInfo;

/* Makes the meta known to GStreamer. Done by the sdv2 plugin when it is loaded, and by
 * sdv2_buffer_set_chunk_info(). Any thread; the first call of a process must not race with another library's
 * first call. */
static inline void sdv2_chunk_meta_register(void) {
  static const gchar* tags[] = {NULL};
  static gsize once = 0;
  if (g_once_init_enter(&once)) {
    if (gst_meta_get_info(SDV2_CHUNK_META_NAME) == NULL) {
      gst_meta_register_custom(SDV2_CHUNK_META_NAME, tags, NULL, NULL, NULL);
    }
    g_once_init_leave(&once, 1);
  }
}

/* Puts `info` on `buffer`, which must be writable; replaces what was there. */
static inline void sdv2_buffer_set_chunk_info(GstBuffer* buffer, const Sdv2ChunkInfo* info) {
  GstCustomMeta* meta;
  sdv2_chunk_meta_register();
  meta = gst_buffer_get_custom_meta(buffer, SDV2_CHUNK_META_NAME);
  if (meta == NULL) meta = gst_buffer_add_custom_meta(buffer, SDV2_CHUNK_META_NAME);
  gst_structure_set(gst_custom_meta_get_structure(meta), "chunk", G_TYPE_UINT64, info->chunk, "index",
                    G_TYPE_UINT, info->index, "size", G_TYPE_UINT, info->size, "frame", G_TYPE_UINT64,
                    info->frame, "first", G_TYPE_BOOLEAN, info->first, NULL);
}

/* Reads the chunk information of `buffer` into `info`. FALSE, and `info` untouched, when the buffer has none.
 */
static inline gboolean sdv2_buffer_get_chunk_info(GstBuffer* buffer, Sdv2ChunkInfo* info) {
  Sdv2ChunkInfo found;
  GstCustomMeta* meta;
  if (gst_meta_get_info(SDV2_CHUNK_META_NAME) == NULL) return FALSE;
  meta = gst_buffer_get_custom_meta(buffer, SDV2_CHUNK_META_NAME);
  if (meta == NULL) return FALSE;
  if (!gst_structure_get(gst_custom_meta_get_structure(meta), "chunk", G_TYPE_UINT64, &found.chunk, "index",
                         G_TYPE_UINT, &found.index, "size", G_TYPE_UINT, &found.size, "frame", G_TYPE_UINT64,
                         &found.frame, "first", G_TYPE_BOOLEAN, &found.first, NULL)) {
    return FALSE;
  }
  *info = found;
  return TRUE;
}

/* A new event that says: chunk number `chunk` ends with the `frames` frames that have come. The caller owns
 * it. */
static inline GstEvent* sdv2_chunk_end_event_new(guint64 chunk, guint frames) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                              gst_structure_new(SDV2_CHUNK_END_EVENT_NAME, "chunk", G_TYPE_UINT64, chunk,
                                                "frames", G_TYPE_UINT, frames, NULL));
}

/* TRUE, with the event's values, when `event` ends a chunk early; else FALSE. `chunk` and `frames` may be
 * NULL. */
static inline gboolean sdv2_chunk_end_event_parse(GstEvent* event, guint64* chunk, guint* frames) {
  const GstStructure* structure = gst_event_get_structure(event);
  guint64 parsed_chunk;
  guint parsed_frames;
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM || structure == NULL ||
      !gst_structure_has_name(structure, SDV2_CHUNK_END_EVENT_NAME) ||
      !gst_structure_get(structure, "chunk", G_TYPE_UINT64, &parsed_chunk, "frames", G_TYPE_UINT,
                         &parsed_frames, NULL)) {
    return FALSE;
  }
  if (chunk != NULL) *chunk = parsed_chunk;
  if (frames != NULL) *frames = parsed_frames;
  return TRUE;
}

G_END_DECLS
/* NOLINTEND(modernize-use-nullptr) */

#endif
