// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/plan.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>

namespace sdv2 {

Plan Plan::single(const ChainShape& shape) { return Plan(shape, {{0, 0}}); }

Plan Plan::balanced(const ChainShape& shape, std::span<const double> costs, int workers) {
  const int units = shape.unit_count();
  assert(static_cast<int>(costs.size()) == units && workers >= 1);
  workers = std::min(workers, units);

  std::vector<double> sum(units + 1, 0.0);  // sum[i]: cost of positions [0, i)
  for (int i = 0; i < units; ++i) sum[i + 1] = sum[i] + costs[i];

  // best[w][i]: dearest stage when positions [0, i) are cut over w + 1 workers; cut[w][i]: where the last
  // stage begins.
  std::vector best(workers, std::vector<double>(units + 1, std::numeric_limits<double>::infinity()));
  std::vector cut(workers, std::vector<int>(units + 1, 0));
  for (int i = 0; i <= units; ++i) best[0][i] = sum[i];
  for (int w = 1; w < workers; ++w)
    for (int i = w + 1; i <= units; ++i)
      for (int begin = w; begin < i; ++begin) {
        const double dearest = std::max(best[w - 1][begin], sum[i] - sum[begin]);
        if (dearest < best[w][i]) {
          best[w][i] = dearest;
          cut[w][i] = begin;
        }
      }

  std::vector<Stage> stages(workers);
  int end = units;
  for (int w = workers - 1; w >= 0; --w) {
    stages[w] = {w, w == 0 ? 0 : cut[w][end]};
    end = stages[w].begin;
  }
  return Plan(shape, std::move(stages));
}

Result<Plan> Plan::parse(const ChainShape& shape, int workers, std::string_view text) {
  const auto fail = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "plan '" + std::string(text) + "': " + why};
  };
  std::vector<Stage> stages;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('|'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos)
      return fail("'" + std::string(part) + "' must have the form WORKER=UNIT");
    Stage stage;
    const auto [end, error] = std::from_chars(part.data(), part.data() + equals, stage.worker);
    if (error != std::errc() || end != part.data() + equals || stage.worker < 0 || stage.worker >= workers)
      return fail("'" + std::string(part.substr(0, equals)) + "' is not a worker; there are " +
                  std::to_string(workers) + ", counted from 0");
    SDV2_TRY(const Unit unit, parse_unit(part.substr(equals + 1)));
    const auto position = position_of(shape, unit);
    if (!position) return fail(sdv2::to_string(unit) + " is not in this chain");
    stage.begin = *position;
    if (!stages.empty() && stage.begin <= stages.back().begin)
      return fail(sdv2::to_string(unit) + " does not come after the stage before it");
    stages.push_back(stage);
  }
  if (stages.empty() || stages.front().begin != 0)
    return fail("the first stage must begin at " + sdv2::to_string(unit_at(shape, 0)));
  return Plan(shape, std::move(stages));
}

std::string Plan::to_string() const {
  std::string text;
  for (const Stage& stage : stages_) {
    if (!text.empty()) text += '|';
    text += std::to_string(stage.worker) + "=" + sdv2::to_string(unit_at(shape_, stage.begin));
  }
  return text;
}

Plan Plan::with_steps(int steps) const {
  ChainShape shape = shape_;
  shape.steps = steps;
  std::vector<Stage> stages;
  for (int position = 0; position < shape.unit_count(); ++position) {
    const int worker = worker_of(*position_of(shape_, unit_at(shape, position)));
    if (stages.empty() || stages.back().worker != worker) stages.push_back({worker, position});
  }
  return Plan(shape, std::move(stages));
}

int Plan::worker_of(int position) const {
  const auto after = std::upper_bound(stages_.begin(), stages_.end(), position,
                                      [](int value, const Stage& stage) { return value < stage.begin; });
  return std::prev(after)->worker;
}

std::vector<Segment> Plan::segments() const {
  const auto kind_of = [](const Unit& unit) {
    switch (unit.kind) {
      case UnitKind::kEncoderLayer:
      case UnitKind::kMixNoise:
        return Segment::Kind::kEncode;
      case UnitKind::kDecoderLayer:
        return Segment::Kind::kDecode;
      default:
        return Segment::Kind::kDenoise;
    }
  };
  std::vector<Segment> segments;
  for (int position = 0; position < shape_.unit_count(); ++position) {
    const Unit unit = unit_at(shape_, position);
    const Segment next{worker_of(position), position, position + 1, kind_of(unit), unit.step, 0};
    if (!segments.empty()) {
      Segment& last = segments.back();
      if (last.worker == next.worker && last.kind == next.kind && last.step == next.step) {
        last.end = next.end;
        continue;
      }
    }
    segments.push_back(next);
  }
  // Counted from the beginning of their part of the chain: the same units of different steps, and of plans
  // for different numbers of steps, are the same work.
  const int first_step = shape_.encoder_layers + 1;
  const int decoder = shape_.unit_count() - shape_.decoder_layers;
  for (Segment& segment : segments) {
    const int origin = segment.kind == Segment::Kind::kEncode ? 0
                       : segment.kind == Segment::Kind::kDecode
                           ? decoder
                           : first_step + segment.step * shape_.units_per_step();
    segment.batch_class =
        pack(SegmentWork{segment.worker, segment.kind, segment.begin - origin, segment.end - origin});
  }
  return segments;
}

}  // namespace sdv2
