// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream through the engine: frames in, pixels out, times of both.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.hpp"
#include "tools/bench/frames.h"
#include "tools/bench/measure.h"
#include "tools/bench/output.h"

namespace sdv2::bench {

struct StreamPlan {
  int width = 0;
  int height = 0;
  int chunks = 0;          // 0: as many as `seconds` take
  double seconds = 0;      // frames go in for so long
  double fps = 0;          // 0: as fast as the engine takes them
  int64_t latency_ns = 0;  // when a chunk is due, from its first frame on; 0: never
  int64_t phase_ns = 0;    // the first frame goes in so much later
  int capacity = 1;
  const FrameSource* source = nullptr;
  Output* output = nullptr;  // may be nullptr
};

// What one stream measured. A time of a chunk each, in nanoseconds; see kUsage.
struct StreamFigures {
  std::vector<int64_t> upload;
  std::vector<int64_t> download;
  std::vector<int64_t> work;
  std::vector<int64_t> chunk;
  std::vector<int64_t> total;
  int64_t first_frame_ns = 0;
  double fps = 0;
  int64_t frames = 0;
  Checksum checksum;
  int64_t due = 0;                 // chunks with a deadline
  int64_t met = 0;                 // of them, made in time
  int64_t repeated = 0;            // of them, the last picture again
  int64_t source = 0;              // of them, the source
  int64_t late_ns = 0;             // the worst
  int64_t freeze_ns = 0;           // the longest time without a new picture, by the clock of the deadlines
  int64_t degraded_until_ns = 0;   // from the begin to the last chunk below full quality; 0: none was
  std::map<int, int64_t> on_rung;  // chunks by rung of the degradation ladder
};

// Errors of the engine as those of this program.
Result<void> to_result(const client::Status& status);

class Stream {
 public:
  static Result<std::unique_ptr<Stream>> open(client::Model& model, const nlohmann::json& settings,
                                              const StreamPlan& plan);

  // Runs all chunks in the caller's thread. Errors: those of the engine, of the source and of the output.
  Result<void> run();
  // The engine's statistics of the session.
  Result<nlohmann::json> stats();

  const StreamFigures& figures() const { return figures_; }
  // Any thread, during run.
  int chunks_done() const { return chunks_read_; }

 private:
  explicit Stream(const StreamPlan& plan);

  struct Done {
    sdv2_chunk_info info;
    std::string message;
  };

  // When a frame goes in by the clock.
  int64_t frame_time(int64_t frame) const;
  bool wants_chunk() const;
  Result<void> feed_frame();
  // The next chunk that is done; nothing when there is none until then.
  std::optional<Done> next_done(int64_t until_ns);
  Result<void> take(const Done& done);
  Result<void> read_chunk(const sdv2_chunk_info& info);
  void judge(const sdv2_chunk_info& info, int64_t deadline_ns);

  StreamPlan plan_;
  std::vector<uint8_t> in_;
  std::vector<uint8_t> out_;

  int chunks_put_ = 0;
  std::atomic<int> chunks_read_ = 0;
  int64_t frames_put_ = 0;
  int64_t begin_ns_ = 0;  // of the clock
  int open_frames_ = 0;   // in the open chunk
  int64_t upload_ = 0;    // of the open chunk
  struct Chunk {
    int64_t put_ns;       // its first frame
    int64_t deadline_ns;  // INT64_MAX: none
  };
  std::deque<Chunk> under_way_;
  int64_t first_put_ns_ = 0;
  int64_t first_read_ns_ = 0;  // end of the first chunk
  int64_t first_chunk_frames_ = 0;
  int64_t moving_until_ns_ = 0;  // when the pictures of the last chunk with new ones have been shown
  StreamFigures figures_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Done> done_;

  std::optional<client::Session> session_;  // last: its callbacks use the others
};

}  // namespace sdv2::bench
