// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/device_links.h"

#include "base/log.h"

namespace sdv2 {
namespace {

std::shared_ptr<Link> make_link(c10::Device from, c10::Device to) {
  if (from.is_cuda() && to.is_cuda()) {
    auto link = nccl_link(from, to);
    if (link.ok()) return *std::move(link);
    log_warning("from " + from.str() + " to " + to.str() +
                " pictures go by plain copies: " + link.error().message);
  }
  return copy_link(to);
}

}  // namespace

std::vector<IncomingLinks> make_links(std::span<const Plan> plans, std::span<const c10::Device> devices) {
  std::vector<IncomingLinks> links(devices.size());
  for (const Plan& plan : plans)
    for (size_t stage = 1; stage < plan.stages().size(); ++stage) {
      const auto before = static_cast<size_t>(plan.stages()[stage - 1].worker);
      const auto worker = static_cast<size_t>(plan.stages()[stage].worker);
      if (devices[before] == devices[worker] || links[worker].contains(devices[before])) continue;
      links[worker].emplace(devices[before], make_link(devices[before], devices[worker]));
    }
  return links;
}

}  // namespace sdv2
