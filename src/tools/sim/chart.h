// SPDX-License-Identifier: LGPL-2.1-or-later
// Line charts as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sdv2::sim {

struct Line {
  std::string name;
  std::string color;
  std::vector<std::pair<double, double>> points;
};

struct Chart {
  std::string title, x_label;
  double y_most = 0;  // of the axis, which begins at 0; larger values are cut off there
  std::vector<Line> lines;
  std::vector<std::pair<double, double>> bands;  // stretches of x that are shaded
};

// The charts one below the other.
std::string svg(const std::vector<Chart>& charts);

}  // namespace sdv2::sim
