// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/engine_rows.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace sdv2::parity {
namespace {

// Chunks that end at frame `end` or before. Chunk c ends at first_frames + c·frames_per_chunk.
int64_t chunks_within(const ReferenceStreamConfig& config, int64_t end) {
  if (end < config.first_frames()) return 0;
  return (end - config.first_frames()) / config.frames_per_chunk + 1;
}

// Whether the reference evicts slots M … K-1 in turn, as the engine does. Its list begins with the slot
// behind as many frames as the first chunk has, twice, unless sinks push that further back, and goes
// on in steps of a chunk (Q-03 where that does not lead to the ends of the chunks and of the cache).
bool evicts_as_the_engine(const ReferenceStreamConfig& config) {
  const auto& ring = config.ring;
  const int64_t chunk = config.frames_per_chunk;
  const int64_t first = config.first_frames();
  const bool tiled = first % chunk == 0 && (ring.slots - first) % chunk == 0;
  const bool adaptive = ReferenceRing(ring).compares_sinks(chunk);
  const int64_t never_evicted = 2 * first - chunk;
  const bool same_sinks = ring.sinks >= never_evicted && (ring.sinks - never_evicted) % chunk == 0;
  return tiled && !adaptive && same_sinks && ring.sinks < ring.slots;
}

// The number in front of the first dot of `text`, which is cut off with it. Throws when there is none.
int64_t take_number(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != '.')
    throw std::invalid_argument("no number");
  text.remove_prefix(end + 1 - text.data());
  return number;
}

class Rows {
 public:
  Rows(const ReferenceStreamConfig& config, int64_t restart_before_tick)
      : rows_(config.rows()), untouched_(untouched_chunks(config)), restart_(restart_before_tick) {}

  // {0} when that chunk is untouched.
  std::vector<int64_t> of_chunk(int64_t chunk) const {
    return chunk < untouched_ ? std::vector<int64_t>{0} : std::vector<int64_t>{};
  }

  // In a tick, row i works on chunk tick - i.
  std::vector<int64_t> of_tick(int64_t tick) const {
    std::vector<int64_t> out;
    if (restart_ > 0 && tick >= restart_) return out;
    for (int64_t row = 0; row < rows_; ++row)
      if (tick - row >= 1 && tick - row < untouched_) out.push_back(row);
    return out;
  }

 private:
  int64_t rows_;
  int64_t untouched_;
  int64_t restart_;
};

}  // namespace

int64_t chunks_with_equal_slots(const ReferenceStreamConfig& config) {
  const auto& ring = config.ring;
  int64_t chunks = kAllChunks;
  if (!evicts_as_the_engine(config)) chunks = chunks_within(config, ring.slots);
  // The first chunk runs its steps in one row in any case.
  const bool first_fills = config.first_frames() >= ring.slots;
  if (ring.steps > 1 && (!config.stream_batch || first_fills))
    chunks = std::min(chunks, chunks_within(config, ring.slots - 1));
  // The next chunk starts where one ends; the first one to start at refresh_at or later is refreshed.
  if (config.refresh_at) chunks = std::min(chunks, chunks_within(config, *config.refresh_at - 1) + 1);
  return chunks;
}

int64_t untouched_chunks(const ReferenceStreamConfig& config) {
  constexpr int64_t kWithOneCache = 2;
  const int64_t chunks = chunks_with_equal_slots(config);
  return config.ring.steps > 1 && !config.stream_batch ? std::min(chunks, kWithOneCache) : chunks;
}

std::vector<int64_t> engine_rows(const ReferenceStreamConfig& config, const std::string& name,
                                 int64_t last_tick, int64_t restart_before_tick) {
  const Rows rows(config, restart_before_tick);
  if (name == "prepare") return rows.of_chunk(0);
  if (name == "prepare2") return {};
  try {
    std::string_view rest = name;
    const auto take = [&](std::string_view prefix) {
      const bool found = rest.starts_with(prefix);
      if (found) rest.remove_prefix(prefix.size());
      return found;
    };
    if (take("tick.")) {
      const int64_t tick = take_number(rest);
      if (rest == "hidden" || rest == "flow" || rest == "x0" || rest.starts_with("flow."))
        return rows.of_tick(tick);
    } else if (take("chunk.")) {
      const int64_t chunk = take_number(rest);
      if (rest == "noisy") return {0};
      if (rest == "latent" || rest == "frames") return rows.of_chunk(chunk);
    } else if (take("final.block.")) {
      take_number(rest);
      if (rest == "kcache" || rest == "vcache") return rows.of_tick(last_tick);
    }
  } catch (const std::invalid_argument&) {
    // Said below with the whole name.
  }
  throw std::invalid_argument("engine rows: unknown output " + name);
}

}  // namespace sdv2::parity
