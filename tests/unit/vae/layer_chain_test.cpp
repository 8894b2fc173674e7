// SPDX-License-Identifier: LGPL-2.1-or-later
// What holds for every chain: state is apart from weights, and layers can run one by one.
#include "vae/layer_chain.h"

#include "unit/vae/chains.h"
#include "vae/taehv.h"
#include "vae/wan_vae.h"

namespace sdv2::testing {
namespace {

struct ChainCase {
  const char* name;
  LayerChain (*make)();
  std::vector<int64_t> input;  // shape of the whole stream
  std::vector<int64_t> calls;
};

const WanVaeConfig kTiny{.base_dim = 4};
const TaehvConfig kSmall{8, {16, 12, 8, 8}};

void PrintTo(const ChainCase& chain, std::ostream* out) { *out << chain.name; }

class EveryChain : public ::testing::TestWithParam<ChainCase> {
 protected:
  const LayerChain chain_ = with_weights(GetParam().make());
  const at::Tensor x_ = uniform("stream", GetParam().input);
  const std::vector<int64_t>& calls_ = GetParam().calls;
};

TEST_P(EveryChain, ResetStateEqualsNewStateBitForBit) {
  const at::Tensor more = uniform("more", {4, x_.size(1), x_.size(2), x_.size(3)});
  ChainState state = chain_.new_state();
  const at::Tensor fresh = run(chain_, x_, calls_, state);
  const at::Tensor next = chain_.forward(more, state);
  state.reset();
  EXPECT_TRUE(at::equal(run(chain_, x_, calls_, state), fresh));

  state.reset();
  run(chain_, -x_, calls_, state);
  EXPECT_FALSE(at::equal(chain_.forward(more, state), next));  // the past matters at all
}

TEST_P(EveryChain, InterleavedSessionsDoNotDisturbEachOther) {
  const at::Tensor other = uniform("other stream", GetParam().input);
  const auto parts = x_.split_with_sizes(calls_);
  const auto other_parts = other.split_with_sizes(calls_);
  ChainState state = chain_.new_state(), other_state = chain_.new_state();
  std::vector<at::Tensor> got, other_got;
  for (size_t call = 0; call < parts.size(); ++call) {
    got.push_back(chain_.forward(parts[call], state));
    other_got.push_back(chain_.forward(other_parts[call], other_state));
  }
  EXPECT_TRUE(at::equal(at::cat(got), run(chain_, x_, calls_)));
  EXPECT_TRUE(at::equal(at::cat(other_got), run(chain_, other, calls_)));
}

TEST_P(EveryChain, CopiedStateIsAFork) {
  const at::Tensor more = uniform("more", {4, x_.size(1), x_.size(2), x_.size(3)});
  ChainState state = chain_.new_state();
  run(chain_, x_, calls_, state);
  ChainState fork = state;
  const at::Tensor first = chain_.forward(more, state);
  chain_.forward(more.neg(), state);
  EXPECT_TRUE(at::equal(chain_.forward(more, fork), first));
}

TEST_P(EveryChain, LayersOneByOneWithTheirOwnStatesEqualTheChain) {
  std::vector<LayerState> states(chain_.layer_count());
  std::vector<at::Tensor> outputs;
  for (at::Tensor y : x_.split_with_sizes(calls_)) {
    for (size_t i = 0; i < chain_.layer_count(); ++i) y = chain_.forward_layer(i, y, states[i]);
    outputs.push_back(y);
  }
  EXPECT_TRUE(at::equal(at::cat(outputs), run(chain_, x_, calls_)));
}

TEST_P(EveryChain, ListsEveryParameterOnceWhetherWholeOrByLayer) {
  LayerChain chain = GetParam().make();
  std::vector<std::string> whole, by_layer;
  for (const Param& param : params_of(chain)) whole.push_back(param.key);
  for (size_t i = 0; i < chain.layer_count(); ++i) {
    ParamList list;
    chain.list_layer(i, ParamScope(list));
    EXPECT_FALSE(list.empty());
    for (const Param& param : list) by_layer.push_back(param.key);
  }
  EXPECT_EQ(whole, by_layer);
  EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()).size(), whole.size());
}

TEST_P(EveryChain, HistoryDoesNotKeepActivationsAlive) {
  std::vector<LayerState> states(chain_.layer_count());
  at::Tensor y = x_.narrow(0, 0, calls_[0]);
  for (size_t i = 0; i < chain_.layer_count(); ++i) {
    y = chain_.forward_layer(i, y, states[i]);
    for (const at::Tensor& history : states[i].history) {
      if (!history.defined()) continue;
      EXPECT_EQ(history.storage().nbytes(), history.numel() * history.element_size()) << "layer " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Vae, EveryChain,
    ::testing::Values(
        ChainCase{
            "wan_encoder", [] { return wan_encoder(kTiny, LatentScale::kRaw); }, {9, 3, 16, 24}, {5, 4}},
        ChainCase{"wan_decoder", [] { return wan_decoder(kTiny); }, {5, 16, 2, 3}, {2, 1, 2}},
        ChainCase{"taehv_encoder", [] { return taehv_encoder(kSmall); }, {9, 3, 16, 24}, {5, 4}},
        ChainCase{"taehv_decoder", [] { return taehv_decoder(kSmall); }, {5, 16, 2, 3}, {2, 1, 2}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sdv2::testing
