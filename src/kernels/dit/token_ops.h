// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens to tokens between the matrix products of a transformer block, each in one pass over them: bf16
// in memory, fp32 in registers. For Hopper GPUs.
//
// Products may be those of e4m3 operands (8-bit floating point, 3 bits of mantissa, at most 448). Then each
// token of the one operand and each channel of the other has a factor of its own, its largest magnitude /
// 448, found when it is written: nothing is calibrated beforehand, nothing saturates, and what becomes of a
// row depends on that row alone. The factors are put back by what reads the products, with the bias.
//
// M tokens lie behind one another, [M, width]: rows, then frames, then the tokens of a frame. Widths are
// multiples of 8, at most kMaxTokenWidth. A frame's vectors (of modulation) are the same for all its tokens.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

namespace sdv2 {

constexpr int kMaxTokenWidth = 8192;
constexpr int kMaxQuantisedWidth = 16384;

struct TokenShape {
  int rows = 0;
  int frames = 0;     // of a row
  int per_frame = 0;  // tokens
  int width = 0;      // channels

  int64_t tokens() const { return int64_t{rows} * frames * per_frame; }
};

// Vectors [width] per frame: frame i's begins at `values` + i · `stride`; a stride of 0 is one for all.
struct FrameVectors {
  const float* values = nullptr;
  int64_t stride = 0;
};

// How products of e4m3 operands become numbers: product · tokens[token] · factor of the channel + its bias.
struct ProductScale {
  const float* tokens = nullptr;             // [M]; null: the products are numbers
  const __nv_bfloat162* channels = nullptr;  // [channels of the products]: factor and bias
};

// Tokens in e4m3 [M, width]: number = value · scales[token], scales [M] = the token's largest magnitude /
// 448.
struct QuantisedTokens {
  uint8_t* values = nullptr;
  float* scales = nullptr;
};

// x += gate · z (or x += z), when there is a z; then y = (x − mean)/√(variance + eps) · scale + shift, when
// there is a y or a y8.
struct AddAndNorm {
  __nv_bfloat16* x = nullptr;        // [M, width]
  const __nv_bfloat16* z = nullptr;  // [M, width], or null
  ProductScale z_scale;
  FrameVectors gate;           // none: 1
  __nv_bfloat16* y = nullptr;  // [M, width], or null
  QuantisedTokens y8;          // instead of y, or none; may have the scales that z_scale reads
  FrameVectors scale, shift;
  float eps = 0;
};
cudaError_t launch_add_and_norm(const AddAndNorm& op, const TokenShape& shape, cudaStream_t stream);

// Where the keys and values of a row are kept: slots of per_frame tokens, [slot, token, width].
struct RingPointers {
  __nv_bfloat16* k = nullptr;
  __nv_bfloat16* v = nullptr;
};

// From the products [M, 3·width] (q, k, v behind one another): norm of q and of k over the width, rotation by
// position; q → [M, width], k and v → each frame's slot of its row's ring. Without rings k and v stay in the
// products, k normed and rotated, both as numbers.
struct NormAndRotate {
  __nv_bfloat16* products = nullptr;
  ProductScale scale;
  __nv_bfloat16* q = nullptr;
  const RingPointers* rings = nullptr;  // device memory, [rows], or null
  const int* slots = nullptr;           // device memory, [rows, frames]
  const float* q_weight = nullptr;      // [width]
  const float* k_weight = nullptr;
  const float2* turns =
      nullptr;  // [M, 64]: cosine and sine of a token's pairs of channels, from launch_turns
  float eps = 0;
};
cudaError_t launch_norm_and_rotate(const NormAndRotate& op, const TokenShape& shape, cudaStream_t stream);

// y = x/√(mean(x²) + eps) · weight, [M, width].
cudaError_t launch_rms_norm(const __nv_bfloat16* x, const ProductScale& scale, const float* weight, float eps,
                            __nv_bfloat16* y, const TokenShape& shape, cudaStream_t stream);

// x [M, width], or GELU (the tanh approximation) of it, in e4m3. The width may be up to kMaxQuantisedWidth.
struct Quantise {
  const __nv_bfloat16* x = nullptr;
  ProductScale scale;
  bool gelu = false;
  QuantisedTokens y8;
};
cudaError_t launch_quantise(const Quantise& op, const TokenShape& shape, int processors, cudaStream_t stream);

// The rotation of a chunk's tokens by position, as rope.h defines it. starts: device memory, [rows], the
// position of each row's first frame. Tokens of a frame are height × width. → turns [M, 64].
cudaError_t launch_turns(const double* starts, int rows, int frames, int height, int width, float2* turns,
                         cudaStream_t stream);

// Vectors of modulation: out[l, i, k] = table[l, k] + frame i's vector k, plus 1 for the k whose bit is set
// in `scales`. table [layers, vectors, width]; of_frame: device memory, [frames] pointers to `vectors`
// vectors that lie `stride` apart (0: one for all) → out [layers, frames, vectors, width].
struct Modulation {
  const float* table = nullptr;
  const __nv_bfloat16* const* of_frame = nullptr;
  int64_t stride = 0;
  int layers = 0, frames = 0, vectors = 0, width = 0;
  unsigned scales = 0;
  float* out = nullptr;
};
cudaError_t launch_modulation(const Modulation& op, cudaStream_t stream);

}  // namespace sdv2
