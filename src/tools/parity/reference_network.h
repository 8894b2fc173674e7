// SPDX-License-Identifier: LGPL-2.1-or-later
// The causal transformer of a golden case: formula weights, the one prompt, and the reference's caches.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "dit/causal_dit.h"
#include "tools/parity/case.h"
#include "tools/parity/outputs.h"
#include "tools/parity/reference_kv.h"

namespace sdv2::parity {

class ReferenceNetwork {
 public:
  // Sizes, prompt and weights from the case, forward() on fused kernels where it asks for them and they can
  // run it; the report says otherwise. Throws std::runtime_error when they are not valid.
  ReferenceNetwork(const Case& golden, const ReferenceRingConfig& ring, int64_t tokens_per_frame,
                   at::Device device, Report& report);

  // latents [R, F, 16, h, w], timesteps [R] (the same for all frames of a row), start frames [R] → flow, of
  // the latents' shape. The first pass of a session has one row; later ones as many as repeat() made.
  at::Tensor forward(const at::Tensor& latents, const std::vector<double>& timesteps,
                     const std::vector<int64_t>& starts);

  // Gets the caches ready for a pass at these start frames; forward() does it itself.
  void begin(const std::vector<int64_t>& starts);

  // Copies the one row of the first chunk to `rows` rows, in all caches.
  void repeat(int64_t rows);
  // A new session: one empty row. The lists of slots stay.
  void restart();

  const CausalDit& dit() const { return dit_; }
  const at::Tensor& context() const { return context_; }  // [1, text_len, dim]
  const TextContext& text() const { return text_; }
  int64_t block_count() const { return dit_.config().num_layers; }
  ReferenceKv& cache(int64_t block) { return *caches_.at(static_cast<size_t>(block)); }

 private:
  at::Tensor forward_fused(const at::Tensor& latents, const std::vector<double>& timesteps,
                           const std::vector<int64_t>& starts);

  CausalDit dit_;
  std::unique_ptr<FusedDit> fused_;                   // when the case asks for it and there is one
  std::vector<std::unique_ptr<ReferenceKv>> caches_;  // one per block
  at::Tensor context_;
  TextContext text_;
};

// Adds all caches to a case's outputs, as final.block.<i>.kcache and vcache.
void keep_caches(ReferenceNetwork& network, Outputs& out);

// The clean latents that a flow stands for, and clean latents noised to a level again: one timestep per row.
at::Tensor clean_rows(const at::Tensor& flow, const at::Tensor& noisy, const std::vector<double>& timesteps);
at::Tensor noised_rows(const at::Tensor& clean, const at::Tensor& noise,
                       const std::vector<double>& timesteps);

// The sizes of the case's transformer. Throws std::runtime_error when they are not valid.
DitConfig case_dit_config(const Case& golden);
// Its prompt, as the text encoder would give it: [1, text_len, text_dim].
at::Tensor case_prompt(const Case& golden, at::Device device);

// An input of the case, in its type and on the device.
at::Tensor device_input(const Case& golden, const std::string& name, at::Device device);

}  // namespace sdv2::parity
