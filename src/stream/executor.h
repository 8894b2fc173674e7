// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs chunks through their segments: one worker thread per device worker, and one thread that reports
// finished chunks. Which work comes next is decided by BatchChooser; this file knows threads and order only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/result.h"
#include "runtime/stage_times.h"
#include "stream/batch_chooser.h"
#include "stream/chunk.h"
#include "stream/fault_trial.h"
#include "stream/segment_runner.h"

namespace sdv2 {

// Looks on: called by the thread of a worker right before it runs the next segment of these chunks, without a
// lock. What it throws fails the work as if the segment had thrown it. For comparison with other
// implementations, and to make workers wait and fail in tests.
using SegmentWatch = std::function<void(size_t worker, std::span<Chunk* const> chunks)>;

class Executor {
 public:
  // `networks` and `links`: of every worker. `table` outlives this. `prior`: what work takes before it was
  // measured, by the keys of cost_prior.h. `fault`: a failure to try out.
  Executor(std::vector<std::shared_ptr<const DeviceNetworks>> networks, std::vector<IncomingLinks> links,
           const FlowMatchTable& table, std::function<AffineCost(const CostKey&)> prior,
           std::optional<Fault> fault = std::nullopt);
  // Chunks that are not finished are cancelled (their finish() is called).
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  size_t workers() const { return workers_.size(); }

  // Takes a chunk; the chunks of a stream must come in order. Any thread. Never blocks on a device. When a
  // chunk fails, the later chunks of its stream fail too. One that is skipped from the start, or given up,
  // finishes before those ahead of it.
  void submit(std::shared_ptr<Chunk> chunk);

  // Makes the chunks of a session stop as soon as possible; their finish() gets kCancelled. Any thread.
  void abandon(uint64_t session);

  // Looks again for work: a prompt was resolved. Any thread.
  void wake();

  // Watches all work that begins from now on; an empty function ends that. Any thread.
  void set_watch(SegmentWatch watch);

  // Whether the calling thread is one of its own.
  bool owns_this_thread() const;

  // Why nothing runs any more, after a device failed; and which worker's it was. Any thread.
  Result<void> alive() const;
  std::optional<size_t> failed_worker() const;

  // The share of every worker's time that a stream takes (see BatchChooser::load), and the seconds of a chunk
  // of it that nothing disturbs, once all of its segments were measured. Any thread.
  DeviceLoad load(const Route& route, int64_t shape, const StreamRate& rate) const;
  std::optional<double> chunk_s(const Route& route, int64_t shape) const;

  // Durations of the segments so far.
  StageTimes times() const;

 private:
  struct Worker {
    std::unique_ptr<SegmentRunner> runner;
    std::deque<Mark> in_flight;  // of the last batches, oldest first
    std::thread thread;
  };
  struct Finished {
    std::shared_ptr<Chunk> chunk;
    std::optional<Result<void>> result;  // none: it was reported when it was abandoned, and only ends now
  };

  void work(size_t index);
  bool has_work(size_t worker) const;
  void make_room(size_t worker, std::unique_lock<std::mutex>& lock);
  void leave_out(size_t worker, int64_t now_ns);
  std::vector<std::shared_ptr<Chunk>> take_batch(size_t worker);
  bool is_ready(const std::list<std::shared_ptr<Chunk>>::const_iterator& chunk, size_t worker) const;
  void advance(size_t worker, const std::vector<std::shared_ptr<Chunk>>& batch, const Result<void>& result);
  // Finishes the chunks that `which` picks with an error.
  template <class Predicate>
  void fail(const Error& error, Predicate which);
  void fail_stream(StreamState& stream, const Error& error);
  void fail_device(size_t failed, const Error& error);
  void finish(const std::shared_ptr<Chunk>& chunk, const Result<void>& result);
  void report();
  void report_one(Finished& next);

  const FaultTrial faults_;
  mutable std::mutex mutex_;
  std::condition_variable work_;              // something may be ready
  std::condition_variable reports_;           // something is finished
  std::list<std::shared_ptr<Chunk>> chunks_;  // by order of submission
  std::deque<Finished> finished_;
  uint64_t next_order_ = 0;
  Result<void> alive_;
  std::optional<size_t> failed_worker_;
  std::shared_ptr<const SegmentWatch> watch_;  // null: nobody watches
  bool stopping_ = false;
  bool reporting_done_ = false;
  StageTimes times_;
  BatchChooser chooser_;
  std::vector<Worker> workers_;
  std::thread reporter_;
};

}  // namespace sdv2
