// SPDX-License-Identifier: LGPL-2.1-or-later
// FusedDit against CausalDit piece by piece, over streams that fill their caches, overwrite slots and start
// their positions over. The yardstick is the plain network in float32; the fused one may err as much as the
// plain one in bf16 does.
#include "dit/fused/fused_dit.h"

#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>

#include "runtime/upload.h"
#include "stream/lane.h"
#include "stream/segment_error.h"
#include "unit/dit/fused/hopper.h"
#include "weights/formula_source.h"

namespace sdv2 {
namespace {

constexpr double kAllowance = 1.02;  // errors of different roundings are not the same to the last digit

struct Sizes {
  const char* name;
  DitConfig config;
  int64_t rows, frames, height, width;  // in tokens
  KvRingConfig ring;
  int chunks;
  bool adaptive = false;

  TokenGrid grid() const { return {frames, height, width}; }
};

// The same stream for one of the networks: its weights, caches and prompts in one type.
class Stream {
 public:
  Stream(const Sizes& sizes, at::ScalarType type) : sizes_(sizes), type_(type), dit_(sizes.config) {
    FormulaSource weights(3);
    EXPECT_TRUE(dit_.load(DitPart::all(sizes.config), weights, type, gpu()).ok());
    const KvRing ring = or_throw(KvRing::create(sizes.ring));
    for (int64_t i = 0; i < sizes.config.num_layers * sizes.rows; ++i)
      lanes_.push_back(std::make_unique<Lane>(ring, sizes.ring.slots, sizes.grid().per_frame(),
                                              sizes.config.num_heads, type, gpu()));
    change_prompts(1);
  }

  CausalDit& dit() { return dit_; }

  void change_prompts(uint64_t seed) {
    const at::Tensor prompts =
        formula_uniform("prompts", seed, 0, sizes_.rows * sizes_.config.text_len * sizes_.config.text_dim,
                        gpu())
            .view({sizes_.rows, sizes_.config.text_len, sizes_.config.text_dim});
    text_ = dit_.text_context(dit_.embed_text(prompts.to(type_)), {0, sizes_.config.num_layers});
  }

  // Noise of a chunk, in bf16 so that all networks see the same.
  at::Tensor latents(int chunk) const {
    const auto& c = sizes_.config;
    const std::vector<int64_t> shape = {sizes_.rows, sizes_.frames, c.in_dim, sizes_.height * 2,
                                        sizes_.width * 2};
    return formula_uniform("latents", 5, static_cast<uint64_t>(chunk) << 32, c10::multiply_integers(shape),
                           gpu())
        .view(shape)
        .mul(1.7)
        .to(at::kBFloat16)
        .to(type_);
  }

  static double timestep(int64_t row, int chunk) {
    return 700.0 - 150.0 * static_cast<double>(row) - 10.0 * (chunk % 2);
  }

  at::Tensor run_plain(int chunk) {
    std::vector<int64_t> starts = begin_chunk();
    std::vector<LaneStore> stores;
    for (int64_t block = 0; block < sizes_.config.num_layers; ++block) {
      std::vector<Lane*> rows;
      for (int64_t r = 0; r < sizes_.rows; ++r) rows.push_back(&lane(block, r));
      stores.emplace_back(std::move(rows));
    }
    std::vector<KvStore*> kv;
    for (LaneStore& store : stores) kv.push_back(&store);
    std::vector<double> timesteps;
    for (int64_t r = 0; r < sizes_.rows; ++r)
      timesteps.insert(timesteps.end(), static_cast<size_t>(sizes_.frames), timestep(r, chunk));
    return dit_.forward(latents(chunk), upload(timesteps, gpu()).view({sizes_.rows, sizes_.frames}),
                        upload(starts, gpu()), text_, kv);
  }

