// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel of direct_conv.h. Three warpgroups per block, one block per SM that works through the tiles: a
// producer, of which one thread issues all copies, and two consumers, for the left and the right 8 columns of
// a tile. Shared memory holds two input tiles and a queue of weight stages, each with a pair of barriers
// (full: filled by the producer's copies, empty: released by both consumers).
#include "kernels/direct_conv.h"

#include <cuda_bf16.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/encode_tensor_map.h"
#include "kernels/hopper_async.cuh"
#include "kernels/wgmma.cuh"

namespace sdv2 {
namespace {

constexpr int kConsumers = 2;
constexpr int kThreads = (kConsumers + 1) * 128;
constexpr int kRowBytes = kChannelStep * 2;  // of a pixel in an input tile, and of a row of weights
constexpr int kSharedLimit = 225 * 1024;     // for tiles and weights, of the 227 KiB of an SM
constexpr int kMaxWeightStages = 8;

template <int N, int F, int KT, bool HALO>
struct Layout {
  static constexpr int kInFrames = F + KT - 1;
  static constexpr int kColumns = HALO ? kHaloColumns : kTileColumns;
  static constexpr int kRows = HALO ? kHaloRows : kTileRows;
  static constexpr int kFrameBytes = kColumns * kRows * kRowBytes;  // of one frame of an input tile
  static constexpr int kFramePitch = (kFrameBytes + 1023) / 1024 * 1024;
  static constexpr int kStageBytes = KT * N * kRowBytes;  // a weight stage: the time taps of one tap
  // The residual comes into the input tiles' memory, in pieces of half the frames.
  static constexpr int kPieces = F > 1 ? 2 : 1;
  static constexpr int kPieceFrames = F / kPieces;
  static constexpr int kResidualPixel = N * 2;
  static constexpr int kResidualFrame = kTileRows * kTileColumns * kResidualPixel;
  static constexpr bool kResidual = N >= 32;
  static constexpr int kInputBytes = kInFrames * kFramePitch;
  static constexpr int kResidualBytes = kPieceFrames * kResidualFrame;
  static constexpr int kInputPitch = kResidual && kResidualBytes > kInputBytes ? kResidualBytes : kInputBytes;
  static constexpr int kStagesThatFit = (kSharedLimit - 2 * kInputPitch) / kStageBytes;
  static constexpr int kStages = kStagesThatFit < kMaxWeightStages ? kStagesThatFit : kMaxWeightStages;
  static constexpr int kBarrierBytes = 256;
  // 1024 for the alignment, which swizzled tiles need.
  static constexpr int kSharedBytes = 1024 + 2 * kInputPitch + kStages * kStageBytes + kBarrierBytes;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

// Descriptors of operands in shared memory: 64-byte swizzle (code 2), groups of 8 rows a pitch apart; address
// and pitch in units of 16 bytes. A group of A is 8 neighbouring pixels of a row, so that its pitch is a row
// of the input tile. Swizzling is by absolute address, so a tap's view may begin at any pixel.
__device__ constexpr uint64_t descriptor_of(int group_pitch) {
  return uint64_t{2} << 62 | uint64_t(group_pitch / 16) << 32 | uint64_t{1} << 16;
}

__device__ __forceinline__ float silu(float v) {
  // v·sigmoid(v) with one special function.
  const float half = 0.5f * v;
  float tanh;
  asm("tanh.approx.f32 %0, %1;" : "=f"(tanh) : "f"(half));
  return half * tanh + half;
}

__device__ __forceinline__ uint32_t bf16_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ __forceinline__ int slot_of(const FrameSlots& at, int chunk, int frame) {
  return (chunk * at.step + at.first + frame) % at.slots;
}

struct TileAt {
  int channels, column, group, row;  // in tiles; group: of frames
};

__device__ __forceinline__ TileAt tile_at(const DirectConvArgs& p, int tile) {
  TileAt at;
  at.channels = tile % p.channel_tiles;
  int rest = tile / p.channel_tiles;
  at.column = rest % p.tiles_x;
  rest /= p.tiles_x;
  at.group = rest % p.frame_groups;
  at.row = rest / p.frame_groups;
  return at;
}

// Position in a queue of buffers, and the parity of the round.
template <int COUNT>
struct QueueAt {
  uint32_t index = 0, round = 0;
  __device__ __forceinline__ void advance() {
    if (++index == COUNT) {
      index = 0;
      round ^= 1;
    }
  }
};

struct Shared {
  uint32_t inputs, weights;                                     // buffers
  uint32_t input_full, input_empty, weight_full, weight_empty;  // arrays of barriers, 8 bytes each
};

template <int N, int F, int KT, bool HALO>
struct Producer {
  using L = Layout<N, F, KT, HALO>;
  const CUtensorMap& in_map;
  const CUtensorMap& residual_map;
  const DirectConvArgs& p;
  const Shared& s;
  int chunk;
  uint32_t inputs_issued = 0;

