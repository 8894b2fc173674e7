// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of the chain that several chunks can run together: patch embedding, blocks and head of a step.
#pragma once

#include <span>

#include "diffusion/flow_match.h"
#include "dit/fused/fused_dit.h"
#include "stream/chunk.h"
#include "stream/device_networks.h"

namespace sdv2 {

// Runs the next segment of every chunk, all of one batch class: reads and writes chunk.tokens inside a step
// and chunk.latent between steps. A chunk's steps may differ from those of the others. Chunks that were
// abandoned or skipped are left as they are. `fused`: the worker's, or nullptr; it is used where it can be:
// not for adaptive sinks, whose slots depend on what a block computes. Throws SegmentError and c10::Error.
void denoise(size_t worker, const DeviceNetworks& networks, FusedDit* fused, const FlowMatchTable& table,
             std::span<Chunk* const> chunks);

}  // namespace sdv2
