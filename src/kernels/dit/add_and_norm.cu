// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/launch.cuh"
#include "kernels/dit/token_ops.h"
#include "kernels/dit/token_row.cuh"

namespace sdv2 {
namespace {

using namespace hopper;

// The statistics take two passes over the registers: first the mean, then the squares of what is left.
template <int kVectors, int kWarps>
__global__ void __launch_bounds__(kTokenThreads)
    add_and_norm_kernel(const AddAndNorm op, int64_t tokens, int per_frame, int width) {
  let_next_kernel_start();
  const TokenPlace<kVectors, kWarps> place;
  wait_for_earlier_kernels();
  const bool there = place.token < tokens;
  const int64_t token = there ? place.token : 0, frame = token / per_frame, first = token * width;
  const float of_token = op.z != nullptr ? factor_of(op.z_scale, token) : 1.F;
  float x[kVectors][kVector];
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    const bool mine = c < width;
    unpack(mine ? *reinterpret_cast<const uint4*>(op.x + first + c) : make_uint4(0, 0, 0, 0), x[i]);
    if (op.z == nullptr || !mine) continue;
    float z[kVector], gate[kVector];
    load_products(op.z + first + c, op.z_scale, of_token, c, z);
    if (op.gate.values != nullptr) {
      load(op.gate.values + frame * op.gate.stride + c, gate);
#pragma unroll
      for (int j = 0; j < kVector; ++j) z[j] *= gate[j];
    }
#pragma unroll
    for (int j = 0; j < kVector; ++j) x[i][j] += z[j];
    if (there) *reinterpret_cast<uint4*>(op.x + first + c) = pack(x[i]);
  }
  if (op.y == nullptr && op.y8.values == nullptr) return;
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i)
#pragma unroll
    for (int j = 0; j < kVector; ++j) sum += x[i][j];
  const float mean = token_sum(sum, place, 0) / static_cast<float>(width);
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    if (place.channel(i) >= width) continue;
#pragma unroll
    for (int j = 0; j < kVector; ++j) {
      x[i][j] -= mean;
      squares += x[i][j] * x[i][j];
    }
  }
  const float inverse = rsqrtf(token_sum(squares, place, 1) / static_cast<float>(width) + op.eps);
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int c = place.channel(i);
    if (c >= width) continue;
    float scale[kVector], shift[kVector];
    load(op.scale.values + frame * op.scale.stride + c, scale);
    load(op.shift.values + frame * op.shift.stride + c, shift);
#pragma unroll
    for (int j = 0; j < kVector; ++j) x[i][j] = x[i][j] * inverse * scale[j] + shift[j];
    if (op.y != nullptr && there) *reinterpret_cast<uint4*>(op.y + first + c) = pack(x[i]);
  }
  if (op.y8.values != nullptr) store_quantised(place, x, width, there, op.y8, 2);
}

}  // namespace

cudaError_t launch_add_and_norm(const AddAndNorm& op, const TokenShape& shape, cudaStream_t stream) {
  return with_token_layout(shape.width, [&](auto vectors, auto warps) {
    constexpr int kTokens = TokenPlace<vectors(), warps()>::kTokens;
    const dim3 grid(static_cast<unsigned>((shape.tokens() + kTokens - 1) / kTokens));
    return launch(add_and_norm_kernel<vectors(), warps()>, grid, kTokenThreads, 0, stream, op, shape.tokens(),
                  shape.per_frame, shape.width);
  });
}

}  // namespace sdv2
