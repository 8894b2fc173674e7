// SPDX-License-Identifier: LGPL-2.1-or-later
// The Wan VAE on fused kernels against its plain layers: not bit for bit, since it rounds less often, but no
// further from float32 than the plain layers in bf16 are.
#include "vae/fused/fused_wan_vae.h"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "kernels/fused_support.h"
#include "stream/chain_memory.h"
#include "unit/vae/chains.h"

#if SDV2_HAVE_CUDA
#include "kernels/direct_conv.h"
#endif

namespace sdv2::testing {
namespace {

// Fresh for every stream: a stream of calls through a chain whose layers are cut into ranges.
class Stream {
 public:
  Stream(const LayerChain& chain, const FusedChain* fused)
      : chain_(chain), fused_(fused), memory_(chain.layer_count()) {}

  // `cuts`: where ranges begin and end, between 0 and the number of layers.
  at::Tensor run(at::Tensor x, std::vector<size_t> cuts = {}) {
    cuts.insert(cuts.begin(), 0);
    cuts.push_back(chain_.layer_count());
    for (size_t i = 0; i + 1 < cuts.size(); ++i)
      x = memory_.run(chain_, fused_, cuts[i], cuts[i + 1], x, /*abandoned=*/false);
    return x;
  }

 private:
  const LayerChain& chain_;
  const FusedChain* fused_;
  ChainMemory memory_;
};

double distance(const at::Tensor& got, const at::Tensor& want) {
  EXPECT_EQ(got.sizes(), want.sizes());
  return ((got.to(at::kFloat) - want).norm() / want.norm()).item<double>();
}

TEST(FusedWanVae, IsNotMadeWhereTheKernelsDoNotReach) {
  LayerChain encoder = wan_encoder({}, LatentScale::kRaw), decoder = wan_decoder({});
  EXPECT_EQ(fuse_wan_encoder(encoder, {}, LatentScale::kRaw), nullptr);  // no weights
  FormulaSource source(5);
  ASSERT_TRUE(load_params(params_of(decoder), source, at::kBFloat16, at::kCPU).ok());
  EXPECT_EQ(fuse_wan_decoder(decoder, {}), nullptr);  // no GPU
}

// Plain layers must remember the same whether the memory is run in one range or in many.
TEST(ChainMemory, CutsMayChangeBetweenCalls) {
  const LayerChain decoder = with_weights(wan_decoder({.base_dim = 4}));
  const at::Tensor latents = uniform("latents", {4, 16, 2, 3});
  const at::Tensor want = sdv2::testing::run(decoder, latents, {2, 1, 1});
  Stream stream(decoder, nullptr);
  const at::Tensor got =
      at::cat({stream.run(latents.narrow(0, 0, 2)), stream.run(latents.narrow(0, 2, 1), {3, 9}),
               stream.run(latents.narrow(0, 3, 1), {1, 2})});
  EXPECT_TRUE(at::equal(got, want));
}

// A range that remembers by itself, and counts what it is asked to do.
class FakeRange : public FusedRange {
 public:
  FakeRange(size_t begin, size_t end, std::vector<std::string>& log) : begin_(begin), end_(end), log_(log) {}
  at::Tensor run(const at::Tensor& x) override {
    log_.push_back("run " + name());
    return x + 1;
  }
  void give_back(std::span<LayerState> states) override {
    log_.push_back("give back " + name());
    EXPECT_EQ(states.size(), end_ - begin_);
    for (LayerState& state : states) state.started = true;
  }
  std::string name() const { return std::to_string(begin_) + "-" + std::to_string(end_); }

