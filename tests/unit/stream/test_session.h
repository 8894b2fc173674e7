// SPDX-License-Identifier: LGPL-2.1-or-later
// A session on a tiny random model, fed with moving pictures.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "stream/session.h"

namespace sdv2::test {

inline constexpr int kSide = 64;  // of the pictures and of the processing size
inline const std::string kModel = "random:tiny,dim=128,ffn=64,layers=2,text_dim=16,text_len=4,vae_dim=8";

// Loaded once for all tests and never unloaded.
inline std::shared_ptr<LoadedModel> load(const std::string& devices = "cpu",
                                         const std::string& plan = "auto") {
  static auto* const models = new std::map<std::string, std::shared_ptr<LoadedModel>>();
  auto& model = (*models)[devices + plan];
  if (!model) {
    auto loaded = LoadedModel::load({.model = kModel, .devices = devices, .plan = plan},
                                    {[](const char*, int) {}, [] { return false; }});
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    model = *loaded;
  }
  return model;
}

// A model of its own, which a test may break.
inline std::shared_ptr<LoadedModel> load_anew(const std::string& devices = "cpu") {
  auto loaded = LoadedModel::load({.model = kModel, .devices = devices},
                                  {[](const char*, int) {}, [] { return false; }});
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return *loaded;
}

// A picture with a bright square that moves with `time`.
inline std::vector<uint8_t> picture(int time) {
  std::vector<uint8_t> rgb(static_cast<size_t>(kSide) * kSide * 3);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      uint8_t* const pixel = &rgb[static_cast<size_t>(y * kSide + x) * 3];
      const bool inside = (x + 64 - time % 64) % 64 < 16 && y / 16 == 1;
      pixel[0] = static_cast<uint8_t>(inside ? 250 : 2 * x);
      pixel[1] = static_cast<uint8_t>(inside ? 20 : 2 * y);
      pixel[2] = static_cast<uint8_t>(inside ? 90 : x + y);
    }
  return rgb;
}

template <class Byte>
BasicImageView<Byte> view(Byte* rgb) {
  return {{.format = PixelFormat::kRgb, .size = {kSide, kSide}}, {rgb, nullptr, nullptr}, {kSide * 3, 0, 0}};
}

// A session whose reports are kept.
class TestSession {
 public:
  // `side`: of the processing size.
  explicit TestSession(std::shared_ptr<LoadedModel> model, const std::string& settings = "{}",
                       int side = kSide) {
    const std::string pixels = std::to_string(side);
    const std::string size = "\"width\": " + pixels + ", \"height\": " + pixels;
    const std::string all = "{" + size + (settings.size() > 2 ? ", " : "") + settings.substr(1);
    auto opened = Session::open(std::move(model), all, [this](const ChunkReport& report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(report);
      changed_.notify_all();
    });
    if (!opened.ok()) throw std::runtime_error(opened.error().message);  // fails the test that opens it
    session_ = *opened;
  }
  ~TestSession() { session_->close(); }

  Session& operator*() { return *session_; }
  Session* operator->() { return session_.get(); }

  // Puts a whole chunk of pictures and submits it; its number. With `still` they are all the same.
  int64_t submit_chunk(bool still = false, int64_t deadline_ns = INT64_MAX) {
    const int frames = session_->chunk_frames();
    for (int i = 0; i < frames; ++i) {
      const auto rgb = picture(still ? time_ : time_++);
      const auto put = session_->put_frame(view(rgb.data()));
      EXPECT_TRUE(put.ok()) << put.error().message;
    }
    const auto chunk = session_->submit(deadline_ns);
    EXPECT_TRUE(chunk.ok()) << chunk.error().message;
    return chunk.ok() ? *chunk : -1;
  }

  ChunkReport wait(int64_t chunk) {
    std::unique_lock lock(mutex_);
    const auto found = [&] {
      return std::find_if(reports_.begin(), reports_.end(),
                          [&](const auto& report) { return report.chunk == chunk; });
    };
    changed_.wait(lock, [&] { return found() != reports_.end(); });
    return *found();
  }

  // The pixels of a finished chunk, frame after frame; releases it.
  std::vector<uint8_t> take(int64_t chunk) {
    const ChunkReport report = wait(chunk);
    EXPECT_TRUE(report.result.ok()) << report.result.error().message;
    std::vector<uint8_t> pixels;
    for (int frame = 0; frame < report.frames; ++frame) {
      std::vector<uint8_t> rgb(static_cast<size_t>(kSide) * kSide * 3);
      const auto read = session_->read_frame(chunk, frame, view(rgb.data()));
      EXPECT_TRUE(read.ok()) << read.error().message;
      pixels.insert(pixels.end(), rgb.begin(), rgb.end());
    }
    EXPECT_TRUE(session_->release_chunk(chunk).ok());
    return pixels;
  }

  // So many chunks, one after the other with up to `ahead` under way; all pixels.
  std::vector<uint8_t> run(int chunks, int ahead = 3) {
    std::vector<uint8_t> pixels;
    std::vector<int64_t> under_way;
    const auto take_first = [&] {
      const auto part = take(under_way.front());
      pixels.insert(pixels.end(), part.begin(), part.end());
      under_way.erase(under_way.begin());
    };
    for (int i = 0; i < chunks; ++i) {
      under_way.push_back(submit_chunk());
      if (static_cast<int>(under_way.size()) >= ahead) take_first();
    }
    while (!under_way.empty()) take_first();
    return pixels;
  }

  std::vector<ChunkReport> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  void rewind() { time_ = 0; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ChunkReport> reports_;
  std::shared_ptr<Session> session_;
  int time_ = 0;
};

}  // namespace sdv2::test
