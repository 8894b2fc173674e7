// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps the streams of one model within what its devices can do: admits them when they open, and tells at
// what quality each chunk is to be made. Brings sessions before the scheduler's decisions (sched/admission.h,
// sched/quality_control.h), with the costs that the executor has measured.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "sched/chunk_rate.h"
#include "sched/degradation.h"
#include "sched/quality_control.h"
#include "stream/executor.h"

namespace sdv2 {

// What a session asks for.
struct QualityWish {
  Quality full;                       // what it is to look like
  uint8_t degrade = kDegradeNothing;  // what it may give up for its deadlines
  int priority = 0;
  double target_fps = 0;        // 0: not told
  double target_latency_s = 0;  // 0: any
  bool operator==(const QualityWish&) const = default;
};

// At what quality a chunk is made.
struct ChunkQuality {
  int rung = 0;  // of the session's ladder; 0 is full quality
  Quality quality;
};

// The names of a model's devices, by worker, and its ways through the chain, by steps.
struct QualityDevices {
  std::vector<std::string> names;
  std::function<std::shared_ptr<const Route>(int steps)> route;
  int64_t latent_frames = 1;  // of a chunk
};

// Thread-safe. Takes the executor's lock inside its own. Times: nanoseconds of CLOCK_MONOTONIC.
class QualityKeeper {
 public:
  // `executor` outlives it.
  QualityKeeper(const Executor& executor, QualityDevices devices);

  // A session begins. With a target rate, and once the devices' costs are known for its size, it is refused
  // when it does not fit beside the others: kBusy, or kUnsupported when its target latency is too short for
  // the chain, with what would fit.
  Result<void> open(uint64_t session, const QualityWish& wish);
  void change(uint64_t session, const QualityWish& wish);
  void close(uint64_t session);

  // The quality of the chunk that an open session submits next. Sessions whose chunks have no deadline keep
  // theirs.
  ChunkQuality next_chunk(uint64_t session, int64_t deadline_ns, int64_t now_ns);
  // A chunk with a deadline is finished, or was given up. For closed sessions too.
  void count(bool in_time);

 private:
  struct Stream {
    QualityWish wish;
    std::vector<Quality> ladder;
    ChunkRate rate;
    double slack_s = 0;  // from submission to the deadline, of the last chunk
    double per_s = 0;    // chunks per second: the target, else as measured
    int64_t shape = 0;   // of its rows
    bool governed = false;
  };

  Stream stream_of(const QualityWish& wish) const;
  void take_part(uint64_t session, Stream& stream, bool takes_part);
  double alike_per_s(const Stream& stream) const;
  DeviceLoad load(const Stream& stream, const Quality& quality) const;
  Result<void> admit(const Stream& stream) const;

  const Executor& executor_;
  const QualityDevices devices_;
  mutable std::mutex mutex_;
  std::map<uint64_t, Stream> streams_;
  QualityControl control_;
};

}  // namespace sdv2
