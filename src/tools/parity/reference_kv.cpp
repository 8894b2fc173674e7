// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/reference_kv.h"

#include "dit/dit_config.h"
#include "dit/sink_similarity.h"

namespace sdv2::parity {

ReferenceKv::ReferenceKv(const ReferenceRingConfig& config, int64_t tokens_per_frame, int64_t heads,
                         const at::TensorOptions& options)
    : tokens_per_frame_(tokens_per_frame),
      ring_(config),
      k_(at::zeros({1, config.slots * tokens_per_frame, heads, kHeadDim}, options)),
      v_(at::zeros_like(k_)) {}

std::vector<KvRow> ReferenceKv::write(const at::Tensor& k, const at::Tensor& v) {
  const int64_t tokens = k.size(1);
  const int64_t frames = tokens / tokens_per_frame_;
  similarity_.clear();
  if (ring_.compares_sinks(frames)) {
    for (int64_t r = 0; r < k.size(0); ++r) {
      const at::Tensor values =
          sink_similarity({k_[r], v_[r]}, {k[r], v[r]}, ring_.config().sinks).to(at::kCPU, at::kDouble);
      similarity_.emplace_back(values.const_data_ptr<double>(),
                               values.const_data_ptr<double>() + values.numel());
    }
  }
  ring_.update(starts_, frames, similarity_);

  std::vector<KvRow> past;
  for (int64_t r = 0; r < k.size(0); ++r) {
    const auto& row = ring_.rows()[static_cast<size_t>(r)];
    const int64_t first = row.first_slot * tokens_per_frame_;
    k_[r].narrow(0, first, tokens).copy_(k[r]);
    v_[r].narrow(0, first, tokens).copy_(v[r]);
    const int64_t valid = row.lend * tokens_per_frame_;
    past.push_back({k_[r].narrow(0, 0, valid), v_[r].narrow(0, 0, valid)});
  }
  return past;
}

std::vector<FusedKv> ReferenceKv::place(int64_t frames) {
  similarity_.clear();
  ring_.update(starts_, frames);
  std::vector<FusedKv> places;
  for (int64_t r = 0; r < k_.size(0); ++r) {
    const auto& row = ring_.rows()[static_cast<size_t>(r)];
    FusedKv& place = places.emplace_back(FusedKv{k_[r], v_[r], {}, row.lend * tokens_per_frame_});
    for (int64_t f = 0; f < frames; ++f) place.slots.push_back(row.first_slot + f);
  }
  return places;
}

void ReferenceKv::repeat(int64_t rows) {
  ring_.repeat(static_cast<size_t>(rows));
  k_ = k_.repeat({rows, 1, 1, 1});
  v_ = v_.repeat({rows, 1, 1, 1});
}

void ReferenceKv::restart() {
  ring_.restart();
  k_ = at::zeros_like(k_.narrow(0, 0, 1));
  v_ = at::zeros_like(k_);
}

}  // namespace sdv2::parity
