// SPDX-License-Identifier: LGPL-2.1-or-later
// How the names in a training checkpoint become the names of the network's tensors.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sdv2 {

// Where a training checkpoint keeps the network, in the order of preference; a checkpoint with none of them
// is itself the state dict. `critic` is never among them: it has the same tensors as the generator, of
// another network.
constexpr std::array<std::string_view, 4> kStateDictNests = {"generator", "generator_ema", "model",
                                                             "state_dict"};

// Removes what training wrappers put into a name: the infixes of FSDP, activation checkpointing and
// torch.compile anywhere, then one leading "module." (data parallel) and one leading "model." (the wrapper
// that holds the network).
std::string strip_wrappers(std::string_view key);

}  // namespace sdv2
