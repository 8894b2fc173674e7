// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernels that write e4m3 tokens and read products of them.
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>

#include <cstring>

#include "dit/quantise.h"
#include "kernels/dit/lt_linear.h"
#include "kernels/dit/token_ops.h"
#include "runtime/upload.h"
#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

constexpr double kTolerance = 3e-3;  // one rounding to bf16 is 1.7e-3 of the norm
constexpr float kEps = 1e-6F;
const std::vector<int64_t> kWidths = {128, 384, 1536, 2048, 2176, 5120, 8192};

__nv_bfloat16* bf16(const at::Tensor& t) { return static_cast<__nv_bfloat16*>(t.data_ptr()); }
float* fp32(const at::Tensor& t) { return t.data_ptr<float>(); }
uint8_t* bytes(const at::Tensor& t) { return static_cast<uint8_t*>(t.data_ptr()); }
at::Tensor random_fp32(at::IntArrayRef shape) {
  return at::randn(shape, at::TensorOptions(at::kFloat).device(gpu()));
}
cudaStream_t stream() { return at::cuda::getCurrentCUDAStream(); }

constexpr int64_t kTokens = 61;  // no multiple of the tokens of a thread block

TokenShape shape_of(int64_t width) { return {1, 1, static_cast<int>(kTokens), static_cast<int>(width)}; }

// Products [tokens, channels], their factors and bias, and the numbers that they stand for.
struct Products {
  explicit Products(int64_t channels)
      : values(random_bf16({kTokens, channels}) * 1000),
        tokens(random_fp32({kTokens}).abs() + 0.1),
        terms((random_fp32({channels, 2}) / at::tensor({1000.F, 1.F}, tokens.options())).to(at::kBFloat16)) {}

  ProductScale scale() const {
    return {fp32(tokens), static_cast<const __nv_bfloat162*>(terms.const_data_ptr())};
  }
  at::Tensor numbers() const {
    const at::Tensor wide = terms.to(at::kFloat);
    return values.to(at::kFloat) * tokens.unsqueeze(1) * wide.select(1, 0) + wide.select(1, 1);
  }

  at::Tensor values, tokens, terms;
};

// Tokens in e4m3 that a kernel is to write.
struct Tokens {
  explicit Tokens(int64_t width)
      : values(at::full({kTokens, width}, 0x7F, at::TensorOptions(at::kByte).device(gpu()))),  // NaN
        scales(at::full({kTokens}, -1.F, at::TensorOptions(at::kFloat).device(gpu()))) {}

  QuantisedTokens out() const { return {bytes(values), fp32(scales)}; }
  at::Tensor numbers() const { return values.view(at::kFloat8_e4m3fn).to(at::kFloat) * scales.unsqueeze(1); }

  at::Tensor values, scales;
};

// Each number within a rounding to three bits of mantissa, plus half of the smallest step, of what it should
// be; `slack`: how far that itself may be off, relative to the token's largest.
void expect_quantised(const Tokens& got, const at::Tensor& want, double slack) {
  const at::Tensor largest = want.abs().amax(1, true);
  EXPECT_TRUE(at::allclose(got.scales, largest.squeeze(1) / 448, 2 * slack + 1e-5)) << want.size(1);
  const at::Tensor allowed = at::maximum(want.abs() / 16, largest / 448 / 1024) + slack * largest;
  EXPECT_TRUE(((got.numbers() - want).abs() <= allowed * 1.001).all().item<bool>()) << want.size(1);
}

class Fp8OpsTest : public HopperTest {};

// On few processors, so that thread blocks have several tokens.
TEST_F(Fp8OpsTest, Quantise) {
  for (const int64_t width : {16, 128, 640, 1536, 5120, 8192, 8960, 13824, 16384})
    for (const int processors : {1, 132})
      for (const bool gelu : {false, true}) {
        const Products products(width);
        const Tokens plain(width), scaled(width);
        C10_CUDA_CHECK(launch_quantise({.x = bf16(products.values), .gelu = gelu, .y8 = plain.out()},
                                       shape_of(width), processors, stream()));
        C10_CUDA_CHECK(launch_quantise(
            {.x = bf16(products.values), .scale = products.scale(), .gelu = gelu, .y8 = scaled.out()},
            shape_of(width), processors, stream()));
        const auto want = [gelu](const at::Tensor& x) { return gelu ? at::gelu(x, "tanh") : x; };
        expect_quantised(plain, want(products.values.to(at::kFloat)), 1e-5);
        expect_quantised(scaled, want(products.numbers()), 1e-5);
      }
}

TEST_F(Fp8OpsTest, ATokenOfZerosStaysZero) {
  const at::Tensor x = random_bf16({kTokens, 256});
  x[5].zero_();
  const Tokens tokens(256);
  C10_CUDA_CHECK(launch_quantise({.x = bf16(x), .y8 = tokens.out()}, shape_of(256), 1, stream()));
  EXPECT_EQ(tokens.numbers()[5].abs().max().item<float>(), 0);
  EXPECT_EQ(tokens.scales[5].item<float>(), 1);
}