 private:
  size_t begin_, end_;
  std::vector<std::string>& log_;
};

class FakeChain : public FusedChain {
 public:
  std::unique_ptr<FusedRange> open(size_t begin, size_t end, std::span<LayerState> states,
                                   const at::Tensor&) const override {
    EXPECT_EQ(states.size(), end - begin);
    if (!states[0].started) return nullptr;
    log.push_back("open " + std::to_string(begin) + "-" + std::to_string(end));
    return std::make_unique<FakeRange>(begin, end, log);
  }
  mutable std::vector<std::string> log;
};

class MarkingLayer : public Layer {
 public:
  void list(const ParamScope&) override {}
  at::Tensor forward(const at::Tensor& x, LayerState& state) const override {
    state.started = true;
    return x + 1;
  }
};

TEST(ChainMemory, FusedRangesTakeOverAfterTheFirstCallAndGiveBackWhenTheCutsChange) {
  LayerChain chain;
  for (int i = 0; i < 4; ++i) chain.add<MarkingLayer>(std::to_string(i));
  const FakeChain fused;
  Stream stream(chain, &fused);
  const at::Tensor x = at::zeros({1});
  using Log = std::vector<std::string>;
  EXPECT_EQ(stream.run(x, {2}).item<float>(), 4);
  EXPECT_EQ(std::exchange(fused.log, {}), Log{});
  stream.run(x, {2});
  EXPECT_EQ(std::exchange(fused.log, {}), (Log{"open 0-2", "run 0-2", "open 2-4", "run 2-4"}));
  stream.run(x, {2});
  EXPECT_EQ(std::exchange(fused.log, {}), (Log{"run 0-2", "run 2-4"}));
  stream.run(x, {3});
  EXPECT_EQ(std::exchange(fused.log, {}),
            (Log{"give back 0-2", "give back 2-4", "open 0-3", "run 0-3", "open 3-4", "run 3-4"}));
  // Without a fused twin, the plain layers go on.
  Stream plain(chain, nullptr);
  EXPECT_EQ(plain.run(x).item<float>(), 4);
}

#if SDV2_HAVE_CUDA

class FusedWanVaeCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || !has_direct_conv() || !has_fused_kernels(at::kBFloat16, at::kCUDA))
      GTEST_SKIP() << "no Hopper GPU, or no build for one: the fused Wan VAE was not run";
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
    // Recording needs a stream of its own.
    const c10::impl::VirtualGuardImpl guard(at::kCUDA);
    stream_.emplace(guard.getStreamFromGlobalPool(at::Device(at::kCUDA, 0)));
  }

  // A chain in bf16, and the same weights in float32.
  struct Pair {
    LayerChain half, full;
    std::shared_ptr<const FusedChain> fused;
  };
  static Pair decoder() {
    Pair pair{load(wan_decoder({})), wan_decoder({}), nullptr};
    widen(pair);
    pair.fused = fuse_wan_decoder(pair.half, {});
    EXPECT_NE(pair.fused, nullptr);
    return pair;
  }
  static Pair encoder(LatentScale scale) {
    Pair pair{load(wan_encoder({}, scale)), wan_encoder({}, scale), nullptr};
    widen(pair);
    pair.fused = fuse_wan_encoder(pair.half, {}, scale);
    EXPECT_NE(pair.fused, nullptr);
    return pair;
  }
  static at::Tensor input(const std::string& name, const std::vector<int64_t>& shape) {
    return uniform(name, shape).to(at::kCUDA, at::kBFloat16);
  }
  static LayerChain load(LayerChain chain) {
    FormulaSource source(5);
    EXPECT_TRUE(load_params(params_of(chain), source, at::kBFloat16, at::kCUDA).ok());
    return chain;
  }
  static void widen(Pair& pair) {
    const ParamList from = params_of(pair.half), to = params_of(pair.full);
    for (size_t i = 0; i < from.size(); ++i) *to[i].slot = from[i].slot->to(at::kFloat);
  }

  // Calls of the given numbers of frames: the fused twin must not be further from float32 than the plain
  // layers.
  static void follow(const Pair& pair, const at::Tensor& frames, const std::vector<int64_t>& calls,
                     const std::vector<std::vector<size_t>>& cuts = {{}}) {
    Stream full(pair.full, nullptr), half(pair.half, nullptr), fused(pair.half, pair.fused.get());
    size_t call = 0;
    for (const at::Tensor& x : frames.split_with_sizes(calls)) {
      const at::Tensor want = full.run(x.to(at::kFloat));
      const double plain_error = distance(half.run(x), want);
      const double fused_error = distance(fused.run(x, cuts[std::min(call, cuts.size() - 1)]), want);
      EXPECT_LE(fused_error, plain_error) << "call " << call;
      EXPECT_LT(plain_error, 0.05) << "call " << call;  // or it is no yardstick
      ++call;
    }
  }

  const c10::InferenceMode inference_;
  std::optional<c10::Stream> stream_;
};

