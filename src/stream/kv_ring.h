// SPDX-License-Identifier: LGPL-2.1-or-later
// Which slots of a KV cache the frames of a stream go to. Index logic only: the tensors are elsewhere.
//
// A cache has K slots of one latent frame. The first frames fill the slots in order; from then on slots
// 0…M-1, the sinks, stay, and the others are overwritten round-robin, oldest first. All denoising steps of a
// chunk write the same slots. One ring serves one row of one block; without adaptive sinks all blocks of a
// row take the same decisions and can share one.
//
// Frame positions do not grow for ever: when a chunk would start at `refresh_at` or later, the cached frames
// are renumbered 0, 1, 2, … in their order in time, and the chunk follows directly behind them. The caller
// rotates cached keys accordingly.
//
// With adaptive sinks a new frame replaces the sink that resembles it least, instead of the oldest other
// frame, when their similarity is below a threshold. What is asked for while slots are still free waits until
// the cache is full; one at most.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace sdv2 {

struct KvRingConfig {
  int64_t slots = 6;           // K
  int64_t sinks = 3;           // M, 0 ≤ M < K
  int64_t refresh_at = 50;     // latent frames, above K
  double sink_threshold = -1;  // a similarity, -1…1; -1 turns adaptive sinks off

  bool operator==(const KvRingConfig&) const = default;
};

// A plain value: copies are independent (rows of a stream batch start as copies of the row that ran the first
// chunk). Per chunk call begin_chunk, then place, then write the slots as often as the chunk has denoising
// steps.
class KvRing {
 public:
  // A cached frame's new position: keys in `slot` are rotated by to − from.
  struct Move {
    int64_t slot = 0;
    int64_t from = 0;
    int64_t to = 0;

    bool operator==(const Move&) const = default;
  };

  struct Position {
    int64_t start_frame = 0;  // of the chunk's first frame
    std::vector<Move> moves;  // before anything of the chunk is written or attended; empty but at a refresh
  };

  // Errors: kInvalidArgument for sizes that cannot work.
  static Result<KvRing> create(const KvRingConfig& config);

  // Changes sink_threshold from the next chunk on: -1…1. Turning it off drops a replacement that is pending.
  void set_sink_threshold(double threshold);

  // The position of the next chunk, of `frames` latent frames. Errors: kInvalidArgument when the chunk does
  // not fit in the slots that are free or may be overwritten.
  Result<Position> begin_chunk(int64_t frames);

  // How many sinks place() wants similarities of: the first that many slots. 0 when it needs none.
  int64_t sinks_to_compare() const;

  // What decides over the slot of a chunk that compares sinks, beside their similarities: for who has those
  // only later than it needs the slot.
  struct Choice {
    double threshold = -1;
    int64_t next_slot = 0;                // unless a sink is replaced
    std::optional<int64_t> pending_sink;  // replaced, in a full cache, unless another is below the threshold
    bool full = false;
    int64_t valid_slots = 0;  // with the chunk
  };
  Choice choice() const;

  // Picks the slots of the chunk that begin_chunk announced. `similarity`: of the chunk's frame to each of
  // sinks_to_compare() sinks.
  void place(std::span<const double> similarity = {});

  // The current chunk's slots, one per frame, in order.
  const std::vector<int64_t>& chunk_slots() const { return chunk_slots_; }

  // Slots 0…valid_slots()-1 hold frames, the current chunk's included; only these are attended.
  int64_t valid_slots() const { return static_cast<int64_t>(frames_.size()); }

  // The position of the frame in each valid slot.
  const std::vector<int64_t>& frames() const { return frames_; }

 private:
  explicit KvRing(const KvRingConfig& config) : config_(config) {}
  int64_t after(int64_t slot) const;
  std::vector<int64_t> next_slots() const;
  std::vector<Move> renumber();
  std::optional<int64_t> sink_to_replace(std::span<const double> similarity);

  KvRingConfig config_;
  std::vector<int64_t> frames_;  // by slot
  std::vector<int64_t> chunk_slots_;
  int64_t cursor_ = 0;        // the slot whose turn is next
  int64_t next_frame_ = 0;    // the position of the next frame
  int64_t chunk_frames_ = 0;  // of the chunk that was begun and not yet placed, else 0
  bool refreshed_ = false;    // that chunk renumbered the others
  std::optional<int64_t> pending_sink_;
};

}  // namespace sdv2
