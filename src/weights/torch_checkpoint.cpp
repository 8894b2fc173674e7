// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/torch_checkpoint.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/quote.h"
#include "weights/checkpoint_keys.h"
#include "weights/pickle.h"
#include "weights/zip_directory.h"

namespace sdv2 {
namespace {

using Bytes = std::span<const uint8_t>;

// A view may repeat elements (stride 0), so a few bytes can stand for any number of elements. Real state
// dicts hardly have such views; larger ones than this are taken for an attack.
constexpr int64_t kMaxRepeatedElements = int64_t{1} << 22;

Error corrupt(std::string_view where, const std::string& what) {
  return {ErrorCode::kCorrupt, std::string(where) + ": " + what};
}

// The archive's entries, and the folder inside it that torch.save put everything into.
class Archive {
 public:
  static Result<Archive> open(Bytes file, std::string_view where);

  // The entry below the folder ("data.pkl"), or nullptr.
  const ZipEntry* find(std::string_view name) const {
    const auto found = by_name_.find(folder_ + std::string(name));
    return found == by_name_.end() ? nullptr : &entries_[found->second];
  }

 private:
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, size_t> by_name_;
  std::string folder_;  // with the slash
};

Result<Archive> Archive::open(Bytes file, std::string_view where) {
  constexpr std::string_view kPickle = "/data.pkl";
  Archive archive;
  SDV2_TRY(archive.entries_, read_zip_directory(file, where));
  for (size_t i = 0; i < archive.entries_.size(); ++i) {
    const std::string& name = archive.entries_[i].name;
    archive.by_name_.emplace(name, i);
    if (!name.ends_with(kPickle)) continue;
    if (!archive.folder_.empty()) return corrupt(where, "the archive holds two checkpoints");
    archive.folder_ = name.substr(0, name.size() - kPickle.size() + 1);
  }
  if (archive.folder_.empty())
    return corrupt(where, "a zip archive, but not of torch.save: it has no data.pkl");
  return archive;
}

Bytes bytes_of(const ZipEntry& entry, Bytes file) { return file.subspan(entry.offset, entry.size); }

Result<void> check_byte_order(const Archive& archive, Bytes file, std::string_view where) {
  const ZipEntry* const entry = archive.find("byteorder");
  if (entry == nullptr) return {};  // before torch 2.1: the little-endian machine that wrote it
  const Bytes bytes = bytes_of(*entry, file);
  const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (order == "little") return {};
  return Error{ErrorCode::kUnsupported, std::string(where) + ": the checkpoint's byte order is " +
                                            quote(order) + ", only little-endian ones are read"};
}

// The dict that holds the network's tensors.
Result<const PickleDict*> find_state_dict(const PickleDocument& document, std::string_view where) {
  const auto* const root = document.get<PickleDict>(document.root);
  if (root == nullptr) return corrupt(where, "the checkpoint is not a dict");
  for (const auto nest : kStateDictNests) {
    const PickleDict* found = nullptr;
    for (const auto& [key, value] : root->items) {
      const auto* const name = document.get<std::string_view>(key);
      if (name == nullptr || *name != nest) continue;
      if (found != nullptr) return corrupt(where, "the checkpoint has " + quote(nest) + " twice");
      found = document.get<PickleDict>(value);
    }
    if (found != nullptr) return found;
  }
  return root;
}

bool is_contiguous(const PickleTensor& tensor) {
  int64_t expected = 1;
  for (size_t d = tensor.shape.size(); d-- > 0;) {
    if (tensor.shape[d] != 1 && tensor.strides[d] != expected) return false;
    expected *= tensor.shape[d];
  }
  return true;
}

// The place of a view in the file, after checking it against its storage and that against its archive entry.
// `where` names file and tensor.
Result<StoredTensor> place(std::string key, const PickleTensor& view, const Archive& archive,
                           std::string_view where) {
  const auto& storage = view.storage;
  const auto size = size_of(storage.dtype);
  const ZipEntry* const entry = archive.find("data/" + std::string(storage.key.substr(0, kMaxKeyBytes)));
  if (entry == nullptr) return corrupt(where, "its storage " + quote(storage.key) + " is not in the archive");
  if (static_cast<uint64_t>(storage.count) > entry->size / static_cast<uint64_t>(size))
    return corrupt(where, "its storage should have " + std::to_string(storage.count) + " elements of " +
                              to_string(storage.dtype) + ", the archive's entry has " +
                              std::to_string(entry->size) + " bytes");
  const auto elements = element_count(view.shape);
  if (!elements) return corrupt(where, "impossible size " + shape_to_string(view.shape));

  bool inside = view.offset <= storage.count;
  int64_t last = view.offset;  // element of the storage, the highest that the view touches
  for (size_t d = 0; *elements > 0 && inside && d < view.shape.size(); ++d) {
    int64_t reach = 0;
    inside = !__builtin_mul_overflow(view.shape[d] - 1, view.strides[d], &reach) &&
             !__builtin_add_overflow(last, reach, &last);
  }
  if (!inside || (*elements > 0 && last >= storage.count))
    return corrupt(where, "size " + shape_to_string(view.shape) + ", stride " +
                              shape_to_string(view.strides) + ", offset " + std::to_string(view.offset) +
                              " reach beyond its storage of " + std::to_string(storage.count) + " elements");
  if (*elements > std::max(storage.count, kMaxRepeatedElements))
    return corrupt(where, "size " + shape_to_string(view.shape) + " repeats a storage of " +
                              std::to_string(storage.count) + " elements too often");

  StoredTensor tensor;
  tensor.key = std::move(key);
  tensor.dtype = storage.dtype;
  tensor.shape = view.shape;
  tensor.offset = entry->offset + static_cast<uint64_t>(view.offset * size);
  if (*elements == 0) return tensor;
  if (!is_contiguous(view)) tensor.strides = view.strides;
  tensor.extent = static_cast<uint64_t>((last - view.offset + 1) * size);
  return tensor;
}

}  // namespace

bool looks_like_zip(Bytes file) {
  constexpr std::string_view kLocalHeader = "PK\x03\x04";
  constexpr std::string_view kEmptyArchive = "PK\x05\x06";
  const std::string_view start(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 4));
  return start == kLocalHeader || start == kEmptyArchive;
}

