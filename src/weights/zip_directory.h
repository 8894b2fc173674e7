// SPDX-License-Identifier: LGPL-2.1-or-later
// The directory of a zip archive whose entries are stored uncompressed, as torch.save writes it.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sdv2 {

struct ZipEntry {
  std::string name;
  uint64_t offset = 0;  // of its bytes in the file
  uint64_t size = 0;
};

// Reads the central directory (with Zip64 where the file has it) and each entry's local header, which alone
// tells where its data begin. Accepted are archives in one part, nothing compressed or encrypted; every entry
// lies before the directory, no two overlap, no name appears twice. In the order of the directory. `where`
// (the file) begins error messages. Errors: kCorrupt, kUnsupported (compressed, encrypted, in several parts).
Result<std::vector<ZipEntry>> read_zip_directory(std::span<const uint8_t> file, std::string_view where);

}  // namespace sdv2
