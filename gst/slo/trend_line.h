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

  // Adds the points of `other` (Chan's formula for joining two sets).
  void merge(const TrendLine& other) {
    if (other.count_ == 0) return;
    const double a = static_cast<double>(count_);
    const double b = static_cast<double>(other.count_);
    const double dx = other.mean_x_ - mean_x_;
    const double dy = other.mean_y_ - mean_y_;
    sum_xx_ += other.sum_xx_ + dx * dx * a * b / (a + b);
    sum_xy_ += other.sum_xy_ + dx * dy * a * b / (a + b);
    mean_x_ += dx * b / (a + b);
    mean_y_ += dy * b / (a + b);
    count_ += other.count_;
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
