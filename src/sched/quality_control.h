// SPDX-License-Identifier: LGPL-2.1-or-later
// Which rung of its degradation ladder every stream of a group of devices stands on: counts what came too
// late and asks the governor ten times a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "sched/governor.h"

namespace sdv2 {

// What a stream would take of the devices on a rung, as the costs are now.
using PredictLoad = std::function<DeviceLoad(uint64_t stream, int rung)>;

// A stream on a rung that computes nothing is not measured, so that what it would take may be an old mistake:
// after four seconds it is tried one rung up for two, whatever is predicted, one stream at a time. A trial
// that ends on the lowest rung again doubles the wait for the next one, up to a minute.
//
// Times are nanoseconds of one monotonic clock that the caller gives. Not thread-safe.
class QualityControl {
 public:
  // A stream at full quality, with a ladder of so many rungs (>= 1).
  void open(uint64_t stream, int priority, int rungs);
  // Its priority or ladder has changed; it stays where it is if the ladder is that long.
  void change(uint64_t stream, int priority, int rungs);
  void close(uint64_t stream) { streams_.erase(stream); }

  // 0 is full quality. Only for open streams, as the calls below.
  int rung(uint64_t stream) const { return streams_.at(stream).rung; }

  // A chunk was due and its pictures were there in time, or not.
  void count(bool in_time);

  // Moves streams whose load asks for it; the changes hold from their next chunk on. Does nothing before a
  // tenth of a second has passed since it last did.
  std::vector<RungChange> update(int64_t now_ns, const PredictLoad& load);

 private:
  struct Stream {
    int priority = 0;
    int rungs = 1;
    int rung = 0;
    int64_t idle_since_ns = kNoDeadline;  // on a rung that takes nothing; kNoDeadline: it is not
    int64_t patience_ns = 0;              // before it is tried
  };
  struct Trial {
    uint64_t stream = 0;
    int rung = 0;
    int64_t end_ns = 0;
  };
  GovernedStream governed(uint64_t id, const Stream& stream, const PredictLoad& load) const;
  void watch_idle(Stream& stream, const GovernedStream& now, int64_t now_ns);
  std::vector<RungChange> begin_trial(int64_t now_ns);
  std::map<uint64_t, Stream> streams_;
  std::optional<Trial> trial_;
  Governor governor_;
  int64_t next_update_ns_ = 0;
  double due_ = 0, late_ = 0;  // chunks lately, with a memory of about a second
};

}  // namespace sdv2
