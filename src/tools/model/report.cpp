// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/model/report.h"

#include <c10/util/accumulate.h>
#include <unistd.h>

#include <cstdio>
#include <map>

namespace sdv2::model_tool {

int report(const Error& error) {
  std::fprintf(stderr, "sdv2-model: %s\n", error.message.c_str());
  return kFailed;
}

int wrong_usage(const std::string& message) {
  std::fprintf(stderr, "sdv2-model: %s\nsdv2-model --help tells more.\n", message.c_str());
  return kUsage;
}

std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (int64_t i = static_cast<int64_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<size_t>(i), 1, ',');
  return text;
}

std::string size_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.3g %s", value, kUnits[unit]);
  return text;
}

std::string content_text(const std::vector<TensorInfo>& tensors) {
  int64_t parameters = 0, bytes = 0;
  std::map<DType, size_t> types;
  for (const auto& info : tensors) {
    const int64_t count = c10::multiply_integers(info.shape);
    parameters += count;
    bytes += count * size_of(info.dtype);
    ++types[info.dtype];
  }
  std::string text = grouped(static_cast<int64_t>(tensors.size())) + " tensors, " + grouped(parameters) +
                     " parameters, " + size_text(static_cast<uint64_t>(bytes)) + " (";
  bool first = true;
  for (const auto& [type, count] : types) {
    text += std::string(first ? "" : ", ") + to_string(type);
    if (types.size() > 1) text += " × " + grouped(static_cast<int64_t>(count));
    first = false;
  }
  return text + ")";
}

std::string sizes_text(const DitConfig& spec) {
  return "dim " + std::to_string(spec.dim) + ", " + std::to_string(spec.num_heads) + " heads, " +
         std::to_string(spec.num_layers) + " layers, FFN " + std::to_string(spec.ffn_dim) + ", text " +
         std::to_string(spec.text_len) + " × " + std::to_string(spec.text_dim);
}

std::string sizes_text(const WanVaeSpec& spec) { return "base width " + std::to_string(spec.base_dim); }

std::string sizes_text(const TaehvSpec& spec) {
  std::string text = "encoder width " + std::to_string(spec.encoder_width) + ", decoder widths";
  for (const int64_t width : spec.decoder_widths) text += " " + std::to_string(width);
  return text;
}

std::string sizes_text(const TextEncoderSpec& spec) {
  return "dim " + std::to_string(spec.dim) + ", " + std::to_string(spec.num_heads) + " heads, " +
         std::to_string(spec.num_layers) + " layers, FFN " + std::to_string(spec.dim_ffn) + ", vocabulary " +
         std::to_string(spec.vocab);
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && percent_ >= 0) std::fputc('\n', stderr);
}

void ProgressLine::show(const std::string& what, uint64_t done, uint64_t total) {
  int percent =
      total == 0 ? 100 : static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
  if (!terminal_) percent -= percent % 10;
  if (percent == percent_) return;
  percent_ = percent;
  std::fprintf(stderr, terminal_ ? "\r%-14s %3d %%  %s of %s   " : "%-14s %3d %%  %s of %s\n", what.c_str(),
               percent, size_text(done).c_str(), size_text(total).c_str());
  std::fflush(stderr);
}

}  // namespace sdv2::model_tool
