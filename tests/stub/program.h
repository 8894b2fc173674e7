// SPDX-License-Identifier: LGPL-2.1-or-later
// What the stub engine shall do: delays, failures, chunk size. The keys are explained in stub_control.h.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.h"

namespace sdv2::stub {

enum class Pace { kReal, kVirtual, kStep };

struct ChunkFailure {
  int64_t chunk = 0;
  Error error;
};

// From chunk `chunk` on, until the next one says otherwise: as if deadlines could not hold.
struct ProgrammedRung {
  int64_t chunk = 0;
  int32_t rung = 0;
  sdv2_show show = SDV2_SHOW_RESTYLED;
};

struct Program {
  int abi_version = SDV2_ABI_VERSION;
  int latent_frames = 1;
  int width = 256;
  int height = 256;
  double load_ms = 0;
  bool hold_load = false;
  std::optional<Error> fail_load;
  Pace pace = Pace::kReal;
  std::vector<double> chunk_ms{0};
  std::vector<ChunkFailure> fail_chunks;
  int prompt_chunks = 0;
  std::vector<ProgrammedRung> rungs;
  std::optional<Error> fail_session;

  int64_t chunk_ns(int64_t chunk) const;
  std::optional<Error> failure_of(int64_t chunk) const;
  ProgrammedRung rung_of(int64_t chunk) const;
};

// A JSON object from a caller of the ABI. Errors: kInvalidArgument, beginning with `where`.
Result<nlohmann::json> parse_object(const char* text, std::string_view where);

// Errors: kInvalidArgument naming the key.
Result<Program> parse_program(const nlohmann::json& object);

}  // namespace sdv2::stub
