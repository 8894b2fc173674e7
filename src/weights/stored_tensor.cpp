// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/stored_tensor.h"

#include <algorithm>
#include <limits>

#include "base/quote.h"

namespace sdv2 {

std::optional<int64_t> element_count(std::span<const int64_t> shape) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max() / 8;
  int64_t count = 1;
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) empty = true;
    if (dim > 1 && count > kMax / dim) return std::nullopt;
    count *= std::max<int64_t>(dim, 1);
  }
  return empty ? 0 : count;
}

std::string shape_to_string(std::span<const int64_t> shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? "," : "") + std::to_string(shape[i]);
  return out + "]";
}

Result<void> check_tensor_key(std::string_view key, std::string_view where) {
  const bool controls =
      std::any_of(key.begin(), key.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; });
  if (!key.empty() && key.size() <= kMaxKeyBytes && !controls && is_utf8(key)) return {};
  return Error{ErrorCode::kCorrupt,
               std::string(where) + ": " + quote(key) + " cannot be the name of a tensor"};
}

}  // namespace sdv2
