// SPDX-License-Identifier: LGPL-2.1-or-later
// What the units of a chain cost on a device of speed 1.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "stream/chain.h"
#include "tools/sim/roofline.h"

namespace sdv2::sim {

struct CostSettings {
  std::string model = "1.3b";  // or 14b
  std::string vae = "taehv";   // or wan
  bool fp8 = false;
  double efficiency = 0.7;  // share of the roofline that is reached
  double shared_s = 0;      // of a denoising forward beside the roofline, shared by its rows: launches
  int window = 6;           // latent frames that a row attends to
};

class CostBook {
 public:
  explicit CostBook(const CostSettings& settings);

  // Takes the medians of encode, denoise and decode from a report of sdv2-bench --json (its first run that
  // has them). How they divide over layers, rows and other sizes stays the roofline's. Errors: those of
  // read_json_file; kCorrupt naming what is missing or not a time.
  Result<void> use_recorded(const std::filesystem::path& path);

  ChainShape shape(int steps) const;

  // A chunk of `rows` rows through unit `unit`; encoder and decoder units take the rows one by one.
  double seconds(const Unit& unit, int height, int width, int rows) const;
  double bytes_out(const Unit& unit, int height, int width) const;

 private:
  struct Halves {
    std::vector<UnitTime> encoder, decoder;
  };
  const Halves& halves(int height, int width) const;
  UnitTime denoising_unit(const Unit& unit, int height, int width, int rows) const;
  double denoise_seconds(int height, int width) const;

  CostSettings settings_;
  DitSize dit_;
  double encode_scale_, denoise_scale_, decode_scale_;  // on the roofline's seconds
  mutable std::map<std::pair<int, int>, Halves> halves_;
};

}  // namespace sdv2::sim
