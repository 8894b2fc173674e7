// SPDX-License-Identifier: LGPL-2.1-or-later
// One thread block per processor, of three warpgroups: one thread of the third brings queries, keys and
// values to shared memory by tensor copies, the other two multiply, 64 queries each.
//
// A warpgroup issues S = Q·K[i]ᵀ and O += P·V[i-1] together and turns S into P while the second product still
// runs. The two warpgroups take turns at issuing (named barriers), so that one computes exponentials while
// the other feeds the tensor cores. Probabilities stay in registers: the results of one product are laid out
// as the operand of the next.
//
// The running maximum moves only when a score exceeds it by more than 2^8; O is then rescaled. This is exact,
// as the factor is common to numerator and denominator, and rare.
#include "kernels/dit/attention.h"
#include "kernels/dit/hopper.cuh"
#include "kernels/dit/launch.cuh"
#include "kernels/dit/wgmma.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

constexpr int kHead = 128;
constexpr int kThreads = 3 * kWarpgroup;
constexpr int kQueryBytes = kQueryTile * kHead * 2;
constexpr int kQueryHalf = kQueryBytes / 2;  // boxes have 64 columns
constexpr int kStages = 2;
constexpr float kLowest = -1e30f;
constexpr float kHeadroom = 8;  // of the running maximum, in powers of two

struct Parameters {
  AttentionTiles tiles;
  AttentionBalance balance;
  int tokens;
  float scale;  // log2(e) / √128
  const KvMaps* kv;
  const int* valid;
  bf16* out;
  AttentionScratch scratch;
};

template <int kBlock>
struct Layout {
  static constexpr int kBlockBytes = kBlock * kHead * 2;
  static constexpr int kHalf = kBlockBytes / 2;
  static constexpr int kBarriers = 2 + 4 * kStages;
  static constexpr int kBytes = kQueryBytes + 2 * kStages * kBlockBytes + 8 * kBarriers + 1024;  // to align
};

// Where a thread's results lie: rows `row` and `row + 8` of the warpgroup's 64.
struct Place {
  int thread = 0;     // of the warpgroup
  int lane = 0;       // 0…3: columns 2·lane and the next of every group of 8
  int first_row = 0;  // of the row's queries

  __device__ Place(int query_tile, int warpgroup)
      : thread(static_cast<int>(threadIdx.x) % kWarpgroup),
        lane(thread % 4),
        first_row(query_tile * kQueryTile + warpgroup * 64 + thread / 32 * 16 + thread % 32 / 4) {}
};

// From "every lane of four has 2 columns of each group of 8" to "every lane has all 8 of one group": a 4 × 4
// transposition of words, in two exchanges.
__device__ __forceinline__ uint4 gather_columns(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3,
                                                int lane) {
  const bool odd = lane & 1, upper = lane & 2;
  uint32_t a = __shfl_xor_sync(kAllLanes, odd ? w0 : w1, 1);
  uint32_t b = __shfl_xor_sync(kAllLanes, odd ? w2 : w3, 1);
  (odd ? w0 : w1) = a;
  (odd ? w2 : w3) = b;
  a = __shfl_xor_sync(kAllLanes, upper ? w0 : w2, 2);
  b = __shfl_xor_sync(kAllLanes, upper ? w1 : w3, 2);
  (upper ? w0 : w2) = a;
  (upper ? w1 : w3) = b;
  return make_uint4(w0, w1, w2, w3);
}

// Writes 32 columns (16 results of a thread, as accumulators), scaled for each of the two rows.
__device__ __forceinline__ void write_columns(const Parameters& p, int row, int head, const Place& place,
                                              int column, const float* sums, float scale0, float scale1) {
  const uint4 upper = gather_columns(
      pack(sums[0] * scale0, sums[1] * scale0), pack(sums[4] * scale0, sums[5] * scale0),
      pack(sums[8] * scale0, sums[9] * scale0), pack(sums[12] * scale0, sums[13] * scale0), place.lane);
  const uint4 lower = gather_columns(
      pack(sums[2] * scale1, sums[3] * scale1), pack(sums[6] * scale1, sums[7] * scale1),
      pack(sums[10] * scale1, sums[11] * scale1), pack(sums[14] * scale1, sums[15] * scale1), place.lane);
  const int64_t stride = int64_t{p.tiles.heads} * kHead;
  bf16* out =
      p.out + (int64_t{row} * p.tokens + place.first_row) * stride + head * kHead + column + 8 * place.lane;
  if (place.first_row < p.tokens) *reinterpret_cast<uint4*>(out) = upper;
  if (place.first_row + 8 < p.tokens) *reinterpret_cast<uint4*>(out + 8 * stride) = lower;
}

