// SPDX-License-Identifier: LGPL-2.1-or-later
// Where weights come from: files, a formula, another network. Tensors are named by the original keys.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "weights/param_list.h"

namespace sdv2 {

struct TensorInfo {
  std::string key;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
};

// Not thread-safe. A source that is backed by files keeps them mapped while it lives.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // For messages: the file or folder, or "random weights, seed 3".
  virtual std::string name() const = 0;

  // The tensors a source holds, or nullptr when it can make any tensor that is asked for (formula weights).
  virtual const std::vector<TensorInfo>* tensors() const = 0;

  // One tensor of the given shape, contiguous, converted to `type` on `device`. Holds at most this one tensor
  // in host memory besides what is mapped. Errors: kNotFound, kCorrupt (shape or bounds), kOutOfMemory.
  virtual Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape,
                                  at::ScalarType type, at::Device device) = 0;

  // Elements [begin, begin + count) of the row-major order of one of tensors(), as a vector on the host in
  // its stored type: for copying a tensor that is too large to be held. (Tensors that lie scattered in their
  // file are read whole.) Errors: as read.
  virtual Result<at::Tensor> read_slice(const TensorInfo& info, int64_t begin, int64_t count);
};

// Compares a source with the full list of a network's parameters. One error names every missing, extra and
// misshapen key.
Result<void> check_keys(const ParamList& wanted, const WeightSource& source);

// Fills the parameters' tensors from the source, one after the other. `params` may be a part of a network
// (some blocks).
Result<void> load_params(const ParamList& params, WeightSource& source, at::ScalarType type,
                         at::Device device);

}  // namespace sdv2
