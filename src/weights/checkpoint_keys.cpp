// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/checkpoint_keys.h"

namespace sdv2 {
namespace {

constexpr std::array<std::string_view, 3> kInfixes = {"_fsdp_wrapped_module.", "_checkpoint_wrapped_module.",
                                                      "_orig_mod."};
constexpr std::array<std::string_view, 2> kPrefixes = {"module.", "model."};

}  // namespace

std::string strip_wrappers(std::string_view key) {
  std::string name(key);
  for (const auto infix : kInfixes)
    for (size_t at = name.find(infix); at != name.npos; at = name.find(infix, at))
      name.erase(at, infix.size());
  for (const auto prefix : kPrefixes)
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  return name;
}

}  // namespace sdv2
