// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/piece_trie.h"

#include <algorithm>

namespace sdv2 {

PieceTrie::PieceTrie(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.text.empty(); });
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.text < b.text; });
  // std::unique keeps the first of equals, so it runs from the back.
  const auto kept = std::unique(entries_.rbegin(), entries_.rend(),
                                [](const Entry& a, const Entry& b) { return a.text == b.text; });
  entries_.erase(entries_.begin(), kept.base());
}

std::optional<int32_t> PieceTrie::find(std::string_view text) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), text,
                       [](const Entry& entry, std::string_view wanted) { return entry.text < wanted; });
  if (found == entries_.end() || found->text != text) return std::nullopt;
  return found->value;
}

PieceTrie::Range PieceTrie::narrow(Range range, size_t depth, char byte) const {
  const auto wanted = static_cast<uint8_t>(byte);
  // -1 for an entry that ends before this byte.
  const auto at_depth = [&](const Entry& entry) {
    return entry.text.size() <= depth ? -1 : static_cast<int>(static_cast<uint8_t>(entry.text[depth]));
  };
  const auto begin = entries_.begin();
  const auto first = std::partition_point(begin + static_cast<ptrdiff_t>(range.first),
                                          begin + static_cast<ptrdiff_t>(range.last),
                                          [&](const Entry& entry) { return at_depth(entry) < wanted; });
  const auto last = std::partition_point(first, begin + static_cast<ptrdiff_t>(range.last),
                                         [&](const Entry& entry) { return at_depth(entry) == wanted; });
  return {static_cast<size_t>(first - begin), static_cast<size_t>(last - begin)};
}

}  // namespace sdv2
