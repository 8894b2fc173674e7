// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/record_graph.h"

#include <c10/util/Exception.h>

#include <mutex>

#include "runtime/graph_recording.h"

namespace sdv2 {

std::unique_ptr<at::cuda::CUDAGraph> record_graph(at::cuda::MempoolId_t pool,
                                                  const std::function<void()>& enqueue) {
  const std::lock_guard lock(graph_recording());
  auto graph = std::make_unique<at::cuda::CUDAGraph>();
  // Other threads go on using the device meanwhile.
  graph->capture_begin(pool, cudaStreamCaptureModeThreadLocal);
  try {
    enqueue();
  } catch (...) {
    try {
      graph->capture_end();        // or the stream would stay in recording
    } catch (const c10::Error&) {  // the first error says more
    }
    throw;
  }
  graph->capture_end();
  return graph;
}

}  // namespace sdv2
