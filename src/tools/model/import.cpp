// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-model import: any layout into one folder of the project's own.
#include <cstdio>

#include "model/import_model.h"
#include "tools/model/commands.h"
#include "tools/model/report.h"

namespace sdv2::model_tool {

int run_import(Arguments arguments) {
  ImportOptions options;
  std::vector<std::string> folders;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--force") {
      options.replace = true;
    } else if (argument == "--dtype" && i + 1 < arguments.size()) {
      const std::string_view type = arguments[++i];
      if (type != "bf16" && type != "keep")
        return wrong_usage("--dtype takes bf16 or keep, not '" + std::string(type) + "'");
      options.narrow = type == "bf16";
    } else if (argument.starts_with("-")) {
      return wrong_usage("import does not know " + std::string(argument) + ", or its value is missing");
    } else {
      folders.emplace_back(argument);
    }
  }
  if (folders.size() != 2) return wrong_usage("import needs a source and a destination folder");

  {
    ProgressLine line;
    options.progress = [&](const char* network, int64_t done, int64_t total) {
      line.show(network, static_cast<uint64_t>(done), static_cast<uint64_t>(total));
    };
    if (const auto done = import_model(folders[0], folders[1], options); !done.ok())
      return report(done.error());
  }
  std::printf("%s is ready: sdv2transform model=%s\n", folders[1].c_str(), folders[1].c_str());
  return kOk;
}

}  // namespace sdv2::model_tool
