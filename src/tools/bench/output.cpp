// SPDX-License-Identifier: LGPL-2.1-or-later
// --dump and --against.
#include "tools/bench/output.h"

namespace sdv2::bench {

Result<std::unique_ptr<Output>> Output::open(const std::string& dump, const std::string& against) {
  auto output = std::make_unique<Output>();
  output->dump_path_ = dump;
  output->against_path_ = against;
  if (!against.empty()) {
    output->against_.open(against, std::ios::binary);
    if (!output->against_) return Error{ErrorCode::kNotFound, "--against " + against + ": cannot be read"};
  }
  if (!dump.empty()) {
    output->dump_.open(dump, std::ios::binary);
    if (!output->dump_) return Error{ErrorCode::kNotFound, "--dump " + dump + ": cannot be written"};
  }
  return output;
}

Result<void> Output::add(std::span<const uint8_t> rgb) {
  if (dump_.is_open()) {
    dump_.write(reinterpret_cast<const char*>(rgb.data()), static_cast<std::streamsize>(rgb.size()));
    if (!dump_) return Error{ErrorCode::kNotFound, "--dump " + dump_path_ + ": cannot be written"};
  }
  if (against_.is_open()) {
    expected_.resize(rgb.size());
    against_.read(reinterpret_cast<char*>(expected_.data()), static_cast<std::streamsize>(expected_.size()));
    if (!against_)
      return Error{ErrorCode::kCorrupt,
                   "--against " + against_path_ +
                       ": holds less than this run's output; it needs the same --size and --chunks"};
    difference_.add(rgb, expected_);
  }
  return {};
}

Result<void> Output::finish() {
  if (dump_.is_open()) {
    dump_.close();
    if (!dump_) return Error{ErrorCode::kNotFound, "--dump " + dump_path_ + ": cannot be written"};
  }
  if (against_.is_open() && against_.peek() != std::ifstream::traits_type::eof())
    return Error{ErrorCode::kCorrupt,
                 "--against " + against_path_ +
                     ": holds more than this run's output; it needs the same --size and --chunks"};
  return {};
}

}  // namespace sdv2::bench
