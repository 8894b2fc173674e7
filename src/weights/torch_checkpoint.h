// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that torch.save writes (.pt, .pth): a zip archive with a pickle and one entry for each storage.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "weights/stored_tensor.h"

namespace sdv2 {

// Whether the bytes begin like a zip archive.
bool looks_like_zip(std::span<const uint8_t> file);

// Whether the bytes begin like a file of torch before 1.6 (several pickles in a row, no archive), which is
// not read.
bool looks_like_legacy_torch(std::span<const uint8_t> file);

// Finds the state dict of a checkpoint and where each of its tensors lies in the file: the first of
// kStateDictNests that is a dict, else the top level; names after strip_wrappers. Values that are no tensors
// are passed over. Every view is checked against its storage, every storage against its archive entry. In the
// order of the state dict. `where` (the file) begins error messages. Errors: kCorrupt, kUnsupported
// (compressed, big-endian, names outside of the list of pickle_globals.h).
Result<std::vector<StoredTensor>> read_torch_checkpoint(std::span<const uint8_t> file,
                                                        std::string_view where);

}  // namespace sdv2
