// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/token_ops.h"

#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>

#include <cstring>

#include "dit/rope.h"
#include "kernels/dit/lt_linear.h"
#include "runtime/upload.h"
#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

constexpr double kTolerance = 3e-3;  // one rounding to bf16 is 1.7e-3 of the norm
constexpr float kEps = 1e-6F;

// Widths of one and of four warps per token, full and not; 1.3B's and 14B's among them.
const std::vector<int64_t> kWidths = {128, 256, 384, 1536, 2048, 2176, 5120, 8192};

struct Shape {
  int64_t rows = 2, frames = 2, height = 3, width = 5;
  int64_t channels = 0;

  int64_t per_frame() const { return height * width; }
  int64_t tokens() const { return rows * frames * per_frame(); }
  TokenShape kernel() const {
    return {static_cast<int>(rows), static_cast<int>(frames), static_cast<int>(per_frame()),
            static_cast<int>(channels)};
  }
};

__nv_bfloat16* bf16(const at::Tensor& t) { return static_cast<__nv_bfloat16*>(t.data_ptr()); }
float* fp32(const at::Tensor& t) { return t.data_ptr<float>(); }
at::Tensor random_fp32(at::IntArrayRef shape) {
  return at::randn(shape, at::TensorOptions(at::kFloat).device(gpu()));
}
cudaStream_t stream() { return at::cuda::getCurrentCUDAStream(); }

class TokenOpsTest : public HopperTest {};

TEST_F(TokenOpsTest, AddAndNorm) {
  for (const int64_t width : kWidths)
    for (const bool add : {false, true})
      for (const bool gated : {false, true}) {
        const Shape s = {.channels = width};
        const at::Tensor x = random_bf16({s.tokens(), width}) + 3, z = random_bf16({s.tokens(), width});
        const at::Tensor vectors = random_fp32({s.rows * s.frames, 3, width});
        const at::Tensor new_x = x.clone(), y = poison({s.tokens(), width});
        const auto vector = [&](int64_t i) { return FrameVectors{fp32(vectors) + i * width, 3 * width}; };
        C10_CUDA_CHECK(launch_add_and_norm({.x = bf16(new_x),
                                            .z = add ? bf16(z) : nullptr,
                                            .gate = gated ? vector(0) : FrameVectors{},
                                            .y = bf16(y),
                                            .scale = vector(1),
                                            .shift = vector(2),
                                            .eps = kEps},
                                           s.kernel(), stream()));
        const auto by_token = [&](int64_t i) {
          return vectors.select(1, i).repeat_interleave(s.per_frame(), 0);
        };
        at::Tensor sum = x.to(at::kFloat);
        if (add) sum = sum + (gated ? by_token(0) * z : z.to(at::kFloat));
        const at::Tensor want = at::layer_norm(sum, {width}, {}, {}, kEps) * by_token(1) + by_token(2);
        EXPECT_LT(relative_error(new_x, sum), kTolerance) << width;
        EXPECT_LT(relative_error(y, want), kTolerance) << width;
      }
}

TEST_F(TokenOpsTest, AddAlone) {
  const Shape s = {.channels = 384};
  const at::Tensor x = random_bf16({s.tokens(), 384}), z = random_bf16({s.tokens(), 384});
  const at::Tensor want = x.to(at::kFloat) + z.to(at::kFloat);
  C10_CUDA_CHECK(launch_add_and_norm({.x = bf16(x), .z = bf16(z)}, s.kernel(), stream()));
  EXPECT_LT(relative_error(x, want), kTolerance);
}

at::Tensor normed(const at::Tensor& x, const at::Tensor& weight) {
  const at::Tensor wide = x.to(at::kFloat);
  return wide * at::rsqrt(wide.pow(2).mean(-1, true) + kEps) * weight;
}

