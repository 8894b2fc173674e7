// SPDX-License-Identifier: LGPL-2.1-or-later
// A network's weight file under the original keys, whatever names the file itself uses.
#pragma once

#include <filesystem>
#include <memory>

#include "weights/key_map.h"
#include "weights/weight_source.h"

namespace sdv2 {

// Opens the weights of one network (any file of open_tensor_file), finds out which names the file uses, and
// gives it under the original ones. Keys that belong to no such network keep their own name, so that
// check_keys reports them. Errors: those of open_tensor_file; kInvalidArgument when the file holds another
// network or none that is known.
Result<std::unique_ptr<WeightSource>> open_network(const std::filesystem::path& path, NetworkKind kind);

// Wraps a source whose keys are in `layout`. A second copy of the text encoder's embedding table
// (kEmbeddingAlias) is left out; when the file has only that one, it is taken. A source in original names
// comes back as it is.
std::unique_ptr<WeightSource> with_original_keys(std::unique_ptr<WeightSource> source, NetworkKind kind,
                                                 KeyLayout layout);

// detect_keys of a source's tensors.
std::optional<DetectedKeys> detect_keys(const std::vector<TensorInfo>& tensors);

}  // namespace sdv2
