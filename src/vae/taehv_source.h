// SPDX-License-Identifier: LGPL-2.1-or-later
// TAEHV files made for more frames per latent than are wanted.
#pragma once

#include "vae/taehv.h"

namespace sdv2 {

// A view of a TAEHV file in which the time-grow weights (decoder.7, .13, .19)
// have no more output rows than the network wants: of a larger one the last rows
// are kept, as the reference does. Everything else passes through unchanged.
class TaehvSource : public WeightSource {
 public:
  // `file` must outlive this object.
  TaehvSource(WeightSource& file, const TaehvConfig& config);

  std::string name() const override { return file_->name(); }
  const std::vector<TensorInfo>* tensors() const override;
  Result<at::Tensor> read(const std::string& key, const std::vector<int64_t>& shape, at::ScalarType type,
                          at::Device device) override;

 private:
  WeightSource* file_;
  std::vector<TensorInfo> tensors_;  // the file's, with the rows cut; empty for a source without a list
};

}  // namespace sdv2
