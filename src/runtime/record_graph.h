// SPDX-License-Identifier: LGPL-2.1-or-later
// Recording work of a GPU as a CUDA graph.
#pragma once

#include <ATen/cuda/CUDAGraph.h>

#include <functional>
#include <memory>

namespace sdv2 {

// The graph of what `enqueue` enqueues on the current stream, which is not the default one; nothing runs.
// Memory that it allocates comes from `pool` ({0, 0}: one of its own). Throws what `enqueue` throws, and
// c10::Error.
std::unique_ptr<at::cuda::CUDAGraph> record_graph(at::cuda::MempoolId_t pool,
                                                  const std::function<void()>& enqueue);

}  // namespace sdv2