  // `cut`: blocks begin … cut-1 in one call with the embedding, the others in another with the head.
  at::Tensor run_fused(FusedDit& fused, int chunk, int64_t cut) {
    const std::vector<int64_t> starts = begin_chunk();
    const at::Tensor noisy = latents(chunk);
    const int64_t layers = sizes_.config.num_layers;
    const auto call = [&](const at::Tensor& inputs, BlockRange blocks) {
      FusedCall it;
      it.embed = blocks.begin == 0;
      it.head = blocks.end == layers;
      it.blocks = blocks;
      it.grid = sizes_.grid();
      for (int64_t r = 0; r < sizes_.rows; ++r) {
        FusedRow row;
        row.input = inputs.narrow(0, r, 1);
        row.start_frame = starts[static_cast<size_t>(r)];
        row.timesteps.assign(static_cast<size_t>(sizes_.frames), timestep(r, chunk));
        for (int64_t block = blocks.begin; block < blocks.end; ++block) {
          row.kv.push_back(lane(block, r).place());
          const TextKv& text = text_.at(static_cast<size_t>(block));
          row.text.push_back({text.k.narrow(0, r, 1), text.v.narrow(0, r, 1)});
        }
        it.rows.push_back(std::move(row));
      }
      const FusedResult result = fused.run(it);
      for (int64_t r = 0; r < sizes_.rows; ++r)
        for (int64_t block = blocks.begin; block < blocks.end; ++block)
          if (it.rows[static_cast<size_t>(r)].kv[static_cast<size_t>(block - blocks.begin)].test.sinks > 0)
            lane(block, r).follow(result.sinks, block - blocks.begin, r);
      return result.out;
    };
    if (cut == layers) return call(noisy, {0, layers});
    return call(call(noisy, {0, cut}), {cut, layers});
  }

  // One sink is renewed with every frame (no similarity is above 1), or never: whatever the rounding.
  void renew_sinks(bool always) {
    for (const auto& lane : lanes_) lane->set_sink_threshold(always ? 1 : -0.999);
  }

  // Rows of different pasts: the last row forgets everything.
  void restart_last_row() {
    const KvRing empty = or_throw(KvRing::create(sizes_.ring));
    for (int64_t block = 0; block < sizes_.config.num_layers; ++block)
      lane(block, sizes_.rows - 1).clear(empty);
  }

 private:
  Lane& lane(int64_t block, int64_t row) {
    return *lanes_.at(static_cast<size_t>(block * sizes_.rows + row));
  }

  std::vector<int64_t> begin_chunk() {
    std::vector<int64_t> starts(static_cast<size_t>(sizes_.rows));
    for (int64_t block = 0; block < sizes_.config.num_layers; ++block)
      for (int64_t r = 0; r < sizes_.rows; ++r)
        starts[static_cast<size_t>(r)] = or_throw(lane(block, r).begin_chunk(sizes_.frames));
    return starts;
  }

