// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the small weight files of the tests, good ones and ones that are wrong in one place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sdv2::test {

inline std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// `value` as `size` little-endian bytes.
inline std::string le(uint64_t value, size_t size) {
  std::string out;
  for (size_t i = 0; i < size; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return out;
}

inline std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto part : parts) out += part;
  return out;
}

// The bytes of numbers, as they lie in a file.
template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Length, header as given, data.
inline std::string safetensors(std::string_view header, std::string_view data) {
  return le(header.size(), 8) + std::string(header) + std::string(data);
}

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

inline std::string zip(const std::vector<ZipItem>& items, const ZipStyle& style = {}) {
  constexpr uint32_t kIn64 = 0xffffffff;
  std::string out;
  std::string directory;
  for (const auto& [name, data, method, flags, local_extra] : items) {
    const uint64_t local = out.size();
    const uint64_t size = data.size();
    const std::string numbers = join({le(method, 2), le(0, 4), le(0, 4)});  // method, time, checksum
    // A streamed file: the sizes in the local header are zero.
    out += join({"PK\x03\x04", le(20, 2), le(flags, 2), numbers, le(0, 8), le(name.size(), 2),
                 le(local_extra, 2), name, std::string(local_extra, 'p'), data});
    const std::string wide =
        join({le(0x7777, 2), le(3, 2), "abc", le(1, 2), le(24, 2), le(size, 8), le(size, 8), le(local, 8)});
    const std::string_view extra = style.zip64 ? wide : std::string_view();
    const uint64_t narrow = style.zip64 ? kIn64 : size;
    directory += join({"PK\x01\x02", le(20, 2), le(20, 2), le(flags, 2), numbers, le(narrow, 4),
                       le(narrow, 4), le(name.size(), 2), le(extra.size(), 2), le(0, 10),
                       le(style.zip64 ? kIn64 : local, 4), name, extra});
  }
  const uint64_t begin = out.size();
  out += directory;
  const uint64_t count = items.size();
  if (style.zip64) {
    const uint64_t end64 = out.size();
    out += "PK\x06\x06" + le(44, 8) + le(45, 2) + le(45, 2) + le(0, 8) + le(count, 8) + le(count, 8) +
           le(directory.size(), 8) + le(begin, 8);
    out += "PK\x06\x07" + le(0, 4) + le(end64, 8) + le(1, 4);
    out += "PK\x05\x06" + le(0, 4) + le(0xffff, 2) + le(0xffff, 2) + le(kIn64, 4) + le(kIn64, 4);
  } else {
    out += "PK\x05\x06" + le(0, 4) + le(count, 2) + le(count, 2) + le(directory.size(), 4) + le(begin, 4);
  }
  return out + le(style.comment.size(), 2) + style.comment;
}

// Overwrites bytes from `at` on.
inline std::string patched(std::string bytes, size_t at, std::string_view replacement) {
  return bytes.replace(at, replacement.size(), replacement);
}

// Pieces of pickles (protocol 2). A whole one is kProto + … + ".".
inline const std::string kProto = "\x80\x02";

inline std::string pickle_string(std::string_view text) {
  return "X" + le(text.size(), 4) + std::string(text);
}

inline std::string pickle_int(int32_t value) { return "J" + le(static_cast<uint32_t>(value), 4); }

// A tuple.
inline std::string pickle_ints(const std::vector<int32_t>& values) {
  std::string out = "(";
  for (const int32_t value : values) out += pickle_int(value);
  return out + "t";
}

inline std::string pickle_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

inline std::string pickle_storage(std::string_view type, std::string_view key, int32_t count) {
  return "(" + pickle_string("storage") + pickle_global("torch", type) + pickle_string(key) +
         pickle_string("cpu") + pickle_int(count) + "tQ";
}

// A tensor of _rebuild_tensor_v2.
inline std::string pickle_tensor(const std::string& storage, int32_t offset, const std::vector<int32_t>& size,
                                 const std::vector<int32_t>& stride) {
  return pickle_global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + pickle_int(offset) +
         pickle_ints(size) + pickle_ints(stride) + "\x89" + pickle_global("collections", "OrderedDict") +
         ")RtR";
}

// A dict; values are pieces.
inline std::string pickle_dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += pickle_string(key) + value;
  return out + "u";
}

// An archive like torch.save's: the pickle, and storages "0", "1", ….
inline std::string checkpoint(const std::string& pickle, const std::vector<std::string>& storages,
                              const ZipStyle& style = {}) {
  std::vector<ZipItem> items = {{"archive/data.pkl", pickle}, {"archive/byteorder", "little"}};
  for (size_t i = 0; i < storages.size(); ++i)
    items.push_back(
        {"archive/data/" + std::to_string(i), storages[i], 0, 0x0808, static_cast<uint16_t>(13 + i)});
  items.push_back({"archive/version", "3\n"});
  return zip(items, style);
}

}  // namespace sdv2::test
