// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/roofline.h"

#include <algorithm>

namespace sdv2::sim {
namespace {

constexpr double kBf16 = 800e12, kFp8 = 1500e12;  // sustained operations per second
constexpr double kMemory = 3.0e12;                // bytes per second
constexpr int kTextTokens = 512, kFrequencies = 256, kPatchInputs = 16 * 4;

double op(double operations, double bytes, double rate = kBf16) {
  return std::max(operations / rate, bytes / kMemory);
}

// A linear k → n over `rows` tokens; weights and inputs of `width` bytes each, bf16 out.
double linear(double rows, double k, double n, double width, double rate) {
  return op(2 * rows * k * n, width * (k * n + rows * k) + 2 * rows * n, rate);
}

double tokens_of(int height, int width) { return (height / 16.0) * (width / 16.0); }

// The layers of an autoencoder half, each a few convolutions.
class Layers {
 public:
  // A convolution with `taps` taps that makes `t` frames of h·w; reads `t_in` frames of h_in·w_in and
  // `history` frames more, and `extra` elements of a residual. Belongs to the layer that is open.
  struct Conv {
    double in, out, taps, t, h, w, t_in = 0, h_in = 0, w_in = 0, history = 0, extra = 0;
  };
  void conv(const Conv& c) {
    const double t_in = c.t_in > 0 ? c.t_in : c.t, h_in = c.h_in > 0 ? c.h_in : c.h,
                 w_in = c.w_in > 0 ? c.w_in : c.w;
    const double out = c.out * c.t * c.h * c.w;
    seconds_ += op(2 * c.in * c.taps * out,
                   2 * (c.in * (t_in + c.history) * h_in * w_in + out + c.in * c.out * c.taps + c.extra));
    bytes_out_ = 2 * out;
  }
  // Causal 3×3×3.
  void causal(double in, double out, double t, double h, double w, bool residual = false) {
    conv({.in = in,
          .out = out,
          .taps = 27,
          .t = t,
          .h = h,
          .w = w,
          .history = 2,
          .extra = residual ? out * t * h * w : 0});
  }
  void residual_block(double in, double out, double t, double h, double w) {
    if (in != out) conv({.in = in, .out = out, .taps = 1, .t = t, .h = h, .w = w});
    causal(in, out, t, h, w);
    causal(out, out, t, h, w, true);
  }
  void attention(double channels, double t, double h, double w) {
    const double positions = h * w;
    conv({.in = channels, .out = 3 * channels, .taps = 1, .t = t, .h = h, .w = w});
    seconds_ += op(4 * positions * positions * channels * t, 8 * positions * channels * t);
    conv({.in = channels, .out = channels, .taps = 1, .t = t, .h = h, .w = w, .extra = channels * t * h * w});
  }
  // TAEHV: three convolutions, the first also over the frame before.
  void memory_block(double c, double t, double h, double w) {
    seconds_ += op(2 * 2 * c * c * 9 * t * h * w, 2 * (c * (t + 1) * h * w + c * t * h * w + 18 * c * c));
    conv({.in = c, .out = c, .taps = 9, .t = t, .h = h, .w = w});
    conv({.in = c, .out = c, .taps = 9, .t = t, .h = h, .w = w, .extra = c * t * h * w});
  }
  void close() {
    layers_.push_back({seconds_, bytes_out_});
    seconds_ = 0;
  }
  std::vector<UnitTime> take() { return std::move(layers_); }

