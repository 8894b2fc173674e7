// SPDX-License-Identifier: LGPL-2.1-or-later
// A file seen as read-only memory: weight files of many gigabytes are read in place, page by page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace sdv2 {

// Owns a read-only mapping of a whole regular file; movable. Threads may read the bytes together. As with
// every mapping, touching bytes that somebody cuts off the file afterwards kills the process (SIGBUS): do not
// rewrite a model in place.
class MappedFile {
 public:
  // Errors: kNotFound (not there, not a regular file, no permission), kOutOfMemory (no address space). An
  // empty file is an empty span.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

  // Tells the system that the pages that hold these bytes are not needed for now, so that they stop counting
  // as this process's memory. The bytes stay readable (they come from the page cache or the disk again). The
  // range is cut to the file.
  void release(size_t offset, size_t size) const;

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sdv2
