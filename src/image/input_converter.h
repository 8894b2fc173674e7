// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures → the model's input, on the host.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "image/input_plan.h"

namespace sdv2 {

// Converts and scales pictures to the processing size. Keeps its tables and rows for the kind of picture it
// saw last, so that a stream of equal pictures allocates nothing. One thread at a time.
class InputConverter {
 public:
  // `processing`: pixels, at least 1x1.
  InputConverter(Size processing, Fit fit) : processing_(processing), fit_(fit) {}

  // Writes the picture as planes R, G, B of float32 in -1…1 (byte 0 is -1, 255 is 1), [3, H, W]; the bars of
  // letterbox are -1. The picture is checked first (kInvalidArgument).
  Result<void> convert(const ImageView& image, float* out);

  // The same row by row: start(), then row(y) for any 0 ≤ y < H. The rows R, G, B [W] are valid until the
  // next call. The picture's memory is read by row().
  Result<void> start(const ImageView& image);
  std::array<const float*, 3> row(int32_t y);

  Size processing() const { return processing_; }

 private:
  Size processing_;
  Fit fit_;
  std::optional<InputPlan> plan_;
  InputArgs args_{};
  std::vector<float> weighed_;  // a row of a plane, resampled vertically
  std::vector<float> rows_;     // [3, W]
};

}  // namespace sdv2
