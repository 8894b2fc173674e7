// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour conversion between the bytes of pictures and the model's RGB.
#pragma once

#include "image/pixel_format.h"

namespace sdv2 {

// out[i] = m[i][0]·in[0] + m[i][1]·in[1] + m[i][2]·in[2] + offset[i].
struct ColorTransform {
  float m[3][3];
  float offset[3];
};

// With luma weights Kr, Kb and Kg = 1 - Kr - Kb, for R, G, B in 0…1:
//   Y = Kr·R + Kg·G + Kb·B, Cb = (B - Y) / (2 - 2·Kb), Cr = (R - Y) / (2 - 2·Kr)
// (ITU-R BT.601-7 §2.5.1-2.5.2, BT.709-6 §3.2-3.3, BT.2020-2 table 4, non-constant luminance.) Bytes are
// 16 + 219·Y and 128 + 224·C in limited range, 255·Y and 128 + 255·C in full range; RGB bytes 16 + 219·R in
// limited range, 255·R in full range. Gamma is left as it is.

// Bytes (R, G, B or Y, Cb, Cr, 0…255) of a picture to R, G, B in -1…1 (not clamped).
ColorTransform model_from_bytes(ColorMatrix matrix, ColorRange range);

// R, G, B of the model's output as full-range bytes (0…255) to the bytes of a picture (not clamped).
ColorTransform bytes_from_rgb(ColorMatrix matrix, ColorRange range);

}  // namespace sdv2