  // The next input buffer, once it is free.
  __device__ __forceinline__ uint32_t next_input(uint32_t bytes) {
    const uint32_t buffer = inputs_issued & 1, round = (inputs_issued >> 1) & 1;
    ++inputs_issued;
    barrier_wait(s.input_empty + 8 * buffer, round ^ 1);
    barrier_arrive_expecting(s.input_full + 8 * buffer, bytes);
    return buffer;
  }

  __device__ __forceinline__ void issue_input(int tile, int step) {
    const TileAt at = tile_at(p, tile);
    const uint32_t buffer = next_input(L::kInFrames * L::kFrameBytes);
    const uint32_t full = s.input_full + 8 * buffer;
    int slot = slot_of(p.in.at, chunk, at.group * p.group_step);
#pragma unroll
    for (int f = 0; f < L::kInFrames; ++f) {
      const uint32_t to = s.inputs + buffer * L::kInputPitch + f * L::kFramePitch;
      const int x = at.column * kTileColumns, y = at.row * kTileRows;
      if (p.mode == ConvMode::kStride2) {
        const int parity = step / p.steps_per_parity, channels = step % p.steps_per_parity;
        load_tile(to, &in_map, full, ((parity & 1) * p.steps_per_parity + channels) * kChannelStep, x,
                  parity >> 1, y, slot);
      } else {
        load_tile(to, &in_map, full, step * kChannelStep, x - p.origin, y - p.origin, slot);
      }
      if (++slot == p.in.at.slots) slot = 0;
    }
  }

  // A piece of the residual, in place of an input tile; or only into the L2 cache, when its turn comes later.
  template <bool PREFETCH>
  __device__ __forceinline__ void issue_residual(int tile, int piece) {
    const TileAt at = tile_at(p, tile);
    uint32_t buffer = 0;
    if (!PREFETCH) buffer = next_input(L::kResidualBytes);
#pragma unroll
    for (int f = 0; f < L::kPieceFrames; ++f) {
      const int slot = slot_of(p.residual.at, chunk, at.group * F + piece * L::kPieceFrames + f);
      const int c = at.channels * N, x = at.column * kTileColumns, y = at.row * kTileRows;
      if (PREFETCH)
        prefetch_tile(&residual_map, c, x, y, slot);
      else
        load_tile(s.inputs + buffer * L::kInputPitch + f * L::kResidualFrame, &residual_map,
                  s.input_full + 8 * buffer, c, x, y, slot);
    }
  }

