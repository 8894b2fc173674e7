// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of sdv2transform: their GObject declarations with documentation, and the way to and from the
// settings.
#pragma once

#include <gst/gst.h>

#include "transform/transform_settings.h"

namespace sdv2 {

// Numbers of the GObject properties.
enum TransformProperty : guint {
  kTransformModel = 1,
  kTransformEngine,
  kTransformDevices,
  kTransformPrecision,
  kTransformVae,
  kTransformKernels,
  kTransformLinears,
  kTransformPlan,
  kTransformLinger,
  kTransformWidth,
  kTransformHeight,
  kTransformFit,
  kTransformMaxChunks,
  kTransformKvCacheFrames,
  kTransformSinkFrames,
  kTransformWarmUp,
  kTransformPrompt,
  kTransformNegativePrompt,
  kTransformGuidance,
  kTransformGuidanceMode,
  kTransformPromptBlend,
  kTransformPromptBlendMode,
  kTransformResetOnPrompt,
  kTransformSteps,
  kTransformNoiseScale,
  kTransformAdaptiveNoise,
  kTransformSeed,
  kTransformAdaptiveSink,
  kTransformMix,
  kTransformExecution,
  kTransformSimilarityFilter,
  kTransformPriority,
  kTransformTargetFps,
  kTransformTargetLatency,
  kTransformDegrade,
  kTransformOnLate,
  kTransformOnError,
  kTransformOnDeviceLoss,
  kTransformWhileLoading,
  kTransformBypass,
  kTransformProcessingLatency,
  kTransformStats,
};

// Declares all properties, and marks their types as the plugin's API. For class_init.
void install_transform_properties(GObjectClass* object_class);
// Those of them that hold from a chunk on while the stream runs; called by the one above.
void install_transform_live_properties(GObjectClass* object_class);

// Copies a property from or to a GValue; false for a number that is no settable property.
bool set_transform_property(TransformSettings& settings, guint id, const GValue* value);
bool get_transform_property(const TransformSettings& settings, guint id, GValue* value);

// Types of the enumerations and flags: transform_enums.cpp.
GType transform_precision_type();
GType transform_vae_type();
GType transform_kernels_type();
GType transform_linears_type();
GType transform_fit_type();
GType transform_guidance_mode_type();
GType transform_prompt_blend_mode_type();
GType transform_execution_type();
GType transform_warm_up_type();
GType transform_on_late_type();
GType transform_on_error_type();
GType transform_on_device_loss_type();
GType transform_while_loading_type();
GType transform_degrade_type();

}  // namespace sdv2
