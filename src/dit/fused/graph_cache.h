// SPDX-License-Identifier: LGPL-2.1-or-later
// CUDA graphs of work that comes again and again in a few forms.
//
// The first work of a form runs kernel by kernel, which also loads the kernels and chooses algorithms; the
// second is captured. Of too many forms the one that was not used for longest is forgotten.
#pragma once

#include <ATen/cuda/CUDAGraph.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "runtime/record_graph.h"

namespace sdv2 {

template <class Form>
class GraphCache {
 public:
  explicit GraphCache(size_t limit) : limit_(limit) {}

  GraphCache(const GraphCache&) = delete;
  GraphCache& operator=(const GraphCache&) = delete;
  // Waits for what still runs.
  ~GraphCache() {
    if (stream_) cudaStreamSynchronize(*stream_);  // an error has been or will be seen by others
  }

  // Enqueues work of a form on the current stream, always the same one: `enqueue` runs now or did before. It
  // may allocate only what it lets go of itself. The default stream cannot be captured: there it runs each
  // time.
  void run(const Form& form, const std::function<void()>& enqueue) {
    stream_ = at::cuda::getCurrentCUDAStream();
    Entry& entry = entries_[form];
    entry.used = ++clock_;
    if (!entry.seen || *stream_ == at::cuda::getDefaultCUDAStream()) {
      entry.seen = true;
      enqueue();
      make_room();
      return;
    }
    if (!entry.graph) entry.graph = capture(enqueue);
    entry.graph->replay();
  }

  // Forgets all; waits for the current stream.
  void clear() {
    at::cuda::getCurrentCUDAStream().synchronize();  // they may still run
    entries_.clear();
  }

 private:
  struct Entry {
    bool seen = false;
    uint64_t used = 0;
    std::unique_ptr<at::cuda::CUDAGraph> graph;
  };

  std::unique_ptr<at::cuda::CUDAGraph> capture(const std::function<void()>& enqueue) {
    // The allocator forgets a pool with its last graph.
    if (std::none_of(entries_.begin(), entries_.end(),
                     [](const auto& it) { return it.second.graph != nullptr; }))
      pool_ = at::cuda::graph_pool_handle();
    return record_graph(pool_, enqueue);
  }

  void make_room() {
    if (entries_.size() <= limit_) return;
    auto oldest = entries_.begin();
    for (auto it = entries_.begin(); it != entries_.end(); ++it)
      if (it->second.used < oldest->second.used) oldest = it;
    at::cuda::getCurrentCUDAStream().synchronize();  // it may still run
    entries_.erase(oldest);
  }

  size_t limit_;
  std::optional<at::cuda::CUDAStream> stream_;
  at::cuda::MempoolId_t pool_ = {0, 0};  // the graphs run one after the other, so they share memory
  uint64_t clock_ = 0;
  std::map<Form, Entry> entries_;
};

}  // namespace sdv2
