// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/executor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <pthread.h>

#include <algorithm>

#include "runtime/kept_memory.h"
#include "runtime/trace.h"
#include "stream/segment_error.h"

namespace sdv2 {
namespace {

// Batches that a worker may enqueue on its device ahead of what the device has done: one to run and one to be
// ready behind it. More would only add latency.
constexpr size_t kMaxInFlight = 2;
// Threads of one worker's operations on the CPU: half of all, because two stages that work side by side use
// cores better than operations that are cut into more pieces. The same for any number of workers, since the
// pieces decide how sums are rounded: a chain gives the same bits however it is cut.
int cpu_threads_per_worker() {
  static const int all = at::get_num_threads();  // before the first worker takes its share
  return std::max(1, all / 2);
}

const Segment& segment_of(const Chunk& chunk) { return chunk.route->segments[chunk.next_segment]; }

bool denoised(const Chunk& chunk) {
  return chunk.next_segment >= chunk.route->segments.size() ||
         segment_of(chunk).kind == Segment::Kind::kDecode;
}

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Executor::Executor(std::vector<std::shared_ptr<const DeviceNetworks>> networks,
                   std::vector<IncomingLinks> links, const FlowMatchTable& table,
                   std::function<AffineCost(const CostKey&)> prior, std::optional<Fault> fault)
    : faults_(fault), chooser_(networks.size(), std::move(prior)), workers_(networks.size()) {
  for (size_t i = 0; i < networks.size(); ++i)
    workers_[i].runner =
        std::make_unique<SegmentRunner>(i, std::move(networks[i]), std::move(links[i]), table);
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i].thread = std::thread([this, i] { work(i); });
    pthread_setname_np(workers_[i].thread.native_handle(), ("sdv2-worker" + std::to_string(i)).c_str());
  }
  reporter_ = std::thread([this] { report(); });
  pthread_setname_np(reporter_.native_handle(), "sdv2-report");
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& chunk : chunks_) chunk->abandoned = true;
  }
  work_.notify_all();
  for (Worker& worker : workers_) worker.thread.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& chunk : chunks_) finish(chunk, Error{ErrorCode::kCancelled, "the model was closed"});
    chunks_.clear();
    reporting_done_ = true;
  }
  reports_.notify_all();
  reporter_.join();
}

void Executor::submit(std::shared_ptr<Chunk> chunk) {
  {
    const std::lock_guard lock(mutex_);
    chunk->order = next_order_++;
    if (!alive_.ok()) {
      finish(chunk, alive_);
    } else if (!chunk->stream->intact.ok()) {
      finish(chunk, chunk->stream->intact);
    } else if (chunk->skipped) {
      finish(chunk, {});
    } else {
      chunks_.push_back(std::move(chunk));
    }
  }
  work_.notify_all();
}

void Executor::abandon(uint64_t session) {
  const std::lock_guard lock(mutex_);
  fail({ErrorCode::kCancelled, "the session was flushed"},
       [&](const Chunk& chunk) { return chunk.session == session; });
}

void Executor::wake() {
  const std::lock_guard lock(mutex_);  // so that no worker is between looking and waiting
  work_.notify_all();
}

void Executor::set_watch(SegmentWatch watch) {
  const std::lock_guard lock(mutex_);
  watch_ = watch ? std::make_shared<const SegmentWatch>(std::move(watch)) : nullptr;
}

bool Executor::owns_this_thread() const {
  const auto self = std::this_thread::get_id();
  return self == reporter_.get_id() ||
         std::any_of(workers_.begin(), workers_.end(),
                     [&](const Worker& worker) { return self == worker.thread.get_id(); });
}

Result<void> Executor::alive() const {
  const std::lock_guard lock(mutex_);
  return alive_;
}

std::optional<size_t> Executor::failed_worker() const {
  const std::lock_guard lock(mutex_);
  return failed_worker_;
}

DeviceLoad Executor::load(const Route& route, int64_t shape, const StreamRate& rate) const {
  const std::lock_guard lock(mutex_);
  return chooser_.load(route, shape, rate, now_ns());
}

std::optional<double> Executor::chunk_s(const Route& route, int64_t shape) const {
  const std::lock_guard lock(mutex_);
  if (!chooser_.knows(route, shape)) return std::nullopt;
  return chooser_.rest_s(route, shape, 0, now_ns());
}

