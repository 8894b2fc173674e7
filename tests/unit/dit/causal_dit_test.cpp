// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/causal_dit.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "dit/rope.h"
#include "weights/formula_source.h"

namespace sdv2 {
namespace {

constexpr DitConfig kConfig = {.dim = 256,
                               .ffn_dim = 320,
                               .num_heads = 2,
                               .num_layers = 3,
                               .freq_dim = 32,
                               .text_dim = 24,
                               .text_len = 7};
constexpr int64_t kHeight = 4, kWidth = 6;  // latent pixels

// Keeps everything that was ever written.
class GrowingKv : public KvStore {
 public:
  explicit GrowingKv(int64_t rows) : rows_(static_cast<size_t>(rows)) {}

  std::vector<KvRow> write(const at::Tensor& k, const at::Tensor& v) override {
    for (size_t r = 0; r < rows_.size(); ++r) {
      const auto append = [row = static_cast<int64_t>(r)](at::Tensor& past, const at::Tensor& fresh) {
        past = past.defined() ? at::cat({past, fresh[row]}) : fresh[row].clone();
      };
      append(rows_[r].k, k);
      append(rows_[r].v, v);
    }
    return rows_;
  }

  std::vector<KvRow>& rows() { return rows_; }

 private:
  std::vector<KvRow> rows_;
};

// One cache per block.
struct Caches {
  std::vector<GrowingKv> kv;

  explicit Caches(int64_t rows) : kv(static_cast<size_t>(kConfig.num_layers), GrowingKv(rows)) {}

