// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/placement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace sdv2 {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kMaxDevices = 8;

bool same(const LinkCost& a, const LinkCost& b) {
  return a.fixed_s == b.fixed_s && a.seconds_per_byte == b.seconds_per_byte;
}

Result<void> check(const PlacementProblem& problem) {
  const auto invalid = [](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "placement: " + why};
  };
  const size_t devices = problem.unit_s.size();
  if (devices == 0 || devices > kMaxDevices)
    return invalid(std::to_string(devices) + " devices; it can search over 1 to " +
                   std::to_string(kMaxDevices));
  const size_t units = problem.unit_s.front().size();
  if (units == 0) return invalid("there are no units");
  for (const auto& times : problem.unit_s) {
    if (times.size() != units) return invalid("devices have different numbers of units");
    for (const double seconds : times)
      if (!(seconds >= 0)) return invalid("a unit's time is negative or not a number");
  }
  if (!problem.handed_on.empty() && problem.handed_on.size() != units)
    return invalid("the bytes that units hand on are not one per unit");
  if (!problem.may_cut.empty() && problem.may_cut.size() != units)
    return invalid("the places to cut are not one per unit");
  if (!problem.links.empty() && (problem.links.size() != devices ||
                                 std::any_of(problem.links.begin(), problem.links.end(),
                                             [&](const auto& row) { return row.size() != devices; })))
    return invalid("the links are not one per pair of devices");
  if (!(problem.tolerance >= 0)) return invalid("the tolerance is negative");
  return {};
}

class Search {
 public:
  explicit Search(const PlacementProblem& problem)
      : problem_(problem), devices_(problem.unit_s.size()), units_(problem.unit_s.front().size()) {
    for (const auto& times : problem.unit_s) {
      std::vector<double> sum{0};
      std::vector<int> impossible{0};
      for (const double seconds : times) {
        sum.push_back(sum.back() + (std::isinf(seconds) ? 0 : seconds));
        impossible.push_back(impossible.back() + std::isinf(seconds));
      }
      sums_.push_back(std::move(sum));
      impossible_.push_back(std::move(impossible));
    }
    for (size_t a = 0; a < devices_; ++a) {
      twins_.push_back(0);
      for (size_t b = 0; b < a; ++b)
        if (are_twins(a, b)) twins_.back() |= size_t{1} << b;
    }
  }

  double stage_s(size_t device, size_t begin, size_t end) const {
    if (impossible_[device][end] > impossible_[device][begin]) return kInfinity;
    return sums_[device][end] - sums_[device][begin];
  }

  double link_s(size_t from, size_t to, size_t unit) const {
    if (problem_.links.empty()) return 0;
    const LinkCost& link = problem_.links[from][to];
    return link.fixed_s + link.seconds_per_byte * (problem_.handed_on.empty() ? 0 : problem_.handed_on[unit]);
  }

  // The least latency with no stage and no link above `limit`; the smallest possible such limit instead when
  // `limit` is none. Fills the table that stages() reads.
  double run(double limit, bool minimise_interval) {
    const size_t masks = size_t{1} << devices_;
    best_.assign(masks * devices_ * (units_ + 1), kInfinity);
    from_.assign(best_.size(), {});
    for (size_t mask = 1; mask < masks; ++mask)
      for (size_t last = 0; last < devices_; ++last)
        if (mask >> last & 1) extend(mask, last, limit, minimise_interval);
    best_mask_ = best_last_ = 0;
    double best = kInfinity;
    for (size_t mask = 1; mask < masks; ++mask)
      for (size_t last = 0; last < devices_; ++last)
        if (at(mask, last, units_) < best) {
          best = at(mask, last, units_);
          best_mask_ = mask;
          best_last_ = last;
        }
    return best;
  }

  std::vector<PlacementStage> stages() const {
    std::vector<PlacementStage> stages;
    size_t mask = best_mask_, last = best_last_, end = units_;
    while (end > 0) {
      const From& from = from_[index(mask, last, end)];
      stages.push_back({static_cast<int>(last), from.begin, static_cast<int>(end), 0});
      end = static_cast<size_t>(from.begin);
      mask &= ~(size_t{1} << last);
      last = static_cast<size_t>(from.device);
    }
    std::reverse(stages.begin(), stages.end());
    return stages;
  }