  __device__ __forceinline__ void run() {
    QueueAt<L::kStages> stage;
    if (blockIdx.x < p.tiles) issue_input(blockIdx.x, 0);
    for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
      const int next_tile = tile + static_cast<int>(gridDim.x);
      const unsigned char* weights =
          p.weights + static_cast<size_t>(tile % p.channel_tiles) * p.weight_stages * L::kStageBytes;
      for (int step = 0; step < p.channel_steps; ++step) {
        const int taps = p.mode == ConvMode::kStride2 ? p.parity_taps[step / p.steps_per_parity] : p.taps;
        // The next input tile is asked for after a few taps: earlier, this thread would wait for a buffer
        // that is still in use, and the weights would run dry.
        const int issue_after = taps - 1 < 2 ? taps - 1 : 2;
        for (int tap = 0; tap < taps; ++tap) {
          barrier_wait(s.weight_empty + 8 * stage.index, stage.round ^ 1);
          const uint32_t full = s.weight_full + 8 * stage.index;
          barrier_arrive_expecting(full, L::kStageBytes);
          load_bytes(s.weights + stage.index * L::kStageBytes, weights, L::kStageBytes, full);
          weights += L::kStageBytes;
          stage.advance();
          if (tap != issue_after) continue;
          if (step + 1 < p.channel_steps) {
            issue_input(tile, step + 1);
          } else if (p.residual.data != nullptr) {
            issue_residual<false>(tile, 0);
            if (L::kPieces > 1) issue_residual<true>(tile, 1);
          } else if (next_tile < p.tiles) {
            issue_input(next_tile, 0);
          }
        }
      }
      if (p.residual.data == nullptr) continue;
      if (L::kPieces > 1) issue_residual<false>(tile, 1);
      if (next_tile < p.tiles) issue_input(next_tile, 0);
    }
  }
};

template <int N, int F, int KT, bool HALO>
__global__ void __launch_bounds__(kThreads, 1)
    direct_conv(const __grid_constant__ CUtensorMap in_map, const __grid_constant__ CUtensorMap residual_map,
                const __grid_constant__ DirectConvArgs p) {
  using L = Layout<N, F, KT, HALO>;
  constexpr int kAcc = N / 2;  // accumulators of a thread per output frame
  extern __shared__ unsigned char shared_memory[];
  Shared s;
  s.inputs = (shared_address(shared_memory) + 1023) & ~1023u;
  s.weights = s.inputs + 2 * L::kInputPitch;
  s.input_full = s.weights + L::kStages * L::kStageBytes;
  s.input_empty = s.input_full + 16;
  s.weight_full = s.input_empty + 16;
  s.weight_empty = s.weight_full + 8 * L::kStages;
  const int thread = threadIdx.x;
  const int warpgroup = __shfl_sync(0xffffffffu, thread >> 7, 0);  // the same in a warp, and known to be
  if (thread == 0) {
    for (int i = 0; i < 2; ++i) {
      barrier_init(s.input_full + 8 * i, 1);
      barrier_init(s.input_empty + 8 * i, kConsumers);
    }
    for (int i = 0; i < L::kStages; ++i) {
      barrier_init(s.weight_full + 8 * i, 1);
      barrier_init(s.weight_empty + 8 * i, kConsumers);
    }
    barrier_init_fence();
  }
  __syncthreads();
  const int chunk = __ldg(p.chunk);

  // Registers go from the producer to the consumers: 24 + 2 × 240 are those of the launch, 3 × 168.
  if (warpgroup == kConsumers) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
    if (thread == kConsumers * 128) Producer<N, F, KT, HALO>{in_map, residual_map, p, s, chunk}.run();
    return;
  }
  asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");

  const int lane = thread & 31, warp = (thread >> 5) & 3, quad = lane & 3;
  const bool leader = (thread & 127) == 0;
  constexpr uint64_t kDescriptorA = descriptor_of(L::kColumns * kRowBytes);
  constexpr uint64_t kDescriptorB = descriptor_of(8 * kRowBytes);
  constexpr uint32_t kNone = 0xffffffffu;
  uint32_t inputs_used = 0;
  QueueAt<L::kStages> stage;
  float acc[F][kAcc];

  for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
    const TileAt at = tile_at(p, tile);
#pragma unroll
    for (int o = 0; o < F; ++o)
#pragma unroll
      for (int i = 0; i < kAcc; ++i) acc[o][i] = 0.f;

