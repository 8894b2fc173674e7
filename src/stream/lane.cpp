// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/lane.h"

#include <ATen/ATen.h>

#include <utility>

#include "dit/rope.h"
#include "dit/sink_similarity.h"

namespace sdv2 {

Lane::Lane(const KvRing& ring, int64_t slots, int64_t tokens, int64_t heads, at::ScalarType type,
           at::Device device)
    : ring_(ring),
      tokens_(tokens),
      k_(at::empty({slots * tokens, heads, 128}, at::TensorOptions().dtype(type).device(device))),
      v_(at::empty_like(k_)) {}

Result<int64_t> Lane::begin_chunk(int64_t frames) {
  SDV2_TRY(const KvRing::Position position, ring().begin_chunk(frames));
  for (const auto& move : position.moves) {
    const at::Tensor keys = k_.narrow(0, move.slot * tokens_, tokens_);
    keys.copy_(rotate_time(keys, move.to - move.from));
    known_means_ = 0;
  }
  return position.start_frame;
}

std::vector<double> Lane::similarity_to_sinks(const at::Tensor& k, const at::Tensor& v) const {
  const int64_t sinks = ring_.sinks_to_compare();
  if (sinks == 0) return {};
  const at::Tensor similarity =
      sink_similarity({k_, v_}, {k, v}, sinks).to(at::kCPU, at::kDouble).contiguous();
  return {similarity.const_data_ptr<double>(), similarity.const_data_ptr<double>() + sinks};
}

KvRow Lane::write(const at::Tensor& k, const at::Tensor& v) {
  ring_.place(similarity_to_sinks(k, v));
  known_means_ = 0;
  int64_t token = 0;
  for (const int64_t slot : ring_.chunk_slots()) {
    k_.narrow(0, slot * tokens_, tokens_).copy_(k.narrow(0, token, tokens_));
    v_.narrow(0, slot * tokens_, tokens_).copy_(v.narrow(0, token, tokens_));
    token += tokens_;
  }
  const int64_t valid = ring_.valid_slots() * tokens_;
  return {k_.narrow(0, 0, valid), v_.narrow(0, 0, valid)};
}

FusedKv Lane::place() {
  const int64_t sinks = ring_.sinks_to_compare();
  if (sinks == 0) {
    ring_.place();
    known_means_ = 0;  // it may have written to a sink's slot
    return {k_, v_, ring_.chunk_slots(), ring_.valid_slots() * tokens_, {}};
  }
  const KvRing::Choice choice = ring_.choice();
  if (!sink_means_.defined())
    sink_means_ =
        at::empty({k_.size(0) / tokens_, 2, k_.size(1) * k_.size(2)}, k_.options().dtype(at::kFloat));
  const bool stale = std::exchange(known_means_, sinks) != sinks;
  return {k_,
          v_,
          {choice.next_slot},
          choice.valid_slots * tokens_,
          {sinks, choice.threshold, choice.pending_sink, choice.full, sink_means_, stale}};
}

void Lane::follow(std::shared_ptr<const SinkReport> report, int64_t block, int64_t row) {
  report_ = Report{std::move(report), block, row};
}

KvRing& Lane::ring() {
  if (report_) {
    ring_.place(report_->of_call->similarity(report_->block, report_->row, ring_.sinks_to_compare()));
    report_.reset();
  }
  return ring_;
}

void Lane::clear(const KvRing& empty) {
  report_.reset();
  known_means_ = 0;
  ring_ = empty;
}

void Lane::set_sink_threshold(double threshold) { ring().set_sink_threshold(threshold); }

void Lane::copy_from(Lane& other) {
  report_.reset();
  known_means_ = 0;
  ring_ = other.ring();
  const int64_t valid = ring_.valid_slots() * tokens_;
  if (valid == 0) return;
  k_.narrow(0, 0, valid).copy_(other.k_.narrow(0, 0, valid));
  v_.narrow(0, 0, valid).copy_(other.v_.narrow(0, 0, valid));
}

int64_t Lane::bytes() const { return static_cast<int64_t>(k_.nbytes() + v_.nbytes()); }

std::vector<KvRow> LaneStore::write(const at::Tensor& k, const at::Tensor& v) {
  std::vector<KvRow> rows;
  rows.reserve(rows_.size());
  for (size_t r = 0; r < rows_.size(); ++r)
    rows.push_back(
        rows_[r]->write(k.select(0, static_cast<int64_t>(r)), v.select(0, static_cast<int64_t>(r))));
  return rows;
}

}  // namespace sdv2
