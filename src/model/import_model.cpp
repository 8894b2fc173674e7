// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/import_model.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/describe_model.h"
#include "model/model_json.h"
#include "model/network_files.h"
#include "weights/safetensors_writer.h"
#include "weights/tensor_file.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSliceElements = int64_t{8} << 20;
constexpr int64_t kHeaderBytes = int64_t{1} << 20;  // room for a shard's header within its limit

int64_t elements(const TensorInfo& info) { return c10::multiply_integers(info.shape); }
int64_t bytes(const TensorInfo& info) { return elements(info) * size_of(info.dtype); }

// A network on its way: its weights and the tensors of each file to write (in their new types).
struct Plan {
  NetworkKind kind;
  NetworkFile network;
  std::vector<std::vector<TensorInfo>> shards;
  fs::path index;  // the file that names the network: its only shard, or the index of shards
};

std::vector<std::vector<TensorInfo>> plan_shards(const std::vector<TensorInfo>& tensors,
                                                 const ImportOptions& options) {
  std::vector<std::vector<TensorInfo>> shards(1);
  int64_t size = 0;
  for (TensorInfo info : tensors) {
    if (options.narrow && (info.dtype == DType::kF32 || info.dtype == DType::kF64)) info.dtype = DType::kBF16;
    if (!shards.back().empty() && size + bytes(info) > options.max_shard_bytes - kHeaderBytes) {
      shards.emplace_back();
      size = 0;
    }
    size += bytes(info);
    shards.back().push_back(std::move(info));
  }
  return shards;
}

// "dit.safetensors", or "dit-00002-of-00005.safetensors".
std::string shard_name(const Plan& plan, size_t index) {
  char number[40] = "";
  if (plan.shards.size() > 1)
    std::snprintf(number, sizeof number, "-%05zu-of-%05zu", index + 1, plan.shards.size());
  return to_string(plan.kind) + std::string(number) + ".safetensors";
}

Result<void> write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::kOutOfMemory, path.string() + ": cannot be written. Is the disk full?"};
  return {};
}

// <destination>.partial while it is being filled; removed unless it takes the destination's place.
class StagingFolder {
 public:
  explicit StagingFolder(fs::path destination)
      : destination_(std::move(destination)), path_(destination_.string() + ".partial") {}
  ~StagingFolder() {
    std::error_code ignored;
    if (created_) fs::remove_all(path_, ignored);
  }
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;

  const fs::path& path() const { return path_; }

  // Refuses a destination that must not be replaced, then makes the folder.
  Result<void> create(bool replace) {
    std::error_code error;
    const bool taken =
        fs::exists(destination_, error) && !(fs::is_directory(destination_) && fs::is_empty(destination_));
    if (taken && !replace)
      return invalid(destination_.string() +
                     ": exists. Name another folder, or replace the model in it with --force.");
    if (taken && !fs::exists(destination_ / kModelJson, error))
      return invalid(destination_.string() +
                     ": holds no model.json, so it is not replaced. Name another folder.");
    if (fs::exists(path_, error)) {
      if (!replace)
        return invalid(
            path_.string() +
            ": is left from an import that was cut off, or one is running. Remove it, or use --force.");
      fs::remove_all(path_, error);
    }
    fs::create_directories(path_, error);
    if (error) return Error{ErrorCode::kNotFound, path_.string() + ": cannot be made: " + error.message()};
    created_ = true;
    return {};
  }

  Result<void> check_space(int64_t wanted) const {
    std::error_code error;
    const fs::space_info space = fs::space(path_, error);
    if (error || space.available >= static_cast<uintmax_t>(wanted)) return {};
    return Error{ErrorCode::kOutOfMemory,
                 path_.string() + ": the disk has " + std::to_string(space.available >> 20) +
                     " MiB free, the model needs " + std::to_string(wanted >> 20) + " MiB"};
  }

  // Takes the destination's place.
  Result<void> finish() {
    std::error_code error;
    const fs::path old = destination_.string() + ".replaced";
    const bool replaced = fs::exists(destination_ / kModelJson);
    if (replaced) {
      fs::remove_all(old, error);
      fs::rename(destination_, old, error);
    }
    if (!error) {
      fs::rename(path_, destination_, error);
      std::error_code ignored;
      if (error && replaced) fs::rename(old, destination_, ignored);
    }
    if (error)
      return Error{ErrorCode::kNotFound,
                   destination_.string() + ": cannot be put in place: " + error.message()};
    created_ = false;
    if (replaced) fs::remove_all(old, error);
    return {};
  }

