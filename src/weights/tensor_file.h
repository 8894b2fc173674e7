// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens any weight file the project reads, by its contents.
#pragma once

#include <filesystem>
#include <memory>

#include "weights/weight_source.h"

namespace sdv2 {

// The torch type of a stored element type.
at::ScalarType to_scalar_type(DType type);

// Opens a .safetensors file, an index of shards (*.safetensors.index.json) or a torch zip file (.pt, .pth).
// Keys are those in the file (for a checkpoint after the nest and prefix rules of the spec's A.9). The files
// are mapped, nothing is read yet. Errors name the file, the place in it and what to do.
Result<std::unique_ptr<WeightSource>> open_tensor_file(const std::filesystem::path& path);

}  // namespace sdv2
