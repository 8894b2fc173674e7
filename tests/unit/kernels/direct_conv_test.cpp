// SPDX-License-Identifier: LGPL-2.1-or-later
// Every kind of direct convolution against ATen in float32, with rings that have wrapped around, sizes that
// are no multiple of a tile, and outputs that hold NaN before.
#include "kernels/direct_conv.h"

#include <ATen/ATen.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>

#include "kernels/fused_support.h"
#include "kernels/packed_conv_spec.h"
#include "kernels/vae_frames.h"

namespace sdv2 {
namespace {

// The rounding of the outputs alone is 1.7e-3; summed upsampling weights are rounded once more.
constexpr double kRounding = 2.5e-3, kSummedWeights = 4e-3;

class DirectConvTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || !has_direct_conv() || !has_fused_kernels(at::kBFloat16, at::kCUDA))
      GTEST_SKIP() << "no Hopper GPU, or no build for one: the direct convolution was not run";
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
    at::manual_seed(1);
    chunk_ = at::zeros({1}, at::TensorOptions(at::kInt).device(at::kCUDA));
  }

  static at::Tensor random(at::IntArrayRef shape, double scale = 1) {
    return (at::randn(shape, at::TensorOptions(at::kCUDA)) * scale).to(at::kBFloat16);
  }
  static at::Tensor poisoned(at::IntArrayRef shape) {
    return at::full(shape, std::numeric_limits<float>::quiet_NaN(),
                    at::TensorOptions(at::kBFloat16).device(at::kCUDA));
  }
  static double error(const at::Tensor& got, const at::Tensor& want) {
    EXPECT_EQ(got.sizes(), want.sizes());
    return ((got.to(at::kFloat) - want).norm() / want.norm()).item<double>();
  }
  // [slots, H, W, C] → frames of a chunk as [T, C, H, W] in float32.
  static at::Tensor frames(const at::Tensor& tensor, const FrameSlots& at, int64_t chunk, int count) {
    std::vector<at::Tensor> out;
    for (int f = 0; f < count; ++f) out.push_back(tensor[at.slot(chunk, f)]);
    return at::stack(out).permute({0, 3, 1, 2}).to(at::kFloat);
  }
  static at::Tensor causal(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    const int64_t padding = weight.size(3) / 2;
    return at::conv3d(x.transpose(0, 1).unsqueeze(0), weight.to(at::kFloat), bias.to(at::kFloat),
                      at::IntArrayRef{1, 1, 1}, at::IntArrayRef{0, padding, padding})
        .squeeze(0)
        .transpose(0, 1);
  }
  static at::Tensor normed(const at::Tensor& x, const at::Tensor& gamma) {
    const at::Tensor norm = at::linalg_vector_norm(x, 2, at::IntArrayRef{1}, true).clamp_min(1e-12);
    return at::silu(x / norm * std::sqrt(static_cast<double>(x.size(1))) * gamma.view({-1, 1, 1}));
  }

  void run(const DirectConvSpec& spec, int64_t chunk) {
    chunk_.fill_(chunk % kChunkPeriod);
    auto conv = DirectConv::create(spec);
    ASSERT_TRUE(conv.ok()) << conv.error().message;
    ASSERT_EQ(conv->launch(c10::cuda::getCurrentCUDAStream()), cudaSuccess);
  }
  const int* chunk() const { return chunk_.const_data_ptr<int>(); }

  // 3×3×3 with residual, raw and (where a tile holds all channels) normed output, each kind of output alone
  // and both.
  void causal_convolution(int in, int out, int count, int height, int width, ConvTile tile) {
    const at::Tensor weight = random({out, in, 3, 3, 3}, 1 / std::sqrt(27.0 * in)), bias = random({out}, 0.1);
    const at::Tensor gamma = at::rand({out}, at::TensorOptions(at::kCUDA)) + 0.5;
    const PackedConv packed = pack_conv(weight.to(at::kFloat), bias.to(at::kFloat), tile);
    const at::Tensor ring = random({count + 2, height, width, in});
    const at::Tensor residual = random({count, height, width, out});
    const FrameSlots read{count + 2, count, 0}, write{count + 2, count, 2}, plain{count, 0, 0};
    for (const int64_t chunk_number : {0, 1, 2, 13}) {
      const at::Tensor sum = causal(frames(ring, read, chunk_number, count + 2), weight, bias);
      for (const bool add : {false, true})
        for (const bool norm : {false, true}) {
          if (norm && tile.channels != out) continue;
          const at::Tensor x = poisoned({count, height, width, out}),
                           y = poisoned({count + 2, height, width, out});
          DirectConvSpec spec =
              spec_of(packed, {ring.data_ptr(), read}, height, width, count, tile.frames, chunk());
          if (add) spec.residual = {residual.data_ptr(), plain};
          if (add || !norm) spec.x = {x.data_ptr(), plain};
          if (norm) {
            spec.y = {y.data_ptr(), write};
            spec.gamma = gamma.const_data_ptr<float>();
          }
          run(spec, chunk_number);
          const at::Tensor want = add ? sum + frames(residual, plain, 0, count) : sum;
          if (add || !norm) {
            EXPECT_LT(error(frames(x, plain, 0, count), want), kRounding);
          }
          if (norm) {
            EXPECT_LT(error(frames(y, write, chunk_number, count), normed(want, gamma)), kRounding);
            EXPECT_TRUE(y[read.slot(chunk_number, 0)].isnan().all().item<bool>());  // history is not touched
          }
        }
    }
  }

  at::Tensor chunk_;
};

