// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dit/fused/graph_cache.h"

#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>

#include "unit/dit/fused/hopper.h"

namespace sdv2 {
namespace {

class GraphCacheTest : public HopperTest {
 protected:
  // Runs `form` so often that it is captured and replayed; true if it did its work each time. The work
  // allocates.
  static bool works(GraphCache<int>& graphs, int form) {
    const at::Tensor sum = at::zeros({4}, at::TensorOptions(at::kFloat).device(gpu()));
    for (int i = 0; i < 4; ++i) graphs.run(form, [&] { sum.add_(at::ones_like(sum) * form); });
    return sum.eq(4 * form).all().item<bool>();
  }

  c10::InferenceMode inference_;
};

TEST_F(GraphCacheTest, RecordsAgainAfterItForgotAll) {
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  GraphCache<int> graphs(4);
  EXPECT_TRUE(works(graphs, 1));
  graphs.clear();
  EXPECT_TRUE(works(graphs, 1));
}

TEST_F(GraphCacheTest, RecordsAgainAfterItMadeRoom) {
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  GraphCache<int> graphs(1);
  for (const int form : {1, 2, 3}) EXPECT_TRUE(works(graphs, form));
}

}  // namespace
}  // namespace sdv2
