// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream of the stub engine. Any thread may call; one thread of the session makes the callbacks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "sdv2/sdv2.h"
#include "stub/model.h"
#include "stub/picture.h"
#include "stub/program.h"
#include "stub/settings.h"
#include "stub/stats.h"

namespace sdv2::stub {

class Session : public std::enable_shared_from_this<Session> {
 public:
  static Result<std::shared_ptr<Session>> open(const std::shared_ptr<Model>& model, const char* settings,
                                               const sdv2_session_observer* observer);
  Session(std::shared_ptr<Model> model, Program program, nlohmann::json settings,
          const sdv2_session_observer& observer);
  ~Session();

  // The calls of the ABI.
  Result<int64_t> set(const char* changes);
  int32_t chunk_frames();
  Result<void> put_frame(const sdv2_image* image);
  Result<int64_t> submit(int64_t deadline_ns);
  Result<void> read_frame(int64_t chunk, int32_t frame, const sdv2_image* image);
  Result<void> release_chunk(int64_t chunk);
  Result<void> drain(int64_t timeout_ms);
  Result<void> reset();
  Result<void> flush();
  sdv2_session_stats stats();
  nlohmann::json stats_json();
  void close();

  // The calls of stub_control.h.
  bool wait_submitted(int64_t count, int timeout_ms);
  bool step(int count);
  bool finish(int64_t chunk, const std::optional<Error>& error);
  // The clock or the model changed: looks again, and waits until everything that is due was delivered.
  void settle();
  nlohmann::json under_way();
  const std::shared_ptr<Model>& model() const { return model_; }
  void set_index(int index) { index_ = index; }

 private:
  struct Chunk {
    int64_t number = 0;
    uint64_t generation = 0;
    uint64_t stream = 0;
    std::vector<Picture> frames;
    Look look;
    int32_t steps = 0;
    ProgrammedRung quality;
    double noise_scale = 0;
    int64_t deadline_ns = 0;
    int64_t submit_ns = 0;
    int64_t start_ns = 0;
    int64_t due_ns = 0;
    int64_t done_ns = 0;
    std::optional<Result<void>> result;  // when finished
    std::optional<Error> failure;        // that it will end in
  };
  struct Change {
    int64_t chunk = 0;
    nlohmann::json settings;
  };

  int64_t now() const;
  Error dead_error() const;
  int32_t frames_of_open_chunk() const;
  size_t held() const { return under_way_.size() + finished_.size(); }
  Result<void> check_room() const;
  // A chunk that flush dropped is told from one that never was.
  Error no_such_chunk(int64_t chunk) const;
  void activate_changes(int64_t chunk);
  void choose_look(Chunk& chunk);
  std::optional<Error> failure_of_next(int64_t number);
  void start_stream();

  void run();
  bool due(const Chunk& head) const;
  void finish_due(Chunk& head);
  void deliver(std::unique_lock<std::mutex>& lock);
  void fail_stream(const Chunk& chunk);
  bool in_own_callback() const;
  void wait_settled(std::unique_lock<std::mutex>& lock);

  const std::shared_ptr<Model> model_;
  const Program program_;
  const nlohmann::json defaults_;
  const sdv2_session_observer observer_;
  int index_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;

  nlohmann::json active_;        // of the last chunk
  std::vector<Change> changes_;  // still to come, in order of chunks
  Look blend_from_;
  static constexpr int64_t kNoBlend = -1;
  int64_t blend_begin_ = kNoBlend;  // first chunk with the prompt that is faded in

  uint64_t generation_ = 0;
  uint64_t stream_ = 0;
  bool stream_begins_ = true;
  int64_t stream_chunks_ = 0;  // submitted to the current stream
  std::vector<Picture> open_;
  int64_t next_chunk_ = 0;
  int64_t generation_begin_ = 0;  // first chunk of this generation
  std::deque<std::shared_ptr<Chunk>> under_way_;
  std::map<int64_t, std::shared_ptr<Chunk>> finished_;
  int64_t last_due_ns_ = 0;
  std::optional<int64_t> first_put_ns_;
  Picture last_picture_;  // before the open chunk, for the similarity filter
  Look last_look_;
  Stats stats_;

  bool in_callback_ = false;
  uint64_t callbacks_ = 0;  // that have returned
  std::thread thread_;
};

}  // namespace sdv2::stub