bool looks_like_legacy_torch(Bytes file) {
  // The pickle of the number 0x1950a86a20f9469cfc6c: PROTO 2, LONG1 of ten bytes.
  constexpr uint8_t kMagic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
  return file.size() >= std::size(kMagic) && std::equal(std::begin(kMagic), std::end(kMagic), file.begin());
}

Result<std::vector<StoredTensor>> read_torch_checkpoint(Bytes file, std::string_view where) {
  SDV2_TRY(const Archive archive, Archive::open(file, where));
  SDV2_CHECK(check_byte_order(archive, file, where));
  SDV2_TRY(const auto document,
           load_pickle(bytes_of(*archive.find("data.pkl"), file), std::string(where) + ", data.pkl"));
  SDV2_TRY(const PickleDict* const state, find_state_dict(document, where));

  std::vector<StoredTensor> tensors;
  std::unordered_set<std::string> names;
  for (const auto& [key_ref, value_ref] : state->items) {
    const auto* const value = document.get<std::unique_ptr<PickleTensor>>(value_ref);
    if (value == nullptr) continue;
    const auto* const key = document.get<std::string_view>(key_ref);
    if (key == nullptr) return corrupt(where, "a tensor's name is not a string");
    SDV2_CHECK(check_tensor_key(*key, where));
    const std::string here = std::string(where) + ": tensor " + quote(*key);
    std::string name = strip_wrappers(*key);
    if (name.empty())
      return corrupt(here, "nothing is left of its name without the prefixes of training wrappers");
    if (!names.insert(name).second)
      return corrupt(here, "two tensors have this name (without the prefixes of training wrappers)");
    if (tensors.size() == kMaxTensors)
      return corrupt(where, "more than " + std::to_string(kMaxTensors) + " tensors");
    SDV2_TRY(auto tensor, place(std::move(name), **value, archive, here));
    tensors.push_back(std::move(tensor));
  }
  if (tensors.empty())
    return corrupt(where,
                   "the checkpoint holds no tensors at its top level nor under 'generator', 'generator_ema', "
                   "'model' or 'state_dict'");
  return tensors;
}

}  // namespace sdv2
