// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.h"

#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/quote.h"

namespace sdv2 {
namespace {

using nlohmann::json;

Error corrupt(std::string_view where, const std::string& what) {
  return {ErrorCode::kCorrupt, std::string(where) + ": " + what};
}

// One pass over the text that measures it, so that nothing is allocated for a text that is out of bounds. It
// need not understand JSON: quotes, brackets and commas outside of strings are enough for upper bounds.
Result<void> check_limits(std::string_view text, std::string_view where, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    return corrupt(where, "JSON text of " + std::to_string(text.size()) + " bytes, at most " +
                              std::to_string(limits.max_bytes) + " are accepted");
  const auto at = [](size_t offset) { return " at byte " + std::to_string(offset); };
  size_t depth = 0;
  size_t values = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        if (++depth > limits.max_depth)
          return corrupt(where,
                         "JSON nested deeper than " + std::to_string(limits.max_depth) + " levels" + at(i));
        ++values;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      case ',':
      case ':':
        ++values;
        break;
      case '"': {
        const size_t begin = i;
        for (++i; i < text.size() && text[i] != '"'; ++i)
          if (text[i] == '\\') ++i;
        if (i - begin - 1 > limits.max_string)
          return corrupt(
              where, "JSON string longer than " + std::to_string(limits.max_string) + " bytes" + at(begin));
        break;
      }
      default:
        break;
    }
    if (values > limits.max_values)
      return corrupt(where, "JSON with more than " + std::to_string(limits.max_values) + " values" + at(i));
  }
  return {};
}

// Builds the document from the parser's events. nlohmann's own builder would keep the last of two equal keys.
class Builder : public nlohmann::json_sax<json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not part of JSON text
  bool start_object(size_t) override { return open(json::value_t::object); }
  bool start_array(size_t) override { return open(json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [slot, is_new] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!is_new) problem_ = "key " + quote(name) + " appears twice in one object";
    slot_ = &slot->second;
    return is_new;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 7: syntax error ..." without its
    // number.
    std::string_view text = error.what();
    if (const size_t end = text.find("] "); end != text.npos) text.remove_prefix(end + 2);
    problem_ = "not valid JSON at byte " + std::to_string(position) + ": " + std::string(text.substr(0, 300));
    for (char& c : problem_)
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
    return false;
  }

  json take_root() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  json* place(json value) {
    json* target = &root_;
    if (!open_.empty()) {
      if (open_.back()->is_array()) {
        auto& array = open_.back()->get_ref<json::array_t&>();
        array.push_back(std::move(value));
        return &array.back();
      }
      target = slot_;
    }
    *target = std::move(value);
    return target;
  }
  bool add(json value) { return place(std::move(value)), true; }
  bool open(json::value_t type) { return open_.push_back(place(json(type))), true; }
  bool close() { return open_.pop_back(), true; }

  json root_;
  std::vector<json*>
      open_;  // the objects and arrays around the current place; stable while their children are filled
  json* slot_ = nullptr;  // where the value of the last key goes
  std::string problem_;
};

}  // namespace

Result<json> parse_json(std::string_view text, std::string_view where, const JsonLimits& limits) {
  SDV2_CHECK(check_limits(text, where, limits));
  Builder builder;
  if (!json::sax_parse(text.begin(), text.end(), &builder)) return corrupt(where, builder.problem());
  return builder.take_root();
}

Result<json> read_json_file(const std::filesystem::path& path, const JsonLimits& limits) {
  SDV2_TRY(const MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), limits);
}

}  // namespace sdv2
