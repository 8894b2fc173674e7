// SPDX-License-Identifier: LGPL-2.1-or-later
// A tensor as it lies in a file. Every reader of a file format turns a file into a list of these, checked
// against the file's size; whoever holds one may read its bytes without further checks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"

namespace sdv2 {

struct StoredTensor {
  std::string key;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  // In elements, one for each dimension, not negative; empty = contiguous, row-major.
  std::vector<int64_t> strides;
  uint64_t offset = 0;  // byte in the file of the first element; any alignment
  uint64_t extent =
      0;  // bytes from the first element to behind the last one in memory order; 0 for an empty tensor
};

// Bounds on what a file may ask for, far above what any model needs.
constexpr size_t kMaxTensors = 65'536;  // in one file
constexpr size_t kMaxRank = 16;
constexpr size_t kMaxKeyBytes = 4'096;

// Elements of a shape, or nothing when a dimension is negative or elements × 8 bytes leaves int64 (counted
// with 1 for each 0, so that strides can be computed for every accepted shape).
std::optional<int64_t> element_count(std::span<const int64_t> shape);

// "[2,3]", for messages.
std::string shape_to_string(std::span<const int64_t> shape);

// Whether a key is fit to be a tensor's name: not empty, at most kMaxKeyBytes of UTF-8 without control
// characters.
Result<void> check_tensor_key(std::string_view key, std::string_view where);

}  // namespace sdv2
