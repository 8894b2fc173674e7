// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/zip_directory.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/byte_reader.h"
#include "base/quote.h"

namespace sdv2 {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kLocator64Bytes = 20;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kMaxComment = 0xffff;
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kEncryptedFlags = 0x0001 | 0x0040 | 0x2000;
constexpr uint16_t kStored = 0;
constexpr uint64_t kMaxEntries = 1'000'000;  // a checkpoint has about one for each tensor

Error corrupt(std::string_view where, const std::string& what) {
  return {ErrorCode::kCorrupt, std::string(where) + ": " + what};
}

Error unsupported(std::string_view where, const std::string& what) {
  return {ErrorCode::kUnsupported, std::string(where) + ": " + what};
}

uint16_t u16(Bytes bytes, uint64_t offset) { return load_le<uint16_t>(bytes, offset).value_or(0); }
uint32_t u32(Bytes bytes, uint64_t offset) { return load_le<uint32_t>(bytes, offset).value_or(0); }
uint64_t u64(Bytes bytes, uint64_t offset) { return load_le<uint64_t>(bytes, offset).value_or(0); }

// Whether [offset, offset + size) lies before `end`.
bool fits(uint64_t offset, uint64_t size, uint64_t end) { return size <= end && offset <= end - size; }

// Where the central directory lies, and how many entries it has.
struct Directory {
  uint64_t entries = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
};

// The end record is the last thing in the file but for a comment whose length it tells.
std::optional<uint64_t> find_end(Bytes file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const uint64_t last = file.size() - kEndBytes;
  const uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (u32(file, at) == kEndSignature && u16(file, at + 20) == last - at) return at;
  return std::nullopt;
}

Result<Directory> find_directory(Bytes file, std::string_view where) {
  const auto end = find_end(file);
  if (!end) return corrupt(where, "the zip archive has no end of central directory; is the file truncated?");
  Directory directory = {u16(file, *end + 10), u32(file, *end + 12), u32(file, *end + 16)};
  uint64_t behind = *end;  // where the directory must have ended
  const bool has_locator =
      *end >= kLocator64Bytes && u32(file, *end - kLocator64Bytes) == kLocator64Signature;
  if (has_locator) {
    const uint64_t at = u64(file, *end - kLocator64Bytes + 8);
    if (!fits(at, kEnd64Bytes, *end - kLocator64Bytes) || u32(file, at) != kEnd64Signature)
      return corrupt(where, "the zip archive's 64-bit end record is not where its locator says");
    const Directory wide = {u64(file, at + 32), u64(file, at + 40), u64(file, at + 48)};
    // Two records that disagree make a file that different readers see differently.
    const auto agrees = [](uint64_t narrow, uint64_t wide_value, uint64_t saturated) {
      return narrow == saturated || narrow == wide_value;
    };
    if (!agrees(directory.entries, wide.entries, 0xffff) || !agrees(directory.size, wide.size, 0xffffffff) ||
        !agrees(directory.offset, wide.offset, 0xffffffff))
      return corrupt(where, "the zip archive's end records contradict each other");
    if (u32(file, at + 16) != 0 || u32(file, at + 20) != 0 || u64(file, at + 24) != wide.entries)
      return unsupported(where, "the zip archive is one part of several");
    directory = wide;
    behind = at;
  } else if (u16(file, *end + 4) != 0 || u16(file, *end + 6) != 0 ||
             u16(file, *end + 8) != directory.entries) {
    return unsupported(where, "the zip archive is one part of several");
  }
  if (!fits(directory.offset, directory.size, behind) || directory.entries > directory.size / kCentralBytes)
    return corrupt(where, "the zip archive's central directory lies outside the file");
  if (directory.entries > kMaxEntries)
    return corrupt(where, "the zip archive has more than " + std::to_string(kMaxEntries) + " entries");
  return directory;
}

// What a central directory header tells of an entry; numbers that do not fit 32 bits stand in the Zip64 extra
// field.
struct Central {
  uint64_t packed = 0;
  uint64_t size = 0;
  uint64_t local = 0;  // offset of the local header
};

Result<Central> read_numbers(Bytes header, Bytes extra, std::string_view where) {
  Central numbers = {u32(header, 20), u32(header, 24), u32(header, 42)};
  if (numbers.size != 0xffffffff && numbers.packed != 0xffffffff && numbers.local != 0xffffffff)
    return numbers;
  for (uint64_t at = 0; fits(at, 4, extra.size());) {
    const uint64_t length = u16(extra, at + 2);
    if (!fits(at + 4, length, extra.size())) break;
    if (u16(extra, at) == kZip64Extra) {
      const Bytes field = extra.subspan(at + 4, length);
      uint64_t next = 0;
      for (uint64_t* const number : {&numbers.size, &numbers.packed, &numbers.local}) {
        if (*number != 0xffffffff) continue;
        const auto wide = load_le<uint64_t>(field, next);
        if (!wide) return corrupt(where, "its Zip64 field is too short");
        *number = *wide;
        next += 8;
      }
      return numbers;
    }
    at += 4 + length;
  }
  return corrupt(where, "its Zip64 field is missing");
}

// The entry of a central header, its data found through the local header. `data_end`: where the directory
// begins.
Result<ZipEntry> read_entry(Bytes file, Bytes header, Bytes extra, std::string_view name, uint64_t data_end,
                            std::string_view where) {
  SDV2_TRY(const auto numbers, read_numbers(header, extra, where));
  if ((u16(header, 8) & kEncryptedFlags) != 0) return unsupported(where, "is encrypted");
  if (u16(header, 10) != kStored)
    return unsupported(where, "is compressed; save the checkpoint anew with torch.save, which stores");
  if (numbers.packed != numbers.size) return corrupt(where, "is stored, but its two sizes differ");
  if (!fits(numbers.local, kLocalBytes, data_end) || u32(file, numbers.local) != kLocalSignature)
    return corrupt(where, "has no local header at byte " + std::to_string(numbers.local));
  const uint64_t name_bytes = u16(file, numbers.local + 26);
  const uint64_t behind_header = kLocalBytes + name_bytes + u16(file, numbers.local + 28);
  // Sizes and checksum in the local header are zero in a file that was written as a stream; the name never
  // is.
  if (!fits(numbers.local, behind_header, data_end) || u16(file, numbers.local + 8) != kStored ||
      !std::ranges::equal(file.subspan(numbers.local + kLocalBytes, name_bytes), name,
                          [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }))
    return corrupt(where, "its local header contradicts the directory");
  if (!fits(numbers.local + behind_header, numbers.size, data_end))
    return corrupt(where, "reaches beyond the archive's data; is the file truncated?");
  return ZipEntry{std::string(name), numbers.local + behind_header, numbers.size};
}

Result<void> check_overlap(const std::vector<ZipEntry>& entries, std::string_view where) {
  std::vector<const ZipEntry*> order;
  order.reserve(entries.size());
  for (const auto& entry : entries) order.push_back(&entry);
  std::ranges::sort(order, {}, [](const ZipEntry* e) { return std::pair(e->offset, e->size); });
  for (size_t i = 1; i < order.size(); ++i)
    // A following entry has at least its own local header in between.
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->size + kLocalBytes + order[i]->name.size())
      return corrupt(
          where, "zip entries " + quote(order[i - 1]->name) + " and " + quote(order[i]->name) + " overlap");
  return {};
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip_directory(Bytes file, std::string_view where) {
  SDV2_TRY(const auto directory, find_directory(file, where));
  const Bytes table = file.subspan(directory.offset, directory.size);
  std::vector<ZipEntry> entries;
  std::unordered_set<std::string_view> names;  // into the file
  uint64_t at = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    const std::string here = std::string(where) + ": zip entry " + std::to_string(i);
    if (!fits(at, kCentralBytes, table.size()) || u32(table, at) != kCentralSignature)
      return corrupt(here, "the central directory ends early or is damaged");
    const Bytes header = table.subspan(at, kCentralBytes);
    const uint64_t name_bytes = u16(header, 28);
    const uint64_t extra_bytes = u16(header, 30);
    const uint64_t comment_bytes = u16(header, 32);
    if (!fits(at + kCentralBytes, name_bytes + extra_bytes + comment_bytes, table.size()))
      return corrupt(here, "the central directory ends early or is damaged");
    const Bytes name_field = table.subspan(at + kCentralBytes, name_bytes);
    const std::string_view name(reinterpret_cast<const char*>(name_field.data()), name_field.size());
    const Bytes extra = table.subspan(at + kCentralBytes + name_bytes, extra_bytes);
    SDV2_TRY(auto entry, read_entry(file, header, extra, name, directory.offset,
                                    std::string(where) + ": zip entry " + quote(name)));
    if (!names.insert(name).second) return corrupt(where, "two zip entries are named " + quote(name));
    entries.push_back(std::move(entry));
    at += kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  }
  if (at != table.size())
    return corrupt(where, "the zip archive's central directory has more entries than it says");
  SDV2_CHECK(check_overlap(entries, where));
  return entries;
}

}  // namespace sdv2
