// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the pickle inside a torch checkpoint as data. A pickle is a program; this machine knows only the
// operations that build state dicts, calls nothing, and refuses everything else.
// https://github.com/python/cpython/blob/3.11/Lib/pickletools.py describes the operations.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"

namespace sdv2 {

// Bounds on a pickle, far above those of real checkpoints (a 14B one has 100 KB, 50 000 operations). They
// keep the machine below 200 MB whatever the file says.
constexpr size_t kMaxPickleBytes = 64'000'000;
constexpr size_t kMaxPickleSteps =
    4'000'000;  // operations; also bounds the stack and the items of all containers
constexpr size_t kMaxPickleValues = 1'000'000;  // also bounds the memo

// Values refer to each other by number, so that shared and cyclic structures need no care.
using PickleRef = uint32_t;

// Anything that parses but that nobody asks for: None, floats, integers beyond 64 bits.
struct PickleOpaque {};

struct PickleList {
  std::vector<PickleRef> items;
};

struct PickleTuple {
  std::vector<PickleRef> items;
};

struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;  // as written; a key may appear twice
};

// A name of a Python module that a checkpoint may refer to.
struct PickleGlobal {
  enum class Kind : uint8_t {
    kOrderedDict,       // collections.OrderedDict
    kRebuildTensor,     // torch._utils._rebuild_tensor_v2
    kRebuildParameter,  // torch._utils._rebuild_parameter
    kSize,              // torch.Size
    kStorageClass,      // torch.FloatStorage …
    kDType,             // torch.float32 …
  };
  Kind kind = Kind::kDType;
  std::optional<DType> dtype;  // of a storage class; none for TypedStorage
};

// Raw elements that stand in the file of the archive whose name ends in "data/" + key.
struct PickleStorage {
  DType dtype = DType::kF32;
  std::string_view key;
  int64_t count = 0;  // elements, not negative
};

// A view of a storage. Nothing is negative, shape and strides have the same length, at most kMaxRank;
// otherwise unchecked.
struct PickleTensor {
  PickleStorage storage;
  int64_t offset = 0;  // elements
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements
};

using PickleValue = std::variant<PickleOpaque, bool, int64_t, std::string_view, PickleList, PickleTuple,
                                 PickleDict, PickleGlobal, PickleStorage, std::unique_ptr<PickleTensor>>;

// What a pickle holds. Strings point into the bytes it was read from.
struct PickleDocument {
  std::vector<PickleValue> values;
  PickleRef root = 0;

  // The value as a T, or nullptr when it is something else.
  template <class T>
  const T* get(PickleRef ref) const {
    return std::get_if<T>(&values[ref]);
  }
};

// Runs a pickle of protocol 2 (and the operations of 4 that replace some of its own). `where` begins error
// messages, which tell the byte and the operation. Errors: kCorrupt (damaged, out of bounds), kUnsupported
// (an operation or a Python name that is not accepted).
Result<PickleDocument> load_pickle(std::span<const uint8_t> bytes, std::string_view where);

}  // namespace sdv2
