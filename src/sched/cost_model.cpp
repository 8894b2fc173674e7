// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/cost_model.h"

#include <algorithm>
#include <cmath>

#include "base/percentile.h"
#include "sched/deadline.h"

namespace sdv2 {
namespace {

constexpr double kForget = 0.98;     // weight of the past per sample
constexpr double kSlopeTrust = 0.5;  // weight of the prior's slope, in samples · rows²
constexpr double kClip = 3;          // a sample counts as this many times its prediction at most
constexpr size_t kFirstSamples = 4;  // taken as they are: the prior may be far off
constexpr size_t kRatios = 128;
constexpr size_t kRatiosForTail = 20;
constexpr double kTailGuess = 1.25;

constexpr double kSpeedGain = 0.15;     // share of a new batch in the device's slowdown
constexpr double kSpeedAbsorb_s = 120;  // a lasting slowdown becomes the stages' usual cost
constexpr double kSpeedIdle_s = 0.5;    // silence before the slowdown is doubted
constexpr double kSpeedForget_s = 1.0;  // and then forgotten by this time constant

}  // namespace

StageCost::StageCost(const AffineCost& prior) : prior_(prior), tail_(kTailGuess) {
  weight_ = rows_ = rows2_ = 1;  // the prior counts as one sample of one row
  time_ = rows_time_ = prior.at(1);
}

void StageCost::add(int rows, double seconds) {
  if (samples_ >= kFirstSamples) {
    const double expected = affine().at(rows);
    seconds = std::clamp(seconds, expected / kClip, expected * kClip);
  }
  ++samples_;
  const double r = rows;
  weight_ = weight_ * kForget + 1;
  rows_ = rows_ * kForget + r;
  rows2_ = rows2_ * kForget + r * r;
  time_ = time_ * kForget + seconds;
  rows_time_ = rows_time_ * kForget + r * seconds;
}

AffineCost StageCost::affine() const {
  const double mean_rows = rows_ / weight_, mean_time = time_ / weight_;
  const double spread = std::max(0.0, rows2_ - rows_ * mean_rows);
  const double together = rows_time_ - rows_ * mean_time;
  const double prior_time = prior_.at(mean_rows);
  const double prior_slope = prior_time > 0 ? mean_time * prior_.per_row_s / prior_time : 0;
  const double slope = (together + kSlopeTrust * prior_slope) / (spread + kSlopeTrust);
  const double per_row = std::clamp(slope, 0.0, mean_time / mean_rows);
  return {.fixed_s = mean_time - per_row * mean_rows, .per_row_s = per_row};
}

void StageCost::add_ratio(double measured_to_predicted) {
  if (ratios_.size() < kRatios)
    ratios_.push_back(measured_to_predicted);
  else
    ratios_[next_ratio_] = measured_to_predicted;
  next_ratio_ = (next_ratio_ + 1) % kRatios;
  // A few samples more or less do not move a percentile; sorting at each would cost more than deciding.
  if (ratios_.size() < kRatiosForTail || next_ratio_ % 8 != 0) return;
  std::vector<double> sorted = ratios_;
  std::sort(sorted.begin(), sorted.end());
  tail_ = std::clamp(percentile(sorted, 0.99), 1.0, 4.0);
}

double StageCost::tail() const { return tail_; }

void DeviceSpeed::add(double measured_to_usual, int64_t now_ns) {
  log_ = std::log(slowdown(now_ns));
  // One batch cannot say more than four times slower or faster than now.
  const double step = std::clamp(std::log(measured_to_usual) - log_, -std::log(4.0), std::log(4.0));
  const double since_s = std::clamp(ns_to_seconds(now_ns - last_ns_), 0.0, 1.0);
  log_ = (log_ + kSpeedGain * step) * std::exp(-since_s / kSpeedAbsorb_s);
  last_ns_ = now_ns;
}

double DeviceSpeed::slowdown(int64_t now_ns) const {
  const double silence = ns_to_seconds(now_ns - last_ns_) - kSpeedIdle_s;
  return std::exp(silence > 0 ? log_ * std::exp(-silence / kSpeedForget_s) : log_);
}

void CostModel::add(const CostKey& key, int rows, double seconds, int64_t now_ns) {
  if (rows < 1 || !(seconds > 0) || !std::isfinite(seconds)) return;
  stage(key);
  StageCost& cost = stages_.at(key);
  DeviceSpeed& speed = devices_[key.device];
  const double slow = speed.slowdown(now_ns);
  const double usual = cost.affine().at(rows);
  if (usual > 0) {
    cost.add_ratio(seconds / (usual * slow));
    // A stage that nobody has measured yet says nothing about its device.
    if (cost.samples() >= kFirstSamples) speed.add(seconds / usual, now_ns);
  }
  cost.add(rows, seconds / speed.slowdown(now_ns));
}

double CostModel::typical_s(const CostKey& key, int rows, int64_t now_ns) const {
  return stage(key).affine().at(rows) * slowdown(key.device, now_ns);
}

double CostModel::tail_s(const CostKey& key, int rows, int64_t now_ns) const {
  return typical_s(key, rows, now_ns) * stage(key).tail();
}

double CostModel::slowdown(int device, int64_t now_ns) const {
  const auto speed = devices_.find(device);
  return speed == devices_.end() ? 1 : speed->second.slowdown(now_ns);
}

const StageCost& CostModel::stage(const CostKey& key) const {
  const auto found = stages_.find(key);
  if (found != stages_.end()) return found->second;
  return stages_.emplace(key, StageCost(prior_(key))).first->second;
}

}  // namespace sdv2