TEST_F(FusedWanVaeCuda, DecoderIsAsNearToFloat32AsThePlainOne) {
  const c10::StreamGuard guard(*stream_);
  follow(decoder(), input("latents", {10, 16, 40, 56}), {2, 1, 1, 1, 1, 3, 1});
  follow(decoder(), input("latents", {7, 16, 30, 52}), {1, 1, 1, 1, 1, 1, 1});
}

TEST_F(FusedWanVaeCuda, EncoderIsAsNearToFloat32AsThePlainOne) {
  const c10::StreamGuard guard(*stream_);
  follow(encoder(LatentScale::kRaw), input("pixels", {37, 3, 320, 448}), {5, 4, 4, 4, 4, 12, 4});
  follow(encoder(LatentScale::kNormalised), input("pixels", {25, 3, 240, 416}), {1, 4, 4, 4, 4, 4, 4});
}

TEST_F(FusedWanVaeCuda, LayersMayBeCutAnywhere) {
  const c10::StreamGuard guard(*stream_);
  const Pair dec = decoder(), enc = encoder(LatentScale::kRaw);
  for (size_t cut = 1; cut < dec.half.layer_count(); ++cut) {
    SCOPED_TRACE("decoder cut at " + std::to_string(cut));
    follow(dec, input("latents", {5, 16, 12, 20}), {1, 1, 1, 1, 1}, {{cut}});
  }
  for (size_t cut = 1; cut < enc.half.layer_count(); ++cut) {
    SCOPED_TRACE("encoder cut at " + std::to_string(cut));
    follow(enc, input("pixels", {17, 3, 96, 160}), {1, 4, 4, 4, 4}, {{cut}});
  }
}

TEST_F(FusedWanVaeCuda, CutsMayChangeBetweenCalls) {
  const c10::StreamGuard guard(*stream_);
  follow(decoder(), input("latents", {7, 16, 12, 20}), {1, 1, 1, 1, 1, 1, 1},
         {{}, {}, {}, {6}, {6}, {11, 17}, {}});
  follow(encoder(LatentScale::kRaw), input("pixels", {25, 3, 96, 160}), {1, 4, 4, 4, 4, 4, 4},
         {{}, {}, {}, {5}, {5}, {7, 12}, {}});
}

TEST_F(FusedWanVaeCuda, RecordedCallsGiveTheSameBitsAndStreamsDoNotMeet) {
  const Pair dec = decoder();
  const at::Tensor latents = input("latents", {8, 16, 20, 26}), other = input("other", {8, 16, 20, 26});
  Stream eager(dec.half, dec.fused.get());  // on the default stream, which is not recorded
  std::vector<at::Tensor> want;
  for (const at::Tensor& x : latents.split(1)) want.push_back(eager.run(x));
  const c10::StreamGuard guard(*stream_);
  Stream recorded(dec.half, dec.fused.get()), disturbing(dec.half, dec.fused.get());
  for (int64_t call = 0; call < 8; ++call) {
    const at::Tensor got = recorded.run(latents.narrow(0, call, 1));
    disturbing.run(other.narrow(0, call, 1));
    EXPECT_TRUE(at::equal(got, want[static_cast<size_t>(call)])) << "call " << call;
  }
}

TEST_F(FusedWanVaeCuda, OtherSizesRunPlain) {
  const c10::StreamGuard guard(*stream_);
  const Pair dec = decoder();
  Stream fused(dec.half, dec.fused.get()), plain(dec.half, nullptr);
  for (const at::Tensor& x : input("latents", {3, 16, 9, 14}).split(1))
    EXPECT_TRUE(at::equal(fused.run(x), plain.run(x)));
}

#endif

}  // namespace
}  // namespace sdv2::testing
