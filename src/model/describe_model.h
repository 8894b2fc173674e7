// SPDX-License-Identifier: LGPL-2.1-or-later
// From what a user names to the description of a model.
#pragma once

#include <string>

#include "model/model_description.h"
#include "model/model_layout.h"

namespace sdv2 {

// `model` is a folder (with model.json, or in one of the layouts of model_layout.h) or random:…
// (random_model.h). Sizes of networks without a description are read from their files' headers; no tensor is
// loaded. Errors say what is missing or wrong, in which file, and what to do.
Result<ModelDescription> describe_model(const std::string& model);

// The same for files that are already found and complete.
Result<ModelDescription> describe_files(const ModelFiles& files);

}  // namespace sdv2
