// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/session.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/trace.h"
#include "stream/stats_json.h"

namespace sdv2 {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t to_ns(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

constexpr int kFramesPerLatent = 4;

QualityWish wish_of(const SessionSettings& settings) {
  const LiveSettings& live = settings.live;
  return {.full = {.steps = live.steps, .width = settings.width, .height = settings.height},
          .degrade = live.degrade,
          .priority = live.priority,
          .target_fps = live.target_fps,
          .target_latency_s = live.target_latency_ms * 1e-3};
}

}  // namespace

Result<std::shared_ptr<Session>> Session::open(std::shared_ptr<LoadedModel> model, std::string_view settings,
                                               std::function<void(const ChunkReport&)> done) {
  SDV2_CHECK(model->executor().alive());
  SDV2_TRY(const SessionSettings parsed,
           parse_settings(settings, model->default_settings(), model->setting_limits()));
  SDV2_TRY(const StreamShape shape, model->stream_shape(parsed));
  ChunkSequence sequence(model, parsed, shape);
  std::shared_ptr<Session> session(new Session(std::move(model), std::move(sequence), std::move(done)));
  SDV2_CHECK(session->model_->quality().open(session->id(), wish_of(parsed)));
  return session;
}

Session::Session(std::shared_ptr<LoadedModel> model, ChunkSequence sequence,
                 std::function<void(const ChunkReport&)> done)
    : model_(std::move(model)),
      done_(std::move(done)),
      processing_{sequence.settings().width, sequence.settings().height},
      fit_(sequence.settings().fit),
      pinned_(std::any_of(model_->devices().begin(), model_->devices().end(),
                          [](c10::Device device) { return !device.is_cpu(); })),
      sequence_(std::move(sequence)),
      output_(processing_, fit_),
      mix_input_(processing_, fit_) {}

Result<void> Session::closed_or_dead() const {
  if (closed_) return Error{ErrorCode::kInvalidArgument, "the session is closed"};
  return model_->executor().alive();
}

Result<int64_t> Session::set(std::string_view changes) {
  const std::lock_guard input(input_mutex_);
  const std::lock_guard lock(mutex_);
  SDV2_CHECK(closed_or_dead());
  SDV2_TRY(const LiveSettings live,
           parse_changes(changes, sequence_.settings().live, model_->setting_limits()));
  sequence_.change(live);
  model_->quality().change(id(), wish_of(sequence_.settings()));
  return next_chunk_;
}

bool Session::in_own_callback_locked() const { return calling_ && caller_ == std::this_thread::get_id(); }

// A chunk that a flush dropped is told from one that never was.
Error Session::no_chunk_locked(int64_t chunk) const {
  if (chunk >= 0 && chunk < generation_begin_)
    return {ErrorCode::kCancelled, "chunk " + std::to_string(chunk) + " was dropped by a flush"};
  return {ErrorCode::kInvalidArgument,
          "chunk " + std::to_string(chunk) + " is not finished, it failed, or it was released"};
}

int Session::frames_wanted_locked() const {
  if (sequence_.at_start() && sequence_.settings().warm_up_with_frame) return 1;
  const auto latents = static_cast<int>(model_->chunk_latents());
  return kFramesPerLatent * latents + (sequence_.at_start() ? 1 : 0);
}

int Session::chunk_frames() {
  const std::lock_guard lock(mutex_);
  return frames_wanted_locked();
}

std::shared_ptr<ChunkSlot> Session::take_slot_locked() {
  if (free_.empty()) return std::make_shared<ChunkSlot>(pinned_);
  auto slot = std::move(free_.back());
  free_.pop_back();
  slot->reuse();
  return slot;
}

Result<void> Session::put_frame(const ImageView& image) {
  SDV2_CHECK(check(image));
  const std::lock_guard input(input_mutex_);
  std::shared_ptr<ChunkSlot> slot;
  {
    const std::lock_guard lock(mutex_);
    SDV2_CHECK(closed_or_dead());
    if (!open_) {
      const int capacity = sequence_.settings().capacity;
      if (static_cast<int>(entries_.size()) >= capacity)
        return Error{ErrorCode::kBusy, std::to_string(entries_.size()) +
                                           " chunks are under way or unread, capacity is " +
                                           std::to_string(capacity) + "; read and release one first"};
      open_ = take_slot_locked();
      if (sequence_.at_start()) stream_begin_ns_ = now_ns();
    } else if (static_cast<int>(open_->pictures()) >= frames_wanted_locked()) {
      return Error{ErrorCode::kInvalidArgument, "the open chunk has all of its " +
                                                    std::to_string(frames_wanted_locked()) +
                                                    " frames; submit it first"};
    }
    slot = open_;
  }
  slot->add_picture(image);  // a copy of some megabytes: flush does not wait for it
  const std::lock_guard lock(mutex_);
  if (open_ != slot) return Error{ErrorCode::kCancelled, "the session was flushed"};
  ++stats_.frames_in;
  return {};
}

void Session::prepare(Chunk& chunk, const std::shared_ptr<ChunkSlot>& slot, int64_t number) {
  const auto self = shared_from_this();
  const size_t pictures =
      static_cast<size_t>(kFramesPerLatent * model_->chunk_latents() + (chunk.index == 0 ? 1 : 0));
  chunk.session = id();
  chunk.source.pixels = [self, slot, pictures](at::Device device, at::ScalarType type) {
    return self->load_pictures(*slot, pictures, device, type);
  };
  chunk.deliver = [self, slot](const at::Tensor& pixels) { self->store_result(*slot, pixels); };
  chunk.finish = [self, number, generation = stats_.generation](Chunk& finished, const Result<void>& result) {
    self->on_finished(number, generation, finished, result);
  };
}

Result<int64_t> Session::submit(int64_t deadline_ns) {
  const std::lock_guard input(input_mutex_);
  std::shared_ptr<Chunk> chunk;
  int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    SDV2_CHECK(closed_or_dead());
    if (!open_ || open_->pictures() == 0)
      return Error{ErrorCode::kInvalidArgument, "there is no open chunk to submit; put a frame first"};
    const std::shared_ptr<ChunkSlot> slot = std::exchange(open_, nullptr);
    number = next_chunk_++;

    Entry entry;
    entry.slot = slot;
    entry.source = slot->picture(0).spec.size;
    entry.mix = sequence_.settings().live.mix;
    entry.may_be_repeated =
        sequence_.settings().live.similarity_filter > 0 || sequence_.settings().live.degrade != 0;
    entry.report = {.chunk = number,
                    .generation = stats_.generation,
                    .frames = static_cast<int>(slot->pictures()),
                    .submit_ns = now_ns()};
    const ChunkQuality quality = model_->quality().next_chunk(id(), deadline_ns, entry.report.submit_ns);
    entry.report.rung = quality.rung;
    entry.report.steps = quality.quality.steps;
    const bool warm_up = sequence_.at_start() && sequence_.settings().warm_up_with_frame;
    chunk = sequence_.next(quality.quality);
    chunk->deadline_ns = deadline_ns;
    if (chunk->skipped) entry.report.show = ChunkShow::kSource;
    entry.shown_before = std::exchange(shown_, entry.report.show == ChunkShow::kSource ? 0.0 : 1.0);
    entry.shown = shown_;
    // Of a first frame that was repeated, the last picture is the one that the model has settled on.
    if (warm_up) entry.first_frame = static_cast<int>(kFramesPerLatent * model_->chunk_latents());
    prepare(*chunk, slot, number);
    entries_.emplace(number, std::move(entry));
    unreported_.push_back(number);
    ++stats_.chunks_submitted;
    ++stats_.chunks_under_way;
    trace_counter("chunks under way", stats_.chunks_under_way);
  }
  model_->executor().submit(std::move(chunk));
  return number;
}

