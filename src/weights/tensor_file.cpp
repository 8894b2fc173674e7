// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/tensor_file.h"

#include <ATen/ATen.h>

#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/mapped_file.h"
#include "base/quote.h"
#include "weights/safetensors_format.h"
#include "weights/shard_index.h"
#include "weights/strided_copy.h"
#include "weights/torch_checkpoint.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;

// Elements that are read at a time: enough to keep all threads busy, little enough that the mapped pages of a
// large tensor do not pile up beside its converted copy.
constexpr int64_t kChunkBytes = int64_t{16} << 20;

// A byte other than 0 and 1 is no valid bool for the compiler, so bools are read as bytes.
at::ScalarType storage_type(DType type) { return type == DType::kBool ? at::kByte : to_scalar_type(type); }

// `count` elements of the stored type at `data`: the mapped memory itself, or a copy where that is not
// aligned.
at::Tensor view_elements(const uint8_t* data, int64_t count, DType dtype) {
  const auto size = size_of(dtype);
  const auto options = at::TensorOptions(storage_type(dtype));
  at::Tensor part;
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(size) == 0) {
    part = at::from_blob(const_cast<uint8_t*>(data), {count}, options);
  } else {
    part = at::empty({count}, options);
    std::memcpy(part.mutable_data_ptr(), data, static_cast<size_t>(count * size));
  }
  return dtype == DType::kBool ? part.ne(0) : part;
}

// Elements [begin, begin + count) of a contiguous tensor, as a vector in host memory, converted.
at::Tensor load_elements(const StoredTensor& tensor, const MappedFile& file, int64_t begin, int64_t count,
                         at::ScalarType type) {
  at::Tensor out = at::empty({count}, at::TensorOptions(type));
  const int64_t size = size_of(tensor.dtype);
  for (int64_t done = 0; done < count; done += kChunkBytes / size) {
    const int64_t part = std::min(count - done, kChunkBytes / size);
    const uint64_t offset = tensor.offset + static_cast<uint64_t>((begin + done) * size);
    out.narrow(0, done, part).copy_(view_elements(file.bytes().data() + offset, part, tensor.dtype));
    file.release(offset, static_cast<size_t>(part * size));
  }
  return out;
}

// The tensor in host memory, converted.
at::Tensor load(const StoredTensor& tensor, const MappedFile& file, at::ScalarType type) {
  const int64_t count = c10::multiply_integers(tensor.shape);
  if (tensor.strides.empty()) return load_elements(tensor, file, 0, count, type).view(tensor.shape);
  at::Tensor raw = at::empty(tensor.shape, at::TensorOptions(storage_type(tensor.dtype)));
  gather_strided(tensor, file.bytes(), static_cast<uint8_t*>(raw.mutable_data_ptr()));
  file.release(tensor.offset, tensor.extent);
  return (tensor.dtype == DType::kBool ? raw.ne(0) : raw).to(type);
}

// Tensors of one or more mapped files.
class TensorFiles : public WeightSource {
 public:
  explicit TensorFiles(fs::path path) : path_(std::move(path)) {}

  size_t add_file(MappedFile file) { return files_.push_back(std::move(file)), files_.size() - 1; }
  void add_tensor(size_t file, StoredTensor tensor) {
    infos_.push_back({tensor.key, tensor.dtype, tensor.shape});
    by_key_.emplace(infos_.back().key, tensors_.size());
    tensors_.push_back({file, std::move(tensor)});
  }

  std::string name() const override { return path_.string(); }
  const std::vector<TensorInfo>* tensors() const override { return &infos_; }
  Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape, at::ScalarType type,
                          at::Device device) override;
  Result<at::Tensor> read_slice(const TensorInfo& info, int64_t begin, int64_t count) override;

 private:
  struct Placed {
    size_t file;
    StoredTensor tensor;
  };
  fs::path path_;
  std::vector<MappedFile> files_;
  std::vector<TensorInfo> infos_;
  std::vector<Placed> tensors_;  // like infos_
  std::unordered_map<std::string, size_t> by_key_;
};

