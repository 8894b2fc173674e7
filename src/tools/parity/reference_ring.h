// SPDX-License-Identifier: LGPL-2.1-or-later
// The cache bookkeeping of the reference implementation, quirks included (which the engine's KvRing does not
// have): slots of the first three frames that are never evicted, refreshes of sinks that are still empty, a
// queue of them while the cache fills, a chunk of several steps spread over two slots when there is one row,
// lists that outlive a session. For the golden traces.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace sdv2::parity {

struct ReferenceRingConfig {
  int64_t slots = 0;           // K, latent frames
  int64_t sinks = 0;           // M
  double sink_threshold = -1;  // τ, off at -1 and below
  int64_t steps = 1;           // B, denoising steps
};

// One block's state, all rows. All numbers are latent frames; a slot is named by its end (index + 1) in
// lists.
class ReferenceRing {
 public:
  struct Row {
    int64_t first_slot = 0;  // of the frames written last
    int64_t lend = 0;        // slots 0…lend-1 are attended
    int64_t gend = 0;        // end of the last chunk in the stream
  };

  // One row, empty.
  explicit ReferenceRing(const ReferenceRingConfig& config);

  // Whether update() wants similarities for a chunk of that length.
  bool compares_sinks(int64_t frames) const;

  // Takes in a chunk of `frames` frames at start frame `starts[i]` in each row i (as many as there are rows).
  // `similarity`: per row one value per sink, when compares_sinks(frames). Throws std::runtime_error where
  // the reference fails too: no slot to evict.
  void update(std::span<const int64_t> starts, int64_t frames,
              const std::vector<std::vector<double>>& similarity = {});

  // Copies the one row of the first chunk to `rows` rows.
  void repeat(size_t rows);

  // A new session: one empty row. The lists stay.
  void restart();

  const ReferenceRingConfig& config() const { return config_; }
  const std::vector<Row>& rows() const { return rows_; }
  int64_t steps_left() const { return steps_left_; }  // "cur" of the traces
  const std::vector<std::deque<int64_t>>& lists() const { return lists_; }
  int64_t frames_written() const { return frames_written_; }

 private:
  void write_to_ring(Row& row, std::deque<int64_t>& list);
  void write_to_free_slots(Row& row, std::deque<int64_t>& list, int64_t end);

  ReferenceRingConfig config_;
  std::vector<Row> rows_{1};
  std::vector<std::deque<int64_t>> lists_{1};  // per row: ends of slots to evict, next first
  int64_t steps_left_ = 1;
  int64_t frames_written_ = 0;  // per row by the last update
};

}  // namespace sdv2::parity
