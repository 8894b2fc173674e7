// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/chart.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sdv2::sim {
namespace {

constexpr double kWidth = 760, kHeight = 220, kLeft = 60, kRight = 110, kTop = 34, kBottom = 40;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* color = "#333") {
  return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", x, y, anchor, color) + text +
         "</text>\n";
}

std::string draw(const Chart& chart, double top) {
  double least = 1e300, most = -1e300;
  for (const Line& line : chart.lines)
    for (const auto& [x, y] : line.points) least = std::min(least, x), most = std::max(most, x);
  if (least >= most) most = least + 1;
  const double bottom = top + kHeight - kBottom, right = kWidth - kRight;
  const auto x_of = [&](double x) { return kLeft + (x - least) / (most - least) * (right - kLeft); };
  const auto y_of = [&](double y) {
    return bottom - std::clamp(y / chart.y_most, 0.0, 1.0) * (bottom - top - kTop);
  };
  std::string text = text_at(kLeft, top + 18, "start", chart.title);
  for (const auto& [begin, end] : chart.bands)
    text += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#eee\"/>\n",
                   x_of(std::max(begin, least)), top + kTop,
                   x_of(std::min(end, most)) - x_of(std::max(begin, least)), bottom - top - kTop);
  for (int tick = 0; tick <= 4; ++tick) {
    const double y = chart.y_most * tick / 4, x = least + (most - least) * tick / 4;
    text += format("<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ccc\"/>\n", kLeft, y_of(y), right);
    text += text_at(kLeft - 6, y_of(y) + 4, "end", format("%g", y)) +
            text_at(x_of(x), bottom + 16, "middle", format("%g", x));
  }
  text += text_at((kLeft + right) / 2, bottom + 32, "middle", chart.x_label);
  double label = top + kTop + 8;
  for (const Line& line : chart.lines) {
    std::string points;
    for (const auto& [x, y] : line.points) points += format("%.1f,%.1f ", x_of(x), y_of(y));
    text += "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"" + line.color + "\" points=\"" + points +
            "\"/>\n";
    text += text_at(right + 8, label, "start", line.name, line.color.c_str());
    label += 16;
  }
  return text;
}

}  // namespace

std::string svg(const std::vector<Chart>& charts) {
  const double height = kHeight * static_cast<double>(charts.size());
  std::string text = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
      kWidth, height);
  for (size_t i = 0; i < charts.size(); ++i) text += draw(charts[i], kHeight * static_cast<double>(i));
  return text + "</svg>\n";
}

}  // namespace sdv2::sim
