// SPDX-License-Identifier: LGPL-2.1-or-later
// The tensor maps (encode_tensor_map.h) of the attention's operands. Host code only.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace sdv2 {

// For AttentionCall::queries: q bf16 [rows, tokens, width], in boxes of 128 tokens × 64 channels. Addresses
// are multiples of 16. Throws c10::Error when the driver does not have tensor maps.
CUtensorMap query_map(const void* q, int64_t rows, int64_t tokens, int64_t width);

// For KvMaps: keys or values bf16 [tokens, width], in boxes of `block` tokens × 64 channels. Tokens beyond
// `tokens` read as zeros, whatever memory holds.
CUtensorMap kv_map(const void* keys, int64_t tokens, int64_t width, int block);

}  // namespace sdv2
