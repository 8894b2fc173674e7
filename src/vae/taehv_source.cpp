// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vae/taehv_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

namespace sdv2 {

TaehvSource::TaehvSource(WeightSource& file, const TaehvConfig& config) : file_(&file) {
  if (file.tensors() == nullptr) return;
  tensors_ = *file.tensors();
  LayerChain decoder = taehv_decoder(config);
  for (const Param& param : params_of(decoder)) {
    constexpr std::array kGrow = {"decoder.7.conv.weight", "decoder.13.conv.weight",
                                  "decoder.19.conv.weight"};
    if (std::find(kGrow.begin(), kGrow.end(), param.key) == kGrow.end()) continue;
    for (TensorInfo& info : tensors_)
      if (info.key == param.key && info.shape.size() == 4)
        info.shape[0] = std::min(info.shape[0], param.shape[0]);
  }
}

const std::vector<TensorInfo>* TaehvSource::tensors() const {
  return file_->tensors() == nullptr ? nullptr : &tensors_;
}

Result<at::Tensor> TaehvSource::read(const std::string& key, const std::vector<int64_t>& shape,
                                     at::ScalarType type, at::Device device) {
  if (const auto* const stored = file_->tensors()) {
    for (size_t i = 0; i < stored->size(); ++i) {
      const TensorInfo& info = (*stored)[i];
      if (info.key != key || info.shape == tensors_[i].shape || shape != tensors_[i].shape) continue;
      SDV2_TRY(const at::Tensor whole, file_->read(key, info.shape, type, device));
      return whole.narrow(0, info.shape[0] - shape[0], shape[0]).clone();
    }
  }
  return file_->read(key, shape, type, device);
}

}  // namespace sdv2
