// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading command lines by a table of options, each of which takes a value.
#pragma once

#include <charconv>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/quote.h"
#include "base/result.h"

namespace sdv2 {

inline Error wrong(std::string_view what, std::string_view value) {
  return {ErrorCode::kInvalidArgument, "must be " + std::string(what) + ", not " + quote(value)};
}

// `what` says in errors what is expected.
template <class T>
Result<T> number(std::string_view text, T least, T most, std::string_view what) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
    return wrong(what, text);
  return value;
}

struct PictureSize {
  int height = 0, width = 0;
};

// HxW, both multiples of 16.
inline Result<PictureSize> picture_size(std::string_view text, int least, int most, std::string_view what) {
  const size_t cross = text.find('x');
  if (cross == std::string_view::npos) return wrong(what, text);
  PictureSize size;
  SDV2_TRY(size.height, number(text.substr(0, cross), least, most, what));
  SDV2_TRY(size.width, number(text.substr(cross + 1), least, most, what));
  if (size.height % 16 != 0 || size.width % 16 != 0) return wrong(what, text);
  return size;
}

// Puts an option's value where it belongs. Errors say what is wrong with the value, without the option's
// name.
template <class Options>
using Setter = std::function<Result<void>(Options&, std::string_view)>;

template <class T, class Options, class Field>
Setter<Options> number_option(Field Options::*field, T least, T most, const char* what) {
  return [=](Options& options, std::string_view text) -> Result<void> {
    SDV2_TRY(options.*field, number<T>(text, least, most, what));
    return {};
  };
}

template <class Options>
struct OptionTable {
  std::map<std::string_view, bool Options::*> flags;  // take no value
  std::map<std::string_view, Setter<Options>> options;
};

// Both "--steps 2" and "--steps=2". At --help (or -h) it stops, with Options::help set.
template <class Options>
Result<Options> read_options(std::span<const char* const> arguments, const OptionTable<Options>& table) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (name == "--help" || name == "-h") {
      options.help = true;
      return options;
    }
    if (const auto flag = table.flags.find(name); flag != table.flags.end()) {
      options.*flag->second = true;
      continue;
    }
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const auto option = table.options.find(name);
    if (option == table.options.end())
      return Error{ErrorCode::kInvalidArgument, "unknown option " + quote(name) + "; see --help"};
    if (!value) {
      if (i + 1 == arguments.size())
        return Error{ErrorCode::kInvalidArgument, std::string(name) + " needs a value"};
      value = arguments[++i];
    }
    if (const auto set = option->second(options, *value); !set.ok())
      return Error{ErrorCode::kInvalidArgument, std::string(name) + " " + set.error().message};
  }
  return options;
}

}  // namespace sdv2
