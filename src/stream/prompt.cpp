// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/prompt.h"

#include <ATen/ATen.h>

#include "runtime/device_stream.h"

namespace sdv2 {

Prompt::Prompt(size_t workers, int64_t blocks) : workers_(workers) {
  for (auto& worker : workers_) worker.blocks.resize(static_cast<size_t>(blocks));
}

void Prompt::resolve(Result<at::Tensor> embedding) {
  embedding_ = std::move(embedding);
  resolved_.store(true, std::memory_order_release);
}

const TextKv& Prompt::text_kv(size_t worker, int64_t block, const CausalDit& dit, at::ScalarType type,
                              at::Device device) {
  OnWorker& here = workers_[worker];
  auto& kv = here.blocks[static_cast<size_t>(block)];
  if (!kv) {
    if (!here.context.defined()) {
      use_on_current_stream(*embedding_);
      here.context = dit.embed_text(embedding_->to(device, type));
    }
    kv = dit.block(block).text_kv(here.context);
  }
  return *kv;
}

at::Tensor blend_prompts(const at::Tensor& from, const at::Tensor& to, double share, PromptBlend mode) {
  const at::Tensor a = from.to(at::kFloat), b = to.to(at::kFloat);
  at::Tensor blended = a + share * (b - a);
  if (mode == PromptBlend::kSlerp) {
    const at::Tensor norms = a.norm(2, {-1}, true) * b.norm(2, {-1}, true);
    const at::Tensor cosine = ((a * b).sum(-1, true) / norms.clamp_min(1e-12)).clamp(-1, 1);
    const at::Tensor angle = cosine.acos(), sine = angle.sin();
    const at::Tensor arc = ((1 - share) * angle).sin() / sine * a + (share * angle).sin() / sine * b;
    blended = at::where((norms > 1e-12).logical_and(sine > 1e-4), arc, blended);
  }
  return blended.to(from.scalar_type());
}

}  // namespace sdv2