// From the executor's reporting thread.
void Session::on_finished(int64_t number, uint64_t generation, const Chunk& chunk,
                          const Result<void>& result) {
  std::unique_lock lock(mutex_);
  if (generation != stats_.generation) return;
  Entry& entry = entries_.at(number);
  entry.finished = true;
  entry.report.result = result;
  entry.report.done_ns = now_ns();
  // A worker may still be at a chunk that failed.
  if (result.ok()) {
    entry.skipped = chunk.skipped;
    entry.report.noise_scale = chunk.levels.noise_scale;
    if (chunk.skipped) {
      entry.report.steps = 0;
      if (entry.report.show == ChunkShow::kRestyled)
        entry.report.show = chunk.left_out ? ChunkShow::kRepeated : ChunkShow::kStill;
    }
    // What the first chunk of a stream takes says little of the others.
    if (chunk.deadline_ns != kNoDeadline && chunk.index > 0 && (!chunk.skipped || chunk.given_up()))
      model_->quality().count(!chunk.given_up() && entry.report.done_ns <= chunk.deadline_ns);
    entry.report.start_ns = to_ns(chunk.started);
  }
  // The state that the chunk leaves behind cannot be trusted: what comes next is a new stream.
  if (!result.ok() && chunk.stream == sequence_.stream()) {
    restart_locked();
  }
  report_in_order(lock);
}