    // ---- sums
    const int* offsets = p.tap_offsets[p.mode == ConvMode::kUpsample ? at.channels : 0];
    int taps = p.taps;
    uint32_t read_stage = kNone, read_input = kNone;  // read by the products before the last ones
    for (int step = 0; step < p.channel_steps; ++step) {
      const uint32_t buffer = inputs_used & 1, round = (inputs_used >> 1) & 1;
      ++inputs_used;
      barrier_wait(s.input_full + 8 * buffer, round);
      const uint32_t input = s.inputs + buffer * L::kInputPitch + warpgroup * 8 * kRowBytes;
      if (p.mode == ConvMode::kStride2) {
        offsets = p.tap_offsets[step / p.steps_per_parity];
        taps = p.parity_taps[step / p.steps_per_parity];
      }
      for (int tap = 0; tap < taps; ++tap) {
        barrier_wait(s.weight_full + 8 * stage.index, stage.round);
        const uint32_t a = __shfl_sync(0xffffffffu, (input + offsets[tap] * kRowBytes) >> 4, 0);
        const uint32_t b = __shfl_sync(0xffffffffu, (s.weights + stage.index * L::kStageBytes) >> 4, 0);
        // The instructions around products are written out: behind functions, the assembler serialises the
        // products of N = 8 (C7511).
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
        const auto input_at = [&](int frame, int k) {
          return kDescriptorA | static_cast<uint64_t>(a + frame * (L::kFramePitch / 16) + k * 2);
        };
        // Time taps lie from the last to the first, so that neighbours are those of neighbouring output
        // frames.
        const auto weights_at = [&](int time_tap, int k) {
          return kDescriptorB | static_cast<uint64_t>(b + (KT - 1 - time_tap) * (N * kRowBytes / 16) + k * 2);
        };
        if constexpr (N == 8 && F == 4 && KT == 3) {
          // So few channels leave the matrix unit half empty: output frames 0, 1 and 2, 3 go together where
          // they see the same input frame. Not for N = 96: the compiler then serialises the products.
          using One = Wgmma<N>;
          using Two = WgmmaPair<N>;
#pragma unroll
          for (int k = 0; k < 2; ++k) {
            One::mma(acc[0], input_at(0, k), weights_at(0, k));
            One::mma(acc[2], input_at(2, k), weights_at(0, k));
            One::mma(acc[1], input_at(3, k), weights_at(2, k));
            One::mma(acc[3], input_at(5, k), weights_at(2, k));
          }
          asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
          for (int k = 0; k < 2; ++k) {
            Two::mma(acc[0], acc[1], input_at(1, k), weights_at(1, k));
            Two::mma(acc[2], acc[3], input_at(3, k), weights_at(1, k));
            Two::mma(acc[0], acc[1], input_at(2, k), weights_at(2, k));
            Two::mma(acc[2], acc[3], input_at(4, k), weights_at(2, k));
          }
        } else {
#pragma unroll
          for (int k = 0; k < 2; ++k)
#pragma unroll
            for (int f = 0; f < L::kInFrames; ++f)
#pragma unroll
              for (int kt = 0; kt < KT; ++kt) {
                const int o = f - kt;
                if (o >= 0 && o < F) Wgmma<N>::mma(acc[o], input_at(f, k), weights_at(kt, k));
              }
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        // All but these products are done: what the ones before read is free.
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
        if (leader) {
          if (read_stage != kNone) barrier_arrive(s.weight_empty + 8 * read_stage);
          if (tap == 0 && read_input != kNone) barrier_arrive(s.input_empty + 8 * read_input);
        }
        read_stage = stage.index;
        stage.advance();
      }
      read_input = buffer;
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    // Else the compiler may read accumulators before the wait.
#pragma unroll
    for (int o = 0; o < F; ++o)
#pragma unroll
      for (int i = 0; i < kAcc; ++i) asm volatile("" : "+f"(acc[o][i])::"memory");
    if (leader) {
      barrier_arrive(s.weight_empty + 8 * read_stage);
      barrier_arrive(s.input_empty + 8 * read_input);
    }

    // ---- epilogue. A thread has the pixels (x, y0) and (x, y0 + 1). Of their channels it has, as the rows
    // of weights are arranged (conv_packing.h), 8 in a row of every 32, from 8·quad on: acc[o][(4·block + i /
    // 2)·4 + 2·h + i % 2] is channel 32·block + 8·quad + i of pixel h.
    const int x = at.column * kTileColumns + warpgroup * 8 + (lane >> 2), y0 = at.row * kTileRows + warp * 2;
    if constexpr (N == 8) {
      if (quad < 2 && x < p.width) {
#pragma unroll
        for (int o = 0; o < F; ++o)
#pragma unroll
          for (int h = 0; h < 2; ++h) {
            const int y = y0 + h;
            if (y < p.height)
#pragma unroll
              for (int e = 0; e < 2; ++e) {
                const int channel = 2 * quad + e;
                const size_t frame = slot_of(p.x.at, chunk, at.group * F + o);
                if (channel < 3)
                  static_cast<__nv_bfloat16*>(
                      p.x.data)[((frame * 3 + channel) * p.height + y) * p.width + x] =
                      __float2bfloat16(acc[o][h * 2 + e] + __ldg(p.bias + channel));
              }
          }
      }
    } else {
      constexpr int kBlocks = N / 32;
      if (p.residual.data != nullptr) {
#pragma unroll
        for (int piece = 0; piece < L::kPieces; ++piece) {
          const uint32_t buffer = inputs_used & 1, round = (inputs_used >> 1) & 1;
          ++inputs_used;
          barrier_wait(s.input_full + 8 * buffer, round);
#pragma unroll
          for (int f = 0; f < L::kPieceFrames; ++f) {
            const int o = piece * L::kPieceFrames + f;
#pragma unroll
            for (int h = 0; h < 2; ++h)
#pragma unroll
              for (int block = 0; block < kBlocks; ++block) {
                const uint32_t pixel = (warp * 2 + h) * kTileColumns + warpgroup * 8 + (lane >> 2);
                const uint32_t from = s.inputs + buffer * L::kInputPitch + f * L::kResidualFrame +
                                      pixel * L::kResidualPixel + block * 64 + quad * 16;
                uint32_t r[4];
                asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
                             : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                             : "r"(from)
                             : "memory");
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                  acc[o][(4 * block + i) * 4 + h * 2] += __uint_as_float(r[i] << 16);
                  acc[o][(4 * block + i) * 4 + h * 2 + 1] += __uint_as_float(r[i] & 0xffff0000u);
                }
              }
          }
          asm volatile("bar.sync %0, 128;" ::"r"(warpgroup + 1) : "memory");  // the warpgroup has read it
          if (leader) barrier_arrive(s.input_empty + 8 * buffer);
        }
      }

      int pixel_row = 0, pixel_column = 0, later = 0;
      int first_channel = at.channels * N, first_bias = at.channels * N;
      if (p.mode == ConvMode::kUpsample) {
        pixel_row = at.channels >> 1;
        pixel_column = at.channels & 1;
        first_channel = first_bias = 0;
      }
      if (p.mode == ConvMode::kTimeDouble) {
        later = first_bias >= p.out_channels;
        first_channel = later ? first_bias - p.out_channels : first_bias;
      }
      const int out_width = p.width * p.out_scale, out_height = p.height * p.out_scale;
      const int frame_elements = out_height * out_width * p.out_channels;
      float squares[F][2];
      int pixel[2];
      bool inside[2];
#pragma unroll
      for (int o = 0; o < F; ++o) squares[o][0] = squares[o][1] = 0.f;
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int y = y0 + h;
        inside[h] = y < p.height && x < p.width;
        pixel[h] =
            ((y * p.out_scale + pixel_row) * out_width + x * p.out_scale + pixel_column) * p.out_channels +
            first_channel + 8 * quad;
      }
#pragma unroll
      for (int block = 0; block < kBlocks; ++block) {
        float bias[8];
        const float4* const bias_at =
            reinterpret_cast<const float4*>(p.bias + first_bias + 32 * block + 8 * quad);
        *reinterpret_cast<float4*>(&bias[0]) = __ldg(bias_at);
        *reinterpret_cast<float4*>(&bias[4]) = __ldg(bias_at + 1);
#pragma unroll
        for (int o = 0; o < F; ++o) {
          const int frame = (at.group * F + o) * p.frames_per_frame + later;
#pragma unroll
          for (int h = 0; h < 2; ++h) {
            float v[8];
#pragma unroll
            for (int i = 0; i < 8; ++i) v[i] = acc[o][(4 * block + i / 2) * 4 + h * 2 + (i & 1)] + bias[i];
#pragma unroll
            for (int i = 0; i < 8; ++i) {
              acc[o][(4 * block + i / 2) * 4 + h * 2 + (i & 1)] = v[i];
              squares[o][h] += v[i] * v[i];
            }
            if (p.x.data != nullptr && inside[h])
              *reinterpret_cast<uint4*>(static_cast<__nv_bfloat16*>(p.x.data) +
                                        static_cast<size_t>(slot_of(p.x.at, chunk, frame)) * frame_elements +
                                        pixel[h] + 32 * block) =
                  make_uint4(bf16_pair(v[0], v[1]), bf16_pair(v[2], v[3]), bf16_pair(v[4], v[5]),
                             bf16_pair(v[6], v[7]));
          }
        }
      }
      if (p.y.data != nullptr) {
#pragma unroll
        for (int o = 0; o < F; ++o)
#pragma unroll
          for (int h = 0; h < 2; ++h) {
            float sum = squares[o][h];
            sum += __shfl_xor_sync(0xffffffffu, sum, 1);
            sum += __shfl_xor_sync(0xffffffffu, sum, 2);
            squares[o][h] = p.norm_scale * rsqrtf(fmaxf(sum, 1e-24f));
          }
#pragma unroll
        for (int block = 0; block < kBlocks; ++block) {
          float gamma[8];
          const float4* const gamma_at = reinterpret_cast<const float4*>(p.gamma + 32 * block + 8 * quad);
          *reinterpret_cast<float4*>(&gamma[0]) = __ldg(gamma_at);
          *reinterpret_cast<float4*>(&gamma[4]) = __ldg(gamma_at + 1);
#pragma unroll
          for (int o = 0; o < F; ++o) {
            const int frame = (at.group * F + o) * p.frames_per_frame + later;
            const size_t slot = slot_of(p.y.at, chunk, frame);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
              float v[8];
#pragma unroll
              for (int i = 0; i < 8; ++i)
                v[i] = silu(acc[o][(4 * block + i / 2) * 4 + h * 2 + (i & 1)] * squares[o][h] * gamma[i]);
              if (inside[h])
                *reinterpret_cast<uint4*>(static_cast<__nv_bfloat16*>(p.y.data) + slot * frame_elements +
                                          pixel[h] + 32 * block) =
                    make_uint4(bf16_pair(v[0], v[1]), bf16_pair(v[2], v[3]), bf16_pair(v[4], v[5]),
                               bf16_pair(v[6], v[7]));
            }
          }
        }
      }
    }
  }
}

