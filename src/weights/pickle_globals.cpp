// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/pickle_globals.h"

#include <string>
#include <utility>

#include "weights/stored_tensor.h"

namespace sdv2 {
namespace {

using Kind = PickleGlobal::Kind;

struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  PickleGlobal global;
};

constexpr KnownGlobal kKnownGlobals[] = {
    {"collections", "OrderedDict", {Kind::kOrderedDict, {}}},
    {"torch._utils", "_rebuild_tensor_v2", {Kind::kRebuildTensor, {}}},
    {"torch._utils", "_rebuild_parameter", {Kind::kRebuildParameter, {}}},
    {"torch", "Size", {Kind::kSize, {}}},
    {"torch", "DoubleStorage", {Kind::kStorageClass, DType::kF64}},
    {"torch", "FloatStorage", {Kind::kStorageClass, DType::kF32}},
    {"torch", "HalfStorage", {Kind::kStorageClass, DType::kF16}},
    {"torch", "BFloat16Storage", {Kind::kStorageClass, DType::kBF16}},
    {"torch", "LongStorage", {Kind::kStorageClass, DType::kI64}},
    {"torch", "IntStorage", {Kind::kStorageClass, DType::kI32}},
    {"torch", "ShortStorage", {Kind::kStorageClass, DType::kI16}},
    {"torch", "CharStorage", {Kind::kStorageClass, DType::kI8}},
    {"torch", "ByteStorage", {Kind::kStorageClass, DType::kU8}},
    {"torch", "BoolStorage", {Kind::kStorageClass, DType::kBool}},
    {"torch.storage", "UntypedStorage", {Kind::kStorageClass, DType::kU8}},
    {"torch.storage", "TypedStorage", {Kind::kStorageClass, {}}},
    {"torch", "float64", {Kind::kDType, {}}},
    {"torch", "float32", {Kind::kDType, {}}},
    {"torch", "float16", {Kind::kDType, {}}},
    {"torch", "bfloat16", {Kind::kDType, {}}},
    {"torch", "float8_e4m3fn", {Kind::kDType, {}}},
    {"torch", "float8_e5m2", {Kind::kDType, {}}},
    {"torch", "int64", {Kind::kDType, {}}},
    {"torch", "int32", {Kind::kDType, {}}},
    {"torch", "int16", {Kind::kDType, {}}},
    {"torch", "int8", {Kind::kDType, {}}},
    {"torch", "uint8", {Kind::kDType, {}}},
    {"torch", "bool", {Kind::kDType, {}}},
};

Error wrong(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

// A tuple of whole numbers that are not negative: a size or a stride.
std::optional<std::vector<int64_t>> get_dims(const PickleDocument& document, PickleRef ref) {
  const auto* const tuple = document.get<PickleTuple>(ref);
  if (tuple == nullptr || tuple->items.size() > kMaxRank) return std::nullopt;
  std::vector<int64_t> dims;
  for (const PickleRef item : tuple->items) {
    const auto* const dim = document.get<int64_t>(item);
    if (dim == nullptr || *dim < 0) return std::nullopt;
    dims.push_back(*dim);
  }
  return dims;
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])
Result<PickleCall> rebuild_tensor(const PickleDocument& document, const std::vector<PickleRef>& arguments) {
  if (arguments.size() != 6 && arguments.size() != 7)
    return wrong("_rebuild_tensor_v2 takes 6 or 7 arguments");
  const auto* const storage = document.get<PickleStorage>(arguments[0]);
  if (storage == nullptr) return wrong("the tensor has no storage");
  const auto* const offset = document.get<int64_t>(arguments[1]);
  if (offset == nullptr || *offset < 0)
    return wrong("the tensor's storage offset is not a whole number from 0");
  auto shape = get_dims(document, arguments[2]);
  auto strides = get_dims(document, arguments[3]);
  if (!shape || !strides || shape->size() != strides->size())
    return wrong("the tensor's size and stride are not two lists of the same up to " +
                 std::to_string(kMaxRank) + " whole numbers from 0");
  PickleTensor tensor{*storage, *offset, *std::move(shape), *std::move(strides)};
  return PickleCall(std::make_unique<PickleTensor>(std::move(tensor)));
}

}  // namespace

std::optional<PickleGlobal> find_pickle_global(std::string_view module, std::string_view name) {
  for (const auto& known : kKnownGlobals)
    if (known.module == module && known.name == name) return known.global;
  return std::nullopt;
}

Result<PickleCall> call_pickle_global(const PickleDocument& document, const PickleGlobal& global,
                                      const std::vector<PickleRef>& arguments) {
  switch (global.kind) {
    case Kind::kOrderedDict:
      if (!arguments.empty()) return wrong("OrderedDict is called with arguments");
      return PickleCall(PickleDict{});
    case Kind::kSize:
      if (arguments.size() != 1 || document.get<PickleTuple>(arguments[0]) == nullptr)
        return wrong("torch.Size is called with something else than a tuple");
      return PickleCall(arguments[0]);
    case Kind::kRebuildTensor:
      return rebuild_tensor(document, arguments);
    case Kind::kRebuildParameter:
      // (data, requires_grad, hooks): a parameter is its data.
      if (arguments.size() != 3 || document.get<std::unique_ptr<PickleTensor>>(arguments[0]) == nullptr)
        return wrong("_rebuild_parameter is called with something else than a tensor and two more arguments");
      return PickleCall(arguments[0]);
    case Kind::kStorageClass:
      return wrong("a storage class is called");
    case Kind::kDType:
      return wrong("a dtype is called");
  }
  return wrong("an unknown name is called");
}

Result<PickleStorage> make_pickle_storage(const PickleDocument& document, PickleRef persistent_id) {
  const auto* const id = document.get<PickleTuple>(persistent_id);
  if (id == nullptr || id->items.size() != 5) return wrong("the persistent id is not a tuple of 5");
  const auto* const tag = document.get<std::string_view>(id->items[0]);
  if (tag == nullptr || *tag != "storage") return wrong("the persistent id is not that of a storage");
  const auto* const type = document.get<PickleGlobal>(id->items[1]);
  if (type == nullptr || type->kind != Kind::kStorageClass || !type->dtype)
    return wrong("the storage's class tells no element type");
  const auto* const key = document.get<std::string_view>(id->items[2]);
  if (key == nullptr) return wrong("the storage's key is not a string");
  if (document.get<std::string_view>(id->items[3]) == nullptr)
    return wrong("the storage's location is not a string");
  const auto* const count = document.get<int64_t>(id->items[4]);
  if (count == nullptr || *count < 0)
    return wrong("the storage's element count is not a whole number from 0");
  return PickleStorage{*type->dtype, *key, *count};
}

}  // namespace sdv2
