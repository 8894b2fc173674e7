// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/strided_copy.h"

#include <cstring>

namespace sdv2 {
namespace {

// The innermost dimension: `count` elements of Size bytes, `step` bytes apart.
template <size_t Size>
uint8_t* copy_row(const uint8_t* from, int64_t count, int64_t step, uint8_t* out) {
  for (int64_t i = 0; i < count; ++i, from += step, out += Size) std::memcpy(out, from, Size);
  return out;
}

}  // namespace

void gather_strided(const StoredTensor& tensor, std::span<const uint8_t> file, uint8_t* out) {
  if (tensor.extent == 0) return;
  const int64_t size = size_of(tensor.dtype);
  const uint8_t* const first = file.data() + tensor.offset;
  const size_t outer = tensor.shape.empty() ? 0 : tensor.shape.size() - 1;
  const int64_t row_count = tensor.shape.empty() ? 1 : tensor.shape.back();
  const int64_t row_step = tensor.shape.empty() ? size : tensor.strides.back() * size;
  auto* const copy = size == 1   ? copy_row<1>
                     : size == 2 ? copy_row<2>
                     : size == 4 ? copy_row<4>
                                 : copy_row<8>;

  std::vector<int64_t> index(outer, 0);  // of the row being copied, counted up like an odometer
  for (;;) {
    int64_t element = 0;
    for (size_t d = 0; d < outer; ++d) element += index[d] * tensor.strides[d];
    out = copy(first + element * size, row_count, row_step, out);
    size_t d = outer;
    while (d > 0 && ++index[d - 1] == tensor.shape[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

}  // namespace sdv2
