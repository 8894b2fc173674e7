// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/link.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace sdv2 {
namespace {

c10::Device gpu(int index) { return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)}; }

// Brings three tensors of different types and sizes, many times, while both devices work; the sender goes on
// using its memory at once.
void expect_that_tensors_arrive(Link& link, c10::Device from, c10::Device to) {
  const DeviceStream sender(from), receiver(to);
  for (int round = 0; round < 20; ++round) {
    std::vector<at::Tensor> tensors;
    Mark written;
    {
      const DeviceStream::Current current(sender);
      const auto options = at::TensorOptions().device(from);
      const at::Tensor busy = at::ones({512, 512}, options).matmul(at::ones({512, 512}, options));
      tensors.push_back(busy * round);
      tensors.push_back(at::full({3, 5}, round + 1, options.dtype(at::kBFloat16)));
      tensors.push_back(at::full({1}, round + 2, options.dtype(at::kInt)));
      written = sender.mark();
    }
    std::vector<at::Tensor*> places;
    for (at::Tensor& tensor : tensors) places.push_back(&tensor);
    link.bring(places, written, receiver);
    {
      const DeviceStream::Current current(sender);  // may get the memory that was sent
      at::full({512, 512}, -1, at::TensorOptions().device(from));
    }
    const DeviceStream::Current current(receiver);
    for (const at::Tensor& tensor : tensors) EXPECT_EQ(tensor.device(), to);
    EXPECT_TRUE((tensors[0] == 512 * round).all().item<bool>()) << "round " << round;
    EXPECT_TRUE((tensors[1] == round + 1).all().item<bool>()) << "round " << round;
    EXPECT_TRUE((tensors[2] == round + 2).all().item<bool>()) << "round " << round;
  }
}

TEST(CopyLink, BringsTensorsBetweenCpus) {
  expect_that_tensors_arrive(*copy_link(c10::kCPU), c10::kCPU, c10::kCPU);
}

class LinkCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "no GPU: links of GPUs were not tried";
  }
};

TEST_F(LinkCuda, CopiesBringTensorsToAGpuAndBack) {
  expect_that_tensors_arrive(*copy_link(gpu(0)), c10::kCPU, gpu(0));
  expect_that_tensors_arrive(*copy_link(c10::kCPU), gpu(0), c10::kCPU);
}

// With one GPU it sends to itself: the same calls with one communicator.
TEST_F(LinkCuda, NcclBringsTensors) {
  const int last = static_cast<int>(at::getNumGPUs()) - 1;
  for (const auto& [from, to] : {std::pair(gpu(0), gpu(last)), std::pair(gpu(last), gpu(0))}) {
    auto link = nccl_link(from, to);
    ASSERT_TRUE(link.ok()) << link.error().message;
    expect_that_tensors_arrive(**link, from, to);
  }
}

TEST_F(LinkCuda, NothingIsBroughtAfterAnAbort) {
  auto link = nccl_link(gpu(0), gpu(0));
  ASSERT_TRUE(link.ok()) << link.error().message;
  (*link)->abort();
  (*link)->abort();
  const DeviceStream stream(gpu(0));
  at::Tensor word = at::zeros({1}, at::TensorOptions(gpu(0)));
  at::Tensor* const places[] = {&word};
  EXPECT_THROW((*link)->bring(places, stream.mark(), stream), c10::Error);
}

}  // namespace
}  // namespace sdv2
