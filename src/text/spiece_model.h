// SPDX-License-Identifier: LGPL-2.1-or-later
// The contents of a sentencepiece model file ("spiece.model").
//
// The project reads these files itself, because libsentencepiece and LibTorch cannot live in one process:
// both export a variable FLAGS_minloglevel, an int in libc10.so and a 32-byte object with a constructor in
// libsentencepiece.so. The loader makes them one, so either sentencepiece writes over c10's neighbouring
// flags or c10 takes a pointer for its log level, whichever comes first (google/sentencepiece#944). What a
// tokenizer needs of the library is small, and most of it serves tokenizer.json too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/charsmap.h"

namespace sdv2 {

// ModelProto of sentencepiece_model.proto, as far as encoding needs it.
struct SpieceModel {
  enum class Type : uint8_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,
    kUserDefined = 4,
    kUnused = 5,
    kByte = 6
  };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::kNormal;
  };

  std::vector<Piece> pieces;  // the index is the id
  bool byte_fallback = false;
  bool whitespace_is_suffix = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  std::optional<CharsMap> charsmap;  // none: characters stay as they are

  // Parses a file's bytes, which are not trusted. Only unigram models are read; other kinds give
  // kUnsupported.
  static Result<SpieceModel> parse(std::string_view bytes);
};

}  // namespace sdv2