TEST_F(TokenOpsTest, RmsNorm) {
  for (const int64_t width : kWidths) {
    const Shape s = {.channels = width};
    const at::Tensor x = random_bf16({s.tokens(), width}), weight = random_fp32({width});
    const at::Tensor y = poison({s.tokens(), width});
    C10_CUDA_CHECK(launch_rms_norm(bf16(x), {}, fp32(weight), kEps, bf16(y), s.kernel(), stream()));
    EXPECT_LT(relative_error(y, normed(x, weight)), kTolerance) << width;
  }
}

// Rows write to rings of their own, frames to slots in any order; the rest of a ring stays as it is.
TEST_F(TokenOpsTest, NormAndRotate) {
  for (const int64_t width : kWidths) {
    const Shape s = {.channels = width};
    const int64_t slots_of_ring = 4;
    const std::vector<int64_t> starts = {7, 48}, slots = {3, 1, 0, 2};
    const at::Tensor products = random_bf16({s.tokens(), 3 * width});
    const at::Tensor q_weight = random_fp32({width}), k_weight = random_fp32({width});
    const at::Tensor q = poison({s.tokens(), width});
    const at::Tensor turns = random_fp32({s.tokens(), 64, 2});
    std::vector<at::Tensor> k, v;
    const at::Tensor host = staging(s.rows * static_cast<int64_t>(sizeof(RingPointers)), gpu());
    for (int64_t r = 0; r < s.rows; ++r) {
      k.push_back(at::zeros({slots_of_ring, s.per_frame(), width}, products.options()));
      v.push_back(at::zeros_like(k.back()));
      const RingPointers ring = {bf16(k.back()), bf16(v.back())};
      std::memcpy(static_cast<uint8_t*>(host.mutable_data_ptr()) + r * static_cast<int64_t>(sizeof ring),
                  &ring, sizeof ring);
    }
    const at::Tensor rings = host.to(gpu()), slot_table = upload(slots, gpu()).to(at::kInt);
    const std::vector<double> real_starts(starts.begin(), starts.end());
    const at::Tensor start_table = upload(real_starts, gpu());
    C10_CUDA_CHECK(launch_turns(start_table.data_ptr<double>(), 2, 2, 3, 5,
                                reinterpret_cast<float2*>(fp32(turns)), stream()));
    C10_CUDA_CHECK(launch_norm_and_rotate({.products = bf16(products),
                                           .q = bf16(q),
                                           .rings = static_cast<const RingPointers*>(rings.const_data_ptr()),
                                           .slots = slot_table.const_data_ptr<int>(),
                                           .q_weight = fp32(q_weight),
                                           .k_weight = fp32(k_weight),
                                           .turns = reinterpret_cast<const float2*>(fp32(turns)),
                                           .eps = kEps},
                                          s.kernel(), stream()));
    const at::Tensor rotation = rope_turns(upload(starts, gpu()), {s.frames, s.height, s.width});
    const auto by_slot = [&](const at::Tensor& x) {
      return x.view({s.rows * s.frames, s.per_frame(), width});
    };
    const auto turned = [&](const at::Tensor& x, const at::Tensor& weight) {
      return rotate(normed(x, weight).view({s.rows, s.frames * s.per_frame(), -1, 128}), rotation);
    };
    const auto parts = products.split(width, -1);
    EXPECT_LT(relative_error(q.view({s.rows, s.frames * s.per_frame(), -1, 128}), turned(parts[0], q_weight)),
              kTolerance)
        << width;
    const at::Tensor want_k = by_slot(turned(parts[1], k_weight).contiguous());
    const at::Tensor want_v = by_slot(parts[2].contiguous());
    for (int64_t i = 0; i < 4; ++i) {
      const auto row = static_cast<size_t>(i / s.frames);
      const int64_t slot = slots[static_cast<size_t>(i)];
      EXPECT_LT(relative_error(k[row][slot], want_k[i]), kTolerance) << width;
      EXPECT_TRUE(at::equal(v[row][slot], want_v[i])) << width;
    }
    for (const int64_t untouched : {0, 2}) {
      EXPECT_EQ(k[0][untouched].abs().max().item<float>(), 0);
      EXPECT_EQ(v[0][untouched].abs().max().item<float>(), 0);
    }
  }
}

