// SPDX-License-Identifier: LGPL-2.1-or-later
// The engine's own ring over the index traces.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stream/kv_ring.h"
#include "tools/parity/case.h"
#include "tools/parity/reference_positions.h"

namespace sdv2::parity {

// One ring per row and block, as the engine has them: every chunk goes through each once, whatever the number
// of its steps. Compares start frame, slots and number of attended slots with the records of chunks that no
// quirk touches (engine_rows.h), exactly. Of the first session.
class EngineRings {
 public:
  // Does nothing for a configuration that the engine refuses.
  EngineRings(const ReferenceStreamConfig& config, size_t blocks);

  // The record of one forward pass. `tick`: 0 is the first chunk. Throws std::runtime_error when a record
  // lacks similarities.
  void compare(const std::string& what, const nlohmann::json& record, int64_t tick, int64_t step,
               Report& report);

  // So many passes of rows were compared, of so many.
  int64_t compared() const { return compared_; }
  int64_t of() const { return of_; }

 private:
  void take(std::vector<KvRing>& row, std::vector<int64_t>& starts, const nlohmann::json& record,
            size_t index, int64_t frames);

  ReferenceStreamConfig config_;
  int64_t untouched_ = 0;
  std::vector<std::vector<KvRing>> rows_;     // [row][block]
  std::vector<std::vector<int64_t>> starts_;  // of the last chunk
  int64_t compared_ = 0;
  int64_t of_ = 0;
};

}  // namespace sdv2::parity
