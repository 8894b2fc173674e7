// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/safetensors_writer.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/quote.h"
#include "weights/safetensors_format.h"
#include "weights/tensor_file.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;

fs::path partial_path(const fs::path& path) { return path.string() + ".partial"; }

Error system_error(const fs::path& path, const char* what, int code) {
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return {full ? ErrorCode::kOutOfMemory : ErrorCode::kNotFound,
          path.string() + ": " + what + ": " + std::strerror(code)};
}

}  // namespace

Result<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::create(
    const fs::path& path, std::vector<TensorInfo> tensors,
    const std::map<std::string, std::string>& metadata) {
  std::vector<TensorHeader> headers;
  for (const auto& info : tensors) headers.push_back({info.key, info.dtype, info.shape});
  SDV2_TRY(const std::string header, make_safetensors_header(headers, metadata, path.string()));
  const int fd = ::open(partial_path(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error(partial_path(path), "cannot be created", errno);
  std::unique_ptr<SafetensorsWriter> writer(new SafetensorsWriter(path, std::move(tensors), fd));
  SDV2_CHECK(writer->write(header.data(), header.size()));
  return writer;
}

SafetensorsWriter::SafetensorsWriter(fs::path path, std::vector<TensorInfo> tensors, int fd)
    : path_(std::move(path)), tensors_(std::move(tensors)), fd_(fd) {}

SafetensorsWriter::~SafetensorsWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(partial_path(path_).c_str());
}

Result<void> SafetensorsWriter::write(const void* data, size_t size) {
  for (const auto* from = static_cast<const char*>(data); size > 0;) {
    const ssize_t written = ::write(fd_, from, std::min(size, size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(partial_path(path_), "cannot be written", errno);
    from += written;
    size -= static_cast<size_t>(written);
  }
  return {};
}

Result<void> SafetensorsWriter::append(const at::Tensor& tensor) {
  if (next_ < tensors_.size() && tensor.sizes() != at::IntArrayRef(tensors_[next_].shape))
    return Error{ErrorCode::kInvalidArgument, path_.string() + ": tensor " + quote(tensors_[next_].key) +
                                                  " has another shape than its list says"};
  return append_slice(tensor.detach().reshape({-1}));
}

Result<void> SafetensorsWriter::append_slice(const at::Tensor& elements) {
  if (next_ == tensors_.size())
    return Error{ErrorCode::kInvalidArgument,
                 path_.string() + ": all tensors of its list are already written"};
  const TensorInfo& info = tensors_[next_];
  const int64_t count = c10::multiply_integers(info.shape);
  if (elements.numel() > count - written_)
    return Error{ErrorCode::kInvalidArgument,
                 path_.string() + ": tensor " + quote(info.key) + " has fewer elements than are written"};
  const at::Tensor host = elements.detach().to(at::kCPU, to_scalar_type(info.dtype)).contiguous();
  SDV2_CHECK(write(host.const_data_ptr(), host.nbytes()));
  written_ += elements.numel();
  if (written_ == count) {
    ++next_;
    written_ = 0;
  }
  return {};
}

Result<void> SafetensorsWriter::finish() {
  if (fd_ < 0) return Error{ErrorCode::kInvalidArgument, path_.string() + ": is already finished"};
  if (next_ < tensors_.size())
    return Error{ErrorCode::kInvalidArgument,
                 path_.string() + ": tensor " + quote(tensors_[next_].key) + " is not written yet"};
  if (::fsync(fd_) != 0) return system_error(partial_path(path_), "cannot be written", errno);
  if (::rename(partial_path(path_).c_str(), path_.c_str()) != 0)
    return system_error(path_, "cannot take the finished file's place", errno);
  ::close(std::exchange(fd_, -1));
  return {};
}

}  // namespace sdv2
