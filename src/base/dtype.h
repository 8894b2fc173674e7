// SPDX-License-Identifier: LGPL-2.1-or-later
// Element types of stored tensors, without torch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sdv2 {

enum class DType : uint8_t { kF64, kF32, kF16, kBF16, kF8E4M3, kF8E5M2, kI64, kI32, kI16, kI8, kU8, kBool };

// Bytes of one element.
constexpr int64_t size_of(DType type) {
  switch (type) {
    case DType::kF64:
    case DType::kI64:
      return 8;
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
      return 2;
    default:
      return 1;
  }
}

// The name that safetensors files use ("BF16").
constexpr const char* to_string(DType type) {
  constexpr const char* kNames[] = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2",
                                    "I64", "I32", "I16", "I8",   "U8",      "BOOL"};
  return kNames[static_cast<int>(type)];
}

// Inverse of to_string; nothing for an unknown name.
constexpr std::optional<DType> parse_dtype(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i)
    if (name == to_string(static_cast<DType>(i))) return static_cast<DType>(i);
  return std::nullopt;
}

}  // namespace sdv2
