// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/model/sha256.h"

#include <nettle/sha2.h>

#include <array>
#include <fstream>
#include <vector>

namespace sdv2::model_tool {

Result<std::string> sha256_of_file(const std::filesystem::path& path,
                                   const std::function<void(uint64_t, uint64_t)>& progress) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const uint64_t total = std::filesystem::file_size(path, error);
  if (!file || error) return Error{ErrorCode::kNotFound, path.string() + ": cannot be opened"};

  sha256_ctx context;
  sha256_init(&context);
  std::vector<char> buffer(size_t{4} << 20);
  for (uint64_t done = 0; file;) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto count = static_cast<size_t>(file.gcount());
    sha256_update(&context, count, reinterpret_cast<const uint8_t*>(buffer.data()));
    done += count;
    if (progress) progress(done, total);
  }
  if (file.bad()) return Error{ErrorCode::kNotFound, path.string() + ": cannot be read to its end"};
  std::array<uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), digest.data());

  constexpr const char* kHex = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace sdv2::model_tool
