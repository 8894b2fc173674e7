// SPDX-License-Identifier: LGPL-2.1-or-later
// Matrix products of a warpgroup, bf16 × bf16 added in fp32: wgmma.mma_async.m64nNk16.
//
// Thread t of the warpgroup holds of the 64 × N result, for i = 0 … N/8-1 and row = 16·(t/32) + (t%32)/4,
//   d[4i], d[4i+1]   columns 8i + 2·(t%4) and the next, of `row`
//   d[4i+2], d[4i+3] the same columns of row + 8
#pragma once

#include <cstdint>

namespace sdv2::hopper {

// clang-format off
#define SDV2_REGISTERS_0 "%0, %1, %2, %3, %4, %5, %6, %7"
#define SDV2_REGISTERS_1 "%8, %9, %10, %11, %12, %13, %14, %15"
#define SDV2_REGISTERS_2 "%16, %17, %18, %19, %20, %21, %22, %23"
#define SDV2_REGISTERS_3 "%24, %25, %26, %27, %28, %29, %30, %31"
#define SDV2_REGISTERS_4 "%32, %33, %34, %35, %36, %37, %38, %39"
#define SDV2_REGISTERS_5 "%40, %41, %42, %43, %44, %45, %46, %47"
#define SDV2_REGISTERS_6 "%48, %49, %50, %51, %52, %53, %54, %55"
#define SDV2_REGISTERS_7 "%56, %57, %58, %59, %60, %61, %62, %63"
#define SDV2_REGISTERS_8 "%64, %65, %66, %67, %68, %69, %70, %71"
#define SDV2_OPERANDS_8(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define SDV2_REGISTERS_0_TO_63 SDV2_REGISTERS_0 ", " SDV2_REGISTERS_1 ", " SDV2_REGISTERS_2 ", " SDV2_REGISTERS_3 ", " SDV2_REGISTERS_4 ", " SDV2_REGISTERS_5 ", " SDV2_REGISTERS_6 ", " SDV2_REGISTERS_7
#define SDV2_OPERANDS_64(d) SDV2_OPERANDS_8(d, 0), SDV2_OPERANDS_8(d, 8), SDV2_OPERANDS_8(d, 16), SDV2_OPERANDS_8(d, 24), SDV2_OPERANDS_8(d, 32), SDV2_OPERANDS_8(d, 40), SDV2_OPERANDS_8(d, 48), SDV2_OPERANDS_8(d, 56)
#define SDV2_REGISTERS_0_TO_71 SDV2_REGISTERS_0 ", " SDV2_REGISTERS_1 ", " SDV2_REGISTERS_2 ", " SDV2_REGISTERS_3 ", " SDV2_REGISTERS_4 ", " SDV2_REGISTERS_5 ", " SDV2_REGISTERS_6 ", " SDV2_REGISTERS_7 ", " SDV2_REGISTERS_8
#define SDV2_OPERANDS_72(d) SDV2_OPERANDS_8(d, 0), SDV2_OPERANDS_8(d, 8), SDV2_OPERANDS_8(d, 16), SDV2_OPERANDS_8(d, 24), SDV2_OPERANDS_8(d, 32), SDV2_OPERANDS_8(d, 40), SDV2_OPERANDS_8(d, 48), SDV2_OPERANDS_8(d, 56), SDV2_OPERANDS_8(d, 64)
// clang-format on

// d = a · bᵀ (+ d when `add`): a [64, 16] and b [N, 16], both in shared memory, K-major.
template <int kN>
struct SharedProduct;

template <>
struct SharedProduct<128> {
  static __device__ __forceinline__ void run(float (&d)[64], uint64_t a, uint64_t b, int add) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" SDV2_REGISTERS_0_TO_63
        "}, %64, %65, p, 1, 1, 0, 0;}\n"
        : SDV2_OPERANDS_64(d)
        : "l"(a), "l"(b), "r"(add));
  }
};

template <>
struct SharedProduct<144> {
  static __device__ __forceinline__ void run(float (&d)[72], uint64_t a, uint64_t b, int add) {
    asm volatile(
        "{.reg .pred p; setp.ne.b32 p, %74, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n144k16.f32.bf16.bf16 {" SDV2_REGISTERS_0_TO_71
        "}, %72, %73, p, 1, 1, 0, 0;}\n"
        : SDV2_OPERANDS_72(d)
        : "l"(a), "l"(b), "r"(add));
  }
};

// d [64, 128] = a · b (+ d when `add`): a [64, 16] in registers (words in the order of the results of a
// product, packed in pairs), b [16, 128] in shared memory as it lies in memory, two halves of 64 columns.
__device__ __forceinline__ void register_product(float (&d)[64], const uint32_t* a, uint64_t b, int add) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %69, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" SDV2_REGISTERS_0_TO_63
      "}, {%64, %65, %66, %67}, %68, p, 1, 1, 1;}\n"
      : SDV2_OPERANDS_64(d)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add));
}

}  // namespace sdv2::hopper
