// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/spiece_model.h"

#include <cmath>

#include "text/proto_reader.h"

namespace sdv2 {
namespace {

// Field numbers of sentencepiece_model.proto.
namespace model_field {
constexpr uint32_t kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3;
}
namespace piece_field {
constexpr uint32_t kText = 1, kScore = 2, kType = 3;
}
namespace trainer_field {
constexpr uint32_t kModelType = 3, kWhitespaceIsSuffix = 24, kByteFallback = 35;
}
namespace normalizer_field {
constexpr uint32_t kCharsMap = 2, kAddDummyPrefix = 3, kRemoveExtraWhitespaces = 4, kEscapeWhitespaces = 5;
}
constexpr uint64_t kUnigramModel = 1;

Error corrupt(std::string what) { return Error{ErrorCode::kCorrupt, std::move(what)}; }

Error malformed(const char* message) {
  return corrupt(std::string("no sentencepiece model, or a damaged one: its ") + message + " is malformed");
}

Result<SpieceModel::Piece> parse_piece(std::string_view bytes, size_t id) {
  SpieceModel::Piece piece;
  ProtoReader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case piece_field::kText:
        piece.text = reader.bytes();
        break;
      case piece_field::kScore:
        piece.score = reader.float32();
        break;
      case piece_field::kType:
        if (reader.number() < 1 || reader.number() > 6)
          return corrupt("piece " + std::to_string(id) + " has the unknown type " +
                         std::to_string(reader.number()));
        piece.type = static_cast<SpieceModel::Type>(reader.number());
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) return malformed(("piece " + std::to_string(id)).c_str());
  if (piece.text.empty()) return corrupt("piece " + std::to_string(id) + " is empty");
  if (!std::isfinite(piece.score))
    return corrupt("the score of piece " + std::to_string(id) + " is not a number");
  return piece;
}

Result<void> parse_trainer(std::string_view bytes, SpieceModel& model) {
  ProtoReader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case trainer_field::kModelType:
        if (reader.number() != kUnigramModel)
          return Error{ErrorCode::kUnsupported, "only unigram models can be used; this one has model type " +
                                                    std::to_string(reader.number())};
        break;
      case trainer_field::kWhitespaceIsSuffix:
        model.whitespace_is_suffix = reader.number() != 0;
        break;
      case trainer_field::kByteFallback:
        model.byte_fallback = reader.number() != 0;
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) return malformed("trainer_spec");
  return {};
}

Result<void> parse_normalizer(std::string_view bytes, SpieceModel& model) {
  ProtoReader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case normalizer_field::kCharsMap: {
        if (reader.bytes().empty()) break;
        SDV2_TRY(model.charsmap, CharsMap::parse(reader.bytes()));
        break;
      }
      case normalizer_field::kAddDummyPrefix:
        model.add_dummy_prefix = reader.number() != 0;
        break;
      case normalizer_field::kRemoveExtraWhitespaces:
        model.remove_extra_whitespaces = reader.number() != 0;
        break;
      case normalizer_field::kEscapeWhitespaces:
        model.escape_whitespaces = reader.number() != 0;
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) return malformed("normalizer_spec");
  return {};
}

}  // namespace

Result<SpieceModel> SpieceModel::parse(std::string_view bytes) {
  SpieceModel model;
  ProtoReader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case model_field::kPieces: {
        SDV2_TRY(Piece piece, parse_piece(reader.bytes(), model.pieces.size()));
        model.pieces.push_back(std::move(piece));
        break;
      }
      case model_field::kTrainerSpec:
        SDV2_CHECK(parse_trainer(reader.bytes(), model));
        break;
      case model_field::kNormalizerSpec:
        SDV2_CHECK(parse_normalizer(reader.bytes(), model));
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) return malformed("outer message");
  if (model.pieces.empty()) return corrupt("no sentencepiece model: it holds no pieces");
  return model;
}

}  // namespace sdv2
