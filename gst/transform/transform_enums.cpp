// SPDX-License-Identifier: LGPL-2.1-or-later
// GTypes of sdv2transform's enumerations and flags.
#include "transform/transform_properties.h"

namespace sdv2 {
namespace {

// Once per type.
GType register_once(gsize* type, const char* name, const GEnumValue* values) {
  if (g_once_init_enter(type)) g_once_init_leave(type, g_enum_register_static(name, values));
  return *type;
}

}  // namespace

/**
 * GstSdv2TransformPrecision:
 * @auto: bf16 on GPUs, fp32 on CPUs
 * @fp32: 32 bit floating point
 * @bf16: 16 bit brain floating point
 *
 * Numbers that the networks compute with.
 *
 * Since: 0.1
 */
GType transform_precision_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Precision::kAuto), "bf16 on GPUs, fp32 on CPUs", "auto"},
      {static_cast<gint>(Precision::kFp32), "32 bit floating point", "fp32"},
      {static_cast<gint>(Precision::kBf16), "16 bit brain floating point", "bf16"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformPrecision", values);
}

/**
 * GstSdv2TransformVae:
 * @auto: the model's own
 * @wan: Wan's autoencoder
 * @taehv: the small autoencoder TAEHV: faster, less detail
 *
 * Autoencoder between pictures and latents.
 *
 * Since: 0.1
 */
GType transform_vae_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(VaeKind::kAuto), "The model's own", "auto"},
      {static_cast<gint>(VaeKind::kWan), "Wan's autoencoder", "wan"},
      {static_cast<gint>(VaeKind::kTaehv), "The small autoencoder TAEHV: faster, less detail", "taehv"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformVae", values);
}

/**
 * GstSdv2TransformKernels:
 * @auto: fused where the device has them
 * @plain: one operation after the other, rounded as the reference does
 * @fused: fused kernels; an error where they cannot run
 *
 * Code that the networks run on.
 *
 * Since: 0.1
 */
GType transform_kernels_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Kernels::kAuto), "Fused where the device has them", "auto"},
      {static_cast<gint>(Kernels::kPlain), "One operation after the other, rounded as the reference does",
       "plain"},
      {static_cast<gint>(Kernels::kFused), "Fused kernels; an error where they cannot run", "fused"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformKernels", values);
}

/**
 * GstSdv2TransformLinears:
 * @auto: fp8 for wide transformers on fused kernels, else as the precision
 * @bf16: never fp8
 * @fp8: 8 bit floating point; an error where it cannot run
 *
 * Numbers that the linear layers of the transformer's blocks multiply.
 *
 * Since: 0.1
 */
GType transform_linears_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Linears::kAuto), "fp8 for wide transformers on fused kernels, else as the precision",
       "auto"},
      {static_cast<gint>(Linears::kBf16), "Never fp8", "bf16"},
      {static_cast<gint>(Linears::kFp8), "8 bit floating point; an error where it cannot run", "fp8"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformLinears", values);
}

/**
 * GstSdv2TransformGuidanceMode:
 * @full: what the negative prompt gives at every step: twice the time; usual scales are 3 to 8
 * @self-negative: the picture that came in: no time, no negative prompt; usual scales are 1 to 2
 * @one-time-negative: what the negative prompt gives at a chunk's first step; usual scales are 1 to 2
 *
 * What guidance leads the pictures away from.
 *
 * Since: 0.1
 */
GType transform_guidance_mode_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(GuidanceMode::kFull), "The negative prompt at every step: twice the time", "full"},
      {static_cast<gint>(GuidanceMode::kSelfNegative),
       "The picture that came in: no time, no negative prompt", "self-negative"},
      {static_cast<gint>(GuidanceMode::kOneTimeNegative), "The negative prompt at a chunk's first step",
       "one-time-negative"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformGuidanceMode", values);
}

/**
 * GstSdv2TransformPromptBlendMode:
 * @linear: in a straight line
 * @slerp: along the sphere: the embedding keeps its length
 *
 * Way from one prompt to another.
 *
 * Since: 0.1
 */
GType transform_prompt_blend_mode_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(PromptBlendMode::kLinear), "In a straight line", "linear"},
      {static_cast<gint>(PromptBlendMode::kSlerp), "Along the sphere: the embedding keeps its length",
       "slerp"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformPromptBlendMode", values);
}

/**
 * GstSdv2TransformFit:
 * @stretch: stretch the picture
 * @crop: cut off what is too much
 * @letterbox: put bars beside it
 *
 * How a picture of another shape becomes one of the processing size.
 *
 * Since: 0.1
 */