#else  // another architecture: the host never launches it there

template <int N, int F, int KT, bool HALO>
__global__ void direct_conv(const __grid_constant__ CUtensorMap, const __grid_constant__ CUtensorMap,
                            const __grid_constant__ DirectConvArgs) {
  __trap();
}

#endif

struct Instance {
  ConvTile tile;
  const void* kernel;
  int shared_bytes;
};

template <int N, int F, int KT, bool HALO>
Instance instance() {
  return {{N, F, KT, HALO},
          reinterpret_cast<const void*>(direct_conv<N, F, KT, HALO>),
          Layout<N, F, KT, HALO>::kSharedBytes};
}

const Instance* find_instance(const ConvTile& tile) {
  static const Instance all[] = {
      instance<96, 4, 3, true>(),    // 96 → 96
      instance<192, 2, 3, true>(),   // 96, 192 → 192 and 192, 384 → 384
      instance<192, 1, 3, true>(),   // 384 → 384, one frame
      instance<96, 4, 1, true>(),    // up 192 → 96, down 96, first convolution
      instance<192, 2, 1, true>(),   // up 384 → 192, down 192 and 384, shortcuts
      instance<192, 2, 3, false>(),  // over time
      instance<192, 1, 3, false>(),  // over time, one frame or every second one
      instance<8, 4, 3, true>(),     // 96 → 3
      instance<32, 1, 3, true>(),    // 384 → 32
  };
  for (const Instance& one : all)
    if (one.tile == tile) return &one;
  return nullptr;
}

