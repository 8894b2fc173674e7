// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: the GObject around TransformStream and ModelControl: properties, signals, pads, states.
//
// None of the base classes fits: GstBaseTransform and GstVideoFilter push from chain(), but a chunk's
// pictures are ready in another thread and later; the encoder and decoder classes are made for coded data and
// one recursive lock; GstAggregator wakes on input and deadlines, not when a worker has finished.

/**
 * SECTION:element-sdv2transform
 * @title: sdv2transform
 * @see_also: sdv2chunk, sdv2slo
 *
 * Restyles video live with a causal video diffusion model, as the prompt says. Pictures leave one for one,
 * with the times, flags and metas of those that came in.
 *
 * Frames enter the model in chunks: a stream's first chunk has 1 + 4 P frames, every later one 4 P (P latent
 * frames per chunk). With sdv2chunk in front the element follows its chunks; alone it makes its own. A chunk
 * ends early, with the frames that it has, at the end of the stream, at a change of format or segment, at a
 * DRAIN query, at a GAP event longer than a chunk and at sdv2chunk's `sdv2-chunk-end` event. After a flush
 * and a change of format a new stream begins in the model. Time that runs backwards (a negative rate) makes
 * no difference: frames are transformed in the order in which they come.
 *
 * The model is loaded in the background from NULL to READY, with PROGRESS messages of the code `load` (text,
 * and the field `percent`), so that gst-launch-1.0 waits for it. In READY it stays loaded. What fails is an
 * ERROR message.
 *
 * ## Latency
 * The answer is the time that the first frame of a chunk waits for the last one, and
 * #GstSdv2Transform:processing-latency. When a measured value leaves its band, a LATENCY message is posted.
 * Audio that runs beside the video needs a queue that holds as much (`queue max-size-time=0 max-size-bytes=0
 * max-size-buffers=0`).
 *
 * ## Control
 * Properties with the flag "changeable in PLAYING" hold from the next chunk that is started; numbers can be
 * controlled by GstController and have the value of the stream time of each chunk's first frame. The same
 * changes can be asked for together by a custom event `sdv2-control`, whose fields have the properties'
 * names: travelling downstream and serialized, it holds from the chunk of the frame that follows; upstream,
 * or sent out of band, from the next chunk. The event ends here. The action signals
 * #GstSdv2Transform::control and #GstSdv2Transform::set-prompt do the same. A value may be of any type that
 * holds the same number, or a text; when one field is unknown or does not fit, the whole change is refused
 * with a WARNING message. Each change is answered by an element message `sdv2-applied` with the fields
 * `property`, `value`, and of the first frame made with it `timestamp`, `running-time` and `stream-time`
 * (uint64, nanoseconds).
 *
 * ## Messages
 * For each frame that was not transformed in time, a QOS message with the additional field `reason`: `late`,
 * `downstream-late`, `loading`, `error`, `nothing-to-repeat`, or `quality` for one that was given up to hold
 * deadlines (#GstSdv2Transform:degrade). For each change of quality an element message `sdv2-quality` with
 * the fields `rung` and `previous-rung` (int; 0 is full quality, every rung gives up one thing more), `steps`
 * (int, denoising steps), `show` (string: `restyled`, `repeated`, `source`, or `still` for the similarity
 * filter) of the first chunk made with it, and `timestamp`, `running-time` and `stream-time` of that chunk's
 * first frame (uint64, nanoseconds).
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! sdv2chunk framerate=16/1 ! \
 *   sdv2transform model=models/demo prompt="an oil painting" ! sdv2slo ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */

#include "gstsdv2transform.h"

#include "common/guard.h"
#include "common/stream_pads.h"
#include "transform/model_control.h"
#include "transform/transform_caps.h"
#include "transform/transform_properties.h"
#include "transform/transform_stream.h"

GST_DEBUG_CATEGORY(gst_sdv2_transform_debug);
GST_DEBUG_CATEGORY(gst_sdv2_engine_debug);
#define GST_CAT_DEFAULT gst_sdv2_transform_debug

using sdv2::guarded;
using sdv2::LiveControl;
using sdv2::ModelControl;
using sdv2::TransformSettings;
using sdv2::TransformStream;

