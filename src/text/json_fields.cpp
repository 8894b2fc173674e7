// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/json_fields.h"

#include <limits>

namespace sdv2 {

using nlohmann::json;

Error json_error(const std::string& where, const char* key, const std::string& what) {
  return {ErrorCode::kCorrupt, where + ": \"" + key + "\" " + what};
}

const json* json_member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> json_string(const json& object, const char* key, const std::string& where) {
  const json* const member = json_member(object, key);
  if (member == nullptr || !member->is_string()) return json_error(where, key, "must be a string");
  return member->get_ref<const std::string&>();
}

Result<bool> json_bool(const json& object, const char* key, const std::string& where,
                       std::optional<bool> fallback) {
  const json* const member = json_member(object, key);
  if (member == nullptr && fallback) return *fallback;
  if (member == nullptr || !member->is_boolean()) return json_error(where, key, "must be true or false");
  return member->get<bool>();
}

Result<int32_t> json_id(const json& object, const char* key, const std::string& where) {
  const json* const member = json_member(object, key);
  if (member == nullptr || !member->is_number_unsigned() ||
      member->get<uint64_t>() > std::numeric_limits<int32_t>::max())
    return json_error(where, key, "must be a token id");
  return static_cast<int32_t>(member->get<uint64_t>());
}

Result<const json::array_t*> json_array(const json& object, const char* key, const std::string& where) {
  const json* const member = json_member(object, key);
  if (member == nullptr || !member->is_array()) return json_error(where, key, "must be an array");
  return member->get_ptr<const json::array_t*>();
}

}  // namespace sdv2
