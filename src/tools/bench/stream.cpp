// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream through the engine.
#include "tools/bench/stream.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace sdv2::bench {
namespace {

ErrorCode to_error_code(sdv2_code code) {
  switch (code) {
    case SDV2_INVALID_ARGUMENT:
      return ErrorCode::kInvalidArgument;
    case SDV2_NOT_FOUND:
      return ErrorCode::kNotFound;
    case SDV2_CORRUPT:
      return ErrorCode::kCorrupt;
    case SDV2_UNSUPPORTED:
      return ErrorCode::kUnsupported;
    case SDV2_OUT_OF_MEMORY:
      return ErrorCode::kOutOfMemory;
    case SDV2_BUSY:
      return ErrorCode::kBusy;
    case SDV2_CANCELLED:
      return ErrorCode::kCancelled;
    case SDV2_DEVICE:
      return ErrorCode::kDevice;
    default:
      return ErrorCode::kInternal;
  }
}

sdv2_image rgb_image(std::vector<uint8_t>& bytes, int width, int height) {
  auto image = client::sized<sdv2_image>();
  image.format = SDV2_FORMAT_RGB;
  image.width = width;
  image.height = height;
  image.planes[0] = bytes.data();
  image.strides[0] = 3 * width;
  return image;
}

}  // namespace

Result<void> to_result(const client::Status& status) {
  if (status.ok()) return {};
  return Error{to_error_code(status.code()), status.message()};
}

Stream::Stream(const StreamPlan& plan)
    : plan_(plan),
      in_(static_cast<size_t>(plan.width) * static_cast<size_t>(plan.height) * 3),
      out_(in_.size()) {}

Result<std::unique_ptr<Stream>> Stream::open(client::Model& model, const nlohmann::json& settings,
                                             const StreamPlan& plan) {
  std::unique_ptr<Stream> stream(new Stream(plan));
  auto session = model.open_session(settings.dump(), [self = stream.get()](const sdv2_chunk_info& info) {
    const std::scoped_lock lock(self->mutex_);
    self->done_.push_back({info, info.message});
    self->changed_.notify_one();
  });
  if (!session.ok()) return to_result(session.status()).error();
  stream->session_.emplace(*std::move(session));
  return stream;
}

int64_t Stream::frame_time(int64_t frame) const {
  return begin_ns_ + plan_.phase_ns + std::llround(static_cast<double>(frame) * 1e9 / plan_.fps);
}

// Whether another chunk is to be begun.
bool Stream::wants_chunk() const {
  if (plan_.seconds <= 0) return chunks_put_ < plan_.chunks;
  const int64_t at = plan_.fps > 0 ? frame_time(frames_put_) - plan_.phase_ns : now_ns();
  return static_cast<double>(at - begin_ns_) < plan_.seconds * 1e9;
}

Result<void> Stream::feed_frame() {
  SDV2_CHECK(plan_.source->read(frames_put_, in_));
  const int64_t begin = now_ns();
  if (open_frames_ == 0) {
    const int64_t taken = plan_.fps > 0 ? frame_time(frames_put_) : begin;
    under_way_.push_back({begin, plan_.latency_ns > 0 ? taken + plan_.latency_ns : INT64_MAX});
  }
  if (first_put_ns_ == 0) first_put_ns_ = begin;
  SDV2_CHECK(to_result(session_->put_frame(rgb_image(in_, plan_.width, plan_.height))));
  upload_ += now_ns() - begin;
  ++frames_put_;
  if (++open_frames_ < session_->chunk_frames()) return {};
  open_frames_ = 0;
  figures_.upload.push_back(std::exchange(upload_, 0));
  ++chunks_put_;
  return to_result(session_->submit(under_way_.back().deadline_ns).status());
}