Result<at::Tensor> TensorFiles::read(const std::string& key, const std::vector<int64_t>& shape,
                                     at::ScalarType type, at::Device device) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return Error{ErrorCode::kNotFound, name() + ": has no tensor " + quote(key)};
  const auto& [file, tensor] = tensors_[found->second];
  if (tensor.shape != shape)
    return Error{ErrorCode::kCorrupt, name() + ": tensor " + quote(key) + " is " +
                                          shape_to_string(tensor.shape) + ", wanted " +
                                          shape_to_string(shape)};
  try {
    return load(tensor, files_[file], type).to(device);
  } catch (const c10::Error& error) {
    // Allocation is all that can fail in a conversion on the host.
    const bool memory = device.is_cpu() || dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr;
    return Error{memory ? ErrorCode::kOutOfMemory : ErrorCode::kDevice,
                 name() + ": tensor " + quote(key) + " " + shape_to_string(shape) + " cannot be brought to " +
                     device.str() + ": " + error.what_without_backtrace()};
  }
}

Result<at::Tensor> TensorFiles::read_slice(const TensorInfo& info, int64_t begin, int64_t count) {
  const auto found = by_key_.find(info.key);
  if (found == by_key_.end() || !tensors_[found->second].tensor.strides.empty())
    return WeightSource::read_slice(info, begin, count);
  const auto& [file, tensor] = tensors_[found->second];
  return load_elements(tensor, files_[file], begin, count, to_scalar_type(tensor.dtype));
}

Result<std::unique_ptr<WeightSource>> open_single(const fs::path& path, MappedFile file,
                                                  std::vector<StoredTensor> tensors) {
  auto source = std::make_unique<TensorFiles>(path);
  source->add_file(std::move(file));
  for (auto& tensor : tensors) source->add_tensor(0, std::move(tensor));
  return std::unique_ptr<WeightSource>(std::move(source));
}

Result<std::unique_ptr<WeightSource>> open_shards(const fs::path& path, std::string_view text) {
  SDV2_TRY(const auto index, parse_shard_index(text, path.string()));
  auto source = std::make_unique<TensorFiles>(path);
  std::vector<std::unordered_map<std::string, StoredTensor>> held;  // by shard
  for (const auto& shard : index.shards) {
    const fs::path shard_path = path.parent_path() / shard;
    auto file = MappedFile::open(shard_path);
    if (!file.ok())
      return Error{file.error().code, path.string() + ": its shard " + quote(shard) +
                                          " is missing or unreadable: " + file.error().message};
    SDV2_TRY(auto tensors, parse_safetensors(file->bytes(), shard_path.string()));
    auto& by_key = held.emplace_back();
    for (auto& tensor : tensors) by_key.emplace(tensor.key, std::move(tensor));
    source->add_file(*std::move(file));
  }
  for (const auto& [key, shard] : index.entries) {
    const auto found = held[shard].find(key);
    if (found == held[shard].end())
      return Error{ErrorCode::kCorrupt, path.string() + ": tensor " + quote(key) + " is not in its shard " +
                                            quote(index.shards[shard]) + "; do the files belong together?"};
    source->add_tensor(shard, std::move(found->second));
  }
  return std::unique_ptr<WeightSource>(std::move(source));
}

// JSON text holds no NUL, but the first eight bytes of a safetensors file (a length below 2^56) do.
bool looks_like_json(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != bytes.npos && bytes[first] == '{' && bytes.substr(0, 8).find('\0') == bytes.npos;
}

}  // namespace

at::ScalarType to_scalar_type(DType type) {
  switch (type) {
    case DType::kF64:
      return at::kDouble;
    case DType::kF32:
      return at::kFloat;
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    case DType::kF8E4M3:
      return at::kFloat8_e4m3fn;
    case DType::kF8E5M2:
      return at::kFloat8_e5m2;
    case DType::kI64:
      return at::kLong;
    case DType::kI32:
      return at::kInt;
    case DType::kI16:
      return at::kShort;
    case DType::kI8:
      return at::kChar;
    case DType::kU8:
      return at::kByte;
    case DType::kBool:
      break;
  }
  return at::kBool;
}

Result<std::unique_ptr<WeightSource>> open_tensor_file(const fs::path& path) {
  SDV2_TRY(auto file, MappedFile::open(path));
  const auto bytes = file.bytes();
  if (looks_like_zip(bytes)) {
    SDV2_TRY(auto tensors, read_torch_checkpoint(bytes, path.string()));
    return open_single(path, std::move(file), std::move(tensors));
  }
  if (looks_like_legacy_torch(bytes))
    return Error{ErrorCode::kUnsupported,
                 path.string() +
                     ": a checkpoint of torch before 1.6; load it with torch and save it "
                     "anew"};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (looks_like_json(text)) return open_shards(path, text);
  SDV2_TRY(auto tensors, parse_safetensors(bytes, path.string()));
  return open_single(path, std::move(file), std::move(tensors));
}

}  // namespace sdv2
