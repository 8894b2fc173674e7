// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/safetensors_format.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/byte_reader.h"
#include "base/json.h"
#include "base/quote.h"

namespace sdv2 {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr size_t kLengthBytes = 8;

Error corrupt(std::string_view where, const std::string& what) {
  return {ErrorCode::kCorrupt, std::string(where) + ": " + what};
}

// A member of an entry that must be an array of non-negative integers.
Result<std::vector<int64_t>> parse_integers(const json& entry, const char* member, size_t max_count,
                                            std::string_view where) {
  const auto found = entry.find(member);
  if (found == entry.end()) return corrupt(where, std::string("has no '") + member + "'");
  if (!found->is_array() || found->size() > max_count)
    return corrupt(where, std::string("'") + member + "' is not a list of at most " +
                              std::to_string(max_count) + " numbers");
  std::vector<int64_t> values;
  for (const auto& item : *found) {
    const auto* const value = item.get_ptr<const json::number_unsigned_t*>();
    if (value == nullptr || *value > static_cast<uint64_t>(INT64_MAX))
      return corrupt(
          where, std::string("'") + member + "' holds something else than whole numbers from 0 to 2^63-1");
    values.push_back(static_cast<int64_t>(*value));
  }
  return values;
}

// One tensor's entry; `where` names file and tensor. `data` is the byte of the file where the data begin.
Result<StoredTensor> parse_entry(const std::string& key, const json& entry, uint64_t data, uint64_t file_size,
                                 std::string_view where) {
  if (!entry.is_object()) return corrupt(where, "its entry in the header is not an object");
  const auto type_name = entry.find("dtype");
  if (type_name == entry.end() || !type_name->is_string()) return corrupt(where, "has no 'dtype'");
  const auto dtype = parse_dtype(type_name->get_ref<const std::string&>());
  if (!dtype) return corrupt(where, "unknown dtype " + quote(type_name->get_ref<const std::string&>()));

  StoredTensor tensor;
  tensor.key = key;
  tensor.dtype = *dtype;
  SDV2_TRY(tensor.shape, parse_integers(entry, "shape", kMaxRank, where));
  SDV2_TRY(const auto offsets, parse_integers(entry, "data_offsets", 2, where));
  if (offsets.size() != 2) return corrupt(where, "'data_offsets' does not hold two numbers");
  const auto count = element_count(tensor.shape);
  if (!count) return corrupt(where, "impossible shape " + shape_to_string(tensor.shape));
  const auto [begin, end] = std::pair(static_cast<uint64_t>(offsets[0]), static_cast<uint64_t>(offsets[1]));
  const auto bytes = static_cast<uint64_t>(*count * size_of(*dtype));
  if (begin > end || end - begin != bytes)
    return corrupt(where, "bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                              " do not fit shape " + shape_to_string(tensor.shape) + " of " +
                              to_string(*dtype) + " (" + std::to_string(bytes) + " bytes)");
  if (end > file_size - data)
    return corrupt(where, "data end at byte " + std::to_string(end) + " behind the header, the file at " +
                              std::to_string(file_size - data) + "; is it truncated?");
  tensor.offset = data + begin;
  tensor.extent = bytes;
  return tensor;
}

// Rules for __metadata__: an object of strings.
Result<void> check_metadata(const json& metadata, std::string_view where) {
  bool good = metadata.is_object();
  for (auto item = metadata.begin(); good && item != metadata.end(); ++item) good = item->is_string();
  if (!good) return corrupt(where, "__metadata__ is not an object of strings");
  return {};
}

}  // namespace