template <int kBlock>
__global__ void __launch_bounds__(kThreads, 1)
    attention_kernel(const __grid_constant__ CUtensorMap queries, const __grid_constant__ Parameters p) {
  using L = Layout<kBlock>;
  constexpr int kScores = kBlock / 2;  // accumulators of S: 64 × kBlock over 128 threads
  constexpr int kSteps = kBlock / 16;  // of the product with V
  extern __shared__ uint8_t raw[];
  const uint32_t base = (shared_address(raw) + 1023) & ~1023u;
  const uint32_t q_tile = base, k_tiles = q_tile + kQueryBytes, v_tiles = k_tiles + kStages * L::kBlockBytes;
  const uint32_t barriers = v_tiles + kStages * L::kBlockBytes;
  const uint32_t q_full = barriers, q_empty = barriers + 8;
  const uint32_t k_full = barriers + 16, k_empty = k_full + 8 * kStages;
  const uint32_t v_full = k_empty + 8 * kStages, v_empty = v_full + 8 * kStages;
  const int warpgroup = __shfl_sync(kAllLanes, static_cast<int>(threadIdx.x) / kWarpgroup, 0);
  if (threadIdx.x == 0) {
    barrier_init(q_full, 1);
    barrier_init(q_empty, 2);
    for (int i = 0; i < kStages; ++i) {
      barrier_init(k_full + 8 * i, 1);
      barrier_init(k_empty + 8 * i, 2);
      barrier_init(v_full + 8 * i, 1);
      barrier_init(v_empty + 8 * i, 2);
    }
    barrier_init_fence();
  }
  __syncthreads();
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const int processor = static_cast<int>(blockIdx.x);
  const AttentionSchedule<kBlock> schedule(p.tiles, p.balance, p.valid);
  AttentionShare<kBlock> share(schedule, processor, p.tiles.processors);
  AttentionPart part;

  if (warpgroup == 2) {
    give_registers<40>();
    if (threadIdx.x == 2 * kWarpgroup) {
      uint32_t tiles_done = 0, blocks_done = 0;
      int acquired_row = -1;
      while (share.next(part)) {
        const int row = p.tiles.row(part.tile), head = p.tiles.head(part.tile);
        const KvMaps* maps = p.kv + row;
        if (row != acquired_row) {
          acquire_tensor_map(&maps->k);
          acquire_tensor_map(&maps->v);
          acquired_row = row;
        }
        barrier_wait(q_empty, (tiles_done++ & 1) ^ 1);
        barrier_arrive_expecting(q_full, kQueryBytes);
        const int query = p.tiles.query_tile(part.tile) * kQueryTile;
        load_tile(q_tile, &queries, q_full, head * kHead, query, row);
        load_tile(q_tile + kQueryHalf, &queries, q_full, head * kHead + 64, query, row);
        for (int block = part.first; block < part.last; ++block, ++blocks_done) {
          const uint32_t stage = blocks_done % kStages, parity = ((blocks_done / kStages) & 1) ^ 1;
          const auto bring = [&](uint32_t tiles, const CUtensorMap* map, uint32_t full, uint32_t empty) {
            barrier_wait(empty + 8 * stage, parity);
            barrier_arrive_expecting(full + 8 * stage, L::kBlockBytes);
            const uint32_t to = tiles + stage * L::kBlockBytes;
            load_tile(to, map, full + 8 * stage, head * kHead, block * kBlock);
            load_tile(to + L::kHalf, map, full + 8 * stage, head * kHead + 64, block * kBlock);
          };
          bring(k_tiles, &maps->k, k_full, k_empty);
          bring(v_tiles, &maps->v, v_full, v_empty);
        }
      }
    }
    return;
  }

  take_registers<232>();
  const int my_turn = 1 + warpgroup, others_turn = 2 - warpgroup;  // named barriers
  if (warpgroup == 1) named_barrier_arrive(1, 2 * kWarpgroup);     // the first turn is warpgroup 0's
  const bool leader = threadIdx.x % kWarpgroup == 0;
  uint32_t tiles_done = 0, blocks_done = 0;
  float O[64], S[kScores];
  uint32_t P[kSteps * 4];
  while (share.next(part)) {
    const int row = p.tiles.row(part.tile);
    const int valid = p.valid[row], blocks = schedule.blocks(part.tile);
    const Place place(p.tiles.query_tile(part.tile), warpgroup);
    float max0 = kLowest, max1 = kLowest, sum0 = 0, sum1 = 0;  // of the thread's two rows
    float rescale0, rescale1;

    const auto multiply_keys = [&](uint32_t stage) {
      const uint32_t q = q_tile + warpgroup * (64 * 128), k = k_tiles + stage * L::kBlockBytes;
#pragma unroll
      for (int j = 0; j < 8; ++j)
        SharedProduct<kBlock>::run(S, matrix_descriptor(q + (j >> 2) * kQueryHalf + (j & 3) * 32, 16),
                                   matrix_descriptor(k + (j >> 2) * L::kHalf + (j & 3) * 32, 16), j > 0);
    };
    const auto multiply_values = [&](uint32_t stage, int add) {
      const uint32_t v = v_tiles + stage * L::kBlockBytes;
#pragma unroll
      for (int j = 0; j < kSteps; ++j)
        register_product(O, P + 4 * j, matrix_descriptor(v + j * 16 * 128, L::kHalf), add || j > 0);
    };
    // Scores to probabilities, relative to the running maximum.
    const auto soften = [&](int block) {
      if (block == blocks - 1 && block * kBlock + kBlock > valid) {
#pragma unroll
        for (int i = 0; i < kScores; ++i)
          if (block * kBlock + (i >> 2) * 8 + 2 * place.lane + (i & 1) >= valid) S[i] = kLowest;
      }
      float top0 = S[0], top1 = S[2];
#pragma unroll
      for (int i = 0; i < kScores; i += 4) {
        top0 = fmaxf(top0, fmaxf(S[i], S[i + 1]));
        top1 = fmaxf(top1, fmaxf(S[i + 2], S[i + 3]));
      }
      top0 = fmaxf(top0, __shfl_xor_sync(kAllLanes, top0, 1));
      top1 = fmaxf(top1, __shfl_xor_sync(kAllLanes, top1, 1));
      top0 = fmaxf(top0, __shfl_xor_sync(kAllLanes, top0, 2)) * p.scale;
      top1 = fmaxf(top1, __shfl_xor_sync(kAllLanes, top1, 2)) * p.scale;
      rescale0 = rescale1 = 1.f;
      if (top0 > max0 + kHeadroom) {
        rescale0 = exp2_approx(max0 - top0);
        max0 = top0;
      }
      if (top1 > max1 + kHeadroom) {
        rescale1 = exp2_approx(max1 - top1);
        max1 = top1;
      }
      float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma unroll
      for (int i = 0; i < kScores; i += 4) {
        s0 += S[i] = exp2_approx(fmaf(S[i], p.scale, -max0));
        s1 += S[i + 1] = exp2_approx(fmaf(S[i + 1], p.scale, -max0));
        s2 += S[i + 2] = exp2_approx(fmaf(S[i + 2], p.scale, -max1));
        s3 += S[i + 3] = exp2_approx(fmaf(S[i + 3], p.scale, -max1));
      }
      sum0 = sum0 * rescale0 + s0 + s1;
      sum1 = sum1 * rescale1 + s2 + s3;
    };
    const auto round_probabilities = [&] {
#pragma unroll
      for (int i = 0; i < kSteps * 4; ++i) P[i] = pack(S[2 * i], S[2 * i + 1]);
    };

    barrier_wait(q_full, tiles_done++ & 1);
    {
      const uint32_t stage = blocks_done % kStages;
      barrier_wait(k_full + 8 * stage, (blocks_done / kStages) & 1);
      pin(S);
      products_fence();
      multiply_keys(stage);
      products_commit();
      products_wait<0>();
      pin(S);
      if (leader) barrier_arrive(k_empty + 8 * stage);
      soften(part.first);
      round_probabilities();
    }
    for (int block = part.first + 1; block < part.last; ++block) {
      const uint32_t stage = (blocks_done + 1) % kStages, parity = ((blocks_done + 1) / kStages) & 1;
      const uint32_t v_stage = blocks_done % kStages, v_parity = (blocks_done / kStages) & 1;
      ++blocks_done;
      barrier_wait(k_full + 8 * stage, parity);
      named_barrier_sync(my_turn, 2 * kWarpgroup);
      pin(S);
      products_fence();
      multiply_keys(stage);
      products_commit();
      barrier_wait(v_full + 8 * v_stage, v_parity);
      multiply_values(v_stage, block > part.first + 1);
      products_commit();
      named_barrier_arrive(others_turn, 2 * kWarpgroup);
      products_wait<1>();  // of S
      pin(S);
      if (leader) barrier_arrive(k_empty + 8 * stage);
      soften(block);
      products_wait<0>();
      pin(O);
      if (leader) barrier_arrive(v_empty + 8 * v_stage);
      if (__any_sync(kAllLanes, (rescale0 != 1.f) | (rescale1 != 1.f))) {
#pragma unroll
        for (int i = 0; i < 64; i += 4) {
          O[i] *= rescale0;
          O[i + 1] *= rescale0;
          O[i + 2] *= rescale1;
          O[i + 3] *= rescale1;
        }
      }
      round_probabilities();
    }
    if (leader) barrier_arrive(q_empty);
    {
      const uint32_t stage = blocks_done % kStages;
      barrier_wait(v_full + 8 * stage, (blocks_done / kStages) & 1);
      ++blocks_done;
      pin(O);
      products_fence();
      multiply_values(stage, part.last - part.first > 1);
      products_commit();
      products_wait<0>();
      pin(O);
      if (leader) barrier_arrive(v_empty + 8 * stage);
    }
    sum0 += __shfl_xor_sync(kAllLanes, sum0, 1);
    sum1 += __shfl_xor_sync(kAllLanes, sum1, 1);
    sum0 += __shfl_xor_sync(kAllLanes, sum0, 2);
    sum1 += __shfl_xor_sync(kAllLanes, sum1, 2);
    if (part.first == 0 && part.last == blocks) {
      const float scale0 = 1.f / sum0, scale1 = 1.f / sum1;
      const int head = p.tiles.head(part.tile);
#pragma unroll
      for (int g = 0; g < 4; ++g) write_columns(p, row, head, place, 32 * g, &O[16 * g], scale0, scale1);
    } else {
      const int slot = AttentionSchedule<kBlock>::partial_slot(processor, part.first == 0) * 2 + warpgroup;
      float4* sums = p.scratch.sums + int64_t{slot} * 16 * kWarpgroup + place.thread;
#pragma unroll
      for (int i = 0; i < 16; ++i)
        sums[i * kWarpgroup] = make_float4(O[4 * i], O[4 * i + 1], O[4 * i + 2], O[4 * i + 3]);
      float2* norms = p.scratch.norms + int64_t{slot} * 2 * kWarpgroup + place.thread;
      norms[0] = make_float2(max0, sum0);
      norms[kWarpgroup] = make_float2(max1, sum1);
    }
  }
}

