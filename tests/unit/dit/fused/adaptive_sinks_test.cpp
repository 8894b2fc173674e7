// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/dit/adaptive_sinks.h"

#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAException.h>

#include <cstring>
#include <vector>

#include "dit/sink_similarity.h"
#include "runtime/upload.h"
#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

template <class T>
at::Tensor table(const std::vector<T>& values) {
  const auto bytes = static_cast<int64_t>(values.size() * sizeof(T));
  const at::Tensor host = staging(bytes, gpu());
  std::memcpy(host.mutable_data_ptr(), values.data(), static_cast<size_t>(bytes));
  return host.to(gpu());
}

__nv_bfloat16* bf16(const at::Tensor& t) { return static_cast<__nv_bfloat16*>(t.data_ptr()); }

struct Row {
  SinkChoice choice;
  int64_t slot;  // that it should choose
};

// What the rule makes of similarities.
int64_t slot_of(const SinkChoice& choice, const at::Tensor& similarity) {
  if (choice.sinks == 0) return choice.next_slot;
  const int64_t least = similarity.argmin().item<int64_t>();
  const int64_t replaced = similarity[least].item<float>() < choice.threshold ? least : choice.pending;
  return choice.full && replaced >= 0 ? replaced : choice.next_slot;
}

class AdaptiveSinksTest : public HopperTest {
 protected:
  // Rows whose sink 1 is most like the first frame, sink 0 less and sink 2 least, by their mean tokens. Later
  // frames find the means that the first has left.
  static void check(const std::vector<Row>& rows, int64_t tokens, int64_t heads) {
    const int64_t width = heads * 128, slots = 5, most = 3;
    const auto count = static_cast<int64_t>(rows.size());
    const at::Tensor mean = random_bf16({count, 1, 3, width});
    std::vector<at::Tensor> k, v;
    std::vector<RingPointers> rings;
    for (int64_t r = 0; r < count; ++r) {
      for (auto* tensors : {&k, &v}) {
        const at::Tensor cache = random_bf16({slots, tokens, width});
        const at::Tensor of_frame = mean[r].select(1, tensors == &k ? 1 : 2);
        cache[0].add_(of_frame * 0.5);
        cache[1].add_(of_frame * 2);
        tensors->push_back(cache);
      }
      rings.push_back({bf16(k.back()), bf16(v.back())});
    }
    const auto floats = at::TensorOptions(at::kFloat).device(gpu());
    const at::Tensor means = at::full({count, most, 2, width}, NAN, floats);
    for (int frame = 0; frame < 3; ++frame) {
      SCOPED_TRACE("frame " + std::to_string(frame));
      // The second resembles no sink, the third the second.
      const at::Tensor like = frame == 0 ? mean : -mean;
      const at::Tensor products = (random_bf16({count, tokens, 3, width}) * 0.5 + like).contiguous();
      std::vector<at::Tensor> want_k, want_v;
      std::vector<SinkChoice> choices;
      for (int64_t r = 0; r < count; ++r) {
        const auto index = static_cast<size_t>(r);
        want_k.push_back(k[index].clone());
        want_v.push_back(v[index].clone());
        choices.push_back(rows[index].choice);
        choices.back().means = means[r].data_ptr<float>();
        choices.back().stale = frame == 0 ? 1 : 0;
      }
      const at::Tensor ring_table = table(rings), choice_table = table(choices);
      const at::Tensor scratch = at::full({adaptive_sink_floats(count, most, width)}, NAN, floats);
      const at::Tensor similarity = at::zeros({count, most}, floats);
      const TokenShape shape = {static_cast<int>(count), 1, static_cast<int>(tokens),
                                static_cast<int>(width)};
      C10_CUDA_CHECK(launch_place_with_adaptive_sinks(
          {.products = bf16(products),
           .rings = static_cast<const RingPointers*>(ring_table.const_data_ptr()),
           .choices = static_cast<const SinkChoice*>(choice_table.const_data_ptr()),
           .sinks = static_cast<int>(most),
           .scratch = scratch.data_ptr<float>(),
           .similarity = similarity.data_ptr<float>()},
          shape, at::cuda::getCurrentCUDAStream()));
      for (int64_t r = 0; r < count; ++r) {
        SCOPED_TRACE("row " + std::to_string(r));
        const auto index = static_cast<size_t>(r);
        const int64_t sinks = choices[index].sinks;
        const auto heads_of = [&](const at::Tensor& x) { return x.to(at::kFloat).view({-1, heads, 128}); };
        const at::Tensor fresh_k = products[r].select(1, 1), fresh_v = products[r].select(1, 2);
        at::Tensor want;
        if (sinks > 0) {
          want = sink_similarity({heads_of(want_k[index]), heads_of(want_v[index])},
                                 {heads_of(fresh_k), heads_of(fresh_v)}, sinks);
          EXPECT_LT((similarity[r].narrow(0, 0, sinks) - want).abs().max().item<float>(), 1e-4);
        }
        const int64_t slot = slot_of(choices[index], want);
        EXPECT_TRUE(frame > 0 || slot == rows[index].slot) << slot;
        want_k[index][slot].copy_(fresh_k);
        want_v[index][slot].copy_(fresh_v);
        EXPECT_TRUE(at::equal(k[index], want_k[index]));
        EXPECT_TRUE(at::equal(v[index], want_v[index]));
      }
    }
  }
};

TEST_F(AdaptiveSinksTest, ChooseTheSlotAsTheRingDoes) {
  const std::vector<Row> rows = {
      {{.threshold = -0.9, .sinks = 3, .next_slot = 3, .full = 1}, 3},                // all are like enough
      {{.threshold = 0.2, .sinks = 3, .next_slot = 3, .full = 1}, 2},                 // the least similar
      {{.threshold = 0.999, .sinks = 2, .next_slot = 4, .full = 1}, 0},               // of two
      {{.threshold = 0.2, .sinks = 3, .next_slot = 3, .full = 0}, 3},                 // there are free slots
      {{.threshold = -0.9, .sinks = 3, .next_slot = 4, .pending = 1, .full = 1}, 1},  // asked for earlier
      {{.threshold = 0.2, .sinks = 3, .next_slot = 4, .pending = 1, .full = 1}, 2},   // more urgent
      {{.threshold = 1, .sinks = 0, .next_slot = 4, .full = 1}, 4},                   // compares nothing
  };
  for (const auto& [tokens, heads] : {std::pair<int64_t, int64_t>{6, 2}, {99, 3}, {1560, 12}, {1560, 40}}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens, " + std::to_string(heads) + " heads");
    check(rows, tokens, heads);
  }
}

}  // namespace
}  // namespace sdv2
