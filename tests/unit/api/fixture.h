// SPDX-License-Identifier: LGPL-2.1-or-later
// Tests of the C ABI that every engine must pass, through the C++ wrapper. The library is opened at run time,
// so that the same program tests the real engine and the stub: SDV2_TEST_ENGINE names it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sdv2/sdv2.hpp"

namespace sdv2 {

using Rgb = std::array<uint8_t, 3>;

inline constexpr int kSide = 32;               // of the pictures and of the processing size
inline constexpr int64_t kPatience = 120'000;  // ms, for what ends by itself

// An RGB picture of one colour that owns its memory.
class RgbImage {
 public:
  RgbImage(int width, int height, Rgb colour = {10, 20, 30})
      : bytes_(static_cast<size_t>(width * height) * 3) {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = colour[i % 3];
    image_ = client::sized<sdv2_image>();
    image_.format = SDV2_FORMAT_RGB;
    image_.width = width;
    image_.height = height;
    image_.planes[0] = bytes_.data();
    image_.strides[0] = 3 * width;
  }
  RgbImage(const RgbImage&) = delete;
  RgbImage& operator=(const RgbImage&) = delete;

  const sdv2_image& view() const { return image_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
  sdv2_image image_;
};

// What chunk_done told, in order.
class Recorder {
 public:
  client::ChunkObserver observer() {
    return [this](const sdv2_chunk_info& info) {
      const std::scoped_lock lock(mutex_);
      entries_.push_back(info);
      entries_.back().message = nullptr;
      changed_.notify_all();
    };
  }
  std::vector<sdv2_chunk_info> entries() const {
    const std::scoped_lock lock(mutex_);
    return entries_;
  }
  std::vector<int64_t> numbers() const {
    std::vector<int64_t> numbers;
    for (const sdv2_chunk_info& entry : entries()) numbers.push_back(entry.chunk);
    return numbers;
  }
  sdv2_chunk_info wait(int64_t chunk) {
    std::unique_lock lock(mutex_);
    const auto found = [&] {
      return std::find_if(entries_.begin(), entries_.end(),
                          [&](const sdv2_chunk_info& entry) { return entry.chunk == chunk; });
    };
    changed_.wait(lock, [&] { return found() != entries_.end(); });
    return *found();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<sdv2_chunk_info> entries_;
};

class ApiTest : public testing::Test {
 protected:
  static const char* library() {
    const char* path = std::getenv("SDV2_TEST_ENGINE");
    return path == nullptr ? "" : path;
  }
  static const client::Engine& engine() {
    static const auto* const opened = new client::Expected<client::Engine>(client::Engine::open(library()));
    if (!opened->ok()) throw std::runtime_error("SDV2_TEST_ENGINE: " + opened->status().message());
    return **opened;
  }
  static const client::Functions& api() { return engine().functions(); }

  // Random weights of the smallest sizes; "more" are further keys.
  static std::string config(const std::string& more = "") {
    return R"({"model": "random:tiny,dim=128,ffn=64,layers=2,text_dim=16,text_len=4,vae_dim=8")" + more + "}";
  }
  // Loaded once for all tests, on two workers.
  static client::Model& model() {
    static auto* const loaded = [] {
      auto opened = engine().open_model(config(R"(, "devices": "cpu,cpu")"));
      if (!opened.ok() || !opened->wait().ok()) throw std::runtime_error("the model does not load");
      return new client::Model(*std::move(opened));
    }();
    return *loaded;
  }

  static std::string sized_settings(const std::string& settings) {
    auto json = nlohmann::json::parse(settings);
    if (!json.contains("width")) json["width"] = kSide;
    if (!json.contains("height")) json["height"] = kSide;
    return json.dump();
  }
  static client::Session open(const std::string& settings = "{}", client::ChunkObserver observer = {}) {
    auto opened = model().open_session(sized_settings(settings), std::move(observer));
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return *std::move(opened);
  }
  // Puts `frames` (all that the chunk takes by default) of one colour and submits them; the chunk's number.
  static int64_t feed(client::Session& session, int frames = 0, Rgb colour = {10, 20, 30}) {
    const RgbImage image(kSide, kSide, colour);
    if (frames == 0) frames = session.chunk_frames();
    for (int i = 0; i < frames; ++i) {
      const client::Status status = session.put_frame(image.view());
      EXPECT_TRUE(status.ok()) << status.message();
    }
    const auto chunk = session.submit();
    EXPECT_TRUE(chunk.ok()) << chunk.status().message();
    return chunk.ok() ? *chunk : -1;
  }
  static void finish(client::Session& session) {
    const client::Status status = session.drain(kPatience);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  // The pixels of a finished chunk's frame.
  static std::vector<uint8_t> read(client::Session& session, int64_t chunk, int frame = 0) {
    const RgbImage image(kSide, kSide);
    const client::Status status = session.read_frame(chunk, frame, image.view());
    EXPECT_TRUE(status.ok()) << status.message();
    return image.bytes();
  }
  // Feeds a chunk and reads its first frame.
  static std::vector<uint8_t> next(client::Session& session, Rgb colour = {10, 20, 30}) {
    const int64_t chunk = feed(session, 0, colour);
    finish(session);
    auto pixels = read(session, chunk);
    EXPECT_TRUE(session.release_chunk(chunk).ok());
    return pixels;
  }

  // The code of a status, which is freed; a failure says why.
  static sdv2_code code_of(sdv2_status* status) {
    const sdv2_code code = api().status_code(status);
    if (code != SDV2_OK) {
      EXPECT_STRNE(api().status_message(status), "");
    }
    api().status_free(status);
    return code;
  }
};

}  // namespace sdv2