// Puts the partial results of cut tiles together. Thread block (tile that may be cut, half of its queries,
// quarter of the columns).
template <int kBlock>
__global__ void __launch_bounds__(kWarpgroup) merge_kernel(const __grid_constant__ Parameters p) {
  let_next_kernel_start();
  wait_for_earlier_kernels();
  const AttentionSchedule<kBlock> schedule(p.tiles, p.balance, p.valid);
  const int tile = schedule.whole_tiles() + static_cast<int>(blockIdx.x);
  const int half = static_cast<int>(blockIdx.y), quarter = static_cast<int>(blockIdx.z);
  const int begin = schedule.line_begin(tile);
  const int first = schedule.processor_at(begin),
            last = schedule.processor_at(begin + schedule.blocks(tile) - 1);
  if (first == last) return;  // not cut
  const int query_tile = p.tiles.query_tile(tile);
  if (query_tile * kQueryTile + half * 64 >= p.tokens) return;
  const Place place(query_tile, half);
  // A processor whose share is empty has left nothing.
  const auto has_part = [&](int processor) {
    return schedule.share_begin(processor) != schedule.share_begin(processor + 1);
  };
  const auto slot_of = [&](int processor) {
    return AttentionSchedule<kBlock>::partial_slot(processor, processor == first) * 2 + half;
  };
  const auto norms_of = [&](int processor) {
    return p.scratch.norms + int64_t{slot_of(processor)} * 2 * kWarpgroup + place.thread;
  };
  float max0 = kLowest, max1 = kLowest, sum0 = 0, sum1 = 0;
#pragma unroll 4
  for (int i = first; i <= last; ++i) {
    if (!has_part(i)) continue;
    max0 = fmaxf(max0, __ldcg(norms_of(i)).x);
    max1 = fmaxf(max1, __ldcg(norms_of(i) + kWarpgroup).x);
  }
  float total[16] = {};
#pragma unroll 4
  for (int i = first; i <= last; ++i) {
    if (!has_part(i)) continue;
    const float2 norm0 = __ldcg(norms_of(i)), norm1 = __ldcg(norms_of(i) + kWarpgroup);
    const float4* sums =
        p.scratch.sums + (int64_t{slot_of(i)} * 16 + quarter * 4) * kWarpgroup + place.thread;
    float4 d[4];
#pragma unroll
    for (int j = 0; j < 4; ++j) d[j] = __ldcg(sums + j * kWarpgroup);
    const float share0 = exp2_approx(norm0.x - max0), share1 = exp2_approx(norm1.x - max1);
    sum0 += norm0.y * share0;
    sum1 += norm1.y * share1;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      total[4 * j] += d[j].x * share0;
      total[4 * j + 1] += d[j].y * share0;
      total[4 * j + 2] += d[j].z * share1;
      total[4 * j + 3] += d[j].w * share1;
    }
  }
  write_columns(p, p.tiles.row(tile), p.tiles.head(tile), place, 32 * quarter, total, 1.f / sum0, 1.f / sum1);
}