Error device_error(const char* what, cudaError_t error) {
  return {ErrorCode::kDevice, std::string(what) + ": " + cudaGetErrorString(error)};
}

Result<void> encode_input(const DirectConvSpec& spec, CUtensorMap& map) {
  const int64_t channels = spec.in_channels, width = spec.width, height = spec.height,
                slots = spec.in.at.slots;
  const int columns = spec.tile.halo ? kHaloColumns : kTileColumns;
  const int rows = spec.tile.halo ? kHaloRows : kTileRows;
  const int64_t pixel = channels * 2, line = pixel * width, slot = line * height;  // bytes
  if (spec.mode != ConvMode::kStride2)
    return encode_tensor_map(map, spec.in.data, {channels, width, height, slots}, {pixel, line, slot},
                             {kChannelStep, columns, rows, 1}, CU_TENSOR_MAP_SWIZZLE_64B);
  // Four images, of even and odd rows and columns: (column parity, channel), column, row parity, row, slot.
  return encode_tensor_map(map, spec.in.data, {2 * channels, width / 2, 2, height / 2, slots},
                           {2 * pixel, line, 2 * line, slot}, {kChannelStep, columns, 1, rows, 1},
                           CU_TENSOR_MAP_SWIZZLE_64B);
}

Result<void> encode_residual(const DirectConvSpec& spec, CUtensorMap& map) {
  const int64_t channels = spec.out_channels, width = spec.width, height = spec.height;
  const int64_t pixel = channels * 2, line = pixel * width;  // bytes
  return encode_tensor_map(map, spec.residual.data, {channels, width, height, spec.residual.at.slots},
                           {pixel, line, line * height}, {spec.tile.channels, kTileColumns, kTileRows, 1},
                           CU_TENSOR_MAP_SWIZZLE_NONE);
}

