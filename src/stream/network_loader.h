// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the networks of a description and fills the parts that each device needs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_description.h"
#include "stream/chain.h"
#include "stream/device_networks.h"
#include "stream/model_config.h"
#include "stream/plan.h"

namespace sdv2 {

// What the chain of a model looks like, for a number of denoising steps.
ChainShape chain_shape(const ModelDescription& model, int steps);

// The networks of every worker, with the weights of all units that any of the plans gives it. Workers on one
// device share theirs. Of `config`, kernels and linears count; error kUnsupported when they ask for what a
// device or the type does not have. Linears "auto" are fp8 where fused kernels run a transformer of 4096
// channels or more: there the linears are most of a step, and sums over more channels lose less by rounding.
// `step` is called before each network with what is loaded and how
// many of how many are done; it can end the load by an error.
Result<std::vector<std::shared_ptr<const DeviceNetworks>>> load_networks(
    const ModelDescription& model, const std::vector<Plan>& plans, const std::vector<c10::Device>& devices,
    at::ScalarType type, const ModelConfig& config,
    const std::function<Result<void>(const char* what, int done, int count)>& step);

// How prompts become embeddings [text_len, text_dim] in `type` on `device`: by the model's text encoder;
// random rows, the same for equal texts, for a model without one. Not thread-safe.
Result<std::function<Result<at::Tensor>(const std::string&)>> load_text_encoder(const ModelDescription& model,
                                                                                at::ScalarType type,
                                                                                c10::Device device);

}  // namespace sdv2