 private:
  static Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

  fs::path destination_;
  fs::path path_;
  bool created_ = false;
};

class Importer {
 public:
  Importer(const ImportOptions& options, fs::path folder) : options_(options), folder_(std::move(folder)) {}

  Result<void> add(const ModelDescription& model, NetworkKind kind) {
    SDV2_TRY(NetworkFile network, NetworkFile::open(model, kind));
    auto shards = plan_shards(*network.weights().tensors(), options_);
    for (const auto& shard : shards)
      for (const auto& info : shard) total_ += bytes(info);
    plans_.push_back({kind, std::move(network), std::move(shards), {}});
    return {};
  }

  int64_t total_bytes() const { return total_; }

  Result<void> write() {
    for (auto& plan : plans_) {
      nlohmann::ordered_json index;
      int64_t size = 0;
      for (size_t i = 0; i < plan.shards.size(); ++i) {
        const std::string name = shard_name(plan, i);
        SDV2_CHECK(write_shard(plan, plan.shards[i], folder_ / name));
        for (const auto& info : plan.shards[i]) {
          index["weight_map"][info.key] = name;
          size += bytes(info);
        }
      }
      plan.index = folder_ / shard_name(plan, 0);
      if (plan.shards.size() == 1) continue;
      index["metadata"]["total_size"] = size;
      plan.index = folder_ / (std::string(to_string(plan.kind)) + ".safetensors.index.json");
      SDV2_CHECK(write_text(plan.index, index.dump(2) + "\n"));
    }
    return {};
  }

  // Points the description to the new files.
  void move(ModelDescription& model) const {
    model.folder = folder_;
    for (const auto& plan : plans_) set_file(model, plan.kind, plan.index);
  }

 private:
  Result<void> write_shard(const Plan& plan, const std::vector<TensorInfo>& tensors, const fs::path& path) {
    SDV2_TRY(const auto writer, SafetensorsWriter::create(path, tensors));
    WeightSource& weights = plan.network.weights();
    std::unordered_map<std::string_view, DType> stored;
    for (const auto& info : *weights.tensors()) stored.emplace(info.key, info.dtype);
    for (const auto& info : tensors) {
      const TensorInfo from{info.key, stored.at(info.key), info.shape};
      const int64_t count = elements(info);
      for (int64_t begin = 0; begin < count; begin += kSliceElements) {
        SDV2_TRY(const at::Tensor slice,
                 weights.read_slice(from, begin, std::min(kSliceElements, count - begin)));
        SDV2_CHECK(writer->append_slice(slice));
        done_ += slice.numel() * size_of(info.dtype);
        if (options_.progress) options_.progress(to_string(plan.kind), done_, total_);
      }
    }
    return writer->finish();
  }

  const ImportOptions& options_;
  fs::path folder_;
  std::vector<Plan> plans_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

}  // namespace

Result<void> import_model(const std::string& source, const fs::path& destination,
                          const ImportOptions& options) {
  SDV2_TRY(ModelDescription model, describe_model(source));
  if (model.origin == ModelOrigin::kRandom)
    return Error{ErrorCode::kInvalidArgument, source + ": random weights have no files to import"};
  SDV2_CHECK(check_networks(model));

  const fs::path normal = fs::absolute(destination).lexically_normal();
  StagingFolder staging(normal.has_filename() ? normal : normal.parent_path());  // without a "/" at its end
  SDV2_CHECK(staging.create(options.replace));
  Importer importer(options, staging.path());
  for (const NetworkKind kind : networks_of(model)) SDV2_CHECK(importer.add(model, kind));
  SDV2_CHECK(staging.check_space(importer.total_bytes()));
  SDV2_CHECK(importer.write());
  importer.move(model);

  const fs::path tokenizer = staging.path() / model.tokenizer.filename();
  std::error_code error;
  fs::copy_file(model.tokenizer, tokenizer, error);
  if (error)
    return Error{ErrorCode::kNotFound, model.tokenizer.string() + ": cannot be copied to " +
                                           tokenizer.string() + ": " + error.message()};
  model.tokenizer = tokenizer;
  SDV2_CHECK(write_text(staging.path() / kModelJson, to_model_json(model).dump(2) + "\n"));
  if (auto readable = read_model_json(staging.path()); !readable.ok()) return std::move(readable).error();
  return staging.finish();
}

}  // namespace sdv2
