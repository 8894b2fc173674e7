// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-model: looks at model files, checks whether a model can run, imports models, runs one chunk.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <vector>

#include "tools/model/commands.h"
#include "tools/model/report.h"

namespace sdv2::model_tool {
namespace {

constexpr const char* kHelp =
    "usage: sdv2-model inspect [--sha256] FILE|DIR\n"
    "       sdv2-model check DIR\n"
    "       sdv2-model import [--dtype bf16|keep] [--force] SRC DST\n"
    "       sdv2-model run [--device cpu|cuda:N] [--dtype bf16|fp32] [--size HxW] MODEL\n"
    "\n"
    "inspect  What a weight file or a model folder is: networks, sizes, types, names, and\n"
    "         which published file has this size. --sha256 proves it (reads the whole file).\n"
    "check    Whether a model can run: every file, every tensor and its shape, the tokenizer.\n"
    "         Tells all that is missing and where to get it.\n"
    "import   Brings a model of any layout into one folder with model.json and safetensors\n"
    "         files of at most 2 GiB. --dtype: the type that wider tensors are rounded to\n"
    "         (default bf16; keep: none). --force: replaces the model that is in DST.\n"
    "run      Loads the networks of a model and runs each once, on one chunk. Prints their\n"
    "         parameters, times, and the peaks of memory. Default: cuda:0 in bf16 if there is\n"
    "         a GPU, else cpu in fp32; the model's own size.\n"
    "\n"
    "A model folder has a model.json, or is what was downloaded: a StreamDiffusionV2 folder\n"
    "(ckpts/.../model.pt beside wan_models/Wan2.1-T2V-1.3B), an original Wan folder, or a\n"
    "diffusers folder. run and check also take random:1.3b, random:14b and random:tiny:\n"
    "random weights of these sizes. Weight files are safetensors files, their shard indexes,\n"
    "and torch checkpoints (.pt, .pth), of which nothing is ever executed.\n"
    "\n"
    "Exit code: 0 all well, 1 something is wrong with the files, 2 wrong usage.\n";

struct Command {
  std::string_view name;
  int (*run)(Arguments);
};
constexpr std::array kCommands = {Command{"inspect", run_inspect}, Command{"check", run_check},
                                  Command{"import", run_import}, Command{"run", run_run}};

int run(const std::vector<std::string_view>& arguments) {
  if (std::ranges::find(arguments, "--help") != arguments.end() ||
      std::ranges::find(arguments, "-h") != arguments.end()) {
    std::fputs(kHelp, stdout);
    return kOk;
  }
  if (arguments.empty()) return wrong_usage("which command? inspect, check, import or run");
  const auto* const command = std::ranges::find(kCommands, arguments[0], &Command::name);
  if (command == kCommands.end())
    return wrong_usage("there is no command '" + std::string(arguments[0]) + "'");
  return command->run(std::span(arguments).subspan(1));
}

}  // namespace
}  // namespace sdv2::model_tool

int main(int argc, char** argv) {
  try {
    return sdv2::model_tool::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sdv2-model: %s\n", error.what());
    return sdv2::model_tool::kFailed;
  }
}
