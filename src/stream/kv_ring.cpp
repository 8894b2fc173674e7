// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/kv_ring.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

namespace sdv2 {

Result<KvRing> KvRing::create(const KvRingConfig& config) {
  const auto invalid = [](const std::string& what) {
    return Error{ErrorCode::kInvalidArgument, "KV ring: " + what};
  };
  if (config.sinks < 0 || config.sinks >= config.slots)
    return invalid(std::to_string(config.slots) + " slots with " + std::to_string(config.sinks) +
                   " sinks; at least one slot must be left beside the sinks");
  // Else every chunk would be a refresh, and cached keys would be rounded again and again.
  if (config.refresh_at <= config.slots)
    return invalid("refresh at frame " + std::to_string(config.refresh_at) +
                   " must be above the number of slots, " + std::to_string(config.slots));
  if (!(config.sink_threshold >= -1 && config.sink_threshold <= 1))
    return invalid("sink threshold " + std::to_string(config.sink_threshold) + " is not in -1…1");
  return KvRing(config);
}

void KvRing::set_sink_threshold(double threshold) {
  config_.sink_threshold = threshold;
  if (threshold <= -1) pending_sink_.reset();
}

Result<KvRing::Position> KvRing::begin_chunk(int64_t frames) {
  // Free slots first, then those that may be overwritten; none twice.
  const int64_t room = std::max(config_.slots - valid_slots(), config_.slots - config_.sinks);
  if (frames < 1 || frames > room)
    return Error{ErrorCode::kInvalidArgument, "KV ring: a chunk of " + std::to_string(frames) +
                                                  " latent frames; the cache has room for 1 to " +
                                                  std::to_string(room)};
  chunk_frames_ = frames;
  refreshed_ = next_frame_ >= config_.refresh_at;
  Position position;
  if (refreshed_) position.moves = renumber();
  position.start_frame = next_frame_;
  return position;
}

int64_t KvRing::sinks_to_compare() const {
  const bool adaptive = config_.sink_threshold > -1;
  // A refresh counts on the slots that are next in turn.
  return adaptive && chunk_frames_ == 1 && !refreshed_ ? std::min(config_.sinks, valid_slots()) : 0;
}

KvRing::Choice KvRing::choice() const {
  const bool full = valid_slots() == config_.slots;
  return {config_.sink_threshold, cursor_, pending_sink_, full, valid_slots() + (full ? 0 : 1)};
}

void KvRing::place(std::span<const double> similarity) {
  assert(chunk_frames_ > 0 && static_cast<int64_t>(similarity.size()) == sinks_to_compare());
  if (const auto sink = sink_to_replace(similarity)) {
    chunk_slots_ = {*sink};
  } else {
    chunk_slots_ = next_slots();
    cursor_ = after(chunk_slots_.back());
  }
  for (const int64_t slot : chunk_slots_) {
    if (slot == valid_slots())
      frames_.push_back(next_frame_++);
    else
      frames_[static_cast<size_t>(slot)] = next_frame_++;
  }
  chunk_frames_ = 0;
}

int64_t KvRing::after(int64_t slot) const { return slot + 1 < config_.slots ? slot + 1 : config_.sinks; }

std::vector<int64_t> KvRing::next_slots() const {
  std::vector<int64_t> slots = {cursor_};
  while (static_cast<int64_t>(slots.size()) < chunk_frames_) slots.push_back(after(slots.back()));
  return slots;
}

// Numbers the frames that the chunk will not overwrite from 0 in their order in time; the chunk comes next.
std::vector<KvRing::Move> KvRing::renumber() {
  const std::vector<int64_t> leaving = next_slots();
  std::vector<int64_t> staying;
  for (int64_t slot = 0; slot < valid_slots(); ++slot)
    if (std::find(leaving.begin(), leaving.end(), slot) == leaving.end()) staying.push_back(slot);
  const auto frame_of = [&](int64_t slot) -> int64_t& { return frames_[static_cast<size_t>(slot)]; };
  std::sort(staying.begin(), staying.end(), [&](int64_t a, int64_t b) { return frame_of(a) < frame_of(b); });

  std::vector<Move> moves;
  next_frame_ = 0;
  for (const int64_t slot : staying) {
    const int64_t from = std::exchange(frame_of(slot), next_frame_++);
    if (from != frame_of(slot)) moves.push_back({slot, from, frame_of(slot)});
  }
  return moves;
}

// The sink that the chunk replaces, if any.
std::optional<int64_t> KvRing::sink_to_replace(std::span<const double> similarity) {
  if (!similarity.empty()) {
    const auto least = std::min_element(similarity.begin(), similarity.end());
    if (*least < config_.sink_threshold) pending_sink_ = least - similarity.begin();
  }
  const bool full = valid_slots() == config_.slots;
  if (!full || chunk_frames_ > 1 || refreshed_) return std::nullopt;
  return std::exchange(pending_sink_, std::nullopt);
}

}  // namespace sdv2
