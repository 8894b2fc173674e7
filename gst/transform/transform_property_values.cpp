// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform's properties to and from GValues: a table of which property is which setting.
#include "transform/transform_properties.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace sdv2 {
namespace {

using Settings = TransformSettings;

void read(const GValue* from, std::string& to) {
  const gchar* text = g_value_get_string(from);
  to = text != nullptr ? text : "";
}
// Messages and the engine take UTF-8 only. (Names of files may be anything.)
void make_utf8(std::string& text) {
  if (g_utf8_validate(text.c_str(), -1, nullptr)) return;
  gchar* valid = g_utf8_make_valid(text.c_str(), -1);
  text = valid;
  g_free(valid);
}

void read(const GValue* from, bool& to) { to = g_value_get_boolean(from) != FALSE; }
void read(const GValue* from, int& to) { to = g_value_get_int(from); }
void read(const GValue* from, unsigned& to) {
  to = G_VALUE_HOLDS_FLAGS(from) ? g_value_get_flags(from) : g_value_get_uint(from);
}
void read(const GValue* from, uint64_t& to) { to = g_value_get_uint64(from); }
void read(const GValue* from, double& to) { to = g_value_get_double(from); }

void write(const std::string& from, GValue* to) { g_value_set_string(to, from.c_str()); }
void write(bool from, GValue* to) { g_value_set_boolean(to, from ? TRUE : FALSE); }
void write(int from, GValue* to) { g_value_set_int(to, from); }
void write(unsigned from, GValue* to) {
  if (G_VALUE_HOLDS_FLAGS(to))
    g_value_set_flags(to, from);
  else
    g_value_set_uint(to, from);
}
void write(uint64_t from, GValue* to) { g_value_set_uint64(to, from); }
void write(double from, GValue* to) { g_value_set_double(to, from); }

struct Row {
  TransformProperty id;
  void (*set)(Settings& settings, const GValue* value);
  void (*get)(const Settings& settings, GValue* value);
};

// The row of a property that is the setting `member`.
template <auto member>
constexpr Row row(TransformProperty id) {
  return {id,
          [](Settings& settings, const GValue* value) {
            auto& target = settings.*member;
            if constexpr (std::is_enum_v<std::remove_reference_t<decltype(target)>>) {
              target = static_cast<std::remove_reference_t<decltype(target)>>(g_value_get_enum(value));
            } else {
              read(value, target);
            }
          },
          [](const Settings& settings, GValue* value) {
            const auto& source = settings.*member;
            if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(source)>>) {
              g_value_set_enum(value, static_cast<gint>(source));
            } else {
              write(source, value);
            }
          }};
}

constexpr std::array kRows = {
    row<&Settings::model>(kTransformModel),
    row<&Settings::engine>(kTransformEngine),
    row<&Settings::devices>(kTransformDevices),
    row<&Settings::precision>(kTransformPrecision),
    row<&Settings::vae>(kTransformVae),
    row<&Settings::kernels>(kTransformKernels),
    row<&Settings::linears>(kTransformLinears),
    row<&Settings::plan>(kTransformPlan),
    row<&Settings::linger>(kTransformLinger),
    row<&Settings::width>(kTransformWidth),
    row<&Settings::height>(kTransformHeight),
    row<&Settings::fit>(kTransformFit),
    row<&Settings::max_chunks>(kTransformMaxChunks),
    row<&Settings::kv_cache_frames>(kTransformKvCacheFrames),
    row<&Settings::sink_frames>(kTransformSinkFrames),
    row<&Settings::warm_up>(kTransformWarmUp),
    row<&Settings::prompt>(kTransformPrompt),
    row<&Settings::negative_prompt>(kTransformNegativePrompt),
    row<&Settings::guidance>(kTransformGuidance),
    row<&Settings::guidance_mode>(kTransformGuidanceMode),
    row<&Settings::prompt_blend>(kTransformPromptBlend),
    row<&Settings::prompt_blend_mode>(kTransformPromptBlendMode),
    row<&Settings::reset_on_prompt>(kTransformResetOnPrompt),
    row<&Settings::steps>(kTransformSteps),
    row<&Settings::noise_scale>(kTransformNoiseScale),
    row<&Settings::adaptive_noise>(kTransformAdaptiveNoise),
    row<&Settings::seed>(kTransformSeed),
    row<&Settings::adaptive_sink>(kTransformAdaptiveSink),
    row<&Settings::mix>(kTransformMix),
    row<&Settings::execution>(kTransformExecution),
    row<&Settings::similarity_filter>(kTransformSimilarityFilter),
    row<&Settings::priority>(kTransformPriority),
    row<&Settings::target_fps>(kTransformTargetFps),
    row<&Settings::target_latency>(kTransformTargetLatency),
    row<&Settings::degrade>(kTransformDegrade),
    row<&Settings::on_late>(kTransformOnLate),
    row<&Settings::on_error>(kTransformOnError),
    row<&Settings::on_device_loss>(kTransformOnDeviceLoss),
    row<&Settings::while_loading>(kTransformWhileLoading),
    row<&Settings::bypass>(kTransformBypass),
    row<&Settings::processing_latency>(kTransformProcessingLatency),
};

const Row* row_of(guint id) {
  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [id](const Row& each) { return each.id == id; });
  return found != kRows.end() ? found : nullptr;
}

}  // namespace

bool set_transform_property(TransformSettings& settings, guint id, const GValue* value) {
  const Row* found = row_of(id);
  if (found == nullptr) return false;
  found->set(settings, value);
  // What a property stands for when it is given an empty text or an uneven size.
  if (settings.devices.empty()) settings.devices = "auto";
  if (settings.plan.empty()) settings.plan = "auto";
  if (id == kTransformPrompt) make_utf8(settings.prompt);
  if (id == kTransformNegativePrompt) make_utf8(settings.negative_prompt);
  settings.width -= settings.width % 16;
  settings.height -= settings.height % 16;
  return true;
}

bool get_transform_property(const TransformSettings& settings, guint id, GValue* value) {
  const Row* found = row_of(id);
  if (found == nullptr) return false;
  found->get(settings, value);
  // Not set at all, as their default says.
  const bool is_file = id == kTransformModel || id == kTransformEngine;
  if (is_file && *g_value_get_string(value) == '\0') g_value_set_string(value, nullptr);
  return true;
}

}  // namespace sdv2
