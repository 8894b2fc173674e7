// SPDX-License-Identifier: LGPL-2.1-or-later
// How sdv2-model talks: messages, numbers, and what a weight file holds.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/model_description.h"
#include "weights/weight_source.h"

namespace sdv2::model_tool {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

// Prints "sdv2-model: <message>" to stderr and returns kFailed.
int report(const Error& error);

// Prints "sdv2-model: <message>" and where to find help to stderr, and returns kUsage.
int wrong_usage(const std::string& message);

// 1418996800 → "1,418,996,800".
std::string grouped(int64_t number);

// Decimal units, as disks and downloads count: "5.68 GB".
std::string size_text(uint64_t bytes);

// "825 tensors, 1,418,996,800 parameters, 5.68 GB (F32)".
std::string content_text(const std::vector<TensorInfo>& tensors);

// "dim 1536, 30 layers, …", one for each network.
std::string sizes_text(const DitConfig& spec);
std::string sizes_text(const WanVaeSpec& spec);
std::string sizes_text(const TaehvSpec& spec);
std::string sizes_text(const TextEncoderSpec& spec);

// How far a long task is, on stderr ("text_encoder    37 %  4.2 GB of 11.4 GB"): on a terminal one line that
// is written over at each percent and ends with a line break when this is destroyed, else a line for each ten
// percent.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  void show(const std::string& what, uint64_t done, uint64_t total);

 private:
  bool terminal_;
  int percent_ = -1;
};

}  // namespace sdv2::model_tool
