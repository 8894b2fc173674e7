// SPDX-License-Identifier: LGPL-2.1-or-later
// A set of strings with values, searched for the members that a text begins with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sdv2 {

// A sorted array that is searched like a trie, byte by byte. Immutable, so any thread may search.
class PieceTrie {
 public:
  struct Entry {
    std::string text;
    int32_t value = 0;
  };

  PieceTrie() = default;
  // Of entries with equal text the last one counts; entries with an empty text are left out.
  explicit PieceTrie(std::vector<Entry> entries);

  bool empty() const { return entries_.empty(); }
  std::optional<int32_t> find(std::string_view text) const;

  // Calls visit(length, value) for every entry that `text` begins with, shortest first.
  template <class Visit>
  void for_each_prefix(std::string_view text, Visit visit) const {
    Range range{0, entries_.size()};
    for (size_t length = 1; length <= text.size(); ++length) {
      range = narrow(range, length - 1, text[length - 1]);
      if (range.first == range.last) return;
      // The entry that ends here sorts before those that go on.
      if (entries_[range.first].text.size() == length) visit(length, entries_[range.first].value);
    }
  }

 private:
  struct Range {
    size_t first;
    size_t last;
  };
  // The entries of `range` (which agree in the bytes before `depth`) whose byte at `depth` is `byte`.
  Range narrow(Range range, size_t depth, char byte) const;

  std::vector<Entry> entries_;
};

}  // namespace sdv2