TEST_F(DirectConvTest, NinetySixChannels) { causal_convolution(96, 96, 4, 40, 56, {96, 4, 3, true}); }
TEST_F(DirectConvTest, WideTileOfTwoFrames) {
  causal_convolution(96, 192, 4, 24, 40, {192, 2, 3, true});
  causal_convolution(192, 192, 4, 26, 36, {192, 2, 3, true});
  causal_convolution(192, 384, 2, 24, 40, {192, 2, 3, true});
}
TEST_F(DirectConvTest, WideTileOfOneFrame) {
  causal_convolution(384, 384, 1, 20, 24, {192, 1, 3, true});
  causal_convolution(32, 384, 1, 60, 104, {192, 1, 3, true});
}
TEST_F(DirectConvTest, SmallerThanATile) { causal_convolution(96, 96, 4, 2, 6, {96, 4, 3, true}); }
TEST_F(DirectConvTest, LatentHead) { causal_convolution(384, 32, 1, 30, 42, {32, 1, 3, true}); }

TEST_F(DirectConvTest, ResidualInPlace) {
  const at::Tensor weight = random({192, 192, 3, 3, 3}, 0.01), bias = random({192});
  const PackedConv packed = pack_conv(weight.to(at::kFloat), bias.to(at::kFloat), {192, 2, 3, true});
  const at::Tensor ring = random({6, 40, 72, 192}), x = random({4, 40, 72, 192});
  const FrameSlots read{6, 4, 0}, plain{4, 0, 0};
  const at::Tensor want = causal(frames(ring, read, 1, 6), weight, bias) + frames(x, plain, 0, 4);
  DirectConvSpec spec = spec_of(packed, {ring.data_ptr(), read}, 40, 72, 4, 2, chunk());
  spec.residual = spec.x = {x.data_ptr(), plain};
  run(spec, 1);
  EXPECT_LT(error(frames(x, plain, 0, 4), want), kRounding);
}

TEST_F(DirectConvTest, PictureHead) {
  const at::Tensor weight = random({3, 96, 3, 3, 3}, 0.02), bias = random({3});
  const PackedConv packed = pack_conv(weight.to(at::kFloat), bias.to(at::kFloat), {8, 4, 3, true});
  const at::Tensor ring = random({6, 40, 56, 96});
  const FrameSlots read{6, 4, 0};
  for (const int64_t number : {0, 2, 13}) {
    const at::Tensor x = poisoned({4, 3, 40, 56});
    DirectConvSpec spec = spec_of(packed, {ring.data_ptr(), read}, 40, 56, 4, 4, chunk());
    spec.x = {x.data_ptr(), {4, 0, 0}};
    run(spec, number);
    EXPECT_LT(error(x, causal(frames(ring, read, number, 6), weight, bias)), kRounding);
  }
}

TEST_F(DirectConvTest, Upsampling) {
  for (const auto& [in, out, count, tile] : {std::tuple{192, 96, 4, ConvTile{96, 4, 1, true}},
                                             std::tuple{384, 192, 2, ConvTile{192, 2, 1, true}}}) {
    const at::Tensor weight = random({out, in, 3, 3}, 1 / std::sqrt(9.0 * in)), bias = random({out}, 0.1);
    const at::Tensor gamma = at::rand({out}, at::TensorOptions(at::kCUDA)) + 0.5;
    const PackedConv packed = pack_upsample(weight.to(at::kFloat), bias.to(at::kFloat), tile);
    const at::Tensor small = random({count, 20, 26, in});
    const at::Tensor x = poisoned({count, 40, 52, out}), y = poisoned({count + 2, 40, 52, out});
    const FrameSlots plain{count, 0, 0}, write{count + 2, count, 2};
    DirectConvSpec spec = spec_of(packed, {small.data_ptr(), plain}, 20, 26, count, tile.frames, chunk());
    spec.x = {x.data_ptr(), plain};
    spec.y = {y.data_ptr(), write};
    spec.gamma = gamma.const_data_ptr<float>();
    run(spec, 1);
    const at::Tensor want =
        at::conv2d(at::upsample_nearest2d(frames(small, plain, 0, count), {40, 52}), weight.to(at::kFloat),
                   bias.to(at::kFloat), at::IntArrayRef{1, 1}, at::IntArrayRef{1, 1});
    EXPECT_LT(error(frames(x, plain, 0, count), want), kSummedWeights);
    EXPECT_LT(error(frames(y, write, 1, count), normed(want, gamma)), kSummedWeights);
  }
}

