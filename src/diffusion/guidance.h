// SPDX-License-Identifier: LGPL-2.1-or-later
// Classifier-free guidance and its residual forms (StreamDiffusion, arXiv 2312.12491, section 3.2).
#pragma once

namespace sdv2 {

// Guidance pushes the clean latent of a step away from a negative one: guide() of latent_ops.h. The modes
// differ in where the negative latent comes from, and so in what they cost.
//
// The paper writes them with noise predictions. A residual negative noise is there the one that leads from
// the noisy latent to a fixed latent; as clean latents this is that latent itself, at every step. (The public
// code of StreamDiffusion approximates the residual noise of later steps; this is the paper's formula.)
enum class GuidanceMode {
  kNone,
  kSelfNegative,     // the encoded source chunk: away from the source, no extra pass, no negative prompt
  kOneTimeNegative,  // the clean latent of a pass with the negative prompt at the first step, kept for the
                     // later steps
  kFull,             // the clean latent of a pass with the negative prompt at every step
};

struct Guidance {
  GuidanceMode mode = GuidanceMode::kNone;
  double scale = 1;  // 1 has no effect; the usual range is 1 … 2 for the residual forms, 3 … 8 for kFull

  // Scales up to 1 switch guidance off, as in StreamDiffusion.
  bool active() const { return mode != GuidanceMode::kNone && scale > 1; }
};

// Whether step `step` (0 = first) of a chunk runs a second pass with the negative prompt.
bool needs_negative_pass(const Guidance& guidance, int step);

}  // namespace sdv2
