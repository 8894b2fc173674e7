// SPDX-License-Identifier: LGPL-2.1-or-later
// The runners, one per kind of case; each stands in the file of its family (run_<family>.cpp).
#pragma once

#include "tools/parity/case.h"

namespace sdv2::parity {

void run_block_split(const Case& loaded, at::Device device, Report& report);
void run_checkpoint_files(const Case& loaded, at::Device device, Report& report);
void run_dit_causal(const Case& loaded, at::Device device, Report& report);
void run_e2e(const Case& loaded, at::Device device, Report& report);
void run_flow_match(const Case& loaded, at::Device device, Report& report);
void run_manifests(const Case& loaded, at::Device device, Report& report);
void run_noise_controller(const Case& loaded, at::Device device, Report& report);
void run_ring_traces(const Case& loaded, at::Device device, Report& report);
void run_single_wo(const Case& loaded, at::Device device, Report& report);
void run_stream_batch(const Case& loaded, at::Device device, Report& report);
void run_taehv_decode(const Case& loaded, at::Device device, Report& report);
void run_taehv_decode_context3(const Case& loaded, at::Device device, Report& report);
void run_taehv_encode(const Case& loaded, at::Device device, Report& report);
void run_text(const Case& loaded, at::Device device, Report& report);
void run_umt5(const Case& loaded, at::Device device, Report& report);
void run_umt5_buckets(const Case& loaded, at::Device device, Report& report);
void run_vae_stream_decode(const Case& loaded, at::Device device, Report& report);
void run_vae_stream_encode(const Case& loaded, at::Device device, Report& report);

}  // namespace sdv2::parity
