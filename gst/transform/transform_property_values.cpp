// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform's properties to and from GValues.
#include "transform/transform_properties.h"

namespace sdv2 {
namespace {

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

}  // namespace

bool set_transform_property(TransformSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case kTransformModel:
      settings.model = text_of(value);
      return true;
    case kTransformEngine:
      settings.engine = text_of(value);
      return true;
    case kTransformDevices:
      settings.devices = text_of(value).empty() ? "auto" : text_of(value);
      return true;
    case kTransformPrecision:
      settings.precision = static_cast<Precision>(g_value_get_enum(value));
      return true;
    case kTransformVae:
      settings.vae = static_cast<VaeKind>(g_value_get_enum(value));
      return true;
    case kTransformLinger:
      settings.linger = g_value_get_uint(value);
      return true;
    case kTransformWidth:
      settings.width = g_value_get_uint(value) / 16 * 16;
      return true;
    case kTransformHeight:
      settings.height = g_value_get_uint(value) / 16 * 16;
      return true;
    case kTransformFit:
      settings.fit = static_cast<Fit>(g_value_get_enum(value));
      return true;
    case kTransformMaxChunks:
      settings.max_chunks = g_value_get_uint(value);
      return true;
    case kTransformKvCacheFrames:
      settings.kv_cache_frames = g_value_get_uint(value);
      return true;
    case kTransformSinkFrames:
      settings.sink_frames = g_value_get_int(value);
      return true;
    case kTransformWarmUp:
      settings.warm_up = static_cast<WarmUp>(g_value_get_enum(value));
      return true;
    case kTransformPrompt:
      settings.prompt = text_of(value);
      return true;
    case kTransformNegativePrompt:
      settings.negative_prompt = text_of(value);
      return true;
    case kTransformGuidance:
      settings.guidance = g_value_get_double(value);
      return true;
    case kTransformPromptBlend:
      settings.prompt_blend = g_value_get_uint(value);
      return true;
    case kTransformSteps:
      settings.steps = g_value_get_uint(value);
      return true;
    case kTransformNoiseScale:
      settings.noise_scale = g_value_get_double(value);
      return true;
    case kTransformAdaptiveNoise:
      settings.adaptive_noise = g_value_get_boolean(value);
      return true;
    case kTransformSeed:
      settings.seed = g_value_get_uint64(value);
      return true;
    case kTransformMix:
      settings.mix = g_value_get_double(value);
      return true;
    case kTransformExecution:
      settings.execution = static_cast<Execution>(g_value_get_enum(value));
      return true;
    case kTransformSimilarityFilter:
      settings.similarity_filter = g_value_get_double(value);
      return true;
    case kTransformOnLate:
      settings.on_late = static_cast<OnLate>(g_value_get_enum(value));
      return true;
    case kTransformOnError:
      settings.on_error = static_cast<OnError>(g_value_get_enum(value));
      return true;
    case kTransformWhileLoading:
      settings.while_loading = static_cast<WhileLoading>(g_value_get_enum(value));
      return true;
    case kTransformBypass:
      settings.bypass = g_value_get_boolean(value);
      return true;
    case kTransformProcessingLatency:
      settings.processing_latency = g_value_get_uint64(value);
      return true;
    default:
      return false;
  }
}

bool get_transform_property(const TransformSettings& settings, guint id, GValue* value) {
  switch (id) {
    case kTransformModel:
      g_value_set_string(value, settings.model.empty() ? nullptr : settings.model.c_str());
      return true;
    case kTransformEngine:
      g_value_set_string(value, settings.engine.empty() ? nullptr : settings.engine.c_str());
      return true;
    case kTransformDevices:
      g_value_set_string(value, settings.devices.c_str());
      return true;
    case kTransformPrecision:
      g_value_set_enum(value, static_cast<gint>(settings.precision));
      return true;
    case kTransformVae:
      g_value_set_enum(value, static_cast<gint>(settings.vae));
      return true;
    case kTransformLinger:
      g_value_set_uint(value, settings.linger);
      return true;
    case kTransformWidth:
      g_value_set_uint(value, settings.width);
      return true;
    case kTransformHeight:
      g_value_set_uint(value, settings.height);
      return true;
    case kTransformFit:
      g_value_set_enum(value, static_cast<gint>(settings.fit));
      return true;
    case kTransformMaxChunks:
      g_value_set_uint(value, settings.max_chunks);
      return true;
    case kTransformKvCacheFrames:
      g_value_set_uint(value, settings.kv_cache_frames);
      return true;
    case kTransformSinkFrames:
      g_value_set_int(value, settings.sink_frames);
      return true;
    case kTransformWarmUp:
      g_value_set_enum(value, static_cast<gint>(settings.warm_up));
      return true;
    case kTransformPrompt:
      g_value_set_string(value, settings.prompt.c_str());
      return true;
    case kTransformNegativePrompt:
      g_value_set_string(value, settings.negative_prompt.c_str());
      return true;
    case kTransformGuidance:
      g_value_set_double(value, settings.guidance);
      return true;
    case kTransformPromptBlend:
      g_value_set_uint(value, settings.prompt_blend);
      return true;
    case kTransformSteps:
      g_value_set_uint(value, settings.steps);
      return true;
    case kTransformNoiseScale:
      g_value_set_double(value, settings.noise_scale);
      return true;
    case kTransformAdaptiveNoise:
      g_value_set_boolean(value, settings.adaptive_noise);
      return true;
    case kTransformSeed:
      g_value_set_uint64(value, settings.seed);
      return true;
    case kTransformMix:
      g_value_set_double(value, settings.mix);
      return true;
    case kTransformExecution:
      g_value_set_enum(value, static_cast<gint>(settings.execution));
      return true;
    case kTransformSimilarityFilter:
      g_value_set_double(value, settings.similarity_filter);
      return true;
    case kTransformOnLate:
      g_value_set_enum(value, static_cast<gint>(settings.on_late));
      return true;
    case kTransformOnError:
      g_value_set_enum(value, static_cast<gint>(settings.on_error));
      return true;
    case kTransformWhileLoading:
      g_value_set_enum(value, static_cast<gint>(settings.while_loading));
      return true;
    case kTransformBypass:
      g_value_set_boolean(value, settings.bypass);
      return true;
    case kTransformProcessingLatency:
      g_value_set_uint64(value, settings.processing_latency);
      return true;
    default:
      return false;
  }
}

}  // namespace sdv2
