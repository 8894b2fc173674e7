// SPDX-License-Identifier: LGPL-2.1-or-later
// What can be said of a model's folder without opening weights.
#pragma once

#include <string>

namespace sdv2 {

struct ModelFolderCheck {
  bool found = false;
  std::string problem;  // empty: nothing speaks against it
};

// `model`: a folder, or "random:..." for which there is nothing to check. A model.json in the folder must be
// a JSON object of at most 1 MiB.
ModelFolderCheck check_model_folder(const std::string& model);

}  // namespace sdv2
