// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace sdv2 {
namespace {

constexpr ChainShape kShape = {.encoder_layers = 2, .blocks = 3, .steps = 2, .decoder_layers = 2};

double dearest_stage(const Plan& plan, const std::vector<double>& costs) {
  std::vector<double> of_worker(64, 0);
  for (int position = 0; position < plan.shape().unit_count(); ++position)
    of_worker[static_cast<size_t>(plan.worker_of(position))] += costs[static_cast<size_t>(position)];
  return *std::max_element(of_worker.begin(), of_worker.end());
}

// The best of all contiguous cuts, by trying them.
double best_cut(const std::vector<double>& costs, size_t begin, int workers) {
  if (workers == 1) return std::accumulate(costs.begin() + static_cast<long>(begin), costs.end(), 0.0);
  double best = std::numeric_limits<double>::infinity();
  double first = 0;
  for (size_t end = begin + 1; end < costs.size(); ++end) {
    first += costs[end - 1];
    best = std::min(best, std::max(first, best_cut(costs, end, workers - 1)));
  }
  return best;
}

TEST(Plan, BalancedCutIsTheBestOfAllCuts) {
  std::vector<double> costs(static_cast<size_t>(kShape.unit_count()));
  for (size_t i = 0; i < costs.size(); ++i) costs[i] = static_cast<double>((i * 7 + 3) % 11);
  for (int workers = 1; workers <= 4; ++workers) {
    const Plan plan = Plan::balanced(kShape, costs, workers);
    EXPECT_EQ(plan.stages().size(), static_cast<size_t>(workers));
    EXPECT_DOUBLE_EQ(dearest_stage(plan, costs), best_cut(costs, 0, workers)) << workers;
  }
}

TEST(Plan, MoreWorkersThanUnitsStayIdle) {
  const std::vector<double> costs(static_cast<size_t>(kShape.unit_count()), 1);
  EXPECT_EQ(Plan::balanced(kShape, costs, 60).stages().size(), costs.size());
}

TEST(Plan, TextIsReadBack) {
  const auto plan = Plan::parse(kShape, 3, "2=enc.0|0=s0.b1|1=s1.patch|0=dec.1");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->to_string(), "2=enc.0|0=s0.b1|1=s1.patch|0=dec.1");
  EXPECT_EQ(plan->worker_of(0), 2);
  EXPECT_EQ(plan->worker_of(*position_of(kShape, *parse_unit("s0.b0"))), 2);
  EXPECT_EQ(plan->worker_of(*position_of(kShape, *parse_unit("s0.b1"))), 0);
  EXPECT_EQ(plan->worker_of(kShape.unit_count() - 1), 0);
}

TEST(Plan, ErrorsNameTheWrongPart) {
  const auto error = [](const char* text) {
    const auto plan = Plan::parse(kShape, 2, text);
    return plan.ok() ? std::string("none") : plan.error().message;
  };
  EXPECT_NE(error("").find("must begin at enc.0"), std::string::npos);
  EXPECT_NE(error("0=mix").find("must begin at enc.0"), std::string::npos);
  EXPECT_NE(error("0=enc.0|2=mix").find("'2' is not a worker"), std::string::npos);
  EXPECT_NE(error("0=enc.0|1=enc.7").find("enc.7 is not in this chain"), std::string::npos);
  EXPECT_NE(error("0=enc.0|1=dec.0|0=mix").find("mix does not come after"), std::string::npos);
  EXPECT_NE(error("enc.0").find("WORKER=UNIT"), std::string::npos);
}

TEST(Plan, FewerStepsLeaveOutTheirUnits) {
  const ChainShape four = {.encoder_layers = 2, .blocks = 3, .steps = 4, .decoder_layers = 2};
  const auto text_of = [&](const char* text, int steps) {
    const auto plan = Plan::parse(four, 3, text);
    return plan.ok() ? plan->with_steps(steps).to_string() : plan.error().message;
  };
  EXPECT_EQ(text_of("0=enc.0|1=s1.patch|2=s2.b1|0=dec.1", 4), "0=enc.0|1=s1.patch|2=s2.b1|0=dec.1");
  EXPECT_EQ(text_of("0=enc.0|1=s1.patch|2=s2.b1|0=dec.1", 2), "0=enc.0|1=s1.patch|2=dec.0|0=dec.1");
  EXPECT_EQ(text_of("0=enc.0|1=s1.patch|2=s2.b1|0=dec.1", 1), "0=enc.0|2=dec.0|0=dec.1");
  EXPECT_EQ(text_of("0=enc.0|1=s3.b2|0=dec.0", 2), "0=enc.0");
}

TEST(Plan, SegmentsCoverTheChainAndStopAtSteps) {
  const Plan plan = Plan::single(kShape);
  const auto segments = plan.segments();
  ASSERT_EQ(segments.size(), 4u);  // encode, two steps, decode
  EXPECT_EQ(segments[0].begin, 0);
  for (size_t i = 1; i < segments.size(); ++i) EXPECT_EQ(segments[i].begin, segments[i - 1].end);
  EXPECT_EQ(segments.back().end, kShape.unit_count());
  EXPECT_EQ(segments[1].batch_class, segments[2].batch_class) << "steps on one worker may run together";
  EXPECT_NE(segments[0].batch_class, segments[1].batch_class);
}

// Sessions with different numbers of steps share forwards, so the classes must hold over all plans.
TEST(Plan, BatchClassesSayTheSameInEveryPlan) {
  const auto two = Plan::parse(kShape, 2, "0=enc.0|1=s0.b1");
  ASSERT_TRUE(two.ok());
  for (const Plan& plan : {*two, two->with_steps(1), Plan::single(kShape)})
    for (const Segment& segment : plan.segments()) {
      const SegmentWork work = unpack_work(segment.batch_class);
      EXPECT_EQ(work.worker, segment.worker);
      EXPECT_EQ(work.kind, segment.kind);
      EXPECT_EQ(work.end - work.begin, segment.end - segment.begin);
      const Unit first = unit_at(plan.shape(), segment.begin);
      EXPECT_EQ(work.begin, first.kind == UnitKind::kBlock      ? first.index + 1
                            : first.kind == UnitKind::kHead     ? kShape.blocks + 1
                            : first.kind == UnitKind::kMixNoise ? kShape.encoder_layers
                                                                : first.index);
    }
}

TEST(Plan, StepsOnDifferentWorkersAreNotBatched) {
  const auto plan = Plan::parse(kShape, 2, "0=enc.0|1=s1.patch");
  ASSERT_TRUE(plan.ok());
  const auto segments = plan->segments();
  ASSERT_EQ(segments.size(), 4u);
  EXPECT_NE(segments[1].batch_class, segments[2].batch_class);
}

}  // namespace
}  // namespace sdv2
