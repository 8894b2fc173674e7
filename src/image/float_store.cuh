// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and writing the model's pixel types as float, in kernels.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace sdv2 {

__device__ inline void store(float value, float* at) { *at = value; }
__device__ inline void store(float value, __half* at) { *at = __float2half_rn(value); }
__device__ inline void store(float value, __nv_bfloat16* at) { *at = __float2bfloat16_rn(value); }

__device__ inline float load(const float* at) { return *at; }
__device__ inline float load(const __half* at) { return __half2float(*at); }
__device__ inline float load(const __nv_bfloat16* at) { return __bfloat162float(*at); }

}  // namespace sdv2
