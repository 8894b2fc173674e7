// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace sdv2 {
namespace {

Error system_error(const std::filesystem::path& path, const char* what, int code) {
  return {code == ENOMEM ? ErrorCode::kOutOfMemory : ErrorCode::kNotFound,
          path.string() + ": " + what + ": " + std::strerror(code)};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: a named pipe in place of the file must not hang the loader.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_error(path, "cannot be opened", errno);
  struct stat info = {};
  const int stat_error = ::fstat(fd, &info) == 0 ? 0 : errno;
  const bool regular = stat_error == 0 && S_ISREG(info.st_mode);
  void* data = nullptr;
  int map_error = 0;
  if (regular && info.st_size > 0) {
    data = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) map_error = errno;
  }
  ::close(fd);
  if (stat_error != 0) return system_error(path, "cannot be examined", stat_error);
  if (!regular) return Error{ErrorCode::kNotFound, path.string() + ": is not a regular file"};
  if (map_error != 0) return system_error(path, "cannot be mapped into memory", map_error);
  return MappedFile(static_cast<const uint8_t*>(data), static_cast<size_t>(info.st_size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::release(size_t offset, size_t size) const {
  if (offset >= size_ || size == 0) return;
  static const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t end = offset + std::min(size, size_ - offset);
  const size_t begin =
      offset / page * page;  // whole pages; neighbours' bytes on the edge pages are simply fetched again
  // Advice only: without it the pages stay until memory is short.
  ::madvise(const_cast<uint8_t*>(data_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace sdv2
