// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/engine_ring.h"

#include <algorithm>
#include <stdexcept>

#include "tools/parity/engine_rows.h"
#include "tools/parity/engine_stream.h"
#include "tools/parity/index_trace.h"

namespace sdv2::parity {

EngineRings::EngineRings(const ReferenceStreamConfig& config, size_t blocks) : config_(config) {
  KvRingConfig ring = engine_ring(config);
  ring.sink_threshold = std::clamp(config.ring.sink_threshold, -1.0, 1.0);
  const auto made = KvRing::create(ring);
  if (!made.ok()) return;
  untouched_ = chunks_with_equal_slots(config);
  rows_.assign(1, std::vector<KvRing>(blocks, *made));
  starts_.assign(1, std::vector<int64_t>(blocks, 0));
}

// The chunk of a pass goes through the rings of a row.
void EngineRings::take(std::vector<KvRing>& row, std::vector<int64_t>& starts, const nlohmann::json& record,
                       size_t index, int64_t frames) {
  for (size_t b = 0; b < row.size(); ++b) {
    const auto position = row[b].begin_chunk(frames);
    if (!position.ok()) throw std::runtime_error("engine: " + position.error().message);
    starts[b] = position->start_frame;
    std::vector<double> similarity;
    if (const int64_t sinks = row[b].sinks_to_compare(); sinks > 0) {
      similarity = block_record(record, b).at("similarity").at(index).get<std::vector<double>>();
      if (std::ssize(similarity) < sinks) throw std::runtime_error("similarity: less than the sinks");
      similarity.resize(static_cast<size_t>(sinks));  // of slots that hold a frame
    }
    row[b].place(similarity);
  }
}

void EngineRings::compare(const std::string& what, const nlohmann::json& record, int64_t tick, int64_t step,
                          Report& report) {
  const auto rows = static_cast<size_t>(tick == 0 ? 1 : config_.rows());
  of_ += static_cast<int64_t>(rows);
  if (rows_.empty()) return;
  if (tick == 1 && rows_.size() < rows) {  // all rows go on from the first chunk
    rows_.resize(rows, rows_.front());
    starts_.resize(rows, starts_.front());
  }
  for (size_t r = 0; r < rows; ++r) {
    const int64_t chunk = tick - static_cast<int64_t>(r);
    if (chunk >= untouched_ || (tick > 0 && chunk < 1)) continue;
    if (step == 0)
      take(rows_[r], starts_[r], record, r, tick == 0 ? config_.first_frames() : config_.frames_per_chunk);
    for (size_t b = 0; b < rows_[r].size(); ++b) {
      const KvRing& ring = rows_[r][b];
      const auto& want = block_record(record, b);
      const bool equal = record.at("start").at(r) == starts_[r][b] &&
                         want.at("slots_written").at(r) == ring.chunk_slots() &&
                         want.at("lend").at(r) == ring.valid_slots();
      report.exact("engine " + what + " row " + std::to_string(r) + " block " + std::to_string(b), equal);
    }
    ++compared_;
  }
}

}  // namespace sdv2::parity