DirectConvArgs args_of(const DirectConvSpec& spec) {
  const bool halved = spec.mode == ConvMode::kStride2;
  DirectConvArgs args{};
  args.height = halved ? spec.height / 2 : spec.height;
  args.width = halved ? spec.width / 2 : spec.width;
  args.tiles_x = (args.width + kTileColumns - 1) / kTileColumns;
  args.tiles_y = (args.height + kTileRows - 1) / kTileRows;
  args.tiles = args.tiles_x * args.tiles_y * spec.frame_groups * spec.channel_tiles;
  args.channel_tiles = spec.channel_tiles;
  args.frame_groups = spec.frame_groups;
  args.group_step = spec.group_step;
  args.steps_per_parity = spec.in_channels / kChannelStep;
  args.channel_steps = args.steps_per_parity * (halved ? 4 : 1);
  args.taps = spec.taps;
  args.weight_stages = args.steps_per_parity * spec.taps;
  args.origin = spec.tile.halo && !halved ? 1 : 0;
  args.mode = spec.mode;
  args.out_channels = spec.out_channels;
  args.out_scale = spec.mode == ConvMode::kUpsample ? 2 : 1;
  args.frames_per_frame = spec.mode == ConvMode::kTimeDouble ? 2 : 1;
  args.norm_scale = std::sqrt(static_cast<float>(spec.out_channels));
  std::copy(&spec.tap_offsets[0][0], &spec.tap_offsets[0][0] + 4 * kMaxTaps, &args.tap_offsets[0][0]);
  std::copy(std::begin(spec.parity_taps), std::end(spec.parity_taps), std::begin(args.parity_taps));
  args.chunk = spec.chunk;
  args.weights = static_cast<const unsigned char*>(spec.weights);
  args.bias = spec.bias;
  args.gamma = spec.gamma;
  args.in = spec.in;
  args.residual = spec.residual;
  args.x = spec.x;
  args.y = spec.y;
  return args;
}