void Session::report_in_order(std::unique_lock<std::mutex>& lock) {
  while (!unreported_.empty()) {
    Entry& entry = entries_.at(unreported_.front());
    if (!entry.finished) break;
    unreported_.pop_front();
    --stats_.chunks_under_way;
    if (entry.report.result.ok()) {
      if (entry.skipped) repeat_last_picture(entry);
      if (entry.may_be_repeated) {
        last_result_ = entry.slot;
        last_result_frame_ = entry.first_frame + entry.report.frames - 1;
      } else {
        last_result_.reset();
      }
      ++stats_.chunks_done;
      stats_.chunks_skipped += entry.skipped ? 1 : 0;
      stats_.rung = entry.report.rung;
      stats_.frames_out += entry.report.frames;
      stats_.noise_scale = entry.skipped ? stats_.noise_scale : entry.report.noise_scale;
      stats_.add_done(entry.report.submit_ns, entry.report.done_ns);
      if (stats_.first_frame_ns == 0) stats_.first_frame_ns = entry.report.done_ns - stream_begin_ns_;
    } else {
      ++stats_.chunks_failed;
    }
    const ChunkReport report = entry.report;
    if (!report.result.ok()) entries_.erase(report.chunk);
    if (done_) {
      calling_ = true;
      caller_ = std::this_thread::get_id();
      lock.unlock();
      done_(report);
      lock.lock();
      calling_ = false;
    }
    changed_.notify_all();
    if (report.generation != stats_.generation) return;
  }
  changed_.notify_all();
}

Result<void> Session::release_chunk(int64_t chunk) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(chunk);
  if (found == entries_.end() || !found->second.finished) return no_chunk_locked(chunk);
  // Not when the next skipped chunk may want to repeat it, or while somebody reads it.
  if (found->second.slot.use_count() == 1) free_.push_back(std::move(found->second.slot));
  entries_.erase(found);
  return {};
}

Result<void> Session::drain(int64_t timeout_ms) {
  if (timeout_ms < 0)
    return Error{ErrorCode::kInvalidArgument,
                 "drain: the timeout is " + std::to_string(timeout_ms) + " ms; it must be 0 or more"};
  // Longer than any run, and no overflow of the clock.
  const std::chrono::milliseconds timeout(std::min<int64_t>(timeout_ms, 1'000'000'000'000));
  std::unique_lock lock(mutex_);
  SDV2_CHECK(closed_or_dead());
  if (in_own_callback_locked())
    return Error{ErrorCode::kInvalidArgument, "drain must not be called from chunk_done"};
  const uint64_t generation = stats_.generation;
  const auto done = [&] {
    return generation != stats_.generation || closed_ || (unreported_.empty() && !calling_);
  };
  if (!changed_.wait_for(lock, timeout, done))
    return Error{ErrorCode::kBusy, std::to_string(unreported_.size()) + " chunks are still under way after " +
                                       std::to_string(timeout_ms) + " ms"};
  if (generation != stats_.generation || closed_)
    return Error{ErrorCode::kCancelled, "the session was flushed or closed meanwhile"};
  return model_->executor().alive();
}

// The next chunk begins a new stream.
void Session::restart_locked() {
  sequence_.restart();
  stats_.begin_stream();
  shown_ = 1;
}

Result<void> Session::reset() {
  const std::lock_guard input(input_mutex_);
  const std::lock_guard lock(mutex_);
  SDV2_CHECK(closed_or_dead());
  open_.reset();
  restart_locked();
  stats_.first_frame_ns = 0;
  return {};
}

Result<void> Session::flush() {
  std::shared_ptr<StreamState> stream;
  std::unique_lock lock(mutex_);
  if (closed_) return Error{ErrorCode::kInvalidArgument, "the session is closed"};
  ++stats_.generation;
  generation_begin_ = next_chunk_;
  stats_.chunks_dropped += static_cast<int64_t>(unreported_.size());
  stats_.chunks_under_way = 0;
  stats_.first_frame_ns = 0;
  open_.reset();
  entries_.clear();
  unreported_.clear();
  last_result_.reset();
  // All streams of this session that are still under way end, not only the current one.
  model_->executor().abandon(id());
  restart_locked();
  changed_.notify_all();
  changed_.wait(lock, [&] { return !calling_ || in_own_callback_locked(); });
  return {};
}

void Session::close() {
  (void)flush();
  const std::lock_guard lock(mutex_);
  if (!std::exchange(closed_, true)) model_->quality().close(id());
  changed_.notify_all();
}

SessionStats Session::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::string Session::stats_json() {
  SessionStats stats;
  SessionSettings settings;
  {
    const std::lock_guard lock(mutex_);
    stats = stats_;
    settings = sequence_.settings();
  }
  return sdv2::stats_json(*model_, settings, stats);
}

}  // namespace sdv2
