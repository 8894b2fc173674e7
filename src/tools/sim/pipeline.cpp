// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/pipeline.h"

#include <numeric>

#include "sched/placement.h"

namespace sdv2::sim {
namespace {

// Assumed of a link between two GPUs of a host: a message over NVLink 4 (450 GB/s per direction at its peak)
// at less than half of the peak, and what starting a transfer takes.
constexpr LinkCost kLink{.fixed_s = 20e-6, .seconds_per_byte = 1 / 200e9};

}  // namespace

Pipeline::Pipeline(const CostBook& costs, std::vector<double> speeds, int max_rows)
    : costs_(costs), speeds_(std::move(speeds)), max_rows_(max_rows) {}

double Pipeline::speed() const { return std::accumulate(speeds_.begin(), speeds_.end(), 0.0); }

Result<Plan> Pipeline::cut(const Quality& quality, const ChainShape& shape) const {
  PlacementProblem problem;
  problem.tolerance = 0.01;
  problem.links.assign(gpus(), std::vector<LinkCost>(gpus(), kLink));
  for (const double speed : speeds_) {
    problem.unit_s.emplace_back();
    for (int u = 0; u < shape.unit_count(); ++u)
      problem.unit_s.back().push_back(costs_.seconds(unit_at(shape, u), quality.height, quality.width, 1) /
                                      speed);
  }
  for (int u = 0; u < shape.unit_count(); ++u)
    problem.handed_on.push_back(costs_.bytes_out(unit_at(shape, u), quality.height, quality.width));
  SDV2_TRY(const Placement placement, place(problem));
  std::string text;
  for (const PlacementStage& stage : placement.stages)
    text += (text.empty() ? "" : "|") + std::to_string(stage.device) + "=" +
            sdv2::to_string(unit_at(shape, stage.begin));
  return Plan::parse(shape, static_cast<int>(gpus()), text);
}

Result<const Route*> Pipeline::route(const Quality& quality) {
  const auto key = std::tuple(quality.steps, quality.height, quality.width);
  if (const auto found = routes_.find(key); found != routes_.end()) return &found->second;
  const ChainShape shape = costs_.shape(quality.steps);
  SDV2_TRY(const Plan plan, cut(quality, shape));

  Route route;
  route.shape = int64_t{quality.height} << 20 | quality.width;
  route.placement = plan.to_string();
  for (const Segment& segment : plan.segments()) {
    const bool denoises = segment.kind == Segment::Kind::kDenoise;
    const int origin = denoises ? segment.step * shape.units_per_step() : 0;
    const auto units =
        std::tuple(segment.worker, static_cast<int>(segment.kind),
                   segment.begin - (segment.kind == Segment::Kind::kDecode ? shape.unit_count() : origin),
                   segment.end - (segment.kind == Segment::Kind::kDecode ? shape.unit_count() : origin));
    RouteSegment next{.gpu = segment.worker,
                      .work = works_.emplace(units, static_cast<int>(works_.size())).first->second,
                      .step = denoises ? segment.step : -1};
    if (!route.segments.empty() && route.segments.back().gpu != next.gpu)
      next.link_s =
          kLink.fixed_s + kLink.seconds_per_byte * costs_.bytes_out(unit_at(shape, segment.begin - 1),
                                                                    quality.height, quality.width);
    next.seconds.push_back(0);
    for (int rows = 1; rows <= std::max(max_rows_, 2); ++rows) {
      double seconds = 0;
      for (int u = segment.begin; u < segment.end; ++u)
        seconds += costs_.seconds(unit_at(shape, u), quality.height, quality.width, rows);
      next.seconds.push_back(seconds / speeds_[static_cast<size_t>(segment.worker)]);
    }
    route.segments.push_back(std::move(next));
  }
  return &routes_.emplace(key, std::move(route)).first->second;
}

}  // namespace sdv2::sim
