// SPDX-License-Identifier: LGPL-2.1-or-later
// What a stream costs beside its kernels once it runs steadily on a GPU: it asks the driver for no memory,
// and no operation waits for the device.
#include <gtest/gtest.h>

#ifdef SDV2_HAVE_CUDA
#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include "kernels/fused_support.h"
#include "unit/stream/test_session.h"

namespace sdv2 {
namespace {

struct Counts {
  int64_t device_allocations = 0;  // cudaMalloc and its kin
  int64_t device_frees = 0;
  int64_t bytes_in_use = 0;
};

Counts counts_now() {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(0);
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return {stats.num_device_alloc, stats.num_device_free, stats.allocated_bytes[kAll].current};
}

// While it lives, LibTorch throws where an operation would wait for the device.
class ForbidSynchronisation {
 public:
  ForbidSynchronisation() {
    c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR);
  }
  ~ForbidSynchronisation() {
    c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
  }
};

struct Case {
  const char* execution;
  const char* vae;
  const char* linears = "auto";
};

class SteadyTickCuda : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!at::hasCUDA() || !has_fused_kernels(at::kBFloat16, at::kCUDA))
      GTEST_SKIP() << "no Hopper GPU: allocations and synchronisation were not counted";
  }
};

TEST_P(SteadyTickCuda, AllocatesNothingAndWaitsForNothing) {
  const Case& param = GetParam();
  auto model = LoadedModel::load(
      {.model = "random:1.3b,layers=4", .devices = "cuda:0", .vae = param.vae, .linears = param.linears},
      {[](const char*, int) {}, [] { return false; }});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const std::string settings =
      std::string("{\"steps\": 2, \"execution\": \"") + param.execution + "\", \"adaptive_sink\": 0.2}";
  test::TestSession session(*model, settings, 128);
  constexpr int kRefresh = 45;  // chunks from one refresh of the positions to the next
  session.run(2 * kRefresh);
  ASSERT_TRUE(session->drain(60000).ok());

  const Counts before = counts_now();
  {
    const ForbidSynchronisation forbidden;
    session.run(2 * kRefresh);  // a chunk that waits fails, and the run with it
    ASSERT_TRUE(session->drain(60000).ok());
  }
  const Counts after = counts_now();
  EXPECT_EQ(after.device_allocations - before.device_allocations, 0);
  EXPECT_EQ(after.device_frees - before.device_frees, 0);
  EXPECT_EQ(after.bytes_in_use, before.bytes_in_use);
}

// "auto" takes fused kernels where the device has them. The plain ones, which are a yardstick, are not held
// to it.
INSTANTIATE_TEST_SUITE_P(Paths, SteadyTickCuda,
                         ::testing::Values(Case{"latency", "wan"}, Case{"throughput", "wan"},
                                           Case{"latency", "taehv"}, Case{"latency", "wan", "fp8"}),
                         [](const auto& paths) {
                           return std::string(paths.param.execution) + "_" + paths.param.vae + "_" +
                                  paths.param.linears;
                         });

}  // namespace
}  // namespace sdv2
#endif
