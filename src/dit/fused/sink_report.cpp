// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/sink_report.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "runtime/upload.h"

namespace sdv2 {

SinkReport::SinkReport(const at::Tensor& similarities)
    : host_(staging(static_cast<int64_t>(similarities.nbytes()), similarities.device())
                .view(at::kFloat)
                .view(similarities.sizes())),
      copied_(similarities.device().type()) {
  host_.copy_(similarities, /*non_blocking=*/true);
  copied_.record(c10::impl::VirtualGuardImpl(similarities.device().type()).getStream(similarities.device()));
}

std::vector<double> SinkReport::similarity(int64_t block, int64_t row, int64_t sinks) const {
  copied_.synchronize();
  const float* values = host_.const_data_ptr<float>() + (block * host_.size(1) + row) * host_.size(2);
  return {values, values + sinks};
}

}  // namespace sdv2
