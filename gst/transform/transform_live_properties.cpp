// SPDX-License-Identifier: LGPL-2.1-or-later
// Declarations and documentation of those properties of sdv2transform that change the pictures of a running
// stream.
#include "transform/transform_properties.h"

namespace sdv2 {

void install_transform_live_properties(GObjectClass* object_class) {
  const auto playing =
      static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto controlled = static_cast<GParamFlags>(playing | GST_PARAM_CONTROLLABLE);
  const auto install = [object_class](guint id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };

  /**
   * GstSdv2Transform:prompt:
   *
   * What the pictures shall look like, in words. A change holds from a chunk that is not under way yet.
   *
   * Since: 0.1
   */
  install(kTransformPrompt,
          g_param_spec_string("prompt", "Prompt", "What the pictures shall look like", "", playing));
  /**
   * GstSdv2Transform:negative-prompt:
   *
   * What the pictures shall not look like. It counts only with #GstSdv2Transform:guidance above 1 and the
   * #GstSdv2Transform:guidance-mode `full` or `one-time-negative`.
   *
   * Since: 0.1
   */
  install(kTransformNegativePrompt,
          g_param_spec_string("negative-prompt", "Negative prompt",
                              "What the pictures shall not look like; needs guidance above 1 and its mode "
                              "full or one-time-negative",
                              "", playing));
  /**
   * GstSdv2Transform:guidance:
   *
   * Scale of classifier-free guidance: how far the pictures are led away from what
   * #GstSdv2Transform:guidance-mode says; 1 is off and costs nothing.
   *
   * Since: 0.1
   */
  install(kTransformGuidance,
          g_param_spec_double("guidance", "Guidance",
                              "Scale of classifier-free guidance (1 = off, which costs nothing)", 1, 20, 1,
                              controlled));
  /**
   * GstSdv2Transform:guidance-mode:
   *
   * What #GstSdv2Transform:guidance above 1 leads the pictures away from.
   *
   * Since: 0.1
   */
  install(kTransformGuidanceMode,
          g_param_spec_enum(
              "guidance-mode", "Guidance mode", "What guidance above 1 leads the pictures away from",
              transform_guidance_mode_type(), static_cast<gint>(GuidanceMode::kSelfNegative), controlled));
  /**
   * GstSdv2Transform:prompt-blend:
   *
   * Number of chunks over which a new prompt is faded in; 0 is at once.
   *
   * Since: 0.1
   */
  install(kTransformPromptBlend, g_param_spec_uint("prompt-blend", "Prompt blend",
                                                   "Chunks over which a new prompt is faded in (0 = at once)",
                                                   0, 256, 0, controlled));
  /**
   * GstSdv2Transform:prompt-blend-mode:
   *
   * The way from the old prompt to the new one while #GstSdv2Transform:prompt-blend fades.
   *
   * Since: 0.1
   */
  install(kTransformPromptBlendMode,
          g_param_spec_enum("prompt-blend-mode", "Prompt blend mode",
                            "Way from the old prompt to the new one while it fades in",
                            transform_prompt_blend_mode_type(), static_cast<gint>(PromptBlendMode::kLinear),
                            controlled));
  /**
   * GstSdv2Transform:reset-on-prompt:
   *
   * Forget the pictures of before when the prompt changes: the new style comes at once and without traces of
   * the old one, but the motion is not carried over.
   *
   * Since: 0.1
   */
  install(kTransformResetOnPrompt,
          g_param_spec_boolean("reset-on-prompt", "Reset on prompt",
                               "Forget the pictures of before when the prompt changes", FALSE, controlled));
  /**
   * GstSdv2Transform:steps:
   *
   * Denoising steps; more steps cost more time. 0 is the model's own.
   *
   * Since: 0.1
   */
  install(kTransformSteps,
          g_param_spec_uint("steps", "Steps", "Denoising steps (0 = the model's)", 0, 4, 0, controlled));
  /**
   * GstSdv2Transform:noise-scale:
   *
   * How much of the picture that comes in is given up to noise: 0 keeps it, 1 forgets it. Below 0 is the
   * model's own.
   *
   * Since: 0.1
   */
  install(kTransformNoiseScale,
          g_param_spec_double(
              "noise-scale", "Noise scale",
              "How much of the picture is given up: 0 keeps it, 1 forgets it (below 0 = the model's)", -1, 1,
              -1, controlled));
  /**
   * GstSdv2Transform:adaptive-noise:
   *
   * Take less noise when there is motion, so that the picture follows it.
   *
   * Since: 0.1
   */
  install(kTransformAdaptiveNoise,
          g_param_spec_boolean("adaptive-noise", "Adaptive noise", "Take less noise when there is motion",
                               TRUE, controlled));
  /**
   * GstSdv2Transform:seed:
   *
   * The number that all noise is made of: the same seed gives the same pictures.
   *
   * Since: 0.1
   */
  install(kTransformSeed, g_param_spec_uint64("seed", "Seed", "Number that the noise is made of", 0,
                                              G_GUINT64_CONSTANT(9007199254740992), 0, controlled));
  /**
   * GstSdv2Transform:adaptive-sink:
   *
   * Cosine similarity below which one of #GstSdv2Transform:sink-frames is renewed by the present picture, so
   * that the memory follows a changed scene. -1 never renews; below -1 is the model's own.
   *
   * Since: 0.1
   */
  install(kTransformAdaptiveSink,
          g_param_spec_double(
              "adaptive-sink", "Adaptive sink",
              "Similarity below which a sink frame is renewed (-1 = never, below -1 = the model's)", -2, 1,
              -2, controlled));
  /**
   * GstSdv2Transform:mix:
   *
   * Share of the transformed picture in what leaves; the rest is the picture that came in.
   *
   * Since: 0.1
   */
  install(kTransformMix,
          g_param_spec_double("mix", "Mix", "Share of the transformed picture; the rest is the source", 0, 1,
                              1, controlled));
  /**
   * GstSdv2Transform:execution:
   *
   * The order in which the engine does its work. It changes no pixel.
   *
   * Since: 0.1
   */
  install(kTransformExecution,
          g_param_spec_enum("execution", "Execution", "Order in which the engine does its work",
                            transform_execution_type(), static_cast<gint>(Execution::kAuto), controlled));
  /**
   * GstSdv2Transform:similarity-filter:
   *
   * Cosine similarity of the pictures that come in, above which a still chunk may be skipped: the last
   * picture is repeated. 0 is off.
   *
   * Since: 0.1
   */
  install(kTransformSimilarityFilter,
          g_param_spec_double("similarity-filter", "Similarity filter",
                              "Cosine similarity above which a still chunk may be skipped (0 = off)", 0, 1, 0,
                              controlled));
  /**
   * GstSdv2Transform:priority:
   *
   * When the streams of a model cannot all be in time, those with a higher priority go first and keep their
   * quality longest. Only live streams have deadlines.
   *
   * Since: 0.1
   */
  install(kTransformPriority,
          g_param_spec_int("priority", "Priority",
                           "When the streams of a model cannot all be in time, higher ones go first", -100,
                           100, 0, controlled));

  /**
   * GstSdv2Transform:target-fps:
   *
   * Frames per second that have to hold. A stream with a target is refused, with an error of the resource
   * being busy, when it does not fit beside the streams that run on its model, as soon as frames of its size
   * have been measured there; the error says what would fit. 0 is no target: every stream is taken.
   *
   * Since: 0.1
   */
  install(kTransformTargetFps,
          g_param_spec_double("target-fps", "Target rate",
                              "Frames per second that have to hold: the stream is refused when they do not "
                              "fit beside the others (0 = no target)",
                              0, 1000, 0, playing));
  /**
   * GstSdv2Transform:target-latency:
   *
   * Time from the first frame of a chunk to its pictures that the engine works for, in nanoseconds. 0, and
   * anything above it, is the latency of the pipeline. Together with #GstSdv2Transform:target-fps a stream is
   * refused when the chain alone takes longer.
   *
   * Since: 0.1
   */
  install(kTransformTargetLatency,
          g_param_spec_uint64("target-latency", "Target latency",
                              "Nanoseconds from a chunk's first frame to its pictures that the engine works "
                              "for (0 = the pipeline's latency)",
                              0, 60 * GST_SECOND, 0, playing));
  /**
   * GstSdv2Transform:degrade:
   *
   * What a live stream may give up, one after the other, while its deadlines cannot hold; it comes back by
   * itself. An element message `sdv2-quality` tells every change.
   *
   * Since: 0.1
   */
  install(kTransformDegrade,
          g_param_spec_flags("degrade", "Degrade", "What may be given up while deadlines cannot hold",
                             transform_degrade_type(), 0, playing));

  gst_type_mark_as_plugin_api(transform_degrade_type(), static_cast<GstPluginAPIFlags>(0));
  for (const GType type :
       {transform_guidance_mode_type(), transform_prompt_blend_mode_type(), transform_execution_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

}  // namespace sdv2
