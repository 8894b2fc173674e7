// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/session.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "image/chunk_output.h"
#include "image/mix.h"
#include "runtime/trace.h"
#include "stream/segment_error.h"
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

}  // namespace

Result<std::shared_ptr<Session>> Session::open(std::shared_ptr<LoadedModel> model, std::string_view settings,
                                               std::function<void(const ChunkReport&)> done) {
  SDV2_CHECK(model->executor().alive());
  SDV2_TRY(const SessionSettings parsed,
           parse_settings(settings, model->default_settings(), model->setting_limits()));
  SDV2_TRY(const StreamShape shape, model->stream_shape(parsed));
  ChunkSequence sequence(model, parsed, shape);
  return std::shared_ptr<Session>(new Session(std::move(model), std::move(sequence), std::move(done)));
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

// On the worker of the first unit.
at::Tensor Session::load_pictures(const ChunkSlot& slot, size_t count, at::Device device,
                                  at::ScalarType type) {
  if (!converter_ || converter_device_ != device) {
    converter_ = or_throw(make_chunk_input(processing_, fit_, device));
    converter_device_ = device;
  }
  const at::Tensor pixels = at::empty({static_cast<int64_t>(count), 3, processing_.height, processing_.width},
                                      at::TensorOptions().dtype(type).device(device));
  const auto converted = converter_->convert(slot.padded(count), pixels);
  if (!converted.ok()) throw SegmentError(converted.error());
  return pixels;
}

// On the worker of the last unit.
void Session::store_result(ChunkSlot& slot, const at::Tensor& pixels) {
  const at::Tensor& host = slot.result(pixels.size(0), processing_.height, processing_.width);
  const at::Tensor bytes =
      pixels.is_cpu() ? host
                      : at::empty(host.sizes(), host.options().device(pixels.device()).pinned_memory(false));
  const auto converted = convert_chunk_output(pixels.contiguous(), PixelScale::kMinusOneToOne, bytes);
  if (!converted.ok()) throw SegmentError(converted.error());
  if (!pixels.is_cpu()) host.copy_(bytes, /*non_blocking=*/true);
}

void Session::prepare(Chunk& chunk, const std::shared_ptr<ChunkSlot>& slot, int64_t number) {
  const auto self = shared_from_this();
  const size_t pictures =
      static_cast<size_t>(kFramesPerLatent * model_->chunk_latents() + (chunk.index == 0 ? 1 : 0));
  chunk.session = reinterpret_cast<uintptr_t>(this);
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
    entry.may_be_repeated = sequence_.settings().live.similarity_filter > 0;
    entry.report = {.chunk = number,
                    .generation = stats_.generation,
                    .frames = static_cast<int>(slot->pictures()),
                    .steps = sequence_.settings().live.steps,
                    .submit_ns = now_ns()};
    const bool warm_up = sequence_.at_start() && sequence_.settings().warm_up_with_frame;
    chunk = sequence_.next();
    chunk->deadline_ns = deadline_ns;
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
    if (chunk.skipped) entry.report.steps = 0;
    entry.report.start_ns = to_ns(chunk.started);
  }
  // The state that the chunk leaves behind cannot be trusted: what comes next is a new stream.
  if (!result.ok() && chunk.stream == sequence_.stream()) {
    sequence_.restart();
    stats_.begin_stream();
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

// A skipped chunk shows what was shown last.
void Session::repeat_last_picture(Entry& entry) {
  if (!last_result_) return;
  const at::Tensor last = last_result_->result().select(0, last_result_frame_);
  at::Tensor& result = entry.slot->result(entry.report.frames, processing_.height, processing_.width);
  for (int64_t frame = 0; frame < entry.report.frames; ++frame) result.select(0, frame).copy_(last);
}

Result<void> Session::read_frame(int64_t chunk, int frame, const MutableImageView& image) {
  SDV2_CHECK(check(ImageView(image)));
  const std::lock_guard reading(read_mutex_);
  Entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(chunk);
    if (found == entries_.end() || !found->second.finished) return no_chunk_locked(chunk);
    entry = found->second;  // shares the slot, so that a flush does not take it away
  }
  if (frame < 0 || frame >= entry.report.frames)
    return Error{ErrorCode::kInvalidArgument, "chunk " + std::to_string(chunk) + " has frames 0 … " +
                                                  std::to_string(entry.report.frames - 1) + ", not " +
                                                  std::to_string(frame)};
  const at::Tensor picture = entry.slot->result().select(0, entry.first_frame + frame);
  const auto* restyled = picture.const_data_ptr<uint8_t>();
  const ImageView source = view_of(entry.slot->picture(static_cast<size_t>(frame)));
  if (entry.mix < 1) {
    mixed_.resize(static_cast<size_t>(picture.numel()));
    SDV2_CHECK(mix_source(mix_input_, source, static_cast<float>(entry.mix), restyled, mixed_.data()));
    restyled = mixed_.data();
  }
  return output_.convert(restyled, source.spec.size, alpha_of(source), image);
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

Result<void> Session::reset() {
  const std::lock_guard input(input_mutex_);
  const std::lock_guard lock(mutex_);
  SDV2_CHECK(closed_or_dead());
  open_.reset();
  sequence_.restart();
  stats_.begin_stream();
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
  stats_.begin_stream();
  open_.reset();
  entries_.clear();
  unreported_.clear();
  last_result_.reset();
  // All streams of this session that are still under way end, not only the current one.
  model_->executor().abandon(reinterpret_cast<uintptr_t>(this));
  sequence_.restart();
  changed_.notify_all();
  changed_.wait(lock, [&] { return !calling_ || in_own_callback_locked(); });
  return {};
}

void Session::close() {
  (void)flush();
  const std::lock_guard lock(mutex_);
  closed_ = true;
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
