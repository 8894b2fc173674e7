// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the small weight files of the tests, good ones and ones that are wrong in one place.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sdv2::test {

inline std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// `value` as `size` little-endian bytes.
std::string le(uint64_t value, size_t size);

// The bytes of numbers, as they lie in a file.
template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Length, header as given, data.
std::string safetensors(std::string_view header, std::string_view data);

struct ZipItem {
  std::string name;
  std::string data;
  uint16_t method = 0;
  uint16_t flags = 0;
  uint16_t local_extra = 0;  // bytes of padding in the local header
};

struct ZipStyle {
  bool zip64 = false;  // every number that may stand in a 64-bit field stands there
  std::string comment;
};

std::string zip(const std::vector<ZipItem>& items, const ZipStyle& style = {});

// Overwrites bytes; `from` counts from the end when it is negative.
std::string patched(std::string bytes, int64_t from, std::string_view replacement);

// Pieces of pickles (protocol 2). A whole one is kProto + … + ".".
inline const std::string kProto = "\x80\x02";
std::string pickle_string(std::string_view text);
std::string pickle_int(int32_t value);
std::string pickle_ints(const std::vector<int32_t>& values);  // a tuple
std::string pickle_global(std::string_view module, std::string_view name);
std::string pickle_storage(std::string_view type, std::string_view key, int32_t count);
// A tensor of _rebuild_tensor_v2.
std::string pickle_tensor(const std::string& storage, int32_t offset, const std::vector<int32_t>& size,
                          const std::vector<int32_t>& stride);
// A dict; values are pieces.
std::string pickle_dict(const std::vector<std::pair<std::string, std::string>>& items);

// An archive like torch.save's: the pickle, and storages "0", "1", ….
std::string checkpoint(const std::string& pickle, const std::vector<std::string>& storages,
                       const ZipStyle& style = {});

}  // namespace sdv2::test
