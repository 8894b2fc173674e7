// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a forward takes: learned while it runs, from the durations of the batches that ran.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

namespace sdv2 {

// Seconds of a forward of `rows` rows: fixed_s + per_row_s · rows. The fixed part is what rows share: the
// weights that are read once, launches, the last half-empty wave of tiles.
struct AffineCost {
  double fixed_s = 0;
  double per_row_s = 0;
  double at(double rows) const { return fixed_s + per_row_s * rows; }
};

// What is measured together: the same units with the same tensor sizes on the same device.
struct CostKey {
  int device = 0;
  int work = 0;       // Segment::batch_class
  int64_t shape = 0;  // identity of the tensor sizes
  bool operator<(const CostKey& other) const {
    return std::tie(device, work, shape) < std::tie(other.device, other.work, other.shape);
  }
};

// The cost of one key. Affine in rows by least squares with exponential forgetting (half of the weight after
// 34 samples). As long as the samples do not tell the slope (all have one row count) it keeps the slope's
// share of the prior. A sample far off is taken as three times too long or short at most. A plain value.
class StageCost {
 public:
  explicit StageCost(const AffineCost& prior);

  void add(int rows, double seconds);
  AffineCost affine() const;
  size_t samples() const { return samples_; }

  // How much longer than predicted the slowest in a hundred takes, 1…4, of the last 128 samples; 1.25 while
  // there are too few to tell.
  void add_ratio(double measured_to_predicted);
  double tail() const;

 private:
  AffineCost prior_;
  double weight_ = 0, rows_ = 0, rows2_ = 0, time_ = 0, rows_time_ = 0;  // decayed sums
  size_t samples_ = 0;
  std::vector<double> ratios_;  // ring
  size_t next_ratio_ = 0;
  double tail_;
};

// How much slower than its usual self a device is now (2: half as fast): clocks, heat, other programs. All
// stages of a device share it, so that a stage which has not run lately is known to be slow too. It follows
// within about ten batches, and returns to 1 within seconds when nothing runs, so that a device is tried
// again.
class DeviceSpeed {
 public:
  void add(double measured_to_usual, int64_t now_ns);
  double slowdown(int64_t now_ns) const;

 private:
  double log_ = 0;
  int64_t last_ns_ = 0;
};

// Costs of all stages on all devices. Not thread-safe.
class CostModel {
 public:
  // `prior`: a guess for a key before anything of it was measured; only its proportions matter once its
  // device has run something.
  explicit CostModel(std::function<AffineCost(const CostKey&)> prior) : prior_(std::move(prior)) {}

  // A forward of `rows` (>= 1) rows took `seconds` (> 0; anything else is ignored) and ended at `now_ns`.
  void add(const CostKey& key, int rows, double seconds, int64_t now_ns);

  // What a forward that begins at `now_ns` takes: usually, and at worst (99 of 100 are faster).
  double typical_s(const CostKey& key, int rows, int64_t now_ns) const;
  double tail_s(const CostKey& key, int rows, int64_t now_ns) const;

  double slowdown(int device, int64_t now_ns) const;

 private:
  const StageCost& stage(const CostKey& key) const;

  std::function<AffineCost(const CostKey&)> prior_;
  mutable std::map<CostKey, StageCost> stages_;  // priors are kept when they are asked for
  std::map<int, DeviceSpeed> devices_;
};

}  // namespace sdv2
