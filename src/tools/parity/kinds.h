// SPDX-License-Identifier: LGPL-2.1-or-later
// The runners, one per kind of case; each stands in a file of its own (run_<kind>.cpp).
#pragma once

#include "tools/parity/case.h"

namespace sdv2::parity {

void run_block_split(const Case& loaded, at::Device device, Report& report);
void run_checkpoint_files(const Case& loaded, at::Device device, Report& report);
void run_dit_causal(const Case& loaded, at::Device device, Report& report);
void run_flow_match(const Case& loaded, at::Device device, Report& report);
void run_noise_controller(const Case& loaded, at::Device device, Report& report);
void run_ring_traces(const Case& loaded, at::Device device, Report& report);

}  // namespace sdv2::parity