Result<std::vector<StoredTensor>> parse_safetensors(std::span<const uint8_t> file, std::string_view where) {
  if (file.size() < kLengthBytes)
    return corrupt(where, "shorter than the 8 bytes that begin a safetensors file");
  const uint64_t header_bytes = *load_le<uint64_t>(file, 0);
  if (header_bytes > kMaxSafetensorsHeader || header_bytes > file.size() - kLengthBytes)
    return corrupt(where,
                   "neither an archive of torch.save nor a safetensors file, or truncated: as safetensors it "
                   "claims a header of " +
                       std::to_string(header_bytes) + " bytes");
  const auto header = file.subspan(kLengthBytes, header_bytes);
  if (header.empty() || header[0] != '{')
    return corrupt(where, "the safetensors header does not begin with '{'");

  constexpr JsonLimits kLimits = {.max_bytes = kMaxSafetensorsHeader,
                                  .max_depth = 4,
                                  .max_values = kMaxTensors * 16,
                                  .max_string = 16'000'000};
  SDV2_TRY(const json root, parse_json({reinterpret_cast<const char*>(header.data()), header.size()},
                                       std::string(where) + ", header", kLimits));
  std::vector<StoredTensor> tensors;
  for (const auto& [key, entry] : root.items()) {
    if (key == kMetadata) {
      SDV2_CHECK(check_metadata(entry, where));
      continue;
    }
    SDV2_CHECK(check_tensor_key(key, where));
    if (tensors.size() == kMaxTensors)
      return corrupt(where, "more than " + std::to_string(kMaxTensors) + " tensors");
    SDV2_TRY(auto tensor, parse_entry(key, entry, kLengthBytes + header_bytes, file.size(),
                                      std::string(where) + ": tensor " + quote(key)));
    tensors.push_back(std::move(tensor));
  }

  // An empty tensor lies nowhere; it sorts before a neighbour that begins at the same byte.
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::pair(a.offset, a.extent) < std::pair(b.offset, b.extent);
  });
  const StoredTensor* previous = nullptr;
  for (const auto& tensor : tensors) {
    if (tensor.extent == 0) continue;
    if (previous != nullptr && previous->offset + previous->extent > tensor.offset)
      return corrupt(where, "tensors " + quote(previous->key) + " and " + quote(tensor.key) + " overlap");
    previous = &tensor;
  }
  return tensors;
}

Result<std::string> make_safetensors_header(std::span<const TensorHeader> tensors,
                                            const std::map<std::string, std::string>& metadata,
                                            std::string_view where) {
  const auto invalid = [&](const std::string& key, const char* what) {
    return Error{ErrorCode::kInvalidArgument, std::string(where) + ": tensor " + quote(key) + ": " + what};
  };
  const auto text = [](const std::string& value) {
    return json(value).dump(-1, ' ', false, json::error_handler_t::replace);
  };

  std::string body = "{";
  if (!metadata.empty()) {
    body += "\"" + std::string(kMetadata) + "\":{";
    for (const char* comma = ""; const auto& [name, value] : metadata) {
      body += comma + text(name) + ":" + text(value);
      comma = ",";
    }
    body += "}";
  }
  std::unordered_set<std::string_view> seen;
  uint64_t offset = 0;
  for (const auto& [key, dtype, shape] : tensors) {
    if (!check_tensor_key(key, where).ok() || key == kMetadata) return invalid(key, "unfit name");
    if (!seen.insert(key).second) return invalid(key, "two tensors of this name");
    const auto count = element_count(shape);
    if (!count || shape.size() > kMaxRank) return invalid(key, "impossible shape");
    const auto bytes = static_cast<uint64_t>(*count * size_of(dtype));
    if (bytes > static_cast<uint64_t>(INT64_MAX) - offset) return invalid(key, "the file would be too large");
    body += (body.size() > 1 ? "," : "") + text(key) + ":{\"dtype\":\"" + to_string(dtype) +
            "\",\"shape\":" + shape_to_string(shape) + ",\"data_offsets\":[" + std::to_string(offset) + "," +
            std::to_string(offset + bytes) + "]}";
    offset += bytes;
  }
  body += "}";
  body.resize((body.size() + 7) / 8 * 8, ' ');
  if (body.size() > kMaxSafetensorsHeader || tensors.size() > kMaxTensors)
    return Error{ErrorCode::kInvalidArgument, std::string(where) + ": too many tensors for one file"};

  std::string header(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) header[i] = static_cast<char>(body.size() >> (8 * i));
  return header + body;
}

}  // namespace sdv2