 private:
  struct From {
    int begin = 0;   // of the last stage
    int device = 0;  // of the stage before it
  };

  size_t index(size_t mask, size_t last, size_t end) const {
    return (mask * devices_ + last) * (units_ + 1) + end;
  }
  double at(size_t mask, size_t last, size_t end) const { return best_[index(mask, last, end)]; }

  // Equal in everything: swapping them changes nothing.
  bool are_twins(size_t a, size_t b) const {
    if (problem_.unit_s[a] != problem_.unit_s[b]) return false;
    if (problem_.links.empty()) return true;
    const auto& links = problem_.links;
    for (size_t c = 0; c < devices_; ++c)
      if (c != a && c != b && !(same(links[a][c], links[b][c]) && same(links[c][a], links[c][b])))
        return false;
    return same(links[a][b], links[b][a]);
  }

  // All placements whose last stage is on `last` and whose devices are `mask`, from those without it.
  void extend(size_t mask, size_t last, double limit, bool minimise_interval) {
    const size_t before_mask = mask & ~(size_t{1} << last);
    if ((twins_[last] & ~before_mask) != 0) return;  // its twin is taken first
    const auto offer = [&](size_t end, size_t begin, size_t device, double value) {
      double& best = best_[index(mask, last, end)];
      if (value >= best) return;
      best = value;
      from_[index(mask, last, end)] = {static_cast<int>(begin), static_cast<int>(device)};
    };
    if (before_mask == 0) {
      for (size_t end = 1; end <= units_; ++end)
        if (const double seconds = stage_s(last, 0, end); seconds <= limit) offer(end, 0, 0, seconds);
      return;
    }
    for (size_t device = 0; device < devices_; ++device) {
      if (!(before_mask >> device & 1)) continue;
      for (size_t begin = 1; begin < units_; ++begin) {
        const double before = at(before_mask, device, begin);
        if (before == kInfinity || (!problem_.may_cut.empty() && !problem_.may_cut[begin - 1])) continue;
        const double link = link_s(device, last, begin - 1);
        if (link > limit) continue;
        for (size_t end = begin + 1; end <= units_; ++end) {
          const double seconds = stage_s(last, begin, end);
          if (seconds > limit) break;
          offer(end, begin, device,
                minimise_interval ? std::max({before, link, seconds}) : before + link + seconds);
        }
      }
    }
  }

  const PlacementProblem& problem_;
  size_t devices_, units_;
  std::vector<std::vector<double>> sums_;     // [device][u]: of the units before u that it can run
  std::vector<std::vector<int>> impossible_;  // and how many of them it cannot
  std::vector<size_t> twins_;                 // per device, the equal ones of lower number, as a set
  std::vector<double> best_;
  std::vector<From> from_;
  size_t best_mask_ = 0, best_last_ = 0;
};

}  // namespace

Placement evaluate(const PlacementProblem& problem, std::vector<PlacementStage> stages) {
  const Search costs(problem);
  Placement placement;
  for (size_t i = 0; i < stages.size(); ++i) {
    PlacementStage& stage = stages[i];
    const auto device = static_cast<size_t>(stage.device);
    stage.seconds = costs.stage_s(device, static_cast<size_t>(stage.begin), static_cast<size_t>(stage.end));
    const double link = i == 0 ? 0
                               : costs.link_s(static_cast<size_t>(stages[i - 1].device), device,
                                              static_cast<size_t>(stage.begin) - 1);
    placement.interval_s = std::max({placement.interval_s, stage.seconds, link});
    placement.latency_s += stage.seconds + link;
  }
  placement.stages = std::move(stages);
  return placement;
}

Result<Placement> place(const PlacementProblem& problem) {
  SDV2_CHECK(check(problem));
  Search search(problem);
  const double interval = search.run(kInfinity, true);
  if (interval == kInfinity)
    return Error{ErrorCode::kInvalidArgument, "placement: no cut lets every unit run on some device"};
  // A hair above: the second search adds the same numbers in another order.
  search.run(interval * (1 + problem.tolerance + 1e-12), false);
  return evaluate(problem, search.stages());
}

}  // namespace sdv2
