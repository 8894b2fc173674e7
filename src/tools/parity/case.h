// SPDX-License-Identifier: LGPL-2.1-or-later
// A golden case folder, and what comes of running it.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sdv2::parity {

// case.json, and the tensors of expected.safetensors (on the CPU, in their stored types).
struct Case {
  std::filesystem::path dir;
  std::string name;
  std::string kind;
  nlohmann::json json;
  std::map<std::string, at::Tensor> expected;
  bool fused = false;  // where networks have fused kernels, run on them

  // Element type of the run: from "profile" (f32/float32, bf16, f16); float32 when there is none. Throws
  // std::runtime_error for another profile.
  at::ScalarType type() const;
  uint64_t seed() const { return json.value("seed", uint64_t{0}); }
};

struct Tolerance {
  double max_abs = 0;
  double rel_l2 = 0;
};

// json["tolerance"] or another object of that form.
Tolerance tolerance_of(const nlohmann::json& object);

// Collects the comparisons of one case. A case fails when a comparison fails or nothing was compared.
class Report {
 public:
  // Compares got with want (same shape, any types; in double). `fp32` is the `*.fp32` twin where there is
  // one: a low-precision output also passes when its rel_l2 against it is at most 1.5 × `measured_rel_l2`
  // (the goldens' README, section 2).
  void compare(const std::string& what, const at::Tensor& got, const at::Tensor& want,
               const Tolerance& tolerance, const std::optional<at::Tensor>& fp32 = std::nullopt,
               double measured_rel_l2 = 0);
  // An exact comparison: passes when `equal`; the text says what differed.
  void exact(const std::string& what, bool equal, const std::string& difference = "");

  // Something that the reader of the report should know.
  void note(std::string text) { notes_.push_back(std::move(text)); }

  bool passed() const { return failures_.empty() && compared_ > 0; }
  int compared() const { return compared_; }
  double max_abs() const { return max_abs_; }
  double rel_l2() const { return rel_l2_; }
  const std::optional<Tolerance>& tolerance() const { return tolerance_; }
  const std::vector<std::string>& failures() const { return failures_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  int compared_ = 0;
  double max_abs_ = 0;  // of the worst comparison (the one nearest to its tolerance)
  double rel_l2_ = 0;
  double worst_ = -1;
  std::optional<Tolerance> tolerance_;
  std::vector<std::string> failures_, notes_;
};

// Runs one kind of case on a device. Throws std::exception on a malformed case; the caller reports it as a
// failure.
using Runner = void (*)(const Case&, at::Device, Report&);

// The runner of a kind, or nullptr for an unknown one.
Runner find_runner(const std::string& kind);

// Reads a folder: case.json (and that of the case named by its "same_as") + expected.safetensors, or one of
// the folders of plain files (checkpoint_files, manifests, text), whose kind is the name of its index file.
// Throws std::runtime_error with the file and the reason.
Case load_case(const std::filesystem::path& dir);

// Whether a folder is a case (else it is searched for cases).
bool is_case(const std::filesystem::path& dir);

}  // namespace sdv2::parity
