// SPDX-License-Identifier: LGPL-2.1-or-later
// What must hold for every list of tensors that a reader hands out, whatever the file.
#pragma once

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "weights/strided_copy.h"

namespace sdv2::fuzz {

inline void require(bool condition) {
  if (!condition) std::abort();
}

// Every byte of every tensor lies in the file (touching them under ASan proves it), and no name appears
// twice.
inline void check_tensors(const std::vector<StoredTensor>& tensors, std::span<const uint8_t> file) {
  constexpr int64_t kMaxCopied = int64_t{1} << 20;  // elements in one run of the fuzzer: keeps it quick
  std::set<std::string_view> keys;
  int64_t copied = 0;
  for (const auto& tensor : tensors) {
    require(keys.insert(tensor.key).second);
    require(tensor.extent <= file.size() && tensor.offset <= file.size() - tensor.extent);
    require(tensor.strides.empty() || tensor.strides.size() == tensor.shape.size());
    const auto count = element_count(tensor.shape);
    require(count.has_value());
    if (tensor.strides.empty()) {
      require(tensor.extent == static_cast<uint64_t>(*count * size_of(tensor.dtype)));
    } else if ((copied += *count) <= kMaxCopied) {
      std::vector<uint8_t> out(static_cast<size_t>(*count * size_of(tensor.dtype)));
      gather_strided(tensor, file, out.data());
    }
  }
}

}  // namespace sdv2::fuzz
