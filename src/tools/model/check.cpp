// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-model check: whether a model can run, and if not, all that is in the way.
#include <cstdio>

#include "model/describe_model.h"
#include "model/network_files.h"
#include "text/tokenizer.h"
#include "tools/model/commands.h"
#include "tools/model/report.h"

namespace sdv2::model_tool {
namespace {

void print_network(const ModelDescription& model, NetworkKind kind) {
  std::string sizes;
  switch (kind) {
    case NetworkKind::kDit:
      sizes = sizes_text(model.dit.spec);
      break;
    case NetworkKind::kWanVae:
      sizes = sizes_text(model.wan_vae->spec);
      break;
    case NetworkKind::kTaehv:
      sizes = sizes_text(model.taehv->spec);
      break;
    case NetworkKind::kTextEncoder:
      sizes = sizes_text(model.text_encoder->spec);
      break;
  }
  std::printf("  %-18s %s\n", title_of(kind), sizes.c_str());
  if (!file_of(model, kind).empty()) std::printf("  %-18s %s\n", "", file_of(model, kind).c_str());
}

}  // namespace

int run_check(Arguments arguments) {
  if (arguments.size() != 1 || arguments[0].starts_with("-"))
    return wrong_usage("check needs one model folder");
  const std::string name(arguments[0]);
  const auto model = describe_model(name);
  if (!model.ok()) return report(model.error());

  std::printf("%s: %s\n", name.c_str(), to_string(model->origin));
  for (const NetworkKind kind : networks_of(*model)) print_network(*model, kind);
  for (const auto& note : model->notes) std::printf("  Note: %s\n", note.c_str());
  std::fflush(stdout);
  if (model->origin == ModelOrigin::kRandom) return kOk;

  if (const auto sound = check_networks(*model); !sound.ok()) return report(sound.error());
  if (const auto tokenizer = Tokenizer::open(model->tokenizer); !tokenizer.ok())
    return report(tokenizer.error());
  std::printf(
      "The model is complete: every tensor has its place and shape, and the tokenizer can be read.\n");
  return kOk;
}

}  // namespace sdv2::model_tool
