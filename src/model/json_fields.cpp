// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/json_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/quote.h"

namespace sdv2 {
namespace {

bool is_int64(const nlohmann::json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() ||
         value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

}  // namespace

JsonFields::JsonFields(const nlohmann::json& object, std::string where, std::string path)
    : object_(object), where_(std::move(where)), path_(std::move(path)) {
  if (!object_.is_object())
    fault_ = {ErrorCode::kCorrupt,
              where_ + ": " + (path_.empty() ? "the document" : path_) + " must be an object {…}"};
}

void JsonFields::fail(const char* key, const std::string& what) {
  if (!fault_) fault_ = {ErrorCode::kCorrupt, where_ + ": " + full_name(key) + " " + what};
}

const nlohmann::json* JsonFields::find(const char* key, bool required) {
  asked_.emplace_back(key);
  if (fault_) return nullptr;
  const auto found = object_.find(key);
  if (found != object_.end()) return &*found;
  if (required) fail(key, "is missing");
  return nullptr;
}

const nlohmann::json* JsonFields::child(const char* key) { return find(key, false); }

void JsonFields::read(const char* key, int64_t& target, bool required) {
  const auto* const value = find(key, required);
  if (value == nullptr) return;
  if (!is_int64(*value)) return fail(key, "must be a whole number");
  target = value->get<int64_t>();
}

void JsonFields::read(const char* key, double& target, bool required) {
  const auto* const value = find(key, required);
  if (value == nullptr) return;
  if (!value->is_number()) return fail(key, "must be a number");
  target = value->get<double>();
}

void JsonFields::read(const char* key, bool& target, bool required) {
  const auto* const value = find(key, required);
  if (value == nullptr) return;
  if (!value->is_boolean()) return fail(key, "must be true or false");
  target = value->get<bool>();
}

void JsonFields::read(const char* key, std::string& target, bool required) {
  const auto* const value = find(key, required);
  if (value == nullptr) return;
  if (!value->is_string()) return fail(key, "must be a text in quotes");
  target = value->get<std::string>();
}

void JsonFields::read(const char* key, std::vector<int64_t>& target, bool required) {
  const auto* const value = find(key, required);
  if (value == nullptr) return;
  if (!value->is_array() || !std::ranges::all_of(*value, is_int64))
    return fail(key, "must be a list of whole numbers");
  target = value->get<std::vector<int64_t>>();
}

void JsonFields::read(const char* key, std::array<int64_t, 4>& target, bool required) {
  std::vector<int64_t> list(target.begin(), target.end());
  read(key, list, required);
  if (list.size() != target.size()) return fail(key, "must be a list of four whole numbers");
  std::ranges::copy(list, target.begin());
}

Result<void> JsonFields::result(bool reject_unknown) const {
  if (fault_) return *fault_;
  if (!reject_unknown) return {};
  for (const auto& item : object_.items())
    if (std::ranges::find(asked_, item.key()) == asked_.end())
      return Error{ErrorCode::kCorrupt, where_ + ": " + (path_.empty() ? "the document" : path_) +
                                            " has an unknown key " + quote(item.key()) +
                                            ". Remove it or check its spelling."};
  return {};
}

}  // namespace sdv2