TEST_F(DirectConvTest, EverySecondRowAndColumn) {
  for (const auto& [channels, count, tile] :
       {std::tuple{96, 4, ConvTile{96, 4, 1, true}}, std::tuple{192, 4, ConvTile{192, 2, 1, true}},
        std::tuple{384, 2, ConvTile{192, 2, 1, true}}}) {
    const at::Tensor weight = random({channels, channels, 3, 3}, 1 / std::sqrt(9.0 * channels));
    const at::Tensor bias = random({channels}, 0.1);
    const PackedConv packed = pack_stride2(weight.to(at::kFloat), bias.to(at::kFloat), tile);
    const at::Tensor large = random({count, 44, 84, channels}), x = poisoned({count, 22, 42, channels});
    const FrameSlots plain{count, 0, 0};
    DirectConvSpec spec = spec_of(packed, {large.data_ptr(), plain}, 44, 84, count, tile.frames, chunk());
    spec.x = {x.data_ptr(), plain};
    run(spec, 0);
    const at::Tensor want =
        at::conv2d(at::constant_pad_nd(frames(large, plain, 0, count), {0, 1, 0, 1}), weight.to(at::kFloat),
                   bias.to(at::kFloat), at::IntArrayRef{2, 2}, at::IntArrayRef{0, 0});
    EXPECT_LT(error(frames(x, plain, 0, count), want), kRounding);
  }
}

TEST_F(DirectConvTest, TwoFramesOfOne) {
  for (const int count : {1, 2}) {
    const at::Tensor weight = random({768, 384, 3, 1, 1}, 0.03), bias = random({768}, 0.1);
    const PackedConv packed =
        pack_time_double(weight.to(at::kFloat), bias.to(at::kFloat), {192, count, 3, false});
    const at::Tensor ring = random({count + 2, 20, 26, 384}), x = poisoned({2 * count, 20, 26, 384});
    const FrameSlots read{count + 2, count, 0}, plain{2 * count, 0, 0};
    for (const int64_t number : {0, 2, 13}) {
      DirectConvSpec spec = spec_of(packed, {ring.data_ptr(), read}, 20, 26, count, count, chunk());
      spec.x = {x.data_ptr(), plain};
      run(spec, number);
      const at::Tensor pairs = causal(frames(ring, read, number, count + 2), weight, bias);
      EXPECT_LT(error(frames(x, plain, 0, 2 * count), pairs.reshape({2 * count, 384, 20, 26})), kRounding);
    }
  }
}

TEST_F(DirectConvTest, OneFrameOfTwo) {
  for (const auto& [channels, count] : {std::pair{192, 4}, std::pair{384, 2}}) {
    const at::Tensor weight = random({channels, channels, 3, 1, 1}, 0.03), bias = random({channels}, 0.1);
    const PackedConv packed = pack_time(weight.to(at::kFloat), bias.to(at::kFloat), {192, 1, 3, false});
    const at::Tensor ring = random({count + 2, 22, 42, channels}),
                     x = poisoned({count / 2, 22, 42, channels});
    const FrameSlots read{count + 2, count, 1}, plain{count / 2, 0, 0};
    for (const int64_t number : {0, 2, 13}) {
      DirectConvSpec spec = spec_of(packed, {ring.data_ptr(), read}, 22, 42, count / 2, 2, chunk());
      spec.x = {x.data_ptr(), plain};
      run(spec, number);
      const at::Tensor past = frames(ring, read, number, count + 1).transpose(0, 1).unsqueeze(0);
      const at::Tensor want =
          at::conv3d(past, weight.to(at::kFloat), bias.to(at::kFloat), at::IntArrayRef{2, 1, 1})
              .squeeze(0)
              .transpose(0, 1);
      EXPECT_LT(error(frames(x, plain, 0, count / 2), want), kRounding);
    }
  }
}

