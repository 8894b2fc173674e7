// SPDX-License-Identifier: LGPL-2.1-or-later
// The links that the plans of a model need.
#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/link.h"
#include "stream/plan.h"

namespace sdv2 {

// By the device that sends to a worker. Only that worker's thread brings anything over them.
using IncomingLinks = std::unordered_map<c10::Device, std::shared_ptr<Link>>;

// For every worker (`devices`: theirs), from each device that any plan has in front of it and that is another
// one. NCCL between GPUs, copies where there is none or it cannot connect them (which is logged).
std::vector<IncomingLinks> make_links(std::span<const Plan> plans, std::span<const c10::Device> devices);

}  // namespace sdv2
