// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings a tensor that lies scattered in a file (a transposed or sliced view) into row-major order.
#pragma once

#include "weights/stored_tensor.h"

namespace sdv2 {

// Copies the elements of a tensor with strides from `file` (all bytes of its file) to `out`, which has room
// for elements × size bytes. Neither side needs any alignment.
void gather_strided(const StoredTensor& tensor, std::span<const uint8_t> file, uint8_t* out);

}  // namespace sdv2