TEST_F(DirectConvTest, Pointwise) {
  const at::Tensor weight = random({192, 96, 1, 1, 1}, 0.1), bias = random({192});
  const PackedConv packed = pack_pointwise(weight.to(at::kFloat), bias.to(at::kFloat), {192, 2, 1, true});
  const at::Tensor in = random({4, 22, 42, 96}), x = poisoned({4, 22, 42, 192});
  const FrameSlots plain{4, 0, 0};
  DirectConvSpec spec = spec_of(packed, {in.data_ptr(), plain}, 22, 42, 4, 2, chunk());
  spec.x = {x.data_ptr(), plain};
  run(spec, 5);
  const at::Tensor want =
      at::conv2d(frames(in, plain, 0, 4), weight.to(at::kFloat).squeeze(-1), bias.to(at::kFloat));
  EXPECT_LT(error(frames(x, plain, 0, 4), want), kRounding);
}

TEST_F(DirectConvTest, FirstConvolutionOnPictures) {
  const at::Tensor weight = random({96, 3, 3, 3, 3}, 0.1), bias = random({96});
  const PackedConv conv = pack_picture_conv(weight.to(at::kFloat), bias.to(at::kFloat), {96, 4, 1, true});
  const at::Tensor history = random({2, 3, 42, 58}), pictures = random({4, 3, 42, 58});
  const at::Tensor in = poisoned({4, 42, 58, 32}), x = poisoned({4, 42, 58, 96});
  const FrameSlots plain{4, 0, 0};
  ASSERT_EQ(launch_pack_pictures(history.data_ptr(), pictures.data_ptr(), in.data_ptr(), 42, 58,
                                 c10::cuda::getCurrentCUDAStream()),
            cudaSuccess);
  DirectConvSpec spec = spec_of(conv, {in.data_ptr(), plain}, 42, 58, 4, 4, chunk());
  spec.x = {x.data_ptr(), plain};
  run(spec, 0);
  EXPECT_LT(error(frames(x, plain, 0, 4), causal(at::cat({history, pictures}).to(at::kFloat), weight, bias)),
            kRounding);
}

TEST_F(DirectConvTest, RefusesWhatItHasNoInstanceFor) {
  const at::Tensor weight = random({64, 32, 3, 3, 3}), bias = random({64}), in = random({6, 8, 8, 32});
  const PackedConv packed = pack_conv(weight.to(at::kFloat), bias.to(at::kFloat), {64, 4, 3, true});
  const auto conv = DirectConv::create(spec_of(packed, {in.data_ptr(), {6, 4, 0}}, 8, 8, 4, 4, chunk()));
  ASSERT_FALSE(conv.ok());
  EXPECT_EQ(conv.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(DirectConvTest, FrameOperations) {
  for (const int channels : {96, 192, 384}) {
    const at::Tensor in = random({4, 10, 14, channels}),
                     gamma = at::rand({channels}, at::TensorOptions(at::kCUDA)) + 0.5;
    const FrameSlots plain{4, 0, 0}, write{6, 4, 2};
    const at::Tensor x = frames(in, plain, 0, 4);
    const at::Tensor norm = x / at::linalg_vector_norm(x, 2, at::IntArrayRef{1}, true) *
                            std::sqrt(static_cast<double>(channels)) * gamma.view({-1, 1, 1});
    for (const auto& [op, want] : {std::pair{FrameOp::kCopy, x}, std::pair{FrameOp::kNorm, norm},
                                   std::pair{FrameOp::kNormSilu, at::silu(norm)}}) {
      const at::Tensor out = poisoned({6, 10, 14, channels});
      chunk_.fill_(4);
      ASSERT_EQ(
          launch_frame_op(op, {in.data_ptr(), plain}, {out.data_ptr(), write}, gamma.const_data_ptr<float>(),
                          chunk(), 140, 4, channels, c10::cuda::getCurrentCUDAStream()),
          cudaSuccess);
      EXPECT_LT(error(frames(out, write, 4, 4), want), kRounding);
    }
  }
}

TEST_F(DirectConvTest, SoftmaxOfRows) {
  const at::Tensor scores = random({37, 1562}, 4), want = at::softmax(scores.to(at::kFloat), 1);
  ASSERT_EQ(launch_softmax(scores.data_ptr(), 37, 1562, c10::cuda::getCurrentCUDAStream()), cudaSuccess);
  EXPECT_LT(error(scores, want), kRounding);
}

TEST_F(DirectConvTest, ChunkNumberStaysBelowItsPeriod) {
  for (int i = 0; i < kChunkPeriod; ++i) {
    EXPECT_EQ(chunk_.item<int>(), i);
    ASSERT_EQ(launch_next_chunk(chunk_.data_ptr<int>(), c10::cuda::getCurrentCUDAStream()), cudaSuccess);
  }
  EXPECT_EQ(chunk_.item<int>(), 0);
}

}  // namespace
}  // namespace sdv2
