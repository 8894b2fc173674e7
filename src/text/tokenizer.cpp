// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text/tokenizer.h"

#include "base/json.h"
#include "base/mapped_file.h"
#include "text/json_tokenizer.h"
#include "text/spiece_tokenizer.h"

namespace sdv2 {
namespace {

Error at(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return error;
}

Result<std::unique_ptr<Tokenizer>> parse_json_tokenizer(std::string_view contents, const std::string& where) {
  SDV2_TRY(const nlohmann::json root, parse_json(contents, where));
  auto tokenizer = read_json_tokenizer(root);
  if (!tokenizer.ok()) return at(where, std::move(tokenizer).error());
  return std::unique_ptr<Tokenizer>(*std::move(tokenizer));
}

Result<std::unique_ptr<Tokenizer>> parse_spiece_tokenizer(std::string_view contents,
                                                          const std::string& where) {
  // UMT5's file has 5 MB. The limit bounds what a wrong or hostile one can cost.
  constexpr size_t kMaxBytes = 32 << 20;
  if (contents.size() > kMaxBytes)
    return at(where,
              {ErrorCode::kCorrupt, "no tokenizer: it has " + std::to_string(contents.size()) + " bytes"});
  auto model = SpieceModel::parse(contents);
  if (!model.ok()) return at(where, std::move(model).error());
  auto tokenizer = SpieceTokenizer::make(*std::move(model));
  if (!tokenizer.ok()) return at(where, std::move(tokenizer).error());
  return std::unique_ptr<Tokenizer>(*std::move(tokenizer));
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::open(const std::filesystem::path& path) {
  SDV2_TRY(const MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::parse(std::string_view contents, const std::string& where) {
  // A sentencepiece model begins with the tag of a piece, which is a line feed, and the size of the piece.
  const size_t first = contents.find_first_not_of(" \t\r\n");
  const bool is_json = first != contents.npos && contents[first] == '{';
  return is_json ? parse_json_tokenizer(contents, where) : parse_spiece_tokenizer(contents, where);
}

}  // namespace sdv2
