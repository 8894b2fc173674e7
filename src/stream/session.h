// SPDX-License-Identifier: LGPL-2.1-or-later
// One user's stream: pictures in, restyled pictures out one for one. The engine's side of the sdv2_session_*
// calls, whose rules (include/sdv2/sdv2.h) hold here too.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "image/chunk_input.h"
#include "image/input_converter.h"
#include "image/output_converter.h"
#include "stream/chunk_sequence.h"
#include "stream/chunk_slot.h"
#include "stream/loaded_model.h"
#include "stream/session_stats.h"

namespace sdv2 {

// What the pictures of a chunk are; see sdv2_show.
enum class ChunkShow : uint8_t { kRestyled, kStill, kRepeated, kSource };

// What became of a chunk; see sdv2_chunk_info.
struct ChunkReport {
  int64_t chunk = 0;
  uint64_t generation = 0;
  Result<void> result;
  int frames = 0;
  int steps = 0;
  double noise_scale = 0;
  int64_t submit_ns = 0, start_ns = 0, done_ns = 0;
  int rung = 0;
  ChunkShow show = ChunkShow::kRestyled;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `done` is called from a thread of the engine for every chunk in order. `settings`: JSON.
  static Result<std::shared_ptr<Session>> open(std::shared_ptr<LoadedModel> model, std::string_view settings,
                                               std::function<void(const ChunkReport&)> done);
  ~Session() = default;

  // Any thread may call any of these; see the calls of the C ABI of the same names.
  Result<int64_t> set(std::string_view changes);
  int chunk_frames();
  Result<void> put_frame(const ImageView& image);
  Result<int64_t> submit(int64_t deadline_ns);
  Result<void> read_frame(int64_t chunk, int frame, const MutableImageView& image);
  Result<void> release_chunk(int64_t chunk);
  Result<void> drain(int64_t timeout_ms);
  Result<void> reset();
  Result<void> flush();
  // No callback comes after it.
  void close();
  SessionStats stats();
  std::string stats_json();

 private:
  using Clock = std::chrono::steady_clock;

  // A chunk between submit and release.
  struct Entry {
    ChunkReport report;
    std::shared_ptr<ChunkSlot> slot;
    Size source;          // of its pictures, for the way back
    int first_frame = 0;  // of the result, the one that belongs to the first picture
    double mix = 1;
    double shown_before = 1, shown = 1;  // of the mix: faded to the source and back, from chunk to chunk
    bool may_be_repeated = false;        // by chunks that are skipped
    bool skipped = false;
    bool finished = false;

    double mix_of(int frame) const;
  };

  Session(std::shared_ptr<LoadedModel> model, ChunkSequence sequence,
          std::function<void(const ChunkReport&)> done);

  void restart_locked();
  uint64_t id() const { return reinterpret_cast<uintptr_t>(this); }
  int frames_wanted_locked() const;
  std::shared_ptr<ChunkSlot> take_slot_locked();
  void prepare(Chunk& chunk, const std::shared_ptr<ChunkSlot>& slot, int64_t number);
  at::Tensor load_pictures(const ChunkSlot& slot, size_t count, at::Device device, at::ScalarType type);
  void store_result(ChunkSlot& slot, const at::Tensor& pixels);
  void on_finished(int64_t number, uint64_t generation, const Chunk& chunk, const Result<void>& result);
  void report_in_order(std::unique_lock<std::mutex>& lock);
  void repeat_last_picture(Entry& entry);
  Result<void> closed_or_dead() const;
  bool in_own_callback_locked() const;
  Error no_chunk_locked(int64_t chunk) const;

  const std::shared_ptr<LoadedModel> model_;
  const std::function<void(const ChunkReport&)> done_;
  const Size processing_;
  const Fit fit_;
  const bool pinned_;

  std::mutex input_mutex_;  // one put, submit, set, reset at a time; taken before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;  // an entry is finished, a callback returned, the generation changed
  ChunkSequence sequence_;
  std::shared_ptr<ChunkSlot> open_;               // the open chunk, null while it has no picture
  std::vector<std::shared_ptr<ChunkSlot>> free_;  // for reuse
  std::map<int64_t, Entry> entries_;              // by number: under way, or finished and not released
  std::deque<int64_t> unreported_;                // in order of submission
  int64_t next_chunk_ = 0;
  int64_t generation_begin_ = 0;  // first chunk of this generation
  int64_t stream_begin_ns_ = 0;   // first picture of the current stream
  SessionStats stats_;
  bool calling_ = false;  // done_ is running, on caller_
  std::thread::id caller_;
  bool closed_ = false;
  std::shared_ptr<ChunkSlot> last_result_;  // of the chunk that was reported last, for skipped ones
  int64_t last_result_frame_ = 0;
  double shown_ = 1;  // the restyled picture's share at the end of the last chunk, where 0 is the source

  // Only on the worker of the first unit, one chunk after the other.
  std::unique_ptr<ChunkInput> converter_;
  at::Device converter_device_ = at::kCPU;

  std::mutex read_mutex_;
  OutputConverter output_;
  InputConverter mix_input_;
  std::vector<uint8_t> mixed_;
};

}  // namespace sdv2
