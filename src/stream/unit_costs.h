// SPDX-License-Identifier: LGPL-2.1-or-later
// What the units of a chain cost, relative to one another: for a first plan, before anything is measured.
#pragma once

#include <vector>

#include "model/model_description.h"
#include "stream/chain.h"

namespace sdv2 {

// Floating-point operations of every unit for one latent frame at the model's own size, by position:
// convolutions and linears by their weights, self-attention by the keys of a full cache. Mixing, patches and
// the head count as nothing. `on_cpu`: those of the transformer count for more, since CPUs take longer over
// them than over those of convolutions.
std::vector<double> unit_costs(const ModelDescription& model, const ChainShape& shape, bool on_cpu);

}  // namespace sdv2
