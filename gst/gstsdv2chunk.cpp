// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2chunk: the GObject around ChunkStream: properties, pads, states.

/**
 * SECTION:element-sdv2chunk
 * @title: sdv2chunk
 * @see_also: sdv2transform, sdv2slo, queue
 *
 * Groups video frames into the chunks that a causal video model takes, and keeps the number of waiting chunks
 * small.
 *
 * It is a queue with its own thread. While downstream keeps up, each frame passes at once and nothing is
 * delayed. When #GstSdv2Chunk:max-chunks whole chunks wait, chunks are dropped as #GstSdv2Chunk:leaky says,
 * always whole and never one of which a frame has already left, so that the model never sees a chunk with a
 * hole. The session's first chunk is not dropped once it is queued.
 *
 * Every frame carries a meta with its chunk's number, its place in the chunk and the chunk's size
 * (sdv2/sdv2meta.h). A chunk ends early, with the frames that it has, at the end of the stream, at a change
 * of format or segment, at a DRAIN query, at a gap longer than a chunk, and in a live stream when no frame
 * comes for #GstSdv2Chunk:max-wait. A serialized custom event `sdv2-chunk-end` with the fields `chunk`
 * (uint64) and `frames` (uint) then follows its last frame.
 *
 * With #GstSdv2Chunk:framerate, frames are dropped and repeated by their running times so that they lie on an
 * even grid, without drift.
 *
 * Each dropped frame is reported by a QOS message with the additional field `reason`: `queue-full` or `rate`.
 *
 * The element adds no latency, except half a frame with #GstSdv2Chunk:framerate (frames are moved to the
 * nearest point of the grid). What its queue can hold is part of the latency answer: with #GstSdv2Chunk:leaky
 * `none` it is added to the maximum, else it limits it.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! sdv2chunk framerate=16/1 ! sdv2transform ! sdv2slo ! \
 *   videoconvert ! autovideosink
 * ]|
 * A camera at any rate is brought to 16 frames per second; when the model cannot follow, the oldest waiting
 * chunk is dropped.
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! sdv2chunk leaky=none ! \
 *   sdv2transform ! videoconvert ! x264enc ! mp4mux ! filesink location=out.mp4
 * ]|
 * From file to file nothing is dropped: the queue makes the decoder wait.
 *
 * Since: 0.1
 */

#include "gstsdv2chunk.h"

#include <gst/video/video.h>

#include <new>

#include "chunk/chunk_stream.h"
#include "common/guard.h"
#include "common/stream_pads.h"

GST_DEBUG_CATEGORY(gst_sdv2_chunk_debug);
#define GST_CAT_DEFAULT gst_sdv2_chunk_debug

using sdv2::ChunkSettings;
using sdv2::ChunkStream;
using sdv2::guarded;
using sdv2::LeakPolicy;

struct _GstSdv2Chunk {
  GstElement parent;
  ChunkSettings* settings;  // guarded by the object lock
  GstClockTime max_wait;    // guarded by the object lock
  ChunkStream* stream;
};

enum {
  PROP_0,
  PROP_CHUNK_SIZE,
  PROP_FIRST_CHUNK_SIZE,
  PROP_MAX_CHUNKS,
  PROP_LEAKY,
  PROP_FRAMERATE,
  PROP_MAX_WAIT,
  PROP_STATS,
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw(ANY)"));

#define GST_TYPE_SDV2_CHUNK_LEAKY (gst_sdv2_chunk_leaky_get_type())
/**
 * GstSdv2ChunkLeaky:
 * @oldest: drop the oldest chunk that waits
 * @newest: drop the chunk that begins
 * @none: drop nothing, make upstream wait
 *
 * What happens when a chunk begins while max-chunks chunks wait.
 *
 * Since: 0.1
 */
static GType gst_sdv2_chunk_leaky_get_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(LeakPolicy::kOldest), "Drop the oldest chunk that waits", "oldest"},
      {static_cast<gint>(LeakPolicy::kNewest), "Drop the chunk that begins", "newest"},
      {static_cast<gint>(LeakPolicy::kNone), "Drop nothing, make upstream wait", "none"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  if (g_once_init_enter(&type)) g_once_init_leave(&type, g_enum_register_static("GstSdv2ChunkLeaky", values));
  return type;
}

G_DEFINE_TYPE_WITH_CODE(GstSdv2Chunk, gst_sdv2_chunk, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(gst_sdv2_chunk_debug, "sdv2chunk", 0, "sdv2chunk element"))
GST_ELEMENT_REGISTER_DEFINE(sdv2chunk, "sdv2chunk", GST_RANK_NONE, GST_TYPE_SDV2_CHUNK)

