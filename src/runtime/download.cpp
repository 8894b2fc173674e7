// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/download.h"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace sdv2 {

double fetch(const at::Tensor& number) {
  if (number.is_cpu()) return number.item<double>();
  const at::Tensor host = at::empty({}, at::TensorOptions(at::kDouble).pinned_memory(true));
  host.copy_(number.reshape({}), /*non_blocking=*/true);
  const c10::impl::VirtualGuardImpl guard(number.device().type());
  c10::Event copied(number.device().type());
  copied.record(guard.getStream(number.device()));
  copied.synchronize();
  return *host.const_data_ptr<double>();
}

}  // namespace sdv2