TEST_F(TokenOpsTest, Turns) {
  const std::vector<int64_t> starts = {0, 1'000'000'007};
  const std::vector<double> real_starts(starts.begin(), starts.end());
  const TokenGrid grid = {3, 30, 52};
  const at::Tensor turns = random_fp32({2, grid.tokens(), 64, 2}), start_table = upload(real_starts, gpu());
  C10_CUDA_CHECK(launch_turns(start_table.data_ptr<double>(), 2, 3, 30, 52,
                              reinterpret_cast<float2*>(fp32(turns)), stream()));
  const at::Tensor want = at::view_as_real(rope_turns(upload(starts, gpu()), grid)).squeeze(2);
  EXPECT_LT((turns.to(at::kDouble) - want).abs().max().item<double>(), 1e-6);
}

TEST_F(TokenOpsTest, Modulation) {
  const int64_t layers = 3, frames = 4, vectors = 6, width = 256;
  const at::Tensor table = random_fp32({layers, vectors, width}),
                   of_frame = random_bf16({frames, vectors, width});
  std::vector<int64_t> addresses;
  for (const int64_t i : {2, 0, 3, 1}) addresses.push_back(reinterpret_cast<int64_t>(of_frame[i].data_ptr()));
  const at::Tensor pointers = upload(addresses, gpu());
  const at::Tensor out = random_fp32({layers, frames, vectors, width});
  Modulation op = {.table = fp32(table),
                   .of_frame = static_cast<const __nv_bfloat16* const*>(pointers.const_data_ptr()),
                   .stride = width,
                   .layers = layers,
                   .frames = frames,
                   .vectors = vectors,
                   .width = width,
                   .scales = 0b010010,
                   .out = fp32(out)};
  C10_CUDA_CHECK(launch_modulation(op, stream()));
  const at::Tensor order = upload(std::vector<int64_t>{2, 0, 3, 1}, gpu());
  at::Tensor want = table.unsqueeze(1) + of_frame.index_select(0, order).to(at::kFloat);
  want.select(2, 1).add_(1);
  want.select(2, 4).add_(1);
  EXPECT_LT((out - want).abs().max().item<double>(), 1e-6);
  op.stride = 0;  // one vector for all
  C10_CUDA_CHECK(launch_modulation(op, stream()));
  want = table.unsqueeze(1) + of_frame.index_select(0, order).to(at::kFloat).narrow(1, 0, 1);
  want.select(2, 1).add_(1);
  want.select(2, 4).add_(1);
  EXPECT_LT((out - want).abs().max().item<double>(), 1e-6);
}

TEST_F(TokenOpsTest, Linear) {
  LtLinear linear(gpu());
  for (const int64_t tokens : {1, 99, 1560})
    for (const auto& [in, out] : {std::pair<int64_t, int64_t>{128, 384}, {1536, 8960}, {8960, 1536}})
      for (const auto epilogue : {LinearEpilogue::kBias, LinearEpilogue::kBiasGelu}) {
        const at::Tensor x = random_bf16({tokens, in}), bias = random_bf16({out});
        const at::Tensor weight = random_bf16({out, in}) / std::sqrt(static_cast<double>(in));
        const at::Tensor y = poison({tokens, out});
        linear.run(bf16(x), weight, bias, epilogue, bf16(y), tokens, stream());
        at::Tensor want = at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat));
        if (epilogue == LinearEpilogue::kBiasGelu) want = at::gelu(want, "tanh");
        EXPECT_LT(relative_error(y, want), kTolerance) << tokens << " tokens, " << in << " to " << out;
      }
}

}  // namespace
}  // namespace sdv2
