// SPDX-License-Identifier: LGPL-2.1-or-later
// Turns the settings of a session into chunks, one after the other: which chunk is the first of a stream,
// what it inherits from the ones before, and which prompt it carries. Knows no pictures and no threads.
#pragma once

#include <memory>
#include <string>

#include "stream/chunk.h"
#include "stream/loaded_model.h"
#include "stream/noise_decision.h"
#include "stream/settings.h"

namespace sdv2 {

// What the lanes of a chunk's steps begin with, and how closely it may follow the chunk before it in its
// stream, which took the route `last` (null: it is the first). By the chunk's index and route.
void inherit_lanes(Chunk& chunk, const Route* last);

class ChunkSequence {
 public:
  // `shape`: from the model's stream_shape.
  ChunkSequence(std::shared_ptr<LoadedModel> model, const SessionSettings& settings,
                const StreamShape& shape);

  const SessionSettings& settings() const { return settings_; }
  // Settings of the chunks that are made from now on.
  void change(const LiveSettings& live);

  // The next chunk begins a new stream.
  void restart();
  // Whether it does.
  bool at_start() const { return index_ == 0; }
  // Of the next chunk.
  int64_t latent_frames() const { return model_->chunk_latents() + (at_start() ? 1 : 0); }
  // The current stream, of the chunks that were made last.
  const std::shared_ptr<StreamState>& stream() const { return stream_; }

  // The next chunk, but for its pictures and callbacks (source, deliver, finish), at that quality: one that
  // need not be computed is skipped, and every other one is spare where the quality says so.
  std::shared_ptr<Chunk> next(const Quality& quality);

 private:
  std::shared_ptr<Prompt> next_prompt();

  std::shared_ptr<LoadedModel> model_;
  SessionSettings settings_;
  StreamShape shape_;

  // The current stream.
  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<NoiseDecision> decision_;
  int64_t index_ = 0;  // of the next chunk
  std::shared_ptr<const Route> last_route_;
  bool last_had_negative_ = false;
  bool spare_ = false;  // the last chunk

  // The prompt.
  std::shared_ptr<Prompt> prompt_;  // of the last chunk
  std::shared_ptr<Prompt> target_;  // of the settings
  std::shared_ptr<Prompt> blend_from_;
  int blended_ = 0;  // chunks of the blend so far
  int blend_over_ = 0;
  bool clear_cache_ = false;
};

}  // namespace sdv2