struct _GstSdv2Transform {
  GstElement parent;
  LiveControl* control;
  TransformStream* stream;
  ModelControl* model;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(SDV2_TRANSFORM_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(SDV2_TRANSFORM_CAPS));

// --- Presets: how the pictures look, not where the model is ---

static gchar** gst_sdv2_transform_preset_names(GstPreset*) {
  static const gchar* const names[] = {"prompt",
                                       "negative-prompt",
                                       "guidance",
                                       "guidance-mode",
                                       "prompt-blend",
                                       "prompt-blend-mode",
                                       "reset-on-prompt",
                                       "steps",
                                       "noise-scale",
                                       "seed",
                                       "adaptive-noise",
                                       "adaptive-sink",
                                       "mix",
                                       "similarity-filter",
                                       nullptr};
  return g_strdupv(const_cast<gchar**>(names));
}

static void gst_sdv2_transform_preset_init(gpointer interface, gpointer) {
  static_cast<GstPresetInterface*>(interface)->get_property_names = gst_sdv2_transform_preset_names;
}

G_DEFINE_TYPE_WITH_CODE(GstSdv2Transform, gst_sdv2_transform, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(gst_sdv2_transform_debug, "sdv2transform", 0,
                                                "sdv2transform element");
                        GST_DEBUG_CATEGORY_INIT(gst_sdv2_engine_debug, "sdv2engine", 0,
                                                "engine of sdv2transform");
                        G_IMPLEMENT_INTERFACE(GST_TYPE_PRESET, gst_sdv2_transform_preset_init))
GST_ELEMENT_REGISTER_DEFINE(sdv2transform, "sdv2transform", GST_RANK_NONE, GST_TYPE_SDV2_TRANSFORM)

// --- States ---

static GstStateChangeReturn gst_sdv2_transform_change_state(GstElement* element, GstStateChange transition) {
  return guarded(element, GST_STATE_CHANGE_FAILURE, [&] {
    GstSdv2Transform* self = GST_SDV2_TRANSFORM(element);
    switch (transition) {
      case GST_STATE_CHANGE_NULL_TO_READY:
        if (!self->model->begin()) return GST_STATE_CHANGE_FAILURE;
        break;
      case GST_STATE_CHANGE_READY_TO_PAUSED:
        if (!self->model->begin()) return GST_STATE_CHANGE_FAILURE;
        self->stream->start();
        break;
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
        GST_ELEMENT_CLASS(gst_sdv2_transform_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE)
      self->stream->set_playing(true);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) self->stream->stop();
    if (transition == GST_STATE_CHANGE_READY_TO_NULL) self->model->end();
    return result;
  });
}

// --- Properties and signals ---

static void gst_sdv2_transform_set_property(GObject* object, guint id, const GValue* value,
                                            GParamSpec* pspec) {
  GstSdv2Transform* self = GST_SDV2_TRANSFORM(object);
  guarded(self, FALSE, [&] {
    bool known = true;
    const bool changed = self->control->update(
        [&](TransformSettings& s) { known = sdv2::set_transform_property(s, id, value); });
    if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    const auto live = sdv2::live_setting_named(pspec->name);
    if (changed && live) self->control->note(*live);
    if (changed && id == sdv2::kTransformProcessingLatency) self->stream->latency_settings_changed();
    return TRUE;
  });
}

static void gst_sdv2_transform_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstSdv2Transform* self = GST_SDV2_TRANSFORM(object);
  guarded(self, FALSE, [&] {
    if (id == sdv2::kTransformStats) {
      g_value_take_boxed(value, self->stream->new_stats());
    } else if (!sdv2::get_transform_property(self->control->settings(), id, value)) {
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    return TRUE;
  });
}

static gboolean gst_sdv2_transform_control(GstSdv2Transform* self, const GstStructure* changes) {
  if (changes == nullptr) return FALSE;
  return guarded(self, FALSE, [&] { return self->stream->control(changes) ? TRUE : FALSE; });
}

static gboolean gst_sdv2_transform_set_prompt(GstSdv2Transform* self, const gchar* prompt) {
  // Structures hold UTF-8 only.
  gchar* text = g_utf8_make_valid(prompt != nullptr ? prompt : "", -1);
  GstStructure* changes = gst_structure_new(sdv2::kControlName, "prompt", G_TYPE_STRING, text, nullptr);
  g_free(text);
  const gboolean result = gst_sdv2_transform_control(self, changes);
  gst_structure_free(changes);
  return result;
}

static void gst_sdv2_transform_install_signals(GType type) {
  const auto action = static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | static_cast<int>(G_SIGNAL_ACTION));
  /**
   * GstSdv2Transform::control:
   * @self: the element
   * @changes: a #GstStructure whose fields are named as the properties to set
   *
   * Sets several properties together, from the same chunk on. See the section on control.
   *
   * Returns: FALSE when a field is unknown or its value does not fit; then nothing is changed.
   *
   * Since: 0.1
   */
  g_signal_new_class_handler("control", type, action, G_CALLBACK(gst_sdv2_transform_control), nullptr,
                             nullptr, nullptr, G_TYPE_BOOLEAN, 1, GST_TYPE_STRUCTURE);
  /**
   * GstSdv2Transform::set-prompt:
   * @self: the element
   * @prompt: the text
   *
   * Sets #GstSdv2Transform:prompt, and is answered when it holds.
   *
   * Returns: TRUE
   *
   * Since: 0.1
   */
  g_signal_new_class_handler("set-prompt", type, action, G_CALLBACK(gst_sdv2_transform_set_prompt), nullptr,
                             nullptr, nullptr, G_TYPE_BOOLEAN, 1, G_TYPE_STRING);
}

// --- Class and instance ---

static void gst_sdv2_transform_finalize(GObject* object) {
  GstSdv2Transform* self = GST_SDV2_TRANSFORM(object);
  delete self->model;
  delete self->stream;
  delete self->control;
  G_OBJECT_CLASS(gst_sdv2_transform_parent_class)->finalize(object);
}

static void gst_sdv2_transform_class_init(GstSdv2TransformClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  object_class->finalize = gst_sdv2_transform_finalize;
  object_class->set_property = gst_sdv2_transform_set_property;
  object_class->get_property = gst_sdv2_transform_get_property;
  sdv2::install_transform_properties(object_class);
  gst_sdv2_transform_install_signals(G_TYPE_FROM_CLASS(klass));
  element_class->change_state = gst_sdv2_transform_change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Video diffusion filter", "Filter/Effect/Video",
      "Restyles video live with a causal video diffusion model, as a prompt says", "The sdv2 developers");
}

static void gst_sdv2_transform_init(GstSdv2Transform* self) {
  using Pads = sdv2::StreamPads<&_GstSdv2Transform::stream>;
  GstPad* sink = Pads::add_sink(GST_ELEMENT(self), &sink_template);
  GstPad* src = Pads::add_src(GST_ELEMENT(self), &src_template);
  // Caps may leave fields open that the template does not mention.
  GST_PAD_SET_ACCEPT_INTERSECT(sink);
  self->control = new LiveControl;
  self->stream = new TransformStream(GST_ELEMENT(self), sink, src, self->control);
  self->model = new ModelControl(GST_ELEMENT(self), self->stream, self->control);
}
