// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers frames into chunks: where a chunk begins, how many frames it is to have, and which one ends early.
#pragma once

#include <cstdint>
#include <optional>

namespace sdv2 {

// Frames of a chunk; both at least 1. A causal video model takes 1 + 4 P frames first (P latent frames per
// chunk), then 4 P.
struct ChunkSizes {
  uint32_t first = 5;  // of a session's first chunk
  uint32_t next = 4;   // of every later one
};

// The place of a frame in its chunk.
struct ChunkTag {
  uint64_t chunk = 0;  // number of the chunk, from 0
  uint32_t index = 0;  // place in the chunk, 0 ... size - 1
  uint32_t size = 0;   // frames that the chunk is planned to have
  uint64_t frame = 0;  // number of the frame, from 0
  bool first = false;  // in a session's first chunk
};

// A chunk that ended before it had all its frames.
struct PartialChunk {
  uint64_t chunk = 0;
  uint32_t frames = 0;  // that it has, 1 ... size - 1
};

// Not thread-safe.
class ChunkAssembler {
 public:
  explicit ChunkAssembler(ChunkSizes sizes) : sizes_(sizes) {}

  // Takes the next frame: into the open chunk, or as the first frame of a new one.
  ChunkTag add();

  // Ends the open chunk; nothing when none is open. The next frame begins a new one.
  std::optional<PartialChunk> close();

  // The next chunk is a session's first. Only while no chunk is open. Numbers go on.
  void restart() { session_begins_ = true; }

  // Some, but not all frames of a chunk have come.
  bool open() const { return tag_.index < tag_.size; }

  // The open chunk is a session's first.
  bool first() const { return open() && tag_.first; }

 private:
  ChunkSizes sizes_;
  ChunkTag tag_;  // the tag of the next frame while a chunk is open
  uint64_t next_chunk_ = 0;
  uint64_t next_frame_ = 0;
  bool session_begins_ = true;
};

}  // namespace sdv2
