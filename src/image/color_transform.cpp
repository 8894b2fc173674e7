// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/color_transform.h"

namespace sdv2 {
namespace {

struct LumaWeights {
  double r, g, b;
};

LumaWeights luma_weights(ColorMatrix matrix) {
  const auto from = [](double kr, double kb) { return LumaWeights{kr, 1 - kr - kb, kb}; };
  switch (matrix) {
    case ColorMatrix::kBt709:
      return from(0.2126, 0.0722);
    case ColorMatrix::kBt2020:
      return from(0.2627, 0.0593);
    default:
      return from(0.299, 0.114);
  }
}

// byte = scale · value + zero, value in 0…1, or -0.5…0.5 for Cb and Cr.
struct Quantisation {
  double scale[3], zero[3];
};

Quantisation quantisation(bool yuv, ColorRange range) {
  const bool limited = range == ColorRange::kLimited;
  const double luma = limited ? 219 : 255;
  const double black = limited ? 16 : 0;
  if (!yuv) return {{luma, luma, luma}, {black, black, black}};
  const double chroma = limited ? 224 : 255;
  return {{luma, chroma, chroma}, {black, 128, 128}};
}

}  // namespace

ColorTransform model_from_bytes(ColorMatrix matrix, ColorRange range) {
  const bool yuv = matrix != ColorMatrix::kRgb;
  const auto [kr, kg, kb] = luma_weights(matrix);
  const double to_rgb[2][3][3] = {
      {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
      {{1, 0, 2 - 2 * kr}, {1, -(2 - 2 * kb) * kb / kg, -(2 - 2 * kr) * kr / kg}, {1, 2 - 2 * kb, 0}}};
  const Quantisation bytes = quantisation(yuv, range);
  ColorTransform transform{};
  for (int i = 0; i < 3; ++i) {
    double offset = -1;
    for (int j = 0; j < 3; ++j) {
      const double gain = 2 * to_rgb[yuv ? 1 : 0][i][j] / bytes.scale[j];
      offset -= gain * bytes.zero[j];
      transform.m[i][j] = static_cast<float>(gain);
    }
    transform.offset[i] = static_cast<float>(offset);
  }
  return transform;
}

ColorTransform bytes_from_rgb(ColorMatrix matrix, ColorRange range) {
  const bool yuv = matrix != ColorMatrix::kRgb;
  const auto [kr, kg, kb] = luma_weights(matrix);
  const double blue = 2 - 2 * kb;
  const double red = 2 - 2 * kr;
  const double from_rgb[2][3][3] = {
      {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
      {{kr, kg, kb}, {-kr / blue, -kg / blue, (1 - kb) / blue}, {(1 - kr) / red, -kg / red, -kb / red}}};
  const Quantisation bytes = quantisation(yuv, range);
  ColorTransform transform{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j)
      transform.m[i][j] = static_cast<float>(bytes.scale[i] * from_rgb[yuv ? 1 : 0][i][j] / 255);
    transform.offset[i] = static_cast<float>(bytes.zero[i]);
  }
  return transform;
}

}  // namespace sdv2
