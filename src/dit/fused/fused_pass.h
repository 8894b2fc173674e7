// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernels of one call on the current stream, in their order. Per block (D = dim, M = tokens of all rows):
//   x += what is pending; y = norm(x), modulated
//   y → q, k, v [M, 3D] → norm and rotation: q, and k and v into the caches → attention → linear → z
//   x += gate·z; y = norm3(x) → linear, norm → attention over the prompt → linear → z
//   x += z; y = norm(x), modulated → linear, GELU → linear → z, which is pending (with its gate)
// With fp8 linears, what goes into one is e4m3: y as norms write it, the others by a pass of their own, which
// is GELU's, too. What reads their products puts the factors and the bias back (ProductScale).
#pragma once

#include <cuda_runtime_api.h>

#include <compare>

#include "dit/fused/call_table.h"
#include "dit/fused/fused_buffers.h"
#include "dit/fused/fused_params.h"
#include "kernels/dit/lt_linear.h"

namespace sdv2 {

// What calls have in common that are the same kernels with the same arguments.
struct FusedForm {
  bool embed = false, head = false;
  int64_t begin = 0, end = 0;  // blocks
  int64_t rows = 0, frames = 0, height = 0, width = 0;
  bool uniform = false;  // all rows attend to equally many keys
  int64_t sinks = 0;     // the most that a row compares
  bool fp8 = false;      // linears of the blocks

  auto operator<=>(const FusedForm&) const = default;

  int64_t blocks() const { return end - begin; }
  TokenGrid grid() const { return {frames, height, width}; }
  int64_t tokens() const { return rows * grid().tokens(); }
  FusedSizes sizes() const {
    return {tokens(), rows * frames, blocks(), CallTableLayout(blocks(), rows, frames).bytes,
            rows,     sinks,         fp8};
  }
};

class FusedPass {
 public:
  FusedPass(const CausalDit& dit, const FusedForm& form, const FusedParams& params,
            const FusedBuffers& buffers, LtLinear& linear, int processors);

  // From buffers.latents or buffers.x, and buffers.table, to buffers.flow or buffers.x.
  void run();

 private:
  struct Pending {
    bool any = false;  // buffers.z
    FrameVectors gate;
    ProductScale scale;
  };

  void embed();
  void block(int64_t index);
  void norm_and_place(int64_t index, const ProductScale& scale);
  void head();
  void add_and_norm(FrameVectors scale, FrameVectors shift, bool to_fp8);
  void add_pending();
  ProductScale linear_of_norm(const Linear& layer, __nv_bfloat16* to);
  // From attended_, and from the norm, to what is pending.
  void residual_of_attention(const Linear& layer, FrameVectors gate);
  void feed_forward(const Block& layers, FrameVectors gate);
  void linear(const __nv_bfloat16* x, const Linear& layer, LinearEpilogue epilogue, __nv_bfloat16* y);
  ProductScale linear8(const QuantisedTokens& x, const Linear& layer, __nv_bfloat16* y);
  AttentionCall attention(int64_t maps, int64_t valid) const;
  FrameVectors modulation(int64_t block, int64_t vector) const;

  const CausalDit& dit_;
  const FusedForm& form_;
  const FusedParams& params_;
  LtLinear& linear_;
  int processors_;
  cudaStream_t stream_;
  CallTableLayout layout_;
  TokenShape shape_;
  float eps_;
  const FusedBuffers& buffers_;
  const uint8_t* table_;
  __nv_bfloat16 *x_, *y_, *q_, *attended_, *z_, *wide_;
  QuantisedTokens y8_, wide8_;  // none without fp8
  Pending pending_;
};

}  // namespace sdv2
