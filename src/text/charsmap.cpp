// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/charsmap.h"

namespace sdv2 {
namespace {

// A unit of the double array: what one node of the trie holds (github.com/s-yata/darts-clone).
struct Unit {
  uint32_t bits;

  bool has_leaf() const { return (bits >> 8 & 1) != 0; }
  uint32_t value() const { return bits & 0x7FFFFFFF; }
  // The byte that leads to this node. Leaves have the top bit set, so that they equal no byte.
  uint32_t label() const { return bits & 0x800000FF; }
  uint32_t offset() const { return bits >> 10 << (bits >> 6 & 8); }
};

uint32_t read_u32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << 8 * i;
  return value;
}

// The longest replacement of the standard rules has 18 characters. A limit keeps a hostile map from blowing
// up a prompt.
constexpr size_t kMaxReplacement = 1024;

}  // namespace

Result<CharsMap> CharsMap::parse(std::string_view blob) {
  const auto corrupt = [](std::string what) {
    return Error{ErrorCode::kCorrupt, "character map: " + std::move(what)};
  };
  if (blob.size() < 4)
    return corrupt("it has " + std::to_string(blob.size()) + " bytes, too few for a header");
  const size_t trie_bytes = read_u32(blob, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size() - 4)
    return corrupt("a trie of " + std::to_string(trie_bytes) + " bytes does not fit into " +
                   std::to_string(blob.size()) + " bytes");
  CharsMap map;
  map.units_.reserve(trie_bytes / 4);
  for (size_t at = 4; at < 4 + trie_bytes; at += 4) map.units_.push_back(read_u32(blob, at));
  map.replacements_ = blob.substr(4 + trie_bytes);
  map.replacements_.push_back('\0');
  for (size_t first = 0; first < map.replacements_.size();) {
    const size_t end = map.replacements_.find('\0', first);
    if (end - first > kMaxReplacement)
      return corrupt("the replacement at byte " + std::to_string(first) + " is longer than " +
                     std::to_string(kMaxReplacement) + " bytes");
    first = end + 1;
  }
  return map;
}

std::optional<CharsMap::Match> CharsMap::search(std::string_view text, bool longest) const {
  std::optional<Match> match;
  uint32_t node = Unit{units_[0]}.offset();
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    node ^= byte;
    // No rule holds a zero byte, but the root and unused units have that label.
    if (byte == 0 || node >= units_.size() || Unit{units_[node]}.label() != byte) break;
    const Unit unit{units_[node]};
    node ^= unit.offset();
    if (!unit.has_leaf()) continue;
    if (node >= units_.size()) break;
    const auto replacement = replacement_at(Unit{units_[node]}.value());
    if (!replacement) break;
    match = Match{i + 1, *replacement};
    if (!longest) break;
  }
  return match;
}

std::optional<std::string_view> CharsMap::replacement_at(uint32_t offset) const {
  if (offset >= replacements_.size()) return std::nullopt;
  return std::string_view(replacements_.c_str() + offset);
}

}  // namespace sdv2
