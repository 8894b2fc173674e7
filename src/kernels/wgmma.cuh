// SPDX-License-Identifier: LGPL-2.1-or-later
// Hopper's asynchronous matrix product of a warpgroup, bf16 × bf16 → float32, both operands in shared memory
// (PTX: wgmma.mma_async.sync.aligned.m64nNk16.f32.bf16.bf16). Only for sm_90a.
#pragma once

#include <cstdint>

namespace sdv2 {

// mma(d, a, b): D[64][N] += A[64][16]·B[N][16]ᵀ, of which a thread holds N/2 elements. a and b: descriptors.
template <int N>
struct Wgmma;
// mma(d0, d1, a, b): the same over 2·N columns, of which d0 and d1 hold a half each.
template <int N>
struct WgmmaPair;

// Operand lists: registers "%t0, … %t9, " and accumulators "+f"(d[i]).
#define SDV2_TEN(t) \
  "%" t "0, %" t "1, %" t "2, %" t "3, %" t "4, %" t "5, %" t "6, %" t "7, %" t "8, %" t "9, "
#define SDV2_ACC4(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SDV2_ACC16(d, i) SDV2_ACC4(d, i), SDV2_ACC4(d, i + 4), SDV2_ACC4(d, i + 8), SDV2_ACC4(d, i + 12)
#define SDV2_ACC48(d, i) SDV2_ACC16(d, i), SDV2_ACC16(d, i + 16), SDV2_ACC16(d, i + 32)

// Behind the descriptors: accumulate (1), signs of A and B (1, 1), both K-major (0, 0).
#define SDV2_WGMMA(n, registers, a, b, ...)                                                         \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" n "k16.f32.bf16.bf16 {" registers "}, " a ", " b \
               ", 1, 1, 1, 0, 0;\n"                                                                 \
               : __VA_ARGS__                                                                        \
               : "l"(descriptor_a), "l"(descriptor_b))

template <>
struct Wgmma<8> {
  static __device__ __forceinline__ void mma(float (&d)[4], uint64_t descriptor_a, uint64_t descriptor_b) {
    SDV2_WGMMA("8", "%0, %1, %2, %3", "%4", "%5", SDV2_ACC4(d, 0));
  }
};

template <>
struct Wgmma<32> {
  static __device__ __forceinline__ void mma(float (&d)[16], uint64_t descriptor_a, uint64_t descriptor_b) {
    SDV2_WGMMA("32", SDV2_TEN("") "%10, %11, %12, %13, %14, %15", "%16", "%17", SDV2_ACC16(d, 0));
  }
};

template <>
struct Wgmma<96> {
  static __device__ __forceinline__ void mma(float (&d)[48], uint64_t descriptor_a, uint64_t descriptor_b) {
    SDV2_WGMMA(
        "96", SDV2_TEN("") SDV2_TEN("1") SDV2_TEN("2") SDV2_TEN("3") "%40, %41, %42, %43, %44, %45, %46, %47",
        "%48", "%49", SDV2_ACC48(d, 0));
  }
};

template <>
struct Wgmma<192> {
  static __device__ __forceinline__ void mma(float (&d)[96], uint64_t descriptor_a, uint64_t descriptor_b) {
    SDV2_WGMMA("192",
               SDV2_TEN("") SDV2_TEN("1") SDV2_TEN("2") SDV2_TEN("3") SDV2_TEN("4") SDV2_TEN("5")
                   SDV2_TEN("6") SDV2_TEN("7") SDV2_TEN("8") "%90, %91, %92, %93, %94, %95",
               "%96", "%97", SDV2_ACC48(d, 0), SDV2_ACC48(d, 48));
  }
};

template <>
struct WgmmaPair<8> {
  static __device__ __forceinline__ void mma(float (&d0)[4], float (&d1)[4], uint64_t descriptor_a,
                                             uint64_t descriptor_b) {
    SDV2_WGMMA("16", "%0, %1, %2, %3, %4, %5, %6, %7", "%8", "%9", SDV2_ACC4(d0, 0), SDV2_ACC4(d1, 0));
  }
};

#undef SDV2_TEN
#undef SDV2_ACC4
#undef SDV2_ACC16
#undef SDV2_ACC48
#undef SDV2_WGMMA

}  // namespace sdv2
