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

class AdaptiveSinksTest : public HopperTest {
 protected:
  // Rows whose sink 1 is most like the frame, sink 0 less and sink 2 least, by their mean tokens.
  static void check(const std::vector<Row>& rows, int64_t tokens, int64_t heads) {
    const int64_t width = heads * 128, slots = 5, most = 3;
    const auto count = static_cast<int64_t>(rows.size());
    const at::Tensor mean = random_bf16({count, 1, 3, width});
    const at::Tensor products = (random_bf16({count, tokens, 3, width}) * 0.5 + mean).contiguous();
    std::vector<at::Tensor> k, v, k_before, v_before;
    std::vector<RingPointers> rings;
    std::vector<SinkChoice> choices;
    for (int64_t r = 0; r < count; ++r) {
      for (auto* tensors : {&k, &v}) {
        const at::Tensor cache = random_bf16({slots, tokens, width});
        const at::Tensor of_frame = mean[r].select(1, tensors == &k ? 1 : 2);
        cache[0].add_(of_frame * 0.5);
        cache[1].add_(of_frame * 2);
        tensors->push_back(cache);
      }
      k_before.push_back(k.back().clone());
      v_before.push_back(v.back().clone());
      rings.push_back({bf16(k.back()), bf16(v.back())});
      choices.push_back(rows[static_cast<size_t>(r)].choice);
    }
    const at::Tensor ring_table = table(rings), choice_table = table(choices);
    const auto floats = at::TensorOptions(at::kFloat).device(gpu());
    const at::Tensor means = at::full({adaptive_sink_floats(count, most, width)}, NAN, floats);
    const at::Tensor similarity = at::zeros({count, most}, floats);
    const TokenShape shape = {static_cast<int>(count), 1, static_cast<int>(tokens), static_cast<int>(width)};
    C10_CUDA_CHECK(launch_place_with_adaptive_sinks(
        {.products = bf16(products),
         .rings = static_cast<const RingPointers*>(ring_table.const_data_ptr()),
         .choices = static_cast<const SinkChoice*>(choice_table.const_data_ptr()),
         .sinks = static_cast<int>(most),
         .means = means.data_ptr<float>(),
         .similarity = similarity.data_ptr<float>()},
        shape, at::cuda::getCurrentCUDAStream()));
    for (int64_t r = 0; r < count; ++r) {
      const auto index = static_cast<size_t>(r);
      const int64_t sinks = rows[index].choice.sinks, slot = rows[index].slot;
      const auto heads_of = [&](const at::Tensor& x) { return x.to(at::kFloat).view({-1, heads, 128}); };
      const at::Tensor fresh_k = products[r].select(1, 1), fresh_v = products[r].select(1, 2);
      if (sinks > 0) {
        const at::Tensor want = sink_similarity({heads_of(k_before[index]), heads_of(v_before[index])},
                                                {heads_of(fresh_k), heads_of(fresh_v)}, sinks);
        EXPECT_LT((similarity[r].narrow(0, 0, sinks) - want).abs().max().item<float>(), 1e-4) << "row " << r;
      }
      k_before[index][slot].copy_(fresh_k);
      v_before[index][slot].copy_(fresh_v);
      EXPECT_TRUE(at::equal(k[index], k_before[index])) << "row " << r;
      EXPECT_TRUE(at::equal(v[index], v_before[index])) << "row " << r;
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
