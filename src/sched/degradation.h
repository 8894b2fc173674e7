// SPDX-License-Identifier: LGPL-2.1-or-later
// What a stream may give up when its deadlines cannot hold, in order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sdv2 {

// Which rungs a user allows; flags that are combined.
enum Degrade : uint8_t {
  kDegradeNothing = 0,
  kDegradeSteps = 1,   // fewer denoising steps
  kDegradeSize = 2,    // a smaller processing size
  kDegradeRepeat = 4,  // every other chunk repeats the last picture
  kDegradeSource = 8,  // the source is shown, faded in, and nothing is computed
};
inline constexpr uint8_t kDegradeAll = kDegradeSteps | kDegradeSize | kDegradeRepeat | kDegradeSource;

// How a chunk is made.
struct Quality {
  enum class Show : uint8_t {
    kRestyled,
    kEveryOther,  // restyled, and the last picture held for every other chunk
    kSource,      // cross-faded to the source
  };
  int steps = 1;
  int width = 0;  // processing size, multiples of 16
  int height = 0;
  Show show = Show::kRestyled;
  bool operator==(const Quality&) const = default;

  // Share of the chunks that run.
  double chunk_share() const { return show == Show::kRestyled ? 1 : show == Show::kEveryOther ? 0.5 : 0; }
};

// The rungs from full quality (first) down, each with everything above it given up: one step less at a time,
// then three quarters and half of the size (never below 256 pixels of the shorter side), then every other
// chunk, then the source. Rungs that are not allowed or change nothing are left out.
std::vector<Quality> degradation_ladder(const Quality& full, uint8_t allowed);

// "2 steps, 512x512", "… every other chunk", "source": for messages.
std::string to_string(const Quality& quality);

}  // namespace sdv2