  const Sizes& sizes_;
  at::ScalarType type_;
  CausalDit dit_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // [block, row]
  TextContext text_;
};

class FusedDitTest : public HopperTest, public testing::WithParamInterface<Sizes> {};

TEST_P(FusedDitTest, ErrsNoMoreThanPlainBf16) {
  const Sizes& sizes = GetParam();
  const c10::InferenceMode inference;
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());  // graphs need one of their own
  Stream exact(sizes, at::kFloat), plain(sizes, at::kBFloat16), under_test(sizes, at::kBFloat16);
  under_test.dit().join_qkv({0, sizes.config.num_layers});
  const auto fused = FusedDit::create(under_test.dit(), gpu());
  ASSERT_NE(fused, nullptr);
  for (int chunk = 0; chunk < sizes.chunks; ++chunk) {
    if (chunk == sizes.chunks - 4)
      for (Stream* stream : {&exact, &plain, &under_test}) stream->change_prompts(2);
    if (sizes.adaptive)
      for (Stream* stream : {&exact, &plain, &under_test}) stream->renew_sinks(chunk % 5 > 2);
    if (chunk == sizes.chunks - 2 && sizes.rows > 1)
      for (Stream* stream : {&exact, &plain, &under_test}) stream->restart_last_row();
    const at::Tensor want = exact.run_plain(chunk);
    const double plain_error = relative_error(plain.run_plain(chunk), want);
    const int64_t cut = chunk % 3 == 2 ? 1 : sizes.config.num_layers;
    const double error = relative_error(under_test.run_fused(*fused, chunk, cut), want);
    RecordProperty("chunk" + std::to_string(chunk),
                   std::to_string(error) + " plain " + std::to_string(plain_error));
    EXPECT_LE(error, kAllowance * plain_error) << "chunk " << chunk;
  }
}

// Three bits of mantissa are 2.6 % of a number in the mean (uniformly distributed mantissas); errors of the
// linears of one branch and of both operands add up as squares, and pass through what follows.
TEST_P(FusedDitTest, Fp8LinearsErrAsMuchAsThreeBitsOfMantissaDo) {
  constexpr double kFp8Error = 0.03;
  const Sizes& sizes = GetParam();
  const c10::InferenceMode inference;
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  Stream exact(sizes, at::kFloat), under_test(sizes, at::kBFloat16);
  under_test.dit().join_qkv({0, sizes.config.num_layers});
  under_test.dit().quantise({0, sizes.config.num_layers});
  ASSERT_TRUE(FusedDit::supports_fp8(sizes.config, gpu()));
  const auto fused = FusedDit::create(under_test.dit(), gpu());
  ASSERT_NE(fused, nullptr);
  for (int chunk = 0; chunk < sizes.chunks; ++chunk) {
    if (sizes.adaptive)
      for (Stream* stream : {&exact, &under_test}) stream->renew_sinks(chunk % 5 > 2);
    if (chunk == sizes.chunks - 2 && sizes.rows > 1)
      for (Stream* stream : {&exact, &under_test}) stream->restart_last_row();
    const at::Tensor want = exact.run_plain(chunk);
    const int64_t cut = chunk % 3 == 2 ? 1 : sizes.config.num_layers;
    const double error = relative_error(under_test.run_fused(*fused, chunk, cut), want);
    RecordProperty("chunk" + std::to_string(chunk), std::to_string(error));
    EXPECT_LE(error, kFp8Error) << "chunk " << chunk;
    EXPECT_GE(error, 1e-3) << "chunk " << chunk << " was not multiplied in fp8";
  }
}

const DitConfig kSmall = {.dim = 384,
                          .ffn_dim = 640,
                          .num_heads = 3,
                          .num_layers = 3,
                          .freq_dim = 32,
                          .text_dim = 24,
                          .text_len = 77};
const DitConfig kWide = {.dim = 2560,
                         .ffn_dim = 1024,
                         .num_heads = 20,
                         .num_layers = 2,
                         .freq_dim = 32,
                         .text_dim = 24,
                         .text_len = 40};

INSTANTIATE_TEST_SUITE_P(
    All, FusedDitTest,
    testing::Values(
        Sizes{"one_row", kSmall, 1, 1, 11, 9, {.slots = 4, .sinks = 1, .refresh_at = 9}, 16},
        Sizes{"two_rows", kSmall, 2, 1, 11, 13, {.slots = 4, .sinks = 2, .refresh_at = 7}, 14},
        Sizes{"four_rows_of_two_frames", kSmall, 4, 2, 6, 10, {.slots = 6, .sinks = 2, .refresh_at = 20}, 12},
        Sizes{"adaptive_sink", kSmall, 2, 1, 11, 13, {.slots = 4, .sinks = 1, .refresh_at = 9}, 16, true},
        Sizes{"wide", kWide, 1, 1, 16, 18, {.slots = 5, .sinks = 1, .refresh_at = 50}, 10}),
    [](const auto& situation) { return std::string(situation.param.name); });

TEST_F(HopperTest, JoinedWeightsLeaveThePlainNetworkAsItIs) {
  const Sizes sizes = {"", kSmall, 1, 1, 4, 6, {.slots = 4, .sinks = 1, .refresh_at = 9}, 2};
  const c10::InferenceMode inference;
  Stream before(sizes, at::kBFloat16), after(sizes, at::kBFloat16);
  after.dit().join_qkv({0, sizes.config.num_layers});
  for (int chunk = 0; chunk < sizes.chunks; ++chunk)
    EXPECT_TRUE(at::equal(before.run_plain(chunk), after.run_plain(chunk)));
}

}  // namespace
}  // namespace sdv2
