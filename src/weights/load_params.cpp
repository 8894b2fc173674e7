// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ATen/ATen.h>

#include <map>
#include <sstream>
#include <unordered_map>

#include "weights/weight_source.h"

namespace sdv2 {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::ostringstream out;
  out << '[';
  for (size_t i = 0; i < shape.size(); ++i) out << (i ? "," : "") << shape[i];
  out << ']';
  return out.str();
}

// "  missing (2):\n    a\n    b\n", nothing for an empty list.
void append_list(std::ostringstream& out, const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  out << "\n  " << title << " (" << lines.size() << "):";
  for (const auto& line : lines) out << "\n    " << line;
}

}  // namespace

Result<void> check_keys(const ParamList& wanted, const WeightSource& source) {
  const auto* const tensors = source.tensors();
  if (tensors == nullptr) return {};
  std::unordered_map<std::string_view, const TensorInfo*> have;
  for (const auto& info : *tensors) have.emplace(info.key, &info);

  std::vector<std::string> missing, misshapen, extra;
  for (const auto& param : wanted) {
    const auto found = have.find(param.key);
    if (found == have.end()) {
      missing.push_back(param.key + " " + shape_text(param.shape));
      continue;
    }
    if (found->second->shape != param.shape)
      misshapen.push_back(param.key + " is " + shape_text(found->second->shape) + ", wanted " +
                          shape_text(param.shape));
    have.erase(found);
  }
  for (const auto& info : *tensors)
    if (have.contains(info.key)) extra.push_back(info.key + " " + shape_text(info.shape));

  if (missing.empty() && misshapen.empty() && extra.empty()) return {};
  std::ostringstream text;
  text << source.name() << " does not hold this network's weights.";
  append_list(text, "missing", missing);
  append_list(text, "wrong shape", misshapen);
  append_list(text, "not expected", extra);
  return Error{ErrorCode::kCorrupt, text.str()};
}

Result<void> load_params(const ParamList& params, WeightSource& source, at::ScalarType type,
                         at::Device device) {
  for (const auto& param : params) {
    auto tensor = source.read(param.key, param.shape, type, device);
    if (!tensor.ok()) return std::move(tensor).error();
    *param.slot = *std::move(tensor);
  }
  return {};
}

}  // namespace sdv2
