// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/link.h"

#ifdef SDV2_HAVE_NCCL
#include <ATen/ATen.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <array>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sdv2 {
namespace {

std::string text_of(ncclResult_t result) {
  return std::string("NCCL: ") + ncclGetErrorString(result) +
         ". NCCL_DEBUG=INFO in the environment tells more.";
}

[[noreturn]] void fail(int32_t code, const std::string& what) {
  throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, code, what);
}

void check(ncclResult_t result) {
  if (result != ncclSuccess) fail(static_cast<int32_t>(result), text_of(result));
}

cudaStream_t raw(const DeviceStream& stream) {
  const DeviceStream::Current current(stream);
  return c10::cuda::getCurrentCUDAStream(stream.device().index()).stream();
}

// The calling thread issues both ends in one group, so that neither can wait for a call that does not come.
// Every link has communicators of its own: NCCL runs the operations of one in the order of their calls, and
// one link's chunk may be ready long before another's.
class NcclLink final : public Link {
 public:
  NcclLink(c10::Device from, c10::Device to) : send_(from), receive_(to) {}

  ~NcclLink() override {
    if (aborted_) return;
    // Destroying waits for transfers under way.
    for (const ncclComm_t communicator : communicators_)
      if (communicator != nullptr) ncclCommDestroy(communicator);
  }

  Result<void> connect() {
    const std::array<int, 2> devices{send_.device().index(), receive_.device().index()};
    if (const auto result = ncclCommInitAll(communicators_.data(), ranks(), devices.data());
        result != ncclSuccess)
      return Error{ErrorCode::kDevice, text_of(result)};
    return {};
  }

  void bring(std::span<at::Tensor* const> tensors, const Mark& written,
             const DeviceStream& receiver) override {
    send_.wait_for(written);
    receive_.wait_for(written);
    const std::vector<at::Tensor> copies = transfer(tensors);
    receiver.wait_for(receive_.mark());
    const DeviceStream::Current current(receiver);
    for (size_t i = 0; i < copies.size(); ++i) {
      use_on_current_stream(copies[i]);
      *tensors[i] = copies[i];
    }
  }

  void abort() override {
    const std::lock_guard lock(mutex_);  // calls of NCCL return at once, it is the devices that may wait
    if (std::exchange(aborted_, true)) return;
    for (const ncclComm_t communicator : communicators_)
      if (communicator != nullptr) ncclCommAbort(communicator);
  }

 private:
  int ranks() const { return send_.device() == receive_.device() ? 1 : 2; }
  int receiving_rank() const { return ranks() - 1; }

  std::vector<at::Tensor> transfer(std::span<at::Tensor* const> tensors) {
    const cudaStream_t send = raw(send_), receive = raw(receive_);
    const ncclComm_t sender = communicators_.front();
    const ncclComm_t receiver = communicators_[static_cast<size_t>(receiving_rank())];
    {
      const DeviceStream::Current current(send_);
      for (const at::Tensor* const tensor : tensors) use_on_current_stream(*tensor);
    }
    const DeviceStream::Current current(receive_);  // whose memory the copies are
    std::vector<at::Tensor> copies;
    for (const at::Tensor* const tensor : tensors)
      copies.push_back(at::empty_like(*tensor, tensor->options().device(receive_.device())));
    const std::lock_guard lock(mutex_);
    if (aborted_) fail(0, "the link between two GPUs was given up because a device had failed");
    check(ncclGroupStart());
    for (size_t i = 0; i < copies.size(); ++i) {
      check(ncclSend(tensors[i]->const_data_ptr(), copies[i].nbytes(), ncclInt8, receiving_rank(), sender,
                     send));
      check(ncclRecv(copies[i].mutable_data_ptr(), copies[i].nbytes(), ncclInt8, 0, receiver, receive));
    }
    check(ncclGroupEnd());
    return copies;
  }

  DeviceStream send_, receive_;
  std::array<ncclComm_t, 2> communicators_{};  // by rank
  std::mutex mutex_;
  bool aborted_ = false;
};

}  // namespace

Result<std::unique_ptr<Link>> nccl_link(c10::Device from, c10::Device to) {
  auto link = std::make_unique<NcclLink>(from, to);
  SDV2_CHECK(link->connect());
  // NCCL sets up the way between two devices with their first transfer: now, not with the first picture.
  try {
    const DeviceStream sender(from), receiver(to);
    at::Tensor word;
    {
      const DeviceStream::Current current(sender);
      word = at::zeros({1}, at::TensorOptions(from));
    }
    at::Tensor* const tensors[] = {&word};
    link->bring(tensors, sender.mark(), receiver);
    receiver.mark().wait();
  } catch (const c10::Error& error) {
    return Error{ErrorCode::kDevice, error.what_without_backtrace()};
  }
  return std::unique_ptr<Link>(std::move(link));
}

}  // namespace sdv2

#else

namespace sdv2 {

Result<std::unique_ptr<Link>> nccl_link(c10::Device, c10::Device) {
  return Error{ErrorCode::kUnsupported, "this build has no NCCL"};
}

}  // namespace sdv2

#endif
