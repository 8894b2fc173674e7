// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame-rate adaption by time stamps.
#include "chunk/frame_rate_adapter.h"

#include <algorithm>

namespace sdv2 {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A frame that claims to last longer than this is believed this long only.
constexpr int64_t kLongestFrame = 10 * kSecond;

// a * b / c, rounded to the nearest integer (halves up), for c > 0. Times of centuries do not overflow.
int64_t scale_round(int64_t a, int64_t b, int64_t c) {
  const __int128 doubled = 2 * static_cast<__int128>(a) * b + c;
  const __int128 divisor = 2 * static_cast<__int128>(c);
  __int128 quotient = doubled / divisor;
  if (doubled < 0 && doubled % divisor != 0) --quotient;
  return static_cast<int64_t>(quotient);
}

}  // namespace

FrameRateAdapter::FrameRateAdapter(int numerator, int denominator, uint32_t max_fill)
    : slots_(numerator), period_(denominator * kSecond), max_fill_(max_fill) {}

int64_t FrameRateAdapter::nearest_slot(int64_t time) const {
  return scale_round(time - anchor_, slots_, period_);
}

int64_t FrameRateAdapter::slot_time(int64_t slot) const {
  return anchor_ + scale_round(slot, period_, slots_);
}

FrameRateAdapter::Plan FrameRateAdapter::place(int64_t time, std::optional<int64_t> duration) {
  Plan plan;
  int64_t slot = anchored_ ? nearest_slot(time) : 0;
  // Time that goes back further than slots are ever taken ahead is a source that started anew.
  const int64_t longest = scale_round(kLongestFrame, slots_, period_);
  const bool restarted = anchored_ && slot < next_slot_ - std::max(longest, max_fill_);
  if (!anchored_ || restarted) {
    anchored_ = true;
    anchor_ = time;
    slot = 0;
    next_slot_ = 0;
    plan.gap = restarted;
  }
  if (slot < next_slot_) return plan;

  const int64_t missing = slot - next_slot_;
  if (missing > max_fill_) {
    plan.gap = true;
  } else {
    plan.fill = static_cast<uint32_t>(missing);
  }
  int64_t end = slot + 1;
  if (duration) end = std::max(end, nearest_slot(time + std::clamp<int64_t>(*duration, 0, kLongestFrame)));
  plan.first_slot = slot - plan.fill;
  plan.copies = static_cast<uint32_t>(end - slot);
  next_slot_ = end;
  return plan;
}

}  // namespace sdv2
