// SPDX-License-Identifier: LGPL-2.1-or-later
// The restyled picture → a picture in the caller's memory, on the host.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "image/output_plan.h"

namespace sdv2 {

// Scales and converts restyled pictures to any format and size. Keeps its tables and rows for the kind of
// picture it made last, so that a stream of equal pictures allocates nothing. One thread at a time.
class OutputConverter {
 public:
  // `processing`: size of the restyled pictures, at least 1x1.
  OutputConverter(Size processing, Fit fit) : processing_(processing), fit_(fit) {}

  // Writes every sample of `out` (row padding is left alone). `restyled`: planes R, G, B of bytes [3, H, W];
  // `source`: size of the picture that it was made from; `alpha`: that picture's, used when `out` has alpha.
  // Where it stands: see OutputFit. Bars are black and opaque, filler bytes (x) are 255. Checks `out` first
  // (kInvalidArgument).
  Result<void> convert(const uint8_t* restyled, Size source, const AlphaView& alpha,
                       const MutableImageView& out);

 private:
  Result<void> prepare(const ImageSpec& spec, Size source);
  void write_color(const uint8_t* restyled, const MutableImageView& out, const SampleGrid& grid,
                   int first_component, int end_component);
  void write_alpha(const AlphaView& alpha, const MutableImageView& out);
  void fill_fourth(const MutableImageView& out);

  Size processing_;
  Fit fit_;
  std::optional<OutputPlan> plan_;
  std::array<std::vector<float>, 3> weighed_;  // rows of R, G, B, or of alpha, resampled vertically
  std::vector<float> component_;               // one of them after the colour transform
  std::vector<float> resampled_;
  std::vector<uint8_t> bytes_;  // a row of samples, bars included
};

}  // namespace sdv2
