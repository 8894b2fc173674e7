// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes a safetensors file of any size with one tensor in memory at a time.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weights/weight_source.h"

namespace sdv2 {

// The list of tensors is fixed first (it makes the header); then each is appended in that order. The file is
// written beside its destination (".partial") and takes its name in finish(), so that a reader never sees
// half a file; a writer that is destroyed before finish() leaves nothing behind. Not thread-safe.
class SafetensorsWriter {
 public:
  // Creates the file and writes the header. `metadata` becomes __metadata__ (the format's convention for
  // torch tensors is
  // {"format": "pt"}). Errors: kInvalidArgument (names, shapes), kNotFound (the folder cannot be written to),
  // kOutOfMemory (the disk is full).
  static Result<std::unique_ptr<SafetensorsWriter>> create(
      const std::filesystem::path& path, std::vector<TensorInfo> tensors,
      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  // Writes the next tensor of the list: of its shape, on any device, of any strides; converted to its dtype.
  // Errors: kInvalidArgument (another shape, or all are written), kOutOfMemory (the disk is full).
  Result<void> append(const at::Tensor& tensor);

  // Writes the next elements of that tensor in row-major order (a vector on any device), for a tensor that is
  // too large to be held. After the last of them the next tensor of the list is due. Errors: as append.
  Result<void> append_slice(const at::Tensor& elements);

  // Closes the file after the last tensor and gives it its name. Errors: kInvalidArgument (tensors are
  // missing), kOutOfMemory (the disk is full).
  Result<void> finish();

 private:
  SafetensorsWriter(std::filesystem::path path, std::vector<TensorInfo> tensors, int fd);
  Result<void> write(const void* data, size_t size);

  std::filesystem::path path_;
  std::vector<TensorInfo> tensors_;
  size_t next_ = 0;      // into tensors_
  int64_t written_ = 0;  // elements of tensors_[next_]
  int fd_ = -1;          // open on the partial file until finish()
};

}  // namespace sdv2
