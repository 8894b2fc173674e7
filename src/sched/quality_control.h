// SPDX-License-Identifier: LGPL-2.1-or-later
// Which rung of its degradation ladder every stream of a group of devices stands on: counts what came too
// late and asks the governor ten times a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "sched/governor.h"

namespace sdv2 {

// What a stream would take of the devices on a rung, as the costs are now.
using PredictLoad = std::function<DeviceLoad(uint64_t stream, int rung)>;

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
  };
  std::map<uint64_t, Stream> streams_;
  Governor governor_;
  int64_t next_update_ns_ = 0;
  double due_ = 0, late_ = 0;  // chunks lately, with a memory of about a second
};

}  // namespace sdv2