// A chunk with a deadline: in time, and at what quality.
void Stream::judge(const sdv2_chunk_info& info, int64_t deadline_ns) {
  ++figures_.due;
  ++figures_.on_rung[info.rung];
  if (info.rung > 0) figures_.degraded_until_ns = info.submit_ns - begin_ns_;
  if (info.show == SDV2_SHOW_REPEATED) {
    ++figures_.repeated;
    return;
  }
  figures_.source += info.show == SDV2_SHOW_SOURCE;
  figures_.met += info.done_ns <= deadline_ns;
  figures_.late_ns = std::max(figures_.late_ns, info.done_ns - deadline_ns);
  // Pictures are shown at their time, or late.
  const int64_t shown = std::max(info.done_ns, deadline_ns);
  if (moving_until_ns_ > 0) figures_.freeze_ns = std::max(figures_.freeze_ns, shown - moving_until_ns_);
  const double frame_ns = plan_.fps > 0 ? 1e9 / plan_.fps : 0;
  moving_until_ns_ = shown + std::llround(info.frames * frame_ns);
}

Result<void> Stream::read_chunk(const sdv2_chunk_info& info) {
  const sdv2_image image = rgb_image(out_, plan_.width, plan_.height);
  int64_t download = 0;
  int64_t end = 0;
  for (int frame = 0; frame < info.frames; ++frame) {
    const int64_t begin = now_ns();
    SDV2_CHECK(to_result(session_->read_frame(info.chunk, frame, image)));
    end = now_ns();
    download += end - begin;
    if (figures_.frames++ == 0) figures_.first_frame_ns = end - first_put_ns_;
    figures_.checksum.add(out_);
    if (plan_.output != nullptr) {
      SDV2_CHECK(plan_.output->add(out_));
    }
  }
  SDV2_CHECK(to_result(session_->release_chunk(info.chunk)));
  figures_.download.push_back(download);
  if (info.start_ns > 0) figures_.work.push_back(info.done_ns - info.start_ns);
  figures_.chunk.push_back(info.done_ns - info.submit_ns);
  const Chunk chunk = under_way_.front();
  under_way_.pop_front();
  figures_.total.push_back(end - chunk.put_ns);
  if (chunk.deadline_ns != INT64_MAX) judge(info, chunk.deadline_ns);
  // The rate of a run of one chunk is that of the chunk itself.
  if (chunks_read_++ == 0) {
    first_read_ns_ = end;
    first_chunk_frames_ = figures_.frames;
    figures_.fps = static_cast<double>(figures_.frames) * 1e9 / static_cast<double>(end - first_put_ns_);
  } else {
    const int64_t frames = figures_.frames - first_chunk_frames_;
    figures_.fps = static_cast<double>(frames) * 1e9 / static_cast<double>(end - first_read_ns_);
  }
  return {};
}

std::optional<Stream::Done> Stream::next_done(int64_t until_ns) {
  std::unique_lock lock(mutex_);
  const auto some = [this] { return !done_.empty(); };
  if (until_ns == INT64_MAX)
    changed_.wait(lock, some);
  else
    changed_.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(until_ns)),
                        some);
  if (done_.empty()) return std::nullopt;
  Done next = std::move(done_.front());
  done_.pop_front();
  return next;
}

Result<void> Stream::take(const Done& done) {
  if (done.info.code != SDV2_OK)
    return Error{to_error_code(done.info.code),
                 "chunk " + std::to_string(done.info.chunk) + " failed: " + done.message};
  return read_chunk(done.info);
}

Result<void> Stream::run() {
  begin_ns_ = now_ns();
  while (true) {
    // Once a chunk is open it gets all of its frames.
    const bool wants = open_frames_ > 0 || wants_chunk();
    if (!wants && chunks_read_ == chunks_put_) return {};
    const bool room = open_frames_ > 0 || chunks_put_ - chunks_read_ < plan_.capacity;
    const int64_t at = !wants || !room ? INT64_MAX : plan_.fps > 0 ? frame_time(frames_put_) : begin_ns_;
    // Chunks are read while the next frame's time has not come, or when there is no room for it.
    if (at > now_ns()) {
      if (const auto done = next_done(at)) SDV2_CHECK(take(*done));
    } else {
      SDV2_CHECK(feed_frame());
    }
  }
}

Result<nlohmann::json> Stream::stats() {
  const auto text = session_->stats_json();
  if (!text.ok()) return to_result(text.status()).error();
  auto parsed = nlohmann::json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return Error{ErrorCode::kInternal, "the engine's statistics are no JSON"};
  return parsed;
}

}  // namespace sdv2::bench