StageTimes Executor::times() const {
  const std::lock_guard lock(mutex_);
  return times_;
}

// The chunk's next segment can run now on that worker.
bool Executor::is_ready(const std::list<std::shared_ptr<Chunk>>::const_iterator& position,
                        size_t worker) const {
  const Chunk& chunk = **position;
  if (chunk.running || chunk.abandoned || segment_of(chunk).worker != static_cast<int>(worker)) return false;
  if (!chunk.prompt->resolved()) return false;
  if (chunk.negative_prompt && !chunk.negative_prompt->resolved()) return false;
  // The chunk before it in its stream.
  for (auto before = position; before != chunks_.begin();) {
    const Chunk& other = **--before;
    if (other.stream != chunk.stream) continue;
    if (chunk.follows == Follows::kFinished) return false;
    if (chunk.follows == Follows::kDenoised && segment_of(chunk).kind != Segment::Kind::kEncode &&
        !denoised(other))
      return false;
    return other.next_segment > chunk.next_segment;
  }
  return true;
}

bool Executor::has_work(size_t worker) const {
  for (auto it = chunks_.begin(); it != chunks_.end(); ++it)
    if (is_ready(it, worker)) return true;
  return false;
}

// Skips chunks that are to save time, and those that would only come too late. The chunk behind one may begin
// then, and may be late too.
void Executor::leave_out(size_t worker, int64_t now_ns) {
  for (auto it = chunks_.begin(); it != chunks_.end();) {
    const std::shared_ptr<Chunk> chunk = *it;
    const auto wanted = [&] {
      return chunk->spare || (chunk->may_be_given_up && chooser_.is_hopeless(*chunk, now_ns));
    };
    const bool leaves_out = chunk->next_segment == 0 && is_ready(it, worker) &&
                            chunk->stream->freeze.may_leave_out(chunk->deadline_ns) && wanted();
    if (!leaves_out) {
      ++it;
      continue;
    }
    chunk->skipped = chunk->left_out = true;
    chunk->stream->freeze.leave_out();
    finish(chunk, {});
    it = chunks_.erase(it);
  }
}

std::vector<std::shared_ptr<Chunk>> Executor::take_batch(size_t worker) {
  const int64_t now = now_ns();
  chooser_.learn(worker, now);
  leave_out(worker, now);
  std::vector<std::shared_ptr<Chunk>> ready;
  std::vector<Chunk*> chunks;
  for (auto it = chunks_.begin(); it != chunks_.end(); ++it) {
    if (!is_ready(it, worker)) continue;
    ready.push_back(*it);
    chunks.push_back(it->get());
  }
  std::vector<std::shared_ptr<Chunk>> batch;
  for (const size_t index : chooser_.choose(worker, now, chunks)) {
    ready[index]->running = true;
    if (ready[index]->next_segment == 0) ready[index]->stream->freeze.begin(ready[index]->deadline_ns);
    // Its units copy or move what the chunk before left, maybe from another stream.
    if (ready[index]->follows != Follows::kPipelined) ready[index]->behind = ready[index]->stream->mark;
    batch.push_back(std::move(ready[index]));
  }
  return batch;
}

// Waits until the device can take another batch. Only then is it decided which: what comes meanwhile may be
// more urgent.
void Executor::make_room(size_t index, std::unique_lock<std::mutex>& lock) {
  Worker& worker = workers_[index];
  if (worker.in_flight.size() < kMaxInFlight) return;
  lock.unlock();
  Result<void> result;
  try {
    worker.in_flight.front().wait();
  } catch (...) {
    result = Error{ErrorCode::kDevice, caught_error().message};
  }
  worker.in_flight.pop_front();
  lock.lock();
  if (!result.ok()) fail_device(index, result.error());
}

