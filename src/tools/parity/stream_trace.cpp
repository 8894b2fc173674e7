// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/parity/stream_trace.h"

#include <cmath>

#include "tools/parity/index_trace.h"

namespace sdv2::parity {
namespace {

using nlohmann::json;

// An exact comparison with a field, where the record has it.
void compare_field(const std::string& what, const json& got, const json& record, const char* field,
                   Report& report) {
  const auto want = record.find(field);
  if (want == record.end()) return;
  report.exact(what + " " + field, got == *want, got.dump() + ", wanted " + want->dump());
}

void compare_similarity(const std::string& what, const std::vector<std::vector<double>>& got,
                        const json& record, bool low_precision, Report& report) {
  const auto want = record.find("similarity");
  if (want == record.end()) return;
  // Two cosines rounded to 8 bits, of keys and values that carry the rounding of the network before them.
  const double tolerance = low_precision ? 0.02 : 1e-4;
  const auto rows = want->get<std::vector<std::vector<double>>>();
  bool equal = got.size() == rows.size();
  for (size_t r = 0; equal && r < rows.size(); ++r)
    equal = std::equal(got[r].begin(), got[r].end(), rows[r].begin(), rows[r].end(),
                       [&](double a, double b) { return std::abs(a - b) <= tolerance; });
  report.exact(what + " similarity", equal, json(got).dump() + ", wanted " + want->dump());
}

}  // namespace

void compare_chunk(const std::string& what, const ReferenceChunk& got, const std::vector<std::string>& draws,
                   const json& record, bool low_precision, Report& report) {
  compare_field(what, got.timesteps, record, "timesteps", report);
  compare_field(what, got.passes.front().starts.front(), record, "start_frame", report);
  compare_field(what, draws, record, "noises", report);
  compare_field(what, draws, record, "draws", report);
  const auto forwards = record.find("forwards");
  if (forwards == record.end()) return;
  report.exact(what + " forward passes", got.passes.size() == forwards->size());
  for (size_t p = 0; p < std::min(got.passes.size(), forwards->size()); ++p) {
    const auto& pass = got.passes[p];
    const auto& forward = forwards->at(p);
    const std::string name = what + " pass " + std::to_string(p);
    compare_field(name, pass.starts, forward, "start_frame", report);
    for (size_t b = 0; b < pass.blocks.size(); ++b) {
      const std::string block = name + " block " + std::to_string(b);
      compare_index(block, pass.blocks[b].ring, block_record(forward, b), report);
      compare_similarity(block, pass.blocks[b].similarity, block_record(forward, b), low_precision, report);
    }
  }
}

}  // namespace sdv2::parity
