// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/hopper_dit.h"

#include <ATen/ATen.h>
#include <ATen/cuda/CUDAContext.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>

#include "kernels/fused_support.h"
#include "runtime/upload.h"

namespace sdv2 {
namespace {

constexpr size_t kGraphs = 16;  // some steps' rows of a few sessions, growing and full caches

FusedForm form_of(const FusedCall& call, const CausalDit& dit) {
  // In every block, the rows have caches of one length.
  const auto like_first = [&](const FusedRow& row) {
    return std::equal(row.kv.begin(), row.kv.end(), call.rows.front().kv.begin(), call.rows.front().kv.end(),
                      [](const FusedKv& a, const FusedKv& b) { return a.valid_tokens == b.valid_tokens; });
  };
  int64_t sinks = 0;
  for (const FusedRow& row : call.rows)
    for (const FusedKv& kv : row.kv) sinks = std::max(sinks, kv.test.sinks);
  TORCH_CHECK(sinks == 0 || call.grid.frames == 1, "only chunks of one frame compare sinks");
  return {.embed = call.embed,
          .head = call.head,
          .begin = call.blocks.begin,
          .end = call.blocks.end,
          .rows = static_cast<int64_t>(call.rows.size()),
          .frames = call.grid.frames,
          .height = call.grid.height,
          .width = call.grid.width,
          .uniform = std::all_of(call.rows.begin(), call.rows.end(), like_first),
          .sinks = sinks,
          .fp8 = call.blocks.begin < call.blocks.end && dit.block(call.blocks.begin).quantised()};
}

}  // namespace

std::unique_ptr<FusedDit> FusedDit::create(const CausalDit& dit, at::Device device) {
  if (!has_fused_kernels(at::kBFloat16, device) || !HopperDit::supports(dit.config())) return nullptr;
  const c10::DeviceGuard guard(device);
  return std::make_unique<HopperDit>(dit, device);
}

bool FusedDit::supports_fp8(const DitConfig& config, at::Device device) {
  return has_fused_kernels(at::kBFloat16, device) && HopperDit::supports(config) &&
         config.ffn_dim % 16 == 0 && config.ffn_dim <= kMaxQuantisedWidth;
}

bool HopperDit::supports(const DitConfig& config) {
  return config.dim == config.num_heads * kHeadDim && config.dim <= kMaxTokenWidth && config.ffn_dim % 8 == 0;
}

HopperDit::HopperDit(const CausalDit& dit, at::Device device)
    : dit_(dit),
      device_(device),
      processors_(at::cuda::getDeviceProperties(device.index())->multiProcessorCount),
      linear_(device),
      times_(dit, device),
      graphs_(kGraphs) {}

FusedResult HopperDit::run(const FusedCall& call) {
  const FusedForm form = form_of(call, dit_);
  make_room(form);
  write_inputs(call, form);
  const FusedParams& params = params_of(form);
  graphs_.run(form, [&] { FusedPass(dit_, form, params, *buffers_, linear_, processors_).run(); });
  FusedResult result{result_of(form), nullptr};
  if (form.sinks > 0)
    result.sinks =
        std::make_shared<SinkReport>(buffers_->similarity.narrow(0, 0, form.blocks() * form.rows * form.sinks)
                                         .view({form.blocks(), form.rows, form.sinks}));
  return result;
}

// Larger buffers lie elsewhere: graphs that refer to the old ones go.
void HopperDit::make_room(const FusedForm& form) {
  if (buffers_ && buffers_->sizes.covers(form.sizes())) return;
  const FusedSizes sizes = buffers_ ? buffers_->sizes.with(form.sizes()) : form.sizes();
  graphs_.clear();
  buffers_.reset();
  buffers_.emplace(dit_.config(), sizes, processors_, device_);
}

const FusedParams& HopperDit::params_of(const FusedForm& form) {
  const auto key = std::tuple(form.begin, form.end, form.head);
  const auto known = params_.find(key);
  if (known != params_.end()) return known->second;
  return params_.emplace(key, FusedParams(dit_, {form.begin, form.end}, form.head)).first->second;
}

void HopperDit::write_inputs(const FusedCall& call, const FusedForm& form) {
  const int64_t features = form.embed ? dit_.config().patch_in() : dit_.config().dim;
  const at::Tensor inputs = (form.embed ? buffers_->latents : buffers_->x.view({-1}))
                                .narrow(0, 0, form.tokens() * features)
                                .view({form.rows, -1});
  std::vector<double> timesteps;
  for (int64_t r = 0; r < form.rows; ++r) {
    const FusedRow& row = call.rows[static_cast<size_t>(r)];
    inputs[r].copy_(row.input.flatten(), /*non_blocking=*/true);
    TORCH_CHECK(static_cast<int64_t>(row.timesteps.size()) == form.frames, "one timestep for each frame");
    timesteps.insert(timesteps.end(), row.timesteps.begin(), row.timesteps.end());
  }
  const CallTableLayout layout(form.blocks(), form.rows, form.frames);
  const at::Tensor host = staging(layout.bytes, device_);
  write_call_table(call, times_.of(timesteps), layout, static_cast<uint8_t*>(host.mutable_data_ptr()));
  buffers_->table.narrow(0, 0, layout.bytes).copy_(host, /*non_blocking=*/true);
}

at::Tensor HopperDit::result_of(const FusedForm& form) const {
  const auto& config = dit_.config();
  if (!form.head)
    return buffers_->x.narrow(0, 0, form.tokens())
        .view({form.rows, form.grid().tokens(), config.dim})
        .clone();
  return buffers_->flow.narrow(0, 0, form.tokens() * config.patch_out())
      .view({form.rows, form.frames, config.out_dim, form.height * kPatch, form.width * kPatch})
      .clone();
}

}  // namespace sdv2
