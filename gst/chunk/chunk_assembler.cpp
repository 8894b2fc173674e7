// SPDX-License-Identifier: LGPL-2.1-or-later
// Chunk numbering.
#include "chunk/chunk_assembler.h"

namespace sdv2 {

ChunkTag ChunkAssembler::add() {
  if (!open()) {
    tag_ = ChunkTag{.chunk = next_chunk_++,
                    .size = session_begins_ ? sizes_.first : sizes_.next,
                    .first = session_begins_};
    session_begins_ = false;
  }
  ChunkTag tag = tag_;
  tag.frame = next_frame_++;
  ++tag_.index;
  return tag;
}

std::optional<PartialChunk> ChunkAssembler::close() {
  if (!open()) return std::nullopt;
  const PartialChunk partial{.chunk = tag_.chunk, .frames = tag_.index};
  tag_ = {};
  return partial;
}

}  // namespace sdv2