GType transform_fit_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Fit::kStretch), "Stretch the picture", "stretch"},
      {static_cast<gint>(Fit::kCrop), "Cut off what is too much", "crop"},
      {static_cast<gint>(Fit::kLetterbox), "Put bars beside it", "letterbox"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformFit", values);
}

/**
 * GstSdv2TransformExecution:
 * @auto: as the measured speed demands
 * @latency: one chunk after the other: lowest latency
 * @throughput: several chunks in one batch: highest rate
 *
 * Order in which the engine does its work.
 *
 * Since: 0.1
 */
GType transform_execution_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Execution::kAuto), "As the measured speed demands", "auto"},
      {static_cast<gint>(Execution::kLatency), "One chunk after the other: lowest latency", "latency"},
      {static_cast<gint>(Execution::kThroughput), "Several chunks in one batch: highest rate", "throughput"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformExecution", values);
}

/**
 * GstSdv2TransformWarmUp:
 * @chunk: a chunk with one frame more
 * @frame: the first frame alone, repeated: its picture comes at once
 *
 * What a stream begins with.
 *
 * Since: 0.1
 */
GType transform_warm_up_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(WarmUp::kChunk), "A chunk with one frame more", "chunk"},
      {static_cast<gint>(WarmUp::kFrame), "The first frame alone, repeated: its picture comes at once",
       "frame"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformWarmUp", values);
}

/**
 * GstSdv2TransformOnLate:
 * @wait: show them late
 * @repeat: repeat the last picture
 * @passthrough: show them as they came
 * @drop: drop them
 *
 * What happens to frames of a live stream of which the time has come before their pictures are ready.
 *
 * Since: 0.1
 */
GType transform_on_late_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(OnLate::kWait), "Show them late", "wait"},
      {static_cast<gint>(OnLate::kRepeat), "Repeat the last picture", "repeat"},
      {static_cast<gint>(OnLate::kPassthrough), "Show them as they came", "passthrough"},
      {static_cast<gint>(OnLate::kDrop), "Drop them", "drop"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformOnLate", values);
}

/**
 * GstSdv2TransformOnError:
 * @stop: stop with an error
 * @repeat: repeat the last picture
 * @passthrough: show them as they came
 *
 * What happens to frames that the engine could not transform.
 *
 * Since: 0.1
 */
GType transform_on_error_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(OnError::kStop), "Stop with an error", "stop"},
      {static_cast<gint>(OnError::kRepeat), "Repeat the last picture", "repeat"},
      {static_cast<gint>(OnError::kPassthrough), "Show them as they came", "passthrough"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformOnError", values);
}

/**
 * GstSdv2TransformOnDeviceLoss:
 * @stop: the model is not used any more
 * @replan: go on with the devices that are left
 *
 * What happens when a device has failed that the model runs on.
 *
 * Since: 0.1
 */
GType transform_on_device_loss_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(OnDeviceLoss::kStop), "The model is not used any more", "stop"},
      {static_cast<gint>(OnDeviceLoss::kReplan), "Go on with the devices that are left", "replan"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformOnDeviceLoss", values);
}

/**
 * GstSdv2TransformWhileLoading:
 * @hold: make upstream wait
 * @passthrough: show them as they came
 * @drop: drop them
 *
 * What happens to frames that come before the model is loaded.
 *
 * Since: 0.1
 */
GType transform_while_loading_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(WhileLoading::kHold), "Make upstream wait", "hold"},
      {static_cast<gint>(WhileLoading::kPassthrough), "Show them as they came", "passthrough"},
      {static_cast<gint>(WhileLoading::kDrop), "Drop them", "drop"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  return register_once(&type, "GstSdv2TransformWhileLoading", values);
}

/**
 * GstSdv2TransformDegrade:
 * @steps: take fewer denoising steps
 * @repeat: make every other chunk only, and none that would come too late: the last picture is repeated
 * @source: fade to the picture that came in
 *
 * What a stream may give up while its deadlines cannot hold.
 *
 * Since: 0.1
 */
GType transform_degrade_type() {
  static const GFlagsValue values[] = {
      {static_cast<guint>(Degrade::kSteps), "Take fewer denoising steps", "steps"},
      {static_cast<guint>(Degrade::kRepeat), "Repeat the last picture for every other chunk and late ones",
       "repeat"},
      {static_cast<guint>(Degrade::kSource), "Fade to the picture that came in", "source"},
      {0, nullptr, nullptr},
  };
  static gsize type = 0;
  if (g_once_init_enter(&type))
    g_once_init_leave(&type, g_flags_register_static("GstSdv2TransformDegrade", values));
  return type;
}

}  // namespace sdv2
