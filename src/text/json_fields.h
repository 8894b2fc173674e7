// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading members of JSON objects that are not trusted: a missing or mistyped member is an error that says
// where.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"

namespace sdv2 {

// An error about the member `key` of the object that `where` names ("normalizer[1]").
Error json_error(const std::string& where, const char* key, const std::string& what);

// The member, or nullptr when it is missing or null. `object` may be of any type.
const nlohmann::json* json_member(const nlohmann::json& object, const char* key);

// A member that must be there (a value without a default), or that has a default when it is missing or null.
Result<std::string> json_string(const nlohmann::json& object, const char* key, const std::string& where);
Result<bool> json_bool(const nlohmann::json& object, const char* key, const std::string& where,
                       std::optional<bool> fallback = std::nullopt);
// An id: 0 … 2^31 - 1.
Result<int32_t> json_id(const nlohmann::json& object, const char* key, const std::string& where);
// Points into `object`.
Result<const nlohmann::json::array_t*> json_array(const nlohmann::json& object, const char* key,
                                                  const std::string& where);

}  // namespace sdv2
