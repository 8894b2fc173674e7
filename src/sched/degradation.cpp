// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sched/degradation.h"

#include <algorithm>

namespace sdv2 {
namespace {

constexpr int kShorterSide = 256;

// Four `quarters` of it, to the nearest multiple of 16 below.
int part(int pixels, int quarters) { return pixels * quarters / 4 / 16 * 16; }

}  // namespace

std::vector<Quality> degradation_ladder(const Quality& full, uint8_t allowed) {
  std::vector<Quality> rungs{full};
  if (allowed & kDegradeSteps)
    while (rungs.back().steps > 1) {
      Quality next = rungs.back();
      --next.steps;
      rungs.push_back(next);
    }
  if (allowed & kDegradeSize)
    for (const int quarters : {3, 2}) {
      Quality next = rungs.back();
      next.width = part(full.width, quarters);
      next.height = part(full.height, quarters);
      if (std::min(next.width, next.height) >= kShorterSide) rungs.push_back(next);
    }
  if (allowed & kDegradeRepeat) {
    Quality next = rungs.back();
    next.show = Quality::Show::kEveryOther;
    rungs.push_back(next);
  }
  if (allowed & kDegradeSource) {
    Quality next = rungs.back();
    next.show = Quality::Show::kSource;
    rungs.push_back(next);
  }
  return rungs;
}

std::string to_string(const Quality& quality) {
  if (quality.show == Quality::Show::kSource) return "source";
  std::string text = std::to_string(quality.steps) + (quality.steps == 1 ? " step, " : " steps, ") +
                     std::to_string(quality.width) + "x" + std::to_string(quality.height);
  if (quality.show == Quality::Show::kEveryOther) text += ", every other chunk";
  return text;
}

}  // namespace sdv2