// The scales of what is read and of what is written may be the same memory.
TEST_F(Fp8OpsTest, AddAndNorm) {
  for (const int64_t width : kWidths) {
    const Products z(width);
    const at::Tensor x = random_bf16({kTokens, width}) + 3, new_x = x.clone(), gate = random_fp32({width});
    const at::Tensor scale = random_fp32({width}), shift = random_fp32({width});
    const at::Tensor sum = x.to(at::kFloat) + gate * z.numbers();
    const Tokens y(width);
    y.scales.copy_(z.tokens);
    ProductScale z_scale = z.scale();
    z_scale.tokens = fp32(y.scales);
    C10_CUDA_CHECK(launch_add_and_norm({.x = bf16(new_x),
                                        .z = bf16(z.values),
                                        .z_scale = z_scale,
                                        .gate = {fp32(gate), 0},
                                        .y8 = y.out(),
                                        .scale = {fp32(scale), 0},
                                        .shift = {fp32(shift), 0},
                                        .eps = kEps},
                                       shape_of(width), stream()));
    EXPECT_LT(relative_error(new_x, sum), kTolerance) << width;
    expect_quantised(y, at::layer_norm(sum, {width}, {}, {}, kEps) * scale + shift, 1e-5);
  }
}

at::Tensor normed(const at::Tensor& x, const at::Tensor& weight) {
  return x * at::rsqrt(x.pow(2).mean(-1, true) + kEps) * weight;
}

TEST_F(Fp8OpsTest, RmsNorm) {
  for (const int64_t width : kWidths) {
    const Products x(width);
    const at::Tensor weight = random_fp32({width}), y = poison({kTokens, width});
    C10_CUDA_CHECK(
        launch_rms_norm(bf16(x.values), x.scale(), fp32(weight), kEps, bf16(y), shape_of(width), stream()));
    EXPECT_LT(relative_error(y, normed(x.numbers(), weight)), kTolerance) << width;
  }
}

// With rings, k and v go there; without, they stay in the products as numbers.
TEST_F(Fp8OpsTest, NormAndRotate) {
  for (const int64_t width : kWidths)
    for (const bool to_ring : {true, false}) {
      const Products products(3 * width);
      const auto want = products.numbers().split(width, -1);
      const at::Tensor weight = random_fp32({width}), q = poison({kTokens, width});
      const at::Tensor k = poison({kTokens, width}), v = poison({kTokens, width});
      // No turn: cosine 1, sine 0.
      const at::Tensor turns =
          at::tensor({1.F, 0.F}, at::TensorOptions(at::kFloat).device(gpu())).repeat({kTokens, 64, 1});
      const RingPointers ring = {bf16(k), bf16(v)};
      const at::Tensor host = staging(sizeof ring, gpu());
      std::memcpy(host.mutable_data_ptr(), &ring, sizeof ring);
      const at::Tensor rings = host.to(gpu()), slots = at::zeros({1}, at::device(gpu()).dtype(at::kInt));
      C10_CUDA_CHECK(launch_norm_and_rotate(
          {.products = bf16(products.values),
           .scale = products.scale(),
           .q = bf16(q),
           .rings = to_ring ? static_cast<const RingPointers*>(rings.const_data_ptr()) : nullptr,
           .slots = slots.const_data_ptr<int>(),
           .q_weight = fp32(weight),
           .k_weight = fp32(weight),
           .turns = reinterpret_cast<const float2*>(fp32(turns)),
           .eps = kEps},
          shape_of(width), stream()));
      const auto parts = products.values.split(width, -1);
      EXPECT_LT(relative_error(q, normed(want[0], weight)), kTolerance) << width;
      EXPECT_LT(relative_error(to_ring ? k : parts[1], normed(want[1], weight)), kTolerance) << width;
      EXPECT_LT(relative_error(to_ring ? v : parts[2], want[2]), kTolerance) << width;
    }
}

// The tensor cores' own sums have about 13 bits: that, and one rounding to bf16.
TEST_F(Fp8OpsTest, Linear) {
  LtLinear linear(gpu());
  for (const int64_t tokens : {1, 99, 1560})
    for (const auto& [in, out] : {std::pair<int64_t, int64_t>{128, 384}, {1536, 8960}, {8960, 1536}}) {
      const QuantisedWeight weight = quantise_weight(random_bf16({out, in}), random_bf16({out}));
      const at::Tensor x = random_bf16({tokens, in}).mul(30).to(at::kFloat8_e4m3fn);
      const at::Tensor y = poison({tokens, out});
      linear.run_e4m3(bytes(x), weight.values, bf16(y), tokens, stream());
      const double error = relative_error(y, at::matmul(x.to(at::kFloat), weight.values.to(at::kFloat).t()));
      RecordProperty(std::to_string(tokens) + "x" + std::to_string(in) + "x" + std::to_string(out),
                     std::to_string(error));
      EXPECT_LT(error, 2 * kTolerance) << tokens << " tokens, " << in << " to " << out;
    }
}

}  // namespace
}  // namespace sdv2
