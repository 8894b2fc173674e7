// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/tensor_map.h"

#include <c10/util/Exception.h>

#include "kernels/dit/attention.h"
#include "kernels/encode_tensor_map.h"

namespace sdv2 {
namespace {

constexpr int kColumns = 64;  // of a box: 128 bytes, the width of the swizzle

void check(const Result<void>& encoded) { TORCH_CHECK(encoded.ok(), encoded.error().message); }

}  // namespace

CUtensorMap query_map(const void* q, int64_t rows, int64_t tokens, int64_t width) {
  const int64_t line = width * 2;
  CUtensorMap map;
  check(encode_tensor_map(map, q, {width, tokens, rows}, {line, line * tokens}, {kColumns, kQueryTile, 1},
                          CU_TENSOR_MAP_SWIZZLE_128B));
  return map;
}

CUtensorMap kv_map(const void* keys, int64_t tokens, int64_t width, int block) {
  CUtensorMap map;
  check(encode_tensor_map(map, keys, {width, tokens}, {width * 2}, {kColumns, block},
                          CU_TENSOR_MAP_SWIZZLE_128B));
  return map;
}

}  // namespace sdv2
