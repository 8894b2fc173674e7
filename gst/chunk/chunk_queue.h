// SPDX-License-Identifier: LGPL-2.1-or-later
// A queue of frames and of what comes between them (events, queries), which can drop whole chunks but never a
// part of one.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "chunk/chunk_assembler.h"

namespace sdv2 {

// T is what an entry holds, movable. A chunk *waits* while none of its frames has been popped; only waiting
// chunks can be dropped. Order is kept, also between frames and other entries. Not thread-safe.
template <class T>
class ChunkQueue {
 public:
  enum class Kind {
    kFrame,
    kChunkEnd,  // says that its chunk ends early; dropped with the chunk
    kOther,     // never dropped
  };
  struct Entry {
    Kind kind = Kind::kOther;
    ChunkTag tag;                // of a frame; for kChunkEnd only tag.chunk counts
    bool discontinuity = false;  // frames before this one are missing
    T payload;
  };

  // Appends a frame. Tags come in the order of ChunkAssembler.
  void push_frame(const ChunkTag& tag, T payload) {
    if (tag.index == 0) waiting_.push_back({.chunk = tag.chunk, .keep = tag.first});
    entries_.push_back({Kind::kFrame, tag, std::exchange(frame_missing_, false), std::move(payload)});
    ++frames_;
  }

  // Appends the announcement that `chunk`, whose frames were pushed last, ends early.
  void push_chunk_end(uint64_t chunk, T payload) {
    entries_.push_back({Kind::kChunkEnd, {.chunk = chunk}, false, std::move(payload)});
  }

  // Appends anything else.
  void push_other(T payload) { entries_.push_back({Kind::kOther, {}, false, std::move(payload)}); }

  // Takes the oldest entry; nothing when the queue is empty.
  std::optional<Entry> pop() {
    if (entries_.empty()) return std::nullopt;
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    if (entry.kind == Kind::kFrame) {
      --frames_;
      if (!waiting_.empty() && waiting_.front().chunk == entry.tag.chunk) waiting_.pop_front();
    }
    return entry;
  }

  // Takes out the oldest waiting chunk that is not a session's first: without its first chunk the model could
  // not begin. Empty when there is none. Only while no chunk is open, so that no frame of the dropped chunk
  // is still to come.
  std::vector<Entry> drop_oldest_chunk() {
    const auto victim =
        std::find_if(waiting_.begin(), waiting_.end(), [](const Waiting& w) { return !w.keep; });
    if (victim == waiting_.end()) return {};
    const uint64_t chunk = victim->chunk;
    waiting_.erase(victim);
    std::vector<Entry> dropped;
    std::deque<Entry> kept;
    bool missing = false;
    for (Entry& entry : entries_) {
      if (entry.kind != Kind::kOther && entry.tag.chunk == chunk) {
        missing = true;
        frames_ -= entry.kind == Kind::kFrame;
        dropped.push_back(std::move(entry));
      } else {
        if (entry.kind == Kind::kFrame && std::exchange(missing, false)) entry.discontinuity = true;
        kept.push_back(std::move(entry));
      }
    }
    entries_ = std::move(kept);
    frame_missing_ |= missing;
    return dropped;
  }

  // Says that a frame was lost before it came here: the next frame pushed is marked.
  void mark_discontinuity() { frame_missing_ = true; }

  // Takes out the first entry for which `matches(payload)` holds; nothing when there is none. Not for frames.
  template <class Matches>
  std::optional<Entry> take_other(Matches matches) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->kind != Kind::kOther || !matches(entry->payload)) continue;
      Entry taken = std::move(*entry);
      entries_.erase(entry);
      return taken;
    }
    return std::nullopt;
  }

  // Takes out everything, and forgets losses.
  std::vector<Entry> clear() {
    std::vector<Entry> all(std::make_move_iterator(entries_.begin()),
                           std::make_move_iterator(entries_.end()));
    entries_.clear();
    waiting_.clear();
    frames_ = 0;
    frame_missing_ = false;
    return all;
  }

  // The entry that pop() would take; null when the queue is empty.
  const Entry* front() const { return entries_.empty() ? nullptr : &entries_.front(); }

  bool empty() const { return entries_.empty(); }
  size_t frames() const { return frames_; }
  size_t waiting_chunks() const { return waiting_.size(); }

 private:
  struct Waiting {
    uint64_t chunk;
    bool keep;
  };
  std::deque<Entry> entries_;
  std::deque<Waiting> waiting_;  // in order
  size_t frames_ = 0;
  bool frame_missing_ = false;
};

}  // namespace sdv2
