// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of case kinds. A new kind is one file with its runner and one line here.
#include "tools/parity/kinds.h"

#include <array>

namespace sdv2::parity {
namespace {

struct Kind {
  const char* name;
  Runner runner;
};

constexpr std::array kKinds = {
    Kind{"block_split", run_block_split},
    Kind{"checkpoint_files", run_checkpoint_files},
    Kind{"dit_causal", run_dit_causal},
    Kind{"e2e", run_e2e},
    Kind{"flow_match", run_flow_match},
    Kind{"manifests", run_manifests},
    Kind{"noise_controller", run_noise_controller},
    Kind{"ring_traces", run_ring_traces},
    Kind{"single_wo", run_single_wo},
    Kind{"sink_traces", run_ring_traces},
    Kind{"stream_batch", run_stream_batch},
    Kind{"taehv_decode", run_taehv_decode},
    Kind{"taehv_decode_context3", run_taehv_decode_context3},
    Kind{"taehv_encode", run_taehv_encode},
    Kind{"text", run_text},
    Kind{"umt5", run_umt5},
    Kind{"umt5_buckets", run_umt5_buckets},
    Kind{"vae_stream_decode", run_vae_stream_decode},
    Kind{"vae_stream_encode", run_vae_stream_encode},
};

}  // namespace

Runner find_runner(const std::string& kind) {
  for (const auto& entry : kKinds)
    if (kind == entry.name) return entry.runner;
  return nullptr;
}

}  // namespace sdv2::parity
