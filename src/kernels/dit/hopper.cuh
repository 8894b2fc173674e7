// SPDX-License-Identifier: LGPL-2.1-or-later
// The instructions of Hopper GPUs (compute capability 9.0a) that the kernels here are made of: barriers in
// shared memory and tensor copies (hopper_async.cuh), warpgroup matrix products (wgmma) and the overlapped
// start of dependent kernels. See the PTX ISA's chapters of the same names.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/hopper_async.cuh"

namespace sdv2::hopper {

using bf16 = __nv_bfloat16;

constexpr unsigned kAllLanes = 0xFFFFFFFF;
constexpr int kWarpgroup = 128;  // threads

// ---- start of dependent kernels (launch.cuh)

// Everything that kernels before this one in the stream have written is visible from here on.
__device__ __forceinline__ void wait_for_earlier_kernels() {
  asm volatile("griddepcontrol.wait;" ::: "memory");
}
// The next kernel of the stream may start; it waits for the end of this one at its own wait.
__device__ __forceinline__ void let_next_kernel_start() {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

// ---- named barriers

// Number 1…15 of a block; `threads` threads, those that only arrive included.
__device__ __forceinline__ void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// ---- warpgroup matrix products (wgmma.cuh)

// Descriptor of an operand in shared memory with the 128-byte swizzle of tensor copies: rows of 128 bytes,
// groups of 8 rows every 1024 bytes. `half_stride`: bytes between the 64-column halves of an operand that is
// not K-major; any value for one that is.
__device__ __forceinline__ uint64_t matrix_descriptor(uint32_t address, uint32_t half_stride) {
  constexpr uint64_t kSwizzle128 = uint64_t{1} << 62;
  return static_cast<uint64_t>((address & 0x3FFFF) >> 4) | (static_cast<uint64_t>(half_stride >> 4) << 16) |
         (static_cast<uint64_t>(1024 >> 4) << 32) | kSwizzle128;
}
__device__ __forceinline__ void products_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void products_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Until at most that many of the committed groups are still running.
template <int kRunning>
__device__ __forceinline__ void products_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kRunning) : "memory");
}
// Keeps the compiler from moving accesses to accumulators over this place.
template <int kCount>
__device__ __forceinline__ void pin(float (&values)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(values[i])::"memory");
}

// Registers of each thread of a warpgroup from here on. The sum over the warpgroups must not exceed what the
// kernel was launched with, else it hangs.
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// ---- arithmetic

__device__ __forceinline__ float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// Two numbers as bf16 in one word, `low` in the lower half, and back.
__device__ __forceinline__ uint32_t pack(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  uint32_t word;
  memcpy(&word, &both, sizeof word);
  return word;
}
__device__ __forceinline__ float2 unpack(uint32_t word) {
  __nv_bfloat162 both;
  memcpy(&both, &word, sizeof both);
  return __bfloat1622float2(both);
}

}  // namespace sdv2::hopper
