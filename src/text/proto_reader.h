// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the fields of one protocol buffer message, without a schema.
#pragma once

#include <cstdint>
#include <string_view>

namespace sdv2 {

// Walks over the fields of a message that is not trusted:
//     ProtoReader message(bytes);
//     while (message.next()) if (message.field() == 1) use(message.bytes());
//     if (!message.ok()) …
// A field of another kind than expected reads as 0 or empty. Groups, which no current writer makes, count as
// malformed.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : rest_(message) {}

  // Goes to the next field; false at the end, and at data that is malformed.
  bool next();
  bool ok() const { return ok_; }

  uint32_t field() const { return field_; }
  uint64_t number() const { return number_; }        // an integer, a bool, an enum
  float float32() const;                             // a float
  std::string_view bytes() const { return bytes_; }  // a string, bytes, a message

 private:
  bool read_varint(uint64_t& value);
  bool read_fixed(size_t size, uint64_t& value);
  bool read_field();

  std::string_view rest_;
  bool ok_ = true;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace sdv2
