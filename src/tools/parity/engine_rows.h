// SPDX-License-Identifier: LGPL-2.1-or-later
// Which golden outputs of the streaming kinds no quirk of the reference has touched: there the engine must
// give the same values. Index logic only.
//
// Numbers Q-nn are those of the register of the reference's quirks. A quirk that has changed what one chunk
// attends to also changes all later chunks, so the untouched ones are the first so many of the stream.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/parity/reference_positions.h"

namespace sdv2::parity {

// How many chunks of the first session, chunk 0 included, are untouched in all their denoising steps;
// kAllChunks when nothing ends them. A chunk is touched when
//   * the reference evicts another frame for it, or has done so before, than the engine. From the first
//   eviction
//     on this is so with fewer than three sinks (Q-02: the first frames are never evicted), with chunks that
//     do not tile the slots, and with adaptive sinks (Q-06: slots that are still empty and rows that
//     no chunk has reached ask for refreshes, which wait for the first eviction);
//   * several steps run in one row and it fills the cache, or comes later (Q-08: its steps go to two slots);
//   * it begins with or after a position refresh (Q-21: the reference leaves cached keys at their old
//   positions,
//     the engine rotates them).
// Sessions after a restart are touched altogether (Q-07: the first timestep is left over from the session
// before; Q-01: so are the lists of slots).
inline constexpr int64_t kAllChunks = INT64_MAX;
int64_t chunks_with_equal_slots(const ReferenceStreamConfig& config);

// The same for the values that are computed. Where several steps run in one row, only the first two chunks:
// the row has one cache, which keeps of a chunk what its last step made, where every step of the engine
// attends to what it made itself, whatever the order of execution.
int64_t untouched_chunks(const ReferenceStreamConfig& config);

// The rows (indices into the first dimension) of output `name` that are untouched; empty when none is.
//   prepare, prepare2               {0} when chunk 0 is untouched (prepare2: never)
//   tick.N.hidden, tick.N.flow      row i holds chunk N-i: untouched when that is one of chunks 1 … and the
//                                   chunk is. Rows that no chunk has reached are garbage in the reference
//                                   (zeros, then what came of them), the engine does not compute them
//   tick.N.x0, tick.N.flow.S        {0} when chunk N is untouched (one row for all steps)
//   final.block.I.kcache, .vcache   the rows that are untouched in the last tick. Keys are rotated to their
//                                   positions, and lie in the reference's slots, which are the engine's too
//                                   as long as no quirk has changed an eviction
//   chunk.N.noisy                   {0}: no quirk comes before the transformer
//   chunk.N.latent, chunk.N.frames  {0} when chunk N is untouched
// `last_tick`: number of the case's last tick; `restart_before_tick`: where its second session begins, 0 for
// none. Throws std::invalid_argument for any other name.
std::vector<int64_t> engine_rows(const ReferenceStreamConfig& config, const std::string& name,
                                 int64_t last_tick, int64_t restart_before_tick = 0);

}  // namespace sdv2::parity
