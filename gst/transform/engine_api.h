// SPDX-License-Identifier: LGPL-2.1-or-later
// The engine's C ABI, found and opened at run time: inspecting the plugin must not load two gigabytes of
// libraries.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sdv2/sdv2.h"

namespace sdv2 {

// A status of the engine as a value.
struct EngineStatus {
  sdv2_code code = SDV2_OK;
  std::string message;  // what went wrong, where, and what to do

  bool ok() const { return code == SDV2_OK; }
};

#define SDV2_ENGINE_CALLS(X) \
  X(abi_supported)           \
  X(engine_version)          \
  X(status_code)             \
  X(status_message)          \
  X(status_free)             \
  X(string_free)             \
  X(set_log)                 \
  X(model_open)              \
  X(model_wait)              \
  X(model_cancel)            \
  X(model_info)              \
  X(model_close)             \
  X(session_open)            \
  X(session_set)             \
  X(session_chunk_frames)    \
  X(session_put_frame)       \
  X(session_submit)          \
  X(session_read_frame)      \
  X(session_release_chunk)   \
  X(session_reset)           \
  X(session_flush)           \
  X(session_get_stats)       \
  X(session_close)

// The calls that the plugin uses, named as in sdv2.h without the prefix. The library stays loaded for ever.
struct EngineApi {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name takes none
#define SDV2_POINTER(name) decltype(&sdv2_##name) name = nullptr;
  SDV2_ENGINE_CALLS(SDV2_POINTER)
#undef SDV2_POINTER

  // Takes over a status that a call has returned.
  EngineStatus take(sdv2_status* status) const;
};

// Where the engine's file is: `property` when it is set, else the environment variable SDV2_ENGINE, else
// beside the plugin's file or one folder above it. Empty when there is none; `searched` gets the places.
std::string find_engine(const std::string& property, std::vector<std::string>* searched);

struct OpenedEngine {
  std::shared_ptr<const EngineApi> api;  // null when it failed
  EngineStatus status;
};
// Opens the file and checks its version. May take seconds; any thread.
OpenedEngine open_engine(const std::string& path);

}  // namespace sdv2
