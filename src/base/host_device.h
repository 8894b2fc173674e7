// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks a function that runs on the host and in CUDA kernels.
#pragma once

#ifdef __CUDACC__
#define SDV2_HOST_DEVICE __host__ __device__
#else
#define SDV2_HOST_DEVICE
#endif
