// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/cost_prior.h"

#include <gtest/gtest.h>

#include "model/describe_model.h"
#include "stream/network_loader.h"
#include "stream/plan.h"
#include "stream/unit_costs.h"

namespace sdv2 {
namespace {

TEST(RowShape, IsPackedAndUnpacked) {
  const RowShape shape =
      unpack_row_shape(pack(RowShape{.frames = 5, .latent_height = 1024, .latent_width = 1000, .passes = 2}));
  EXPECT_EQ(shape.frames, 5);
  EXPECT_EQ(shape.latent_height, 1024);
  EXPECT_EQ(shape.latent_width, 1000);
  EXPECT_EQ(shape.passes, 2);
}

TEST(CostPrior, FollowsTheWork) {
  const auto model = describe_model("random:1.3b");
  ASSERT_TRUE(model.ok());
  const CostPrior prior(*model, {c10::Device(c10::kCPU), c10::Device(c10::kCUDA, 0)});
  const int64_t shape = pack(RowShape{.frames = 1, .latent_height = 60, .latent_width = 104});
  const int64_t small = pack(RowShape{.frames = 1, .latent_height = 30, .latent_width = 52});
  const int64_t guided = pack(RowShape{.frames = 1, .latent_height = 60, .latent_width = 104, .passes = 2});
  const auto segments = Plan::single(chain_shape(*model, 2)).segments();
  for (const Segment& segment : segments) {
    const AffineCost cpu = prior({.device = 0, .work = segment.batch_class, .shape = shape});
    const AffineCost gpu = prior({.device = 1, .work = segment.batch_class, .shape = shape});
    EXPECT_GT(gpu.at(1), 0);
    EXPECT_GT(cpu.at(1), gpu.at(1));
    EXPECT_EQ(cpu.fixed_s, 0) << "rows of a CPU run one by one";
    EXPECT_NEAR(prior({.device = 1, .work = segment.batch_class, .shape = small}).at(1), gpu.at(1) / 4,
                gpu.at(1) / 50);
    if (segment.kind != Segment::Kind::kDenoise) continue;
    EXPECT_GT(gpu.fixed_s, 0);
    EXPECT_NEAR(prior({.device = 1, .work = segment.batch_class, .shape = guided}).at(1), 2 * gpu.at(1),
                gpu.at(1) / 50);
  }
}

TEST(UnitCosts, ATransformerWeighsMoreOnACpu) {
  const auto model = describe_model("random:tiny");
  ASSERT_TRUE(model.ok());
  const ChainShape shape = chain_shape(*model, 1);
  const auto cpu = unit_costs(*model, shape, /*on_cpu=*/true),
             gpu = unit_costs(*model, shape, /*on_cpu=*/false);
  for (int position = 0; position < shape.unit_count(); ++position) {
    const auto index = static_cast<size_t>(position);
    if (unit_at(shape, position).kind == UnitKind::kBlock)
      EXPECT_GT(cpu.at(index), gpu.at(index));
    else
      EXPECT_EQ(cpu.at(index), gpu.at(index));
  }
}

}  // namespace
}  // namespace sdv2