// --- States ---

static GstStateChangeReturn gst_sdv2_chunk_change_state(GstElement* element, GstStateChange transition) {
  return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
    GstSdv2Chunk* self = GST_SDV2_CHUNK(element);
    switch (transition) {
      case GST_STATE_CHANGE_READY_TO_PAUSED: {
        GST_OBJECT_LOCK(self);
        const ChunkSettings settings = *self->settings;
        GST_OBJECT_UNLOCK(self);
        self->stream->start(settings);
        break;
      }
      case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
        self->stream->set_playing(false);
        break;
      case GST_STATE_CHANGE_PAUSED_TO_READY:
        self->stream->unblock();
        break;
      default:
        break;
    }
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_sdv2_chunk_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE)
      self->stream->set_playing(true);
    return result;
  });
}

// --- Properties ---

static void gst_sdv2_chunk_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstSdv2Chunk* self = GST_SDV2_CHUNK(object);
  if (id == PROP_MAX_WAIT) {
    GST_OBJECT_LOCK(self);
    const GstClockTime max_wait = self->max_wait = g_value_get_uint64(value);
    GST_OBJECT_UNLOCK(self);
    guarded(self, FALSE, [&] { return self->stream->set_max_wait(max_wait), TRUE; });
    return;
  }
  GST_OBJECT_LOCK(self);
  ChunkSettings& settings = *self->settings;
  switch (id) {
    case PROP_CHUNK_SIZE:
      settings.chunk_size = g_value_get_uint(value);
      break;
    case PROP_FIRST_CHUNK_SIZE:
      settings.first_chunk_size = g_value_get_uint(value);
      break;
    case PROP_MAX_CHUNKS:
      settings.max_chunks = g_value_get_uint(value);
      break;
    case PROP_LEAKY:
      settings.leaky = static_cast<LeakPolicy>(g_value_get_enum(value));
      break;
    case PROP_FRAMERATE:
      settings.framerate = {gst_value_get_fraction_numerator(value),
                            gst_value_get_fraction_denominator(value)};
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

static GstStructure* gst_sdv2_chunk_stats(GstSdv2Chunk* self) {
  const sdv2::ChunkStats s = self->stream->stats();
  return gst_structure_new("sdv2-chunk-stats", "frames-in", G_TYPE_UINT64, s.frames_in, "frames-out",
                           G_TYPE_UINT64, s.frames_out, "chunks-out", G_TYPE_UINT64, s.chunks_out,
                           "partial-chunks", G_TYPE_UINT64, s.partial_chunks, "frames-dropped", G_TYPE_UINT64,
                           s.frames_dropped, "chunks-dropped", G_TYPE_UINT64, s.chunks_dropped,
                           "rate-dropped-frames", G_TYPE_UINT64, s.rate_dropped_frames, "repeated-frames",
                           G_TYPE_UINT64, s.repeated_frames, "frames-waiting", G_TYPE_UINT64,
                           s.frames_waiting, "chunks-waiting", G_TYPE_UINT64, s.chunks_waiting, nullptr);
}

static void gst_sdv2_chunk_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstSdv2Chunk* self = GST_SDV2_CHUNK(object);
  if (id == PROP_STATS) {
    g_value_take_boxed(value, guarded(self, static_cast<GstStructure*>(nullptr),
                                      [&] { return gst_sdv2_chunk_stats(self); }));
    return;
  }
  GST_OBJECT_LOCK(self);
  const ChunkSettings& settings = *self->settings;
  switch (id) {
    case PROP_CHUNK_SIZE:
      g_value_set_uint(value, settings.chunk_size);
      break;
    case PROP_FIRST_CHUNK_SIZE:
      g_value_set_uint(value, settings.first_chunk_size);
      break;
    case PROP_MAX_CHUNKS:
      g_value_set_uint(value, settings.max_chunks);
      break;
    case PROP_LEAKY:
      g_value_set_enum(value, static_cast<gint>(settings.leaky));
      break;
    case PROP_FRAMERATE:
      gst_value_set_fraction(value, settings.framerate.numerator, settings.framerate.denominator);
      break;
    case PROP_MAX_WAIT:
      g_value_set_uint64(value, self->max_wait);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK(self);
}

// --- Class and instance ---

static void gst_sdv2_chunk_finalize(GObject* object) {
  GstSdv2Chunk* self = GST_SDV2_CHUNK(object);
  delete self->stream;
  delete self->settings;
  G_OBJECT_CLASS(gst_sdv2_chunk_parent_class)->finalize(object);
}

static void gst_sdv2_chunk_install_properties(GObjectClass* object_class) {
  const auto ready =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto playing =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * GstSdv2Chunk:chunk-size:
   *
   * Frames of every chunk but a session's first: 4 times the model's latent frames per chunk.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_CHUNK_SIZE,
      g_param_spec_uint("chunk-size", "Chunk size",
                        "Frames of every chunk after the first (4 x the model's latent frames per chunk)", 1,
                        1024, 4, ready));
  /**
   * GstSdv2Chunk:first-chunk-size:
   *
   * Frames of a session's first chunk. A session begins with the stream, after a flush and when the format
   * changes.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_FIRST_CHUNK_SIZE,
      g_param_spec_uint("first-chunk-size", "First chunk size",
                        "Frames of a session's first chunk (0 = chunk-size + 1)", 0, 1025, 0, ready));
  /**
   * GstSdv2Chunk:max-chunks:
   *
   * The most chunks that wait; the one that is leaving is not counted. It bounds the delay when downstream is
   * slower than the source.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_MAX_CHUNKS,
      g_param_spec_uint("max-chunks", "Maximum chunks",
                        "The most whole chunks that wait, without the one that is leaving", 1, 1000, 2,
                        ready));
  /**
   * GstSdv2Chunk:leaky:
   *
   * What happens when a chunk begins while #GstSdv2Chunk:max-chunks chunks wait.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_LEAKY,
      g_param_spec_enum("leaky", "Leaky", "What to drop when a chunk begins and max-chunks chunks wait",
                        GST_TYPE_SDV2_CHUNK_LEAKY, static_cast<gint>(LeakPolicy::kOldest), ready));
  /**
   * GstSdv2Chunk:framerate:
   *
   * Frame rate to bring the stream to, in frames per second, by dropping and repeating frames; 0/1 leaves the
   * rate as it is.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_FRAMERATE,
      gst_param_spec_fraction(
          "framerate", "Frame rate",
          "Frames per second to bring the stream to by dropping and repeating (0/1 = as input)", 0, 1, 1000,
          1, 0, 1, ready));
  /**
   * GstSdv2Chunk:max-wait:
   *
   * Time without a frame after which the open chunk of a live stream ends with the frames that it has; 0
   * waits for ever.
   *
   * Since: 0.1
   */
  g_object_class_install_property(object_class, PROP_MAX_WAIT,
                                  g_param_spec_uint64("max-wait", "Maximum wait",
                                                      "Time in nanoseconds without a frame after which an "
                                                      "open chunk of a live stream ends early (0 = never)",
                                                      0, G_MAXINT64, GST_SECOND, playing));
  /**
   * GstSdv2Chunk:stats:
   *
   * Counters since the element left READY, as a #GstStructure named `sdv2-chunk-stats` of uint64 fields:
   * `frames-in`, `frames-out`, `chunks-out`, `partial-chunks` (ended early), `frames-dropped` and
   * `chunks-dropped` (queue full), `rate-dropped-frames` and `repeated-frames` (frame-rate adaption), and the
   * present level: `frames-waiting`, `chunks-waiting`.
   *
   * Since: 0.1
   */
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "Counters of frames and chunks that came, left, were dropped and repeated",
                         GST_TYPE_STRUCTURE, read_only));
}

static void gst_sdv2_chunk_class_init(GstSdv2ChunkClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  object_class->finalize = gst_sdv2_chunk_finalize;
  object_class->set_property = gst_sdv2_chunk_set_property;
  object_class->get_property = gst_sdv2_chunk_get_property;
  gst_sdv2_chunk_install_properties(object_class);
  element_class->change_state = gst_sdv2_chunk_change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Video chunk queue", "Filter/Video",
      "Groups frames into whole chunks for a video model and drops whole chunks when it cannot keep up",
      "The sdv2 developers");
  gst_type_mark_as_plugin_api(GST_TYPE_SDV2_CHUNK_LEAKY, static_cast<GstPluginAPIFlags>(0));
}

static void gst_sdv2_chunk_init(GstSdv2Chunk* self) {
  using Pads = sdv2::StreamPads<&_GstSdv2Chunk::stream>;
  GstPad* sink = Pads::add_sink(GST_ELEMENT(self), &sink_template);
  GstPad* src = Pads::add_src(GST_ELEMENT(self), &src_template);
  self->settings = new ChunkSettings;
  self->max_wait = GST_SECOND;
  self->stream = new ChunkStream(GST_ELEMENT(self), sink, src);
}
