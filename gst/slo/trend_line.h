// SPDX-License-Identifier: LGPL-2.1-or-later
// The slope of a straight line through points, by least squares, in constant memory.
#pragma once

#include <cstdint>

namespace sdv2 {

// Sums are kept around the running means (Welford), so that hours of nanoseconds lose no precision. Not
// thread-safe.
class TrendLine {
 public:
  void add(double x, double y) {
    ++count_;
    const double n = static_cast<double>(count_);
    const double dx = x - mean_x_;
    mean_x_ += dx / n;
    mean_y_ += (y - mean_y_) / n;
    sum_xx_ += dx * (x - mean_x_);
    sum_xy_ += dx * (y - mean_y_);
  }

  // y per x; 0 until there are two different x.
  double slope() const { return sum_xx_ > 0 ? sum_xy_ / sum_xx_ : 0; }

 private:
  uint64_t count_ = 0;
  double mean_x_ = 0;
  double mean_y_ = 0;
  double sum_xx_ = 0;
  double sum_xy_ = 0;
};

}  // namespace sdv2
