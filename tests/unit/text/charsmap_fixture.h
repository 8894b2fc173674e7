// SPDX-License-Identifier: LGPL-2.1-or-later
// A hand-made character map with three rules: "a" → "x", "ab" → "yz", "a\xcc\x81" (a and an acute accent) →
// "\xc3\xa1".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sdv2 {

inline std::string small_charsmap() {
  constexpr uint32_t kLeaf = 1 << 8, kValue = 1u << 31;
  const auto node = [](uint32_t label, uint32_t offset) { return offset << 10 | label; };
  std::vector<uint32_t> units(1024, kValue);  // unused units: a label that equals no byte
  units[0] = node(0, 256);                    // the children of the root are at 256 ^ byte
  units[256 ^ 'a'] = node('a', 1) | kLeaf;  // base 352; its value is at the base, its children at 352 ^ byte
  units[352] = kValue | 0;
  units[352 ^ 'b'] = node('b', 768) | kLeaf;  // 258, base 514
  units[514] = kValue | 2;
  units[352 ^ 0xCC] = node(0xCC, 512);        // 428, base 940
  units[940 ^ 0x81] = node(0x81, 8) | kLeaf;  // 813, base 805
  units[805] = kValue | 5;
  std::string blob;
  const auto put = [&](uint32_t value) {
    for (int i = 0; i < 4; ++i) blob.push_back(static_cast<char>(value >> 8 * i));
  };
  put(static_cast<uint32_t>(units.size() * 4));
  for (const uint32_t unit : units) put(unit);
  return blob + std::string("x\0yz\0\xc3\xa1\0", 8);
}

}  // namespace sdv2
