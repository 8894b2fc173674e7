// SPDX-License-Identifier: LGPL-2.1-or-later
// Declarations and documentation of sdv2transform's properties.
#include "transform/transform_properties.h"

namespace sdv2 {

void install_transform_properties(GObjectClass* object_class) {
  const auto read_write = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const auto ready = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_READY);
  const auto playing = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_PLAYING);
  const auto controlled =
      static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [object_class](guint id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };

  /**
   * GstSdv2Transform:model:
   *
   * The model: a folder, or `random:tiny`, `random:1.3b`, `random:14b` for random weights. Without it, the
   * folder that the environment variable `SDV2_MODEL` names, else the demo model that comes with sdv2.
   *
   * Since: 0.1
   */
  install(kTransformModel, g_param_spec_string("model", "Model",
                                               "Folder of the model, or random:tiny, random:1.3b, random:14b "
                                               "(none = the model that comes with sdv2)",
                                               nullptr, ready));
  /**
   * GstSdv2Transform:engine:
   *
   * The engine's file. Without it, the one that the environment variable `SDV2_ENGINE` names, else
   * `libsdv2engine.so` beside the plugin or one folder above it.
   *
   * Since: 0.1
   */
  install(
      kTransformEngine,
      g_param_spec_string("engine", "Engine",
                          "File of the engine, libsdv2engine.so (none = SDV2_ENGINE, or beside the plugin)",
                          nullptr, ready));
  /**
   * GstSdv2Transform:devices:
   *
   * The devices that share the work, separated by commas: `cuda:0,cuda:1`, `cpu`. A device may be named more
   * than once.
   *
   * Since: 0.1
   */
  install(kTransformDevices,
          g_param_spec_string("devices", "Devices",
                              "Devices to run on, such as cuda:0,cuda:1 or cpu (auto = what there is)",
                              "auto", ready));
  /**
   * GstSdv2Transform:precision:
   *
   * Numbers that the networks compute with.
   *
   * Since: 0.1
   */
  install(kTransformPrecision,
          g_param_spec_enum("precision", "Precision", "Numbers that the networks compute with",
                            transform_precision_type(), static_cast<gint>(Precision::kAuto), ready));
  /**
   * GstSdv2Transform:vae:
   *
   * The autoencoder between pictures and latents.
   *
   * Since: 0.1
   */
  install(kTransformVae, g_param_spec_enum("vae", "VAE", "Autoencoder between pictures and latents",
                                           transform_vae_type(), static_cast<gint>(VaeKind::kAuto), ready));
  /**
   * GstSdv2Transform:kernels:
   *
   * The code that the networks run on.
   *
   * Since: 0.1
   */
  install(kTransformKernels,
          g_param_spec_enum("kernels", "Kernels", "Code that the networks run on", transform_kernels_type(),
                            static_cast<gint>(Kernels::kAuto), ready));
  /**
   * GstSdv2Transform:linears:
   *
   * The numbers that the linear layers of the transformer's blocks multiply. fp8 is faster and less exact.
   *
   * Since: 0.1
   */
  install(kTransformLinears,
          g_param_spec_enum("linears", "Linears", "Numbers that the transformer's linear layers multiply",
                            transform_linears_type(), static_cast<gint>(Linears::kAuto), ready));
  /**
   * GstSdv2Transform:plan:
   *
   * Which part of the work each of #GstSdv2Transform:devices does, as `0=enc.0|1=s0.b15|0=dec.0`: stages in
   * their order, each with the number of its device and its first unit (`enc.N`, `sN.bN` for block N of step
   * N, `dec.N`). `auto` cuts where the estimated cost is balanced.
   *
   * Since: 0.1
   */
  install(kTransformPlan,
          g_param_spec_string(
              "plan", "Plan",
              "Which part of the work each device does, such as 0=enc.0|1=s0.b15|0=dec.0 (auto = balanced)",
              "auto", ready));
  /**
   * GstSdv2Transform:linger:
   *
   * How long, in seconds, the model stays in memory after its last user has gone to NULL, so that a pipeline
   * that is rebuilt (OBS does that when a scene is hidden) does not load it again.
   *
   * Since: 0.1
   */
  install(kTransformLinger,
          g_param_spec_uint("linger", "Linger",
                            "Seconds that the model stays in memory after its last user has stopped", 0,
                            86400, 10, ready));
  /**
   * GstSdv2Transform:width:
   *
   * Width of the pictures that the model sees, in pixels, rounded down to a multiple of 16; 0 is the model's
   * own. What leaves the element is scaled to its caps.
   *
   * Since: 0.1
   */
  install(kTransformWidth,
          g_param_spec_uint("width", "Width",
                            "Width in pixels that the model works at, a multiple of 16 (0 = the model's)", 0,
                            16384, 0, ready));
  /**
   * GstSdv2Transform:height:
   *
   * Height of the pictures that the model sees, in pixels, rounded down to a multiple of 16; 0 is the
   * model's own.
   *
   * Since: 0.1
   */
  install(kTransformHeight,
          g_param_spec_uint("height", "Height",
                            "Height in pixels that the model works at, a multiple of 16 (0 = the model's)", 0,
                            16384, 0, ready));
  /**
   * GstSdv2Transform:fit:
   *
   * How a picture of another shape becomes one of the processing size.
   *
   * Since: 0.1
   */
  install(kTransformFit,
          g_param_spec_enum("fit", "Fit", "How a picture of another shape becomes one of the processing size",
                            transform_fit_type(), static_cast<gint>(Fit::kStretch), ready));
  /**
   * GstSdv2Transform:max-chunks:
   *
   * The most chunks that are in the engine or wait to leave; when they are reached, upstream waits. A model
   * that is spread over several devices needs one per stage and two more.
   *
   * Since: 0.1
   */
  install(kTransformMaxChunks,
          g_param_spec_uint("max-chunks", "Maximum chunks",
                            "Chunks that may be in the engine or wait to leave; then upstream waits", 1, 64,
                            4, ready));
  /**
   * GstSdv2Transform:kv-cache-frames:
   *
   * Latent frames (4 frames each) that the model remembers, at least 2; 0 is the model's own.
   *
   * Since: 0.1
   */
  install(kTransformKvCacheFrames,
          g_param_spec_uint("kv-cache-frames", "KV cache frames",
                            "Latent frames that the model remembers, at least 2 (0 = the model's)", 0, 64, 0,
                            ready));
  /**
   * GstSdv2Transform:sink-frames:
   *
   * How many of the remembered latent frames are never forgotten; -1 is the model's own.
   *
   * Since: 0.1
   */
  install(kTransformSinkFrames,
          g_param_spec_int("sink-frames", "Sink frames",
                           "Latent frames of kv-cache-frames that are never forgotten (-1 = the model's)", -1,
                           63, -1, ready));
  /**
   * GstSdv2Transform:warm-up:
   *
   * What a stream begins with.
   *
   * Since: 0.1
   */
  install(kTransformWarmUp,
          g_param_spec_enum("warm-up", "Warm-up", "What a stream begins with", transform_warm_up_type(),
                            static_cast<gint>(WarmUp::kChunk), ready));
  install_transform_live_properties(object_class);
  /**
   * GstSdv2Transform:on-late:
   *
   * What happens to the frames of a chunk when the time of the first has come (by the pipeline's latency)
   * before the pictures are ready, and to chunks that downstream has said (by QOS events) to be late
   * already. Each such frame is reported by a QOS message. With `repeat`, frames wait while there is no
   * picture to repeat.
   *
   * Since: 0.1
   */
  install(kTransformOnLate,
          g_param_spec_enum("on-late", "On late",
                            "What happens to frames of a live stream that are not ready in time",
                            transform_on_late_type(), static_cast<gint>(OnLate::kWait), playing));
  /**
   * GstSdv2Transform:on-error:
   *
   * What happens to frames that the engine could not transform. With other values than `stop` a failure is a
   * WARNING message, and when a device has failed all further frames are treated so until the element has
   * been in NULL (but see #GstSdv2Transform:on-device-loss).
   *
   * Since: 0.1
   */
  install(
      kTransformOnError,
      g_param_spec_enum("on-error", "On error", "What happens to frames that the engine could not transform",
                        transform_on_error_type(), static_cast<gint>(OnError::kStop), playing));
  /**
   * GstSdv2Transform:on-device-loss:
   *
   * What happens when one of several devices has failed. With `replan` the model is loaded anew on the
   * devices that are left, with a plan of their own (#GstSdv2Transform:plan is for all of them), and the
   * stream goes on with the present settings: a WARNING and PROGRESS messages tell. The frames of chunks that
   * were under way and, in a live stream, those that come until the model is there are treated as
   * #GstSdv2Transform:on-error says, where `stop` means `repeat`; QOS messages report them. A stream that is
   * not live waits. When no other device is left or the load fails, it is as with `stop`: on-error decides.
   * The element begins with all devices again after it has been in READY.
   *
   * Since: 0.1
   */
  install(kTransformOnDeviceLoss,
          g_param_spec_enum("on-device-loss", "On device loss",
                            "What happens when a device has failed that the model runs on",
                            transform_on_device_loss_type(), static_cast<gint>(OnDeviceLoss::kStop), ready));
  /**
   * GstSdv2Transform:while-loading:
   *
   * What happens to frames that come before the model is loaded. Those that are not held are reported by QOS
   * messages.
   *
   * Since: 0.1
   */
  install(kTransformWhileLoading,
          g_param_spec_enum("while-loading", "While loading",
                            "What happens to frames that come before the model is loaded",
                            transform_while_loading_type(), static_cast<gint>(WhileLoading::kHold), ready));
  /**
   * GstSdv2Transform:bypass:
   *
   * Frames that come while this is set leave as they came, in the place and at the time of the transformed
   * ones. The model goes on with its work, so that there is no pause when it is unset.
   *
   * Since: 0.1
   */
  install(kTransformBypass,
          g_param_spec_boolean("bypass", "Bypass", "Let frames leave as they came, with the same latency",
                               FALSE, controlled));
  /**
   * GstSdv2Transform:processing-latency:
   *
   * The time that a chunk takes in the engine, in nanoseconds, as it is promised in the LATENCY answer. 0:
   * what is measured; until then a model that just keeps up with the frame rate is assumed.
   *
   * Since: 0.1
   */
  install(
      kTransformProcessingLatency,
      g_param_spec_uint64(
          "processing-latency", "Processing latency",
          "Time in nanoseconds that a chunk takes in the engine, for the latency answer (0 = as measured)", 0,
          G_GUINT64_CONSTANT(3600000000000), 0, playing));
  /**
   * GstSdv2Transform:stats:
   *
   * Counters since the element left READY, as a #GstStructure named `sdv2-transform-stats`. All are uint64,
   * times in nanoseconds, but for `noise-scale` (double, of the last chunk):
   *
   * * `frames-in`, `frames-out`, `frames-transformed`, `frames-passed` (as they came), `frames-repeated` (the
   * last picture), `frames-dropped`, `frames-waiting`
   * * `chunks`, `partial-chunks` (ended early), `late-chunks`, `failed-chunks`, `skipped-chunks` (similarity
   * filter), `chunks-under-way`
   * * `processing-latency` (promised), `processing-latency-exceeded` (chunks that took longer),
   * `chunk-time-p50`, `-p95`,
   * `-p99`, `chunk-interval` (mean between two finished chunks), `first-frame-time`
   *
   * Since: 0.1
   */
  install(kTransformStats,
          g_param_spec_boxed("stats", "Statistics",
                             "Counters of frames and chunks, and the time that chunks take in nanoseconds",
                             GST_TYPE_STRUCTURE, read_only));

  for (const GType type :
       {transform_precision_type(), transform_vae_type(), transform_kernels_type(), transform_linears_type(),
        transform_fit_type(), transform_warm_up_type(), transform_on_late_type(), transform_on_error_type(),
        transform_on_device_loss_type(), transform_while_loading_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

}  // namespace sdv2
