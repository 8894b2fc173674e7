// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings a model of any layout into one folder of the project's own: model.json, safetensors files under the
// original keys (in shards of at most 2 GiB, but never a tensor in two), and the tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace sdv2 {

struct ImportOptions {
  // Whether tensors stored in float32 or float64 are rounded to bfloat16; smaller types are kept in any case.
  bool narrow = true;
  // Whether a model that is already in the destination is replaced.
  bool replace = false;
  int64_t max_shard_bytes = int64_t{2} << 30;
  // Called after every few megabytes: the network ("dit"), bytes of all networks written so far, and in all.
  std::function<void(const char* network, int64_t done, int64_t total)> progress;
};

// Copies tensor by tensor, large ones in slices: memory stays far below the size of a tensor. The files are
// written to <destination>.partial, which takes the destination's name when all is whole; after an error
// nothing is left behind and what was in the destination is still there. Errors: those of describe_model and
// check_networks; kInvalidArgument (the destination is taken, or the source is random weights); kOutOfMemory
// (the disk is full).
Result<void> import_model(const std::string& source, const std::filesystem::path& destination,
                          const ImportOptions& options);

}  // namespace sdv2
