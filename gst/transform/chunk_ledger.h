// SPDX-License-Identifier: LGPL-2.1-or-later
// Which chunk of the timeline is which chunk of the engine, and when the engine can have its room back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sdv2 {

// How the engine finished a chunk.
struct ChunkResult {
  int64_t number = 0;  // in the engine
  int code = 0;        // sdv2_code
  std::string message;
  int64_t submit_ns = 0;  // CLOCK_MONOTONIC
  int64_t done_ns = 0;
  int rung = 0;   // of the degradation ladder
  int show = 0;   // sdv2_show
  int steps = 0;  // denoising steps
};

// The engine may finish a chunk before the call that submitted it has returned with its number: whichever
// comes first waits here for the other. A chunk holds room in the engine from its first frame until it is
// finished and all its frames have left. Not thread-safe.
class ChunkLedger {
 public:
  struct Finished {
    uint64_t chunk;  // of the timeline
    ChunkResult result;
  };

  // The chunk holds room from now on.
  void begin(uint64_t chunk) { open_[chunk] = {}; }

  // It has `number` in the engine, and `frames` frames. What finished it meanwhile, if it is finished.
  std::optional<Finished> submitted(uint64_t chunk, int64_t number, uint32_t frames) {
    Row& row = open_[chunk];
    row.number = number;
    row.left += frames;
    by_number_[number] = chunk;
    const auto early = early_.find(number);
    if (early == early_.end()) return std::nullopt;
    row.finished = true;
    Finished finished{chunk, std::move(early->second)};
    early_.erase(early);
    collect(chunk);
    return finished;
  }

  // It was never submitted.
  void abandon(uint64_t chunk) { open_.erase(chunk); }

  // The engine has finished chunk `number`. Nothing when its number is not known yet; submitted() tells then.
  std::optional<Finished> finished(int64_t number, ChunkResult result) {
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) {
      early_[number] = std::move(result);
      return std::nullopt;
    }
    const uint64_t chunk = found->second;
    open_[chunk].finished = true;
    collect(chunk);
    return Finished{chunk, std::move(result)};
  }

  // One of the chunk's frames has left. This may be before it is submitted.
  void frame_left(uint64_t chunk) {
    const auto found = open_.find(chunk);
    if (found == open_.end()) return;
    --found->second.left;
    collect(chunk);
  }

  // The engine's number of a submitted chunk.
  std::optional<int64_t> number(uint64_t chunk) const {
    const auto found = open_.find(chunk);
    if (found == open_.end() || found->second.number < 0) return std::nullopt;
    return found->second.number;
  }

  // The engine's numbers of chunks that nobody needs any more. They hold room until released() is called.
  std::vector<int64_t> take_releasable() { return std::exchange(releasable_, {}); }
  bool any_releasable() const { return !releasable_.empty(); }

  // The engine has taken back the room of so many chunks. (After clear() there are none to speak of.)
  void released(size_t chunks) { releasing_ -= std::min(chunks, releasing_); }

  // Chunks that hold room.
  size_t held() const { return open_.size() + releasing_; }

  void clear() { *this = {}; }

 private:
  struct Row {
    int64_t number = -1;
    int64_t left = 0;
    bool finished = false;
  };
  void collect(uint64_t chunk) {
    const auto found = open_.find(chunk);
    if (!found->second.finished || found->second.left > 0) return;
    releasable_.push_back(found->second.number);
    ++releasing_;
    by_number_.erase(found->second.number);
    open_.erase(found);
  }

  std::map<uint64_t, Row> open_;
  std::map<int64_t, uint64_t> by_number_;
  std::map<int64_t, ChunkResult> early_;
  std::vector<int64_t> releasable_;
  size_t releasing_ = 0;
};

}  // namespace sdv2
