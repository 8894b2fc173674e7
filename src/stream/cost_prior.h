// SPDX-License-Identifier: LGPL-2.1-or-later
// What work takes before any of it was measured: a guess from the networks' operations.
#pragma once

#include <cstdint>
#include <vector>

#include <c10/core/Device.h>

#include "model/model_description.h"
#include "sched/cost_model.h"
#include "stream/chain.h"

namespace sdv2 {

// Identity of the tensor sizes of a chunk's rows: latent frames, height and width, and the passes of the
// transformer (2 with guidance).
struct RowShape {
  int64_t frames = 1;
  int64_t latent_height = 0;
  int64_t latent_width = 0;
  int passes = 1;
};
int64_t pack(const RowShape& shape);
RowShape unpack_row_shape(int64_t packed);

class CostPrior {
 public:
  // `devices`: of the workers.
  CostPrior(const ModelDescription& model, const std::vector<c10::Device>& devices);

  // Key: device is the worker, work a Segment::batch_class, shape a packed RowShape.
  AffineCost operator()(const CostKey& key) const;

 private:
  std::vector<double> encoder_, decoder_;  // operations per layer, of a latent frame of latent_pixels_
  double block_ = 0;                       // of a transformer block
  double latent_pixels_ = 1;
  std::vector<bool> on_cpu_;
};

}  // namespace sdv2