 private:
  std::vector<UnitTime> layers_;
  double seconds_ = 0, bytes_out_ = 0;
};

}  // namespace

UnitTime block_time(const DitSize& m, int height, int width, int rows, int window, bool fp8) {
  const double tokens = tokens_of(height, width) * rows, d = m.dim, f = m.ffn;
  const double bytes = fp8 ? 1 : 2, rate = fp8 ? kFp8 : kBf16;
  const double keys = tokens_of(height, width) * window;
  double seconds = linear(tokens, d, 3 * d, bytes, rate) + 3 * linear(tokens, d, d, bytes, rate) +
                   linear(tokens, d, f, bytes, rate) + linear(tokens, f, d, bytes, rate);
  for (const double attended : {keys, static_cast<double>(kTextTokens)})
    seconds += op(4 * tokens * attended * d, 4 * tokens * d + rows * 4 * attended * d);
  seconds += 3 * op(0, 12 * tokens * d);  // LN + modulation, q/k norms + rotation, residual stream
  return {seconds, 2 * tokens * d};
}

UnitTime patch_time(const DitSize& m, int height, int width, int rows) {
  const double tokens = tokens_of(height, width) * rows, d = m.dim;
  return {linear(tokens, kPatchInputs, d, 2, kBf16) + linear(rows, 1, kFrequencies * d + 7 * d * d, 2, kBf16),
          2 * tokens * d};
}

UnitTime head_time(const DitSize& m, int height, int width, int rows) {
  const double tokens = tokens_of(height, width) * rows;
  return {linear(tokens, m.dim, kPatchInputs, 2, kBf16), 2 * tokens * kPatchInputs};
}

std::vector<UnitTime> wan_encoder_times(int height, int width) {
  Layers net;
  const double h = height, w = width, a = 96, b = 192, d = 384;
  const auto layer = [&](auto&& make) { make(), net.close(); };
  layer([&] { net.causal(3, a, 4, h, w); });
  layer([&] { net.residual_block(a, a, 4, h, w); });
  layer([&] { net.residual_block(a, a, 4, h, w); });
  layer([&] {
    net.conv({.in = a, .out = a, .taps = 9, .t = 4, .h = h / 2, .w = w / 2, .h_in = h, .w_in = w});
  });
  layer([&] { net.residual_block(a, b, 4, h / 2, w / 2); });
  layer([&] { net.residual_block(b, b, 4, h / 2, w / 2); });
  layer([&] {
    net.conv({.in = b, .out = b, .taps = 9, .t = 4, .h = h / 4, .w = w / 4, .h_in = h / 2, .w_in = w / 2});
    net.conv({.in = b, .out = b, .taps = 3, .t = 2, .h = h / 4, .w = w / 4, .t_in = 4, .history = 1});
  });
  layer([&] { net.residual_block(b, d, 2, h / 4, w / 4); });
  layer([&] { net.residual_block(d, d, 2, h / 4, w / 4); });
  layer([&] {
    net.conv({.in = d, .out = d, .taps = 9, .t = 2, .h = h / 8, .w = w / 8, .h_in = h / 4, .w_in = w / 4});
    net.conv({.in = d, .out = d, .taps = 3, .t = 1, .h = h / 8, .w = w / 8, .t_in = 2, .history = 1});
  });
  for (int i = 0; i < 3; ++i) layer([&] { net.residual_block(d, d, 1, h / 8, w / 8); });
  layer([&] { net.attention(d, 1, h / 8, w / 8); });
  layer([&] { net.residual_block(d, d, 1, h / 8, w / 8); });
  layer([&] {
    net.causal(d, 32, 1, h / 8, w / 8);
    net.conv({.in = 32, .out = 32, .taps = 1, .t = 1, .h = h / 8, .w = w / 8});
  });
  return net.take();
}

std::vector<UnitTime> wan_decoder_times(int height, int width) {
  Layers net;
  const double h = height, w = width, a = 96, b = 192, d = 384;
  const auto layer = [&](auto&& make) { make(), net.close(); };
  // After doubling the size by repetition.
  const auto up = [&](double in, double out, double t, double uh, double uw) {
    net.conv({.in = in, .out = out, .taps = 9, .t = t, .h = uh, .w = uw, .h_in = uh / 2, .w_in = uw / 2});
  };
  layer([&] {
    net.conv({.in = 16, .out = 16, .taps = 1, .t = 1, .h = h / 8, .w = w / 8});
    net.causal(16, d, 1, h / 8, w / 8);
  });
  layer([&] { net.residual_block(d, d, 1, h / 8, w / 8); });
  layer([&] { net.attention(d, 1, h / 8, w / 8); });
  for (int i = 0; i < 4; ++i) layer([&] { net.residual_block(d, d, 1, h / 8, w / 8); });
  layer([&] {
    net.conv({.in = d, .out = 2 * d, .taps = 3, .t = 1, .h = h / 8, .w = w / 8, .history = 2});
    up(d, b, 2, h / 4, w / 4);
  });
  layer([&] { net.residual_block(b, d, 2, h / 4, w / 4); });
  for (int i = 0; i < 2; ++i) layer([&] { net.residual_block(d, d, 2, h / 4, w / 4); });
  layer([&] {
    net.conv({.in = d, .out = 2 * d, .taps = 3, .t = 2, .h = h / 4, .w = w / 4, .history = 2});
    up(d, b, 4, h / 2, w / 2);
  });
  for (int i = 0; i < 3; ++i) layer([&] { net.residual_block(b, b, 4, h / 2, w / 2); });
  layer([&] { up(b, a, 4, h, w); });
  for (int i = 0; i < 3; ++i) layer([&] { net.residual_block(a, a, 4, h, w); });
  layer([&] { net.causal(a, 3, 4, h, w); });
  return net.take();
}

std::vector<UnitTime> taehv_encoder_times(int height, int width) {
  Layers net;
  const double h = height, w = width;
  const auto stage = [&](double t, double sh, double sw) {
    for (int i = 0; i < 3; ++i) net.memory_block(64, t, sh, sw), net.close();
  };
  // Two frames become one.
  const auto pool = [&](double t, double sh, double sw) {
    net.conv({.in = 128, .out = 64, .taps = 1, .t = t, .h = sh, .w = sw});
  };
  const auto down = [&](double t, double sh, double sw) {
    net.conv({.in = 64, .out = 64, .taps = 9, .t = t, .h = sh, .w = sw, .h_in = 2 * sh, .w_in = 2 * sw});
  };
  net.conv({.in = 3, .out = 64, .taps = 9, .t = 4, .h = h, .w = w});
  pool(2, h, w);
  down(2, h / 2, w / 2);
  net.close();
  stage(2, h / 2, w / 2);
  pool(1, h / 2, w / 2);
  down(1, h / 4, w / 4);
  net.close();
  stage(1, h / 4, w / 4);
  net.conv({.in = 64, .out = 64, .taps = 1, .t = 1, .h = h / 4, .w = w / 4});
  down(1, h / 8, w / 8);
  net.close();
  stage(1, h / 8, w / 8);
  net.conv({.in = 64, .out = 16, .taps = 9, .t = 1, .h = h / 8, .w = w / 8});
  net.close();
  return net.take();
}

// With the 1×1 growth in time before the doubling in size, and the 3×3 after it as four 2×2.
std::vector<UnitTime> taehv_decoder_times(int height, int width) {
  Layers net;
  const double h = height, w = width;
  const auto stage = [&](double c, double t, double sh, double sw) {
    for (int i = 0; i < 3; ++i) net.memory_block(c, t, sh, sw), net.close();
  };
  const auto grow = [&](double c, double out, double frames, double t, double sh, double sw) {
    net.conv({.in = c, .out = c * frames, .taps = 1, .t = t, .h = sh / 2, .w = sw / 2});
    net.conv(
        {.in = c, .out = out, .taps = 4, .t = t * frames, .h = sh, .w = sw, .h_in = sh / 2, .w_in = sw / 2});
    net.close();
  };
  net.conv({.in = 16, .out = 256, .taps = 9, .t = 1, .h = h / 8, .w = w / 8});
  net.close();
  stage(256, 1, h / 8, w / 8);
  grow(256, 128, 1, 1, h / 4, w / 4);
  stage(128, 1, h / 4, w / 4);
  grow(128, 64, 2, 1, h / 2, w / 2);
  stage(64, 2, h / 2, w / 2);
  grow(64, 64, 2, 2, h, w);
  net.conv({.in = 64, .out = 3, .taps = 9, .t = 4, .h = h, .w = w});
  net.close();
  return net.take();
}

}  // namespace sdv2::sim
