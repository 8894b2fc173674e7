// SPDX-License-Identifier: LGPL-2.1-or-later
// One stream through the engine.
#include "tools/bench/stream.h"

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

Result<void> Stream::feed_chunk() {
  const sdv2_image image = rgb_image(in_, plan_.width, plan_.height);
  const int frames = session_->chunk_frames();
  int64_t upload = 0;
  for (int i = 0; i < frames; ++i) {
    SDV2_CHECK(plan_.source->read(frames_put_++, in_));
    const int64_t begin = now_ns();
    if (i == 0) put_ns_.push_back(begin);
    if (first_put_ns_ == 0) first_put_ns_ = begin;
    SDV2_CHECK(to_result(session_->put_frame(image)));
    upload += now_ns() - begin;
  }
  figures_.upload.push_back(upload);
  ++chunks_put_;
  return to_result(session_->submit().status());
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
  figures_.work.push_back(info.done_ns - info.start_ns);
  figures_.chunk.push_back(info.done_ns - info.submit_ns);
  figures_.total.push_back(end - put_ns_.front());
  put_ns_.pop_front();
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

Result<void> Stream::run() {
  while (chunks_read_ < plan_.chunks) {
    while (chunks_put_ < plan_.chunks && chunks_put_ - chunks_read_ < plan_.capacity)
      SDV2_CHECK(feed_chunk());
    Done next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !done_.empty(); });
      next = std::move(done_.front());
      done_.pop_front();
    }
    if (next.info.code != SDV2_OK)
      return Error{to_error_code(next.info.code),
                   "chunk " + std::to_string(next.info.chunk) + " failed: " + next.message};
    SDV2_CHECK(read_chunk(next.info));
  }
  return {};
}

Result<nlohmann::json> Stream::stats() {
  const auto text = session_->stats_json();
  if (!text.ok()) return to_result(text.status()).error();
  auto parsed = nlohmann::json::parse(*text, nullptr, false);
  if (parsed.is_discarded()) return Error{ErrorCode::kInternal, "the engine's statistics are no JSON"};
  return parsed;
}

}  // namespace sdv2::bench
