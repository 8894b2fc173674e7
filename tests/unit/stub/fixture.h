// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of the stub engine share: a fresh stub for each, leaks found at the end, chunks recorded.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sdv2/sdv2.hpp"
#include "stub/stub_control.h"

namespace sdv2 {

using Rgb = std::array<uint8_t, 3>;

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
  std::vector<uint8_t>& bytes() { return bytes_; }
  Rgb pixel(int x = 0, int y = 0) const {
    const auto at = static_cast<size_t>(y * image_.width + x) * 3;
    return {bytes_[at], bytes_[at + 1], bytes_[at + 2]};
  }

 private:
  std::vector<uint8_t> bytes_;
  sdv2_image image_;
};

// What chunk_done told, in order.
class Recorder {
 public:
  struct Entry {
    sdv2_chunk_info info;
    std::string message;
  };

  client::ChunkObserver observer() {
    return [this](const sdv2_chunk_info& info) {
      const std::scoped_lock lock(mutex_);
      entries_.push_back({info, info.message});
      entries_.back().info.message = nullptr;
    };
  }
  std::vector<Entry> entries() const {
    const std::scoped_lock lock(mutex_);
    return entries_;
  }
  std::vector<int64_t> numbers() const {
    std::vector<int64_t> numbers;
    for (const Entry& entry : entries()) numbers.push_back(entry.info.chunk);
    return numbers;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

class StubTest : public testing::Test {
 protected:
  void SetUp() override { sdv2_stub_reset(); }

  // Everything is closed and freed at the end of each test.
  void TearDown() override {
    model_.reset();
    const sdv2_stub_counts counts = sdv2_stub_count();
    EXPECT_EQ(counts.models, 0);
    EXPECT_EQ(counts.sessions, 0);
    EXPECT_EQ(counts.statuses_and_strings, 0);
  }

  static client::Engine engine() { return *client::Engine::linked(); }

  // The model that the test's sessions are on, loaded. `stub` is its program.
  client::Model& model(const std::string& stub = R"({"pace": "step"})") {
    if (!model_.has_value()) {
      auto opened = engine().open_model(R"({"model": "any", "stub": )" + stub + "}");
      EXPECT_TRUE(opened.ok()) << opened.status().message();
      model_.emplace(*std::move(opened));
      EXPECT_TRUE(model_->wait().ok());
    }
    return *model_;
  }
  client::Session open(const std::string& settings = "{}", client::ChunkObserver observer = {}) {
    auto opened = model().open_session(settings, std::move(observer));
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return *std::move(opened);
  }
  // Puts `frames` (all that the chunk takes by default) of one colour and submits them; the chunk's number.
  static int64_t feed(client::Session& session, int frames = 0, Rgb colour = {10, 20, 30}) {
    const RgbImage image(4, 4, colour);
    if (frames == 0) frames = session.chunk_frames();
    for (int i = 0; i < frames; ++i) EXPECT_TRUE(session.put_frame(image.view()).ok());
    const auto chunk = session.submit();
    EXPECT_TRUE(chunk.ok()) << chunk.status().message();
    return chunk.ok() ? *chunk : -1;
  }
  // The first pixel of a finished chunk's frame.
  static Rgb read(client::Session& session, int64_t chunk, int frame = 0) {
    const RgbImage image(4, 4);
    const client::Status status = session.read_frame(chunk, frame, image.view());
    EXPECT_TRUE(status.ok()) << status.message();
    return image.pixel();
  }
  static Rgb expect(const std::string& settings, Rgb colour = {10, 20, 30}) {
    Rgb expected{};
    EXPECT_EQ(sdv2_stub_expect(settings.c_str(), colour.data(), expected.data()), 1);
    return expected;
  }

 private:
  std::optional<client::Model> model_;
};

}  // namespace sdv2