template <int kBlock>
cudaError_t launch_attention(const AttentionCall& call, AttentionBalance balance, int processors,
                             cudaStream_t stream) {
  Parameters p = {};
  p.tiles = {call.rows, call.heads, (call.tokens + kQueryTile - 1) / kQueryTile, processors};
  p.balance = balance;
  p.tokens = call.tokens;
  p.scale = 1.44269504f / 11.3137085f;
  p.kv = call.kv;
  p.valid = call.valid;
  p.out = call.out;
  p.scratch = call.scratch;
  constexpr int kBytes = Layout<kBlock>::kBytes;
  cudaError_t error =
      cudaFuncSetAttribute(attention_kernel<kBlock>, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (error != cudaSuccess) return error;
  error = launch(attention_kernel<kBlock>, dim3(static_cast<unsigned>(processors)), kThreads, kBytes, stream,
                 call.queries, p);
  if (error != cudaSuccess || balance == AttentionBalance::kWholeTiles) return error;
  const int tiles = p.tiles.count();
  const int cut = balance == AttentionBalance::kCutRemainder ? tiles % processors : tiles;
  if (cut == 0) return cudaSuccess;
  return launch(merge_kernel<kBlock>, dim3(static_cast<unsigned>(cut), 2, 4), kWarpgroup, 0, stream, p);
}

}  // namespace

cudaError_t launch_self_attention(const AttentionCall& call, bool uniform, int processors,
                                  cudaStream_t stream) {
  return launch_attention<kSelfKeyBlock>(
      call, uniform ? AttentionBalance::kCutRemainder : AttentionBalance::kCutEverything, processors, stream);
}

cudaError_t launch_text_attention(const AttentionCall& call, int processors, cudaStream_t stream) {
  return launch_attention<kTextKeyBlock>(call, AttentionBalance::kWholeTiles, processors, stream);
}

}  // namespace sdv2