Result<void> check(const DirectConvSpec& spec) {
  const bool planar = spec.tile.channels == 8;
  const bool sizes = spec.height > 0 && spec.width > 0 && spec.in_channels > 0 &&
                     spec.in_channels % kChannelStep == 0 && spec.taps > 0 && spec.taps <= kMaxTaps &&
                     spec.frame_groups > 0 && spec.channel_tiles > 0;
  const bool even = spec.mode != ConvMode::kStride2 || (spec.height % 2 == 0 && spec.width % 2 == 0);
  const bool norm =
      spec.y.data == nullptr || (spec.gamma != nullptr && spec.tile.channels == spec.out_channels);
  const bool head = !planar || (spec.out_channels == 3 && spec.x.data != nullptr && spec.y.data == nullptr &&
                                spec.residual.data == nullptr);
  const bool channels = planar || spec.out_channels % spec.tile.channels == 0;
  // An offset within a frame is an int.
  const int64_t elements =
      int64_t{spec.height} * spec.width * spec.out_channels * (spec.mode == ConvMode::kUpsample ? 4 : 1);
  if (sizes && even && norm && head && channels && elements < (int64_t{1} << 31)) return {};
  return Error{ErrorCode::kInvalidArgument, "direct convolution: these sizes do not go together"};
}

}  // namespace

bool has_direct_conv() {
#ifdef SDV2_HAVE_SM90A
  return true;
#else
  return false;
#endif
}

Result<DirectConv> DirectConv::create(const DirectConvSpec& spec) {
  SDV2_CHECK(check(spec));
  const Instance* const found = find_instance(spec.tile);
  if (found == nullptr)
    return Error{ErrorCode::kInvalidArgument, "there is no direct convolution for tiles of " +
                                                  std::to_string(spec.tile.channels) + " channels, " +
                                                  std::to_string(spec.tile.frames) + " frames, " +
                                                  std::to_string(spec.tile.time_taps) + " time taps"};
  int device = 0, major = 0, minor = 0, multiprocessors = 0;
  if (const cudaError_t error = cudaGetDevice(&device); error != cudaSuccess)
    return device_error("asking for the device", error);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  if (!has_direct_conv() || major != 9 || minor != 0)
    return Error{ErrorCode::kUnsupported, "direct convolutions need a Hopper GPU and a build for 90a"};
  if (const cudaError_t error =
          cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
      error != cudaSuccess)
    return device_error("asking for the number of multiprocessors", error);
  if (const cudaError_t error = cudaFuncSetAttribute(
          found->kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, found->shared_bytes);
      error != cudaSuccess)
    return device_error("preparing a direct convolution", error);

  DirectConv conv;
  SDV2_CHECK(encode_input(spec, conv.in_map_));
  conv.residual_map_ = conv.in_map_;  // not used without a residual
  if (spec.residual.data != nullptr) {
    SDV2_CHECK(encode_residual(spec, conv.residual_map_));
  }
  conv.args_ = args_of(spec);
  conv.kernel_ = found->kernel;
  conv.shared_bytes_ = found->shared_bytes;
  conv.blocks_ = std::min(conv.args_.tiles, multiprocessors);
  return conv;
}

cudaError_t DirectConv::launch(cudaStream_t stream) const {
  void* arguments[] = {const_cast<CUtensorMap*>(&in_map_), const_cast<CUtensorMap*>(&residual_map_),
                       const_cast<DirectConvArgs*>(&args_)};
  return cudaLaunchKernel(kernel_, dim3(static_cast<unsigned>(blocks_)), dim3(kThreads), arguments,
                          static_cast<size_t>(shared_bytes_), stream);
}

}  // namespace sdv2
