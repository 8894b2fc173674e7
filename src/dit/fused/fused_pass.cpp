// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/fused_pass.h"

#include <ATen/ATen.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>

#include <utility>

#include "kernels/dit/tensor_map.h"

namespace sdv2 {
namespace {

__nv_bfloat16* bf16(const at::Tensor& tensor) { return static_cast<__nv_bfloat16*>(tensor.data_ptr()); }
float* fp32(const at::Tensor& tensor) { return static_cast<float*>(tensor.data_ptr()); }
QuantisedTokens quantised(const at::Tensor& values, const at::Tensor& scales) {
  return {static_cast<uint8_t*>(values.data_ptr()), fp32(scales)};
}

template <class T>
const T* at_offset(const uint8_t* table, int64_t offset) {
  return reinterpret_cast<const T*>(table + offset);
}

// The vectors of time: which of a block's six, and of the head's two, are scales (to which 1 is added).
constexpr int64_t kShift1 = 0, kScale1 = 1, kGate1 = 2, kShift2 = 3, kScale2 = 4, kGate2 = 5, kVectors = 6;
constexpr unsigned kScales = 1U << kScale1 | 1U << kScale2;
constexpr int64_t kHeadShift = 0, kHeadScale = 1, kHeadVectors = 2;

}  // namespace

FusedPass::FusedPass(const CausalDit& dit, const FusedForm& form, const FusedParams& params,
                     const FusedBuffers& buffers, LtLinear& linear, int processors)
    : dit_(dit),
      form_(form),
      params_(params),
      linear_(linear),
      processors_(processors),
      stream_(at::cuda::getCurrentCUDAStream()),
      layout_(form.blocks(), form.rows, form.frames),
      shape_{static_cast<int>(form.rows), static_cast<int>(form.frames),
             static_cast<int>(form.grid().per_frame()), static_cast<int>(dit.config().dim)},
      eps_(static_cast<float>(dit.config().eps)),
      buffers_(buffers),
      table_(static_cast<const uint8_t*>(buffers.table.const_data_ptr())),
      x_(bf16(buffers.x)),
      y_(bf16(buffers.y)),
      q_(bf16(buffers.q)),
      attended_(bf16(buffers.attended)),
      z_(bf16(buffers.z)),
      wide_(bf16(buffers.wide)) {
  if (!form.fp8) return;
  y8_ = quantised(buffers.y, buffers.y_scales);
  wide8_ = quantised(buffers.wide8, buffers.wide_scales);
}

void FusedPass::run() {
  if (form_.embed) embed();
  if (form_.blocks() > 0) {
    const auto width = static_cast<int>(dit_.config().dim);
    C10_CUDA_CHECK(launch_modulation({.table = fp32(params_.modulation),
                                      .of_frame = at_offset<const __nv_bfloat16*>(table_, layout_.e0),
                                      .stride = width,
                                      .layers = static_cast<int>(form_.blocks()),
                                      .frames = static_cast<int>(form_.rows * form_.frames),
                                      .vectors = kVectors,
                                      .width = width,
                                      .scales = kScales,
                                      .out = fp32(buffers_.modulation)},
                                     stream_));
    C10_CUDA_CHECK(launch_turns(at_offset<double>(table_, layout_.starts), shape_.rows, shape_.frames,
                                static_cast<int>(form_.height), static_cast<int>(form_.width),
                                static_cast<float2*>(buffers_.turns.data_ptr()), stream_));
  }
  for (int64_t i = 0; i < form_.blocks(); ++i) block(i);
  if (form_.head)
    head();
  else
    add_pending();
}

void FusedPass::embed() {
  const auto& config = dit_.config();
  const at::Tensor latents =
      buffers_.latents.narrow(0, 0, form_.tokens() * config.patch_in())
          .view({form_.rows, form_.frames, config.in_dim, form_.height * kPatch, form_.width * kPatch});
  buffers_.x.narrow(0, 0, form_.tokens()).copy_(dit_.embed(latents).flatten(0, 1));
}

FrameVectors FusedPass::modulation(int64_t block, int64_t vector) const {
  const int64_t width = dit_.config().dim;
  const int64_t first = (block * form_.rows * form_.frames * kVectors + vector) * width;
  return {fp32(buffers_.modulation) + first, kVectors * width};
}

void FusedPass::add_and_norm(FrameVectors scale, FrameVectors shift, bool to_fp8) {
  const Pending pending = std::exchange(pending_, {});
  C10_CUDA_CHECK(launch_add_and_norm({.x = x_,
                                      .z = pending.any ? z_ : nullptr,
                                      .z_scale = pending.scale,
                                      .gate = pending.gate,
                                      .y = to_fp8 ? nullptr : y_,
                                      .y8 = to_fp8 ? y8_ : QuantisedTokens{},
                                      .scale = scale,
                                      .shift = shift,
                                      .eps = eps_},
                                     shape_, stream_));
}

void FusedPass::add_pending() {
  const Pending pending = std::exchange(pending_, {});
  if (!pending.any) return;
  C10_CUDA_CHECK(launch_add_and_norm({.x = x_, .z = z_, .z_scale = pending.scale, .gate = pending.gate},
                                     shape_, stream_));
}

void FusedPass::linear(const __nv_bfloat16* x, const Linear& layer, LinearEpilogue epilogue,
                       __nv_bfloat16* y) {
  linear_.run(x, layer.weight(), layer.bias(), epilogue, y, form_.tokens(), stream_);
}

ProductScale FusedPass::linear8(const QuantisedTokens& x, const Linear& layer, __nv_bfloat16* y) {
  const QuantisedWeight& weight = layer.quantised().value();
  linear_.run_e4m3(x.values, weight.values, y, form_.tokens(), stream_);
  return {x.scales, static_cast<const __nv_bfloat162*>(weight.terms.const_data_ptr())};
}

ProductScale FusedPass::linear_of_norm(const Linear& layer, __nv_bfloat16* to) {
  if (form_.fp8) return linear8(y8_, layer, to);
  linear(y_, layer, LinearEpilogue::kBias, to);
  return {};
}

void FusedPass::residual_of_attention(const Linear& layer, FrameVectors gate) {
  pending_ = {true, gate, {}};
  if (!form_.fp8) return linear(attended_, layer, LinearEpilogue::kBias, z_);
  C10_CUDA_CHECK(launch_quantise({.x = attended_, .y8 = y8_}, shape_, processors_, stream_));
  pending_.scale = linear8(y8_, layer, z_);
}

void FusedPass::feed_forward(const Block& layers, FrameVectors gate) {
  pending_ = {true, gate, {}};
  if (!form_.fp8) {
    linear(y_, layers.ffn_in(), LinearEpilogue::kBiasGelu, wide_);
    linear(wide_, layers.ffn_out(), LinearEpilogue::kBias, z_);
    return;
  }
  const ProductScale scale = linear8(y8_, layers.ffn_in(), wide_);
  TokenShape shape = shape_;
  shape.width = static_cast<int>(dit_.config().ffn_dim);
  C10_CUDA_CHECK(
      launch_quantise({.x = wide_, .scale = scale, .gelu = true, .y8 = wide8_}, shape, processors_, stream_));
  pending_.scale = linear8(wide8_, layers.ffn_out(), z_);
}

AttentionCall FusedPass::attention(int64_t maps, int64_t valid) const {
  const auto& config = dit_.config();
  return {.queries = query_map(q_, form_.rows, form_.grid().tokens(), config.dim),
          .kv = at_offset<KvMaps>(table_, maps),
          .valid = at_offset<int>(table_, valid),
          .out = attended_,
          .rows = shape_.rows,
          .heads = static_cast<int>(config.num_heads),
          .tokens = static_cast<int>(form_.grid().tokens()),
          .scratch = {static_cast<float4*>(buffers_.partial_sums.data_ptr()),
                      static_cast<float2*>(buffers_.partial_norms.data_ptr())}};
}

void FusedPass::block(int64_t index) {
  const Block& layers = dit_.block(form_.begin + index);
  const FusedBlockParams& params = params_.blocks.at(static_cast<size_t>(index));

  add_and_norm(modulation(index, kScale1), modulation(index, kShift1), form_.fp8);
  norm_and_place(index, linear_of_norm(*layers.self_attn().qkv(), wide_));
  C10_CUDA_CHECK(launch_self_attention(attention(layout_.kv_of(index), layout_.valid_of(index)),
                                       form_.uniform, processors_, stream_));
  residual_of_attention(layers.self_attn().o(), modulation(index, kGate1));

  add_and_norm({fp32(params.norm3_scale), 0}, {fp32(params.norm3_shift), 0}, form_.fp8);
  const ProductScale scale = linear_of_norm(layers.cross_attn().q(), wide_);
  C10_CUDA_CHECK(launch_rms_norm(wide_, scale, fp32(params.cross_norm_q), eps_, q_, shape_, stream_));
  C10_CUDA_CHECK(
      launch_text_attention(attention(layout_.text_of(index), layout_.text_valid), processors_, stream_));
  residual_of_attention(layers.cross_attn().o(), {});

  add_and_norm(modulation(index, kScale2), modulation(index, kShift2), form_.fp8);
  feed_forward(layers, modulation(index, kGate2));
}

// q, k and v from their products, k and v to their slots.
void FusedPass::norm_and_place(int64_t index, const ProductScale& scale) {
  const FusedBlockParams& params = params_.blocks.at(static_cast<size_t>(index));
  const auto* rings = at_offset<RingPointers>(table_, layout_.rings_of(index));
  const bool chosen_here = form_.sinks > 0;
  C10_CUDA_CHECK(launch_norm_and_rotate({.products = wide_,
                                         .scale = scale,
                                         .q = q_,
                                         .rings = chosen_here ? nullptr : rings,
                                         .slots = at_offset<int>(table_, layout_.slots_of(index)),
                                         .q_weight = fp32(params.norm_q),
                                         .k_weight = fp32(params.norm_k),
                                         .turns = static_cast<const float2*>(buffers_.turns.data_ptr()),
                                         .eps = eps_},
                                        shape_, stream_));
  if (!chosen_here) return;
  C10_CUDA_CHECK(launch_place_with_adaptive_sinks(
      {.products = wide_,
       .rings = rings,
       .choices = at_offset<SinkChoice>(table_, layout_.choices_of(index)),
       .sinks = static_cast<int>(form_.sinks),
       .scratch = fp32(buffers_.sink_scratch),
       .similarity = fp32(buffers_.similarity) + index * form_.rows * form_.sinks},
      shape_, stream_));
}

void FusedPass::head() {
  const auto& config = dit_.config();
  const int64_t width = config.dim;
  float* vectors = fp32(buffers_.head_modulation);
  C10_CUDA_CHECK(launch_modulation({.table = fp32(params_.head_modulation),
                                    .of_frame = at_offset<const __nv_bfloat16*>(table_, layout_.e),
                                    .stride = 0,
                                    .layers = 1,
                                    .frames = static_cast<int>(form_.rows * form_.frames),
                                    .vectors = kHeadVectors,
                                    .width = static_cast<int>(width),
                                    .scales = 1U << kHeadScale,
                                    .out = vectors},
                                   stream_));
  add_and_norm({vectors + kHeadScale * width, kHeadVectors * width},
               {vectors + kHeadShift * width, kHeadVectors * width}, false);
  const at::Tensor y =
      buffers_.y.narrow(0, 0, form_.tokens()).view({form_.rows, form_.grid().tokens(), width});
  buffers_.flow.narrow(0, 0, form_.tokens() * config.patch_out())
      .copy_(dit_.head_layers().project(y, form_.grid()).flatten());
}

}  // namespace sdv2
