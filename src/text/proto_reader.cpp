// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/proto_reader.h"

#include <bit>

namespace sdv2 {

bool ProtoReader::next() {
  if (!ok_ || rest_.empty()) return false;
  ok_ = read_field();
  return ok_;
}

float ProtoReader::float32() const { return std::bit_cast<float>(static_cast<uint32_t>(number_)); }

bool ProtoReader::read_field() {
  enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  uint64_t tag = 0;
  if (!read_varint(tag) || tag >> 32 != 0 || tag >> 3 == 0) return false;
  field_ = static_cast<uint32_t>(tag >> 3);
  number_ = 0;
  bytes_ = {};
  switch (tag & 7) {
    case kVarint:
      return read_varint(number_);
    case kFixed64:
      return read_fixed(8, number_);
    case kFixed32:
      return read_fixed(4, number_);
    case kBytes: {
      uint64_t size = 0;
      if (!read_varint(size) || size > rest_.size()) return false;
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    default:
      return false;
  }
}

bool ProtoReader::read_varint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool ProtoReader::read_fixed(size_t size, uint64_t& value) {
  if (rest_.size() < size) return false;
  value = 0;
  for (size_t i = 0; i < size; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << 8 * i;
  rest_.remove_prefix(size);
  return true;
}

}  // namespace sdv2