  std::vector<KvStore*> stores() {
    std::vector<KvStore*> stores;
    for (auto& cache : kv) stores.push_back(&cache);
    return stores;
  }
};

CausalDit load(const DitPart& part, at::ScalarType type = at::kFloat) {
  CausalDit dit(kConfig);
  FormulaSource weights(5);
  EXPECT_TRUE(dit.load(part, weights, type, at::kCPU).ok());
  return dit;
}

at::Tensor numbers(const std::string& name, const std::vector<int64_t>& shape) {
  at::Tensor values = at::empty(shape, at::kFloat);
  formula_uniform(name, 1, 0, {values.mutable_data_ptr<float>(), static_cast<size_t>(values.numel())});
  return values;
}

at::Tensor latents(const std::string& name, int64_t rows, int64_t frames) {
  return numbers(name, {rows, frames, kConfig.in_dim, kHeight, kWidth});
}

double max_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

struct Count {
  DitConfig config;
  size_t tensors;
  int64_t elements;
};

// Numbers of the published checkpoints.
TEST(CausalDit, ListsTheCheckpointsParameters) {
  for (const auto& want : {Count{DitConfig::wan_1_3b(), 825, 1'418'996'800},
                           Count{DitConfig::wan_14b(), 1095, 14'288'491'584}}) {
    CausalDit dit(want.config);
    const ParamList params = params_of(dit);
    EXPECT_EQ(params.size(), want.tensors);
    int64_t elements = 0;
    std::set<std::string> keys;
    for (const auto& param : params) {
      elements += std::accumulate(param.shape.begin(), param.shape.end(), int64_t{1}, std::multiplies<>());
      keys.insert(param.key);
      EXPECT_FALSE(param.slot->defined());
    }
    EXPECT_EQ(elements, want.elements);
    EXPECT_EQ(keys.size(), want.tensors);
  }
}

TEST(CausalDit, NamesParametersAsTheCheckpointsDo) {
  CausalDit dit(DitConfig::wan_1_3b());
  const ParamList params = params_of(dit);
  const auto shape_of = [&](const std::string& key) -> std::vector<int64_t> {
    for (const auto& param : params)
      if (param.key == key) return param.shape;
    return {};
  };
  using testing::ElementsAre;
  EXPECT_THAT(shape_of("patch_embedding.weight"), ElementsAre(1536, 16, 1, 2, 2));
  EXPECT_THAT(shape_of("text_embedding.0.weight"), ElementsAre(1536, 4096));
  EXPECT_THAT(shape_of("text_embedding.2.bias"), ElementsAre(1536));
  EXPECT_THAT(shape_of("time_embedding.0.weight"), ElementsAre(1536, 256));
  EXPECT_THAT(shape_of("time_embedding.2.weight"), ElementsAre(1536, 1536));
  EXPECT_THAT(shape_of("time_projection.1.weight"), ElementsAre(9216, 1536));
  EXPECT_THAT(shape_of("head.modulation"), ElementsAre(1, 2, 1536));
  EXPECT_THAT(shape_of("head.head.weight"), ElementsAre(64, 1536));
  EXPECT_THAT(shape_of("blocks.29.modulation"), ElementsAre(1, 6, 1536));
  EXPECT_THAT(shape_of("blocks.0.self_attn.norm_k.weight"), ElementsAre(1536));
  EXPECT_THAT(shape_of("blocks.7.self_attn.o.bias"), ElementsAre(1536));
  EXPECT_THAT(shape_of("blocks.7.cross_attn.q.weight"), ElementsAre(1536, 1536));
  EXPECT_THAT(shape_of("blocks.7.norm3.bias"), ElementsAre(1536));
  EXPECT_THAT(shape_of("blocks.7.ffn.0.weight"), ElementsAre(8960, 1536));
  EXPECT_THAT(shape_of("blocks.7.ffn.2.weight"), ElementsAre(1536, 8960));
}

TEST(CausalDit, RowsTogetherEqualRowsAlone) {
  const CausalDit dit = load(DitPart::all(kConfig));
  const at::Tensor prompts = numbers("prompts", {2, kConfig.text_len, kConfig.text_dim});
  const at::Tensor first = latents("first", 2, 2), second = latents("second", 2, 1);
  // Rows differ in prompt, position, timestep and in the length of their past.
  const at::Tensor starts = at::tensor({4, 1100}, at::kLong);
  const at::Tensor timesteps = at::tensor({700.0, 433.0}, at::kDouble).unsqueeze(1);
  const auto run_rows = [&](int64_t begin, int64_t count) {
    const auto rows = [&](const at::Tensor& x) { return x.narrow(0, begin, count); };
    const TextContext text = dit.text_context(dit.embed_text(rows(prompts)), {0, kConfig.num_layers});
    Caches caches(count);
    const auto stores = caches.stores();
    dit.forward(rows(first), rows(timesteps).expand({count, 2}), rows(starts), text, stores);
    for (auto& cache : caches.kv) {  // the second row forgets its first frame
      for (int64_t r = begin; r < begin + count; ++r) {
        if (r == 0) continue;
        KvRow& row = cache.rows()[static_cast<size_t>(r - begin)];
        row.k = row.k.narrow(0, 6, 6);
        row.v = row.v.narrow(0, 6, 6);
      }
    }
    return dit.forward(rows(second), rows(timesteps), rows(starts) + 2, text, stores);
  };
  const at::Tensor together = run_rows(0, 2);
  ASSERT_EQ(together.sizes(), second.sizes());
  EXPECT_LT(max_difference(together[0], run_rows(0, 1)[0]), 1e-5);
  EXPECT_LT(max_difference(together[1], run_rows(1, 1)[0]), 1e-5);
  EXPECT_GT(max_difference(together[0], together[1]), 0.1);
}

TEST(CausalDit, OnePromptServesAllRows) {
  const CausalDit dit = load(DitPart::all(kConfig));
  const at::Tensor prompt = numbers("prompt", {1, kConfig.text_len, kConfig.text_dim});
  const at::Tensor x = latents("x", 3, 1);
  const at::Tensor starts = at::tensor({0, 1, 2}, at::kLong), timesteps = at::full({3, 1}, 500.0);
  const auto run = [&](const at::Tensor& prompts) {
    Caches caches(3);
    return dit.forward(x, timesteps, starts,
                       dit.text_context(dit.embed_text(prompts), {0, kConfig.num_layers}), caches.stores());
  };
  EXPECT_LT(max_difference(run(prompt), run(prompt.expand({3, -1, -1}))), 1e-5);
}

TEST(CausalDit, FramesHaveTheirOwnTimesteps) {
  const CausalDit dit = load(DitPart::all(kConfig));
  const TimeVectors both = dit.time(at::tensor({700.0, 25.5}, at::kDouble).view({1, 2}), at::kFloat);
  const TimeVectors second = dit.time(at::full({1, 1}, 25.5), at::kFloat);
  EXPECT_EQ(both.e.sizes(), at::IntArrayRef({1, 2, 256}));
  EXPECT_EQ(both.e0.sizes(), at::IntArrayRef({1, 2, 6, 256}));
  EXPECT_LT(max_difference(both.e[0][1], second.e[0][0]), 1e-5);
  EXPECT_LT(max_difference(both.e0[0][1], second.e0[0][0]), 1e-5);
  EXPECT_GT(max_difference(both.e[0][0], both.e[0][1]), 0.01);
}

// Three "devices": patch and first block; second block alone; last block and head.
TEST(CausalDit, AnyCutGivesTheSameResult) {
  const at::Tensor prompt = numbers("prompt", {1, kConfig.text_len, kConfig.text_dim});
  const at::Tensor x = latents("x", 2, 2), timesteps = at::full({2, 2}, 700.0),
                   starts = at::tensor({0, 9}, at::kLong);
  const CausalDit whole = load(DitPart::all(kConfig));
  Caches whole_caches(2);
  const at::Tensor want = whole.forward(
      x, timesteps, starts, whole.text_context(whole.embed_text(prompt), {0, 3}), whole_caches.stores());

  const CausalDit first = load({.patch = true, .text = true, .time = true, .blocks = {0, 1}});
  const CausalDit middle = load({.time = true, .blocks = {1, 2}});
  const CausalDit last = load({.time = true, .head = true, .blocks = {2, 3}});
  const at::Tensor context = first.embed_text(prompt);
  const auto grid = TokenGrid::of_latents(2, kHeight, kWidth);
  const at::Tensor turns = rope_turns(starts, grid);
  at::Tensor tokens = first.embed(x);
  int64_t index = 0;
  for (const CausalDit* const device : {&first, &middle, &last}) {
    const TimeVectors time = device->time(timesteps, at::kFloat);
    const TextContext text = device->text_context(context, {index, index + 1});
    GrowingKv kv(2);
    tokens = device->block(index).forward(tokens, time.e0, turns, text.at(0), kv);
    ++index;
  }
  const at::Tensor got = last.head(tokens, last.time(timesteps, at::kFloat).e, grid);
  EXPECT_TRUE(got.equal(want));
  EXPECT_ANY_THROW(middle.embed(x)) << "the middle device has no patch embedding";
}

TEST(CausalDit, RunsInBfloat16) {
  const CausalDit dit = load(DitPart::all(kConfig), at::kBFloat16);
  const at::Tensor prompt = numbers("prompt", {1, kConfig.text_len, kConfig.text_dim}).to(at::kBFloat16);
  Caches caches(1);
  const at::Tensor flow =
      dit.forward(latents("x", 1, 1).to(at::kBFloat16), at::full({1, 1}, 700), at::zeros({1}, at::kLong),
                  dit.text_context(dit.embed_text(prompt), {0, kConfig.num_layers}), caches.stores());
  EXPECT_EQ(flow.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(flow.isfinite().all().item<bool>());
}

TEST(CausalDit, RefusesBlocksThatAreNotThere) {
  CausalDit dit(kConfig);
  FormulaSource weights(5);
  for (const BlockRange& range : {BlockRange{0, 4}, BlockRange{-1, 2}, BlockRange{2, 1}}) {
    const auto loaded = dit.load({.blocks = range}, weights, at::kFloat, at::kCPU);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
  }
}

// Formula weights under a fixed list of keys, like a file.
class ListedSource : public FormulaSource {
 public:
  explicit ListedSource(const ParamList& params) : FormulaSource(5) {
    for (const auto& param : params) tensors_.push_back({param.key, DType::kF32, param.shape});
  }
  const std::vector<TensorInfo>* tensors() const override { return &tensors_; }
  std::vector<TensorInfo>& list() { return tensors_; }

 private:
  std::vector<TensorInfo> tensors_;
};

TEST(CausalDit, ChecksTheWholeFileWhateverPartIsLoaded) {
  CausalDit dit(kConfig);
  ListedSource file(params_of(dit));
  EXPECT_TRUE(dit.load({.blocks = {1, 2}}, file, at::kFloat, at::kCPU).ok());
  file.list().pop_back();
  const auto loaded = dit.load({.blocks = {1, 2}}, file, at::kFloat, at::kCPU);
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("head.head.bias"));
}

}  // namespace
}  // namespace sdv2
