// SPDX-License-Identifier: LGPL-2.1-or-later
// Input pictures of sdv2-bench.
#include "tools/bench/frames.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <utility>

namespace sdv2::bench {
namespace {

// Where something that moves by `speed` and turns back at both ends of 0 … size-1 is at time t.
int64_t bounce(int64_t start, int64_t speed, int64_t t, int64_t size) {
  const int64_t period = std::max<int64_t>(1, 2 * (size - 1));
  const int64_t at = (start + speed * t) % period;
  return at < size ? at : period - at;
}

class MovingPicture : public FrameSource {
 public:
  MovingPicture(int width, int height) : width_(width), height_(height) {}

  Result<void> read(int64_t index, std::span<uint8_t> rgb) const override {
    background(index, rgb);
    const int64_t radius = std::min(width_, height_) / 6;
    disc(bounce(width_ / 4, 5, index, width_), bounce(height_ / 3, 3, index, height_), radius, {220, 60, 40},
         rgb);
    disc(bounce(width_ / 2, 3, index, width_), bounce(height_ / 5, 7, index, height_), radius / 2,
         {40, 90, 230}, rgb);
    return {};
  }

 private:
  struct Colour {
    uint8_t r, g, b;
  };

  void background(int64_t index, std::span<uint8_t> rgb) const {
    uint8_t* out = rgb.data();
    for (int64_t y = 0; y < height_; ++y) {
      for (int64_t x = 0; x < width_; ++x, out += 3) {
        const int64_t texture = ((x + index) / 8 + y / 8) % 2 * 24;
        out[0] = static_cast<uint8_t>(64 + x * 128 / width_ + texture);
        out[1] = static_cast<uint8_t>(64 + y * 128 / height_ + texture);
        out[2] = static_cast<uint8_t>(96 + (x + y + 2 * index) % 128);
      }
    }
  }

  void disc(int64_t centre_x, int64_t centre_y, int64_t radius, Colour colour, std::span<uint8_t> rgb) const {
    for (int64_t y = std::max<int64_t>(0, centre_y - radius); y < std::min(height_, centre_y + radius); ++y) {
      for (int64_t x = std::max<int64_t>(0, centre_x - radius); x < std::min(width_, centre_x + radius);
           ++x) {
        const int64_t dx = x - centre_x, dy = y - centre_y;
        if (dx * dx + dy * dy > radius * radius) continue;
        uint8_t* out = &rgb[static_cast<size_t>(y * width_ + x) * 3];
        out[0] = colour.r, out[1] = colour.g, out[2] = colour.b;
      }
    }
  }

  int64_t width_;
  int64_t height_;
};

class RawFile : public FrameSource {
 public:
  RawFile(std::string path, std::ifstream file, int64_t frames)
      : path_(std::move(path)), file_(std::move(file)), frames_(frames) {}

  Result<void> read(int64_t index, std::span<uint8_t> rgb) const override {
    const std::scoped_lock lock(mutex_);
    file_.seekg(index % frames_ * static_cast<int64_t>(rgb.size()));
    file_.read(reinterpret_cast<char*>(rgb.data()), static_cast<std::streamsize>(rgb.size()));
    if (!file_)
      return Error{ErrorCode::kCorrupt, path_ + ": cannot read frame " + std::to_string(index % frames_)};
    return {};
  }

 private:
  std::string path_;
  mutable std::mutex mutex_;
  mutable std::ifstream file_;
  int64_t frames_;
};

}  // namespace

std::unique_ptr<FrameSource> moving_picture(int width, int height) {
  return std::make_unique<MovingPicture>(width, height);
}

Result<std::unique_ptr<FrameSource>> raw_file(const std::string& path, int width, int height) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const int64_t bytes = file ? static_cast<int64_t>(file.tellg()) : -1;
  if (bytes < 0) return Error{ErrorCode::kNotFound, path + ": cannot be read"};
  const int64_t frame = int64_t{3} * width * height;
  if (bytes == 0 || bytes % frame != 0)
    return Error{ErrorCode::kCorrupt, path + ": " + std::to_string(bytes) +
                                          " bytes are not whole RGB frames of " + std::to_string(height) +
                                          "x" + std::to_string(width)};
  return std::unique_ptr<FrameSource>(std::make_unique<RawFile>(path, std::move(file), bytes / frame));
}

}  // namespace sdv2::bench
