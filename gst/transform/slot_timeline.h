// SPDX-License-Identifier: LGPL-2.1-or-later
// The order in which things leave: frames, whose pictures may not be ready yet, and what comes between them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace sdv2 {

// What leaves in the place of a frame.
enum class Outcome {
  kTransformed,  // the engine's picture
  kSource,       // the picture that came in
  kRepeat,       // the picture that left last
  kDrop,         // nothing
  kStop,         // the stream ends with an error here
};

// Decided once per chunk. `reason` is a static text for messages; null when there is nothing to tell.
struct Settlement {
  Outcome outcome = Outcome::kTransformed;
  const char* reason = nullptr;
  // What the frames count as, when the engine's picture is the last one again or the source.
  Outcome counts_as = outcome;
};

// A re-order buffer: frames belong to chunks, a chunk is settled as a whole, in any order of chunks; entries
// leave in the order in which they came. Chunk numbers are never used again, so that what is settled after
// clear() finds nothing. T is what an entry holds, movable. Not thread-safe.
template <class T>
class SlotTimeline {
 public:
  enum class Head { kEmpty, kPending, kReady };
  struct Entry {
    bool frame = false;
    uint64_t chunk = 0;  // of a frame; 0: of no chunk
    uint32_t index = 0;  // place in the chunk
    Settlement settled;  // of a frame
    T payload;
  };

  // Begins a chunk. Its number is at least 1.
  uint64_t begin_chunk() {
    chunks_[++last_chunk_] = {};
    return last_chunk_;
  }

  // Appends a frame of a chunk that has begun and is not cleared.
  void push_frame(uint64_t chunk, T payload) {
    Chunk& of = chunks_.at(chunk);
    ++of.waiting;
    entries_.push_back({true, chunk, of.frames++, {}, std::move(payload)});
    ++frames_;
  }

  // Appends a frame that does not wait for a chunk.
  void push_settled(Settlement settled, T payload) {
    entries_.push_back({true, 0, 0, settled, std::move(payload)});
    ++frames_;
  }

  // Appends anything else.
  void push_other(T payload) { entries_.push_back({false, 0, 0, {}, std::move(payload)}); }

  // No frame will be added to the chunk. It is forgotten when its frames have left.
  void end_chunk(uint64_t chunk) {
    const auto found = chunks_.find(chunk);
    if (found == chunks_.end()) return;
    found->second.ended = true;
    if (found->second.waiting == 0) chunks_.erase(found);
  }

  // Says what leaves for all frames of the chunk. Only the first word counts: false when there was one, or
  // when the chunk is not known (any more).
  bool settle(uint64_t chunk, Settlement settled) {
    const auto found = chunks_.find(chunk);
    if (found == chunks_.end() || found->second.settled) return false;
    found->second.settled = settled;
    return true;
  }

  // Settles all chunks that are not settled yet.
  void settle_all(Settlement settled) {
    for (auto& [number, chunk] : chunks_) {
      if (!chunk.settled) chunk.settled = settled;
    }
  }

  // Whether pop() gives something.
  Head head() const {
    if (entries_.empty()) return Head::kEmpty;
    const Entry& entry = entries_.front();
    if (!entry.frame || entry.chunk == 0) return Head::kReady;
    return chunks_.at(entry.chunk).settled ? Head::kReady : Head::kPending;
  }

  // The entry at the head; null when there is none.
  const Entry* front() const { return entries_.empty() ? nullptr : &entries_.front(); }

  // Takes the entry at the head when it is ready.
  std::optional<Entry> pop() {
    if (head() != Head::kReady) return std::nullopt;
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    if (!entry.frame) return entry;
    --frames_;
    if (entry.chunk == 0) return entry;
    const auto found = chunks_.find(entry.chunk);
    entry.settled = *found->second.settled;
    if (--found->second.waiting == 0 && found->second.ended) chunks_.erase(found);
    return entry;
  }

  // Takes out the first entry that is no frame and for which `matches(payload)` holds.
  template <class Matches>
  std::optional<Entry> take_other(Matches matches) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->frame || !matches(entry->payload)) continue;
      Entry taken = std::move(*entry);
      entries_.erase(entry);
      return taken;
    }
    return std::nullopt;
  }

  // Takes out everything and forgets the chunks.
  std::vector<Entry> clear() {
    std::vector<Entry> all(std::make_move_iterator(entries_.begin()),
                           std::make_move_iterator(entries_.end()));
    entries_.clear();
    chunks_.clear();
    frames_ = 0;
    return all;
  }

  size_t frames() const { return frames_; }

 private:
  struct Chunk {
    uint32_t frames = 0;   // that were added
    uint32_t waiting = 0;  // of them, still here
    bool ended = false;
    std::optional<Settlement> settled;
  };
  std::deque<Entry> entries_;
  std::map<uint64_t, Chunk> chunks_;
  uint64_t last_chunk_ = 0;
  size_t frames_ = 0;
};

}  // namespace sdv2
