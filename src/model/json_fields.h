// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the fields of one JSON object with exact types. The first fault is kept and told with its place.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// Use: construct, read fields in any order, ask for the result. A read after a fault does nothing.
class JsonFields {
 public:
  // `where` names the file, `path` the object in it ("dit", or "" for the whole document). Anything but an
  // object is a fault. The JSON value must outlive this.
  JsonFields(const nlohmann::json& object, std::string where, std::string path);

  // A field that must be there, or may be left out (`target` keeps its value). Integers must be written
  // without a fraction; a double may be written as an integer.
  template <class T>
  void required(const char* key, T& target) {
    read(key, target, true);
  }
  template <class T>
  void optional(const char* key, T& target) {
    read(key, target, false);
  }

  // The value of a key for another reader, nullptr when it is not there.
  const nlohmann::json* child(const char* key);

  // A fault that the caller found in `key`.
  void fail(const char* key, const std::string& what);

  // Faults so far; with `reject_unknown` a key that was never asked for is one too.
  Result<void> result(bool reject_unknown) const;

 private:
  void read(const char* key, int64_t& target, bool required);
  void read(const char* key, double& target, bool required);
  void read(const char* key, bool& target, bool required);
  void read(const char* key, std::string& target, bool required);
  void read(const char* key, std::vector<int64_t>& target, bool required);
  void read(const char* key, std::array<int64_t, 4>& target, bool required);

  const nlohmann::json* find(const char* key, bool required);
  std::string full_name(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  const nlohmann::json& object_;
  std::string where_;
  std::string path_;
  std::vector<std::string> asked_;
  std::optional<Error> fault_;
};

}  // namespace sdv2
