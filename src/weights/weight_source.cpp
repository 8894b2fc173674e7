// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/weight_source.h"

#include <ATen/ATen.h>

#include "weights/tensor_file.h"

namespace sdv2 {

Result<at::Tensor> WeightSource::read_slice(const TensorInfo& info, int64_t begin, int64_t count) {
  SDV2_TRY(const at::Tensor whole, read(info.key, info.shape, to_scalar_type(info.dtype), at::kCPU));
  return whole.view({-1}).narrow(0, begin, count);
}

}  // namespace sdv2