void Executor::work(size_t index) {
  Worker& self = workers_[index];
  at::set_num_threads(cpu_threads_per_worker());  // of this thread's operations
  std::optional<KeepTensorMemory> keep;
  if (self.runner->device().is_cpu()) keep.emplace();
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || has_work(index); });
    make_room(index, lock);
    const std::vector<std::shared_ptr<Chunk>> batch = take_batch(index);
    if (batch.empty()) {
      if (stopping_) return;
      continue;
    }
    const auto watch = watch_;
    lock.unlock();

    Result<void> result;
    Mark begin, begun;
    std::vector<Chunk*> chunks;
    for (const auto& chunk : batch) chunks.push_back(chunk.get());
    const int64_t started = now_ns();
    try {
      if (watch) (*watch)(index, chunks);
      faults_.before(index, chunks);
      const TraceSpan span(stage_name(segment_of(*chunks.front())), index, chunks.size());
      begin = self.runner->mark();
      begun = self.runner->run(chunks);
      faults_.after(index, chunks, begun, *self.runner);
      self.in_flight.push_back(batch.front()->mark);
    } catch (...) {
      result = caught_error();
    }

    lock.lock();
    if (result.ok()) {
      const Chunk& first = *batch.front();
      times_.add(segment_of(first).begin, stage_name(segment_of(first)), index, begin, first.mark);
      chooser_.add(index, started, chunks, begun, batch.back()->mark);
    }
    advance(index, batch, result);
  }
}

void Executor::advance(size_t worker, const std::vector<std::shared_ptr<Chunk>>& batch,
                       const Result<void>& result) {
  for (const auto& chunk : batch) chunk->running = false;
  if (!result.ok()) {
    if (result.error().code == ErrorCode::kDevice) fail_device(worker, result.error());
    for (const auto& chunk : batch) fail_stream(*chunk->stream, result.error());
  }
  for (const auto& chunk : batch) {
    if (chunk->abandoned) {
      // Meanwhile its stream failed or was flushed. A GPU may still be at it and use its memory.
      finished_.push_back({chunk, std::nullopt});
      reports_.notify_one();
      chunks_.remove(chunk);
      continue;
    }
    chunk->stream->mark = chunk->mark;
    ++chunk->next_segment;
    if (chunk->skipped) chunk->next_segment = chunk->route->segments.size();
    if (chunk->next_segment < chunk->route->segments.size()) continue;
    finish(chunk, {});
    chunks_.remove(chunk);
  }
  work_.notify_all();
}

template <class Predicate>
void Executor::fail(const Error& error, Predicate which) {
  for (auto it = chunks_.begin(); it != chunks_.end();) {
    const std::shared_ptr<Chunk> chunk = *it;
    if (!which(*chunk)) {
      ++it;
      continue;
    }
    if (!chunk->abandoned.exchange(true)) finish(chunk, error);
    // A running chunk stays until its worker lets go of it.
    it = chunk->running ? std::next(it) : chunks_.erase(it);
  }
}

void Executor::fail_stream(StreamState& stream, const Error& error) {
  stream.intact = error;
  fail(error, [&](const Chunk& chunk) { return chunk.stream.get() == &stream; });
}

void Executor::fail_device(size_t failed, const Error& error) {
  alive_ = error;
  if (!failed_worker_) failed_worker_ = failed;  // what the others say follows from it
  for (const Worker& worker : workers_) worker.runner->abort_links();
  fail(error, [](const Chunk&) { return true; });
}

void Executor::finish(const std::shared_ptr<Chunk>& chunk, const Result<void>& result) {
  finished_.push_back({chunk, result});
  reports_.notify_one();
}

void Executor::report() {
  std::unique_lock lock(mutex_);
  while (true) {
    reports_.wait(lock, [&] { return reporting_done_ || !finished_.empty(); });
    if (finished_.empty()) return;
    Finished next = std::move(finished_.front());
    finished_.pop_front();
    lock.unlock();
    report_one(next);
    next = {};
    lock.lock();
  }
}

void Executor::report_one(Finished& next) {
  const bool known = next.result && !next.result->ok();
  if (!known) {
    try {
      next.chunk->mark.wait();
    } catch (...) {
      const Error error = caught_error();
      if (next.result) next.result = error;
      const std::lock_guard lock(mutex_);
      const auto last = static_cast<size_t>(next.chunk->route->segments.back().worker);
      if (error.code == ErrorCode::kDevice && alive_.ok()) fail_device(last, error);
    }
  }
  if (!next.result) return;
  if (next.result->ok()) {
    // No worker has it any more: what it holds on to is free before anybody is told.
    next.chunk->source = {};
    next.chunk->deliver = {};
  }
  next.chunk->finish(*next.chunk, *next.result);
}

}  // namespace sdv2
