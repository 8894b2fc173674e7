// SPDX-License-Identifier: LGPL-2.1-or-later
// The safetensors file format: u64 little-endian N, N bytes of JSON, then the tensors' bytes.
// https://huggingface.co/docs/safetensors
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/stored_tensor.h"

namespace sdv2 {

constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes of JSON, the format's own limit

// Reads the header of a whole file and checks every entry against it: known dtype, end − begin = elements ×
// size, inside the file, no two tensors overlapping, no name twice. Bytes that belong to no tensor are
// allowed. The result is in the order of the data. `where` (the file) begins error messages. Errors:
// kCorrupt.
Result<std::vector<StoredTensor>> parse_safetensors(std::span<const uint8_t> file, std::string_view where);

struct TensorHeader {
  std::string key;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
};

// Everything that stands in front of the data (length, JSON, spaces up to a multiple of 8 bytes) of a file
// that holds these tensors one after the other without gaps. Errors: kInvalidArgument (a name that is unfit,
// taken twice or "__metadata__", an impossible shape).
Result<std::string> make_safetensors_header(std::span<const TensorHeader> tensors,
                                            const std::map<std::string, std::string>& metadata,
                                            std::string_view where);

}  // namespace sdv2
