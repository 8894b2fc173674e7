// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/mapped_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "weights/tensor_file.h"

namespace sdv2 {
namespace {

class MappedSource : public WeightSource {
 public:
  MappedSource(std::unique_ptr<WeightSource> file, NetworkKind kind, KeyLayout layout)
      : file_(std::move(file)), name_(file_->name() + " (" + layout_title(kind, layout) + ")") {
    const auto& stored = *file_->tensors();
    const auto embedding = from_original(kind, layout, "token_embedding.weight");
    const bool has_embedding =
        std::ranges::any_of(stored, [&](const TensorInfo& info) { return info.key == embedding; });
    for (const auto& info : stored) {
      auto original = to_original(kind, layout, info.key);
      if (kind == NetworkKind::kTextEncoder && info.key == kEmbeddingAlias) {
        if (has_embedding) continue;
        original = "token_embedding.weight";
      }
      tensors_.push_back(info);
      if (!original) continue;
      tensors_.back().key = *original;
      file_keys_.emplace(*std::move(original), info.key);
    }
  }

  std::string name() const override { return name_; }
  const std::vector<TensorInfo>* tensors() const override { return &tensors_; }

  Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape, at::ScalarType type,
                          at::Device device) override {
    const auto found = file_keys_.find(key);
    return file_->read(found == file_keys_.end() ? key : found->second, shape, type, device);
  }

  Result<at::Tensor> read_slice(const TensorInfo& info, int64_t begin, int64_t count) override {
    const auto found = file_keys_.find(info.key);
    if (found == file_keys_.end()) return file_->read_slice(info, begin, count);
    return file_->read_slice({found->second, info.dtype, info.shape}, begin, count);
  }

 private:
  std::unique_ptr<WeightSource> file_;
  std::string name_;
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string, std::string> file_keys_;  // by original key
};

}  // namespace

std::optional<DetectedKeys> detect_keys(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string_view> keys;
  keys.reserve(tensors.size());
  for (const auto& info : tensors) keys.emplace_back(info.key);
  return detect_keys(std::span<const std::string_view>(keys));
}

std::unique_ptr<WeightSource> with_original_keys(std::unique_ptr<WeightSource> source, NetworkKind kind,
                                                 KeyLayout layout) {
  if (layout == KeyLayout::kOriginal) return source;
  return std::make_unique<MappedSource>(std::move(source), kind, layout);
}

Result<std::unique_ptr<WeightSource>> open_network(const std::filesystem::path& path, NetworkKind kind) {
  SDV2_TRY(auto source, open_tensor_file(path));
  const auto found = detect_keys(*source->tensors());
  if (found && found->kind == kind) return with_original_keys(std::move(source), kind, found->layout);
  const std::string content = found ? std::string("the weights of a ") + title_of(found->kind)
                                    : "no weights that sdv2 knows (the names of its tensors fit no network)";
  return Error{ErrorCode::kInvalidArgument,
               path.string() + ": holds " + content + ", but the " + title_of(kind) +
                   " is wanted here. Check which file is which with sdv2-model inspect."};
}

}  // namespace sdv2
