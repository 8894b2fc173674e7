// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan cuts the chain into consecutive stages and gives each stage to a device worker. One idea covers a
// layer pipeline, a step per device, the autoencoder apart, and mixed devices.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stream/chain.h"

namespace sdv2 {

struct Stage {
  int worker = 0;
  int begin = 0;  // first position; the stage ends where the next begins
  friend bool operator==(const Stage&, const Stage&) = default;
};

class Plan {
 public:
  // One stage: everything on worker 0.
  static Plan single(const ChainShape& shape);

  // The contiguous cut over `workers` (one stage each, in order) that minimises the cost of the dearest
  // stage; exact, by dynamic programming. `costs` has one entry (any unit of time, >= 0) per position.
  // Workers beyond the number of units stay idle.
  static Plan balanced(const ChainShape& shape, std::span<const double> costs, int workers);

  // Text "0=enc.0|1=s0.b15|0=dec.0": worker = first unit, in chain order; the first stage must begin at the
  // first unit. Errors: kInvalidArgument naming the part that is wrong.
  static Result<Plan> parse(const ChainShape& shape, int workers, std::string_view text);
  std::string to_string() const;

  // The same cut of a chain with fewer steps (1 … shape().steps): the units of the steps that it does not
  // have are left out.
  Plan with_steps(int steps) const;

  const ChainShape& shape() const { return shape_; }
  const std::vector<Stage>& stages() const { return stages_; }
  int worker_of(int position) const;

  // The pieces of work in chain order (see Segment).
  std::vector<Segment> segments() const;

 private:
  Plan(const ChainShape& shape, std::vector<Stage> stages) : shape_(shape), stages_(std::move(stages)) {}

  ChainShape shape_;
  std::vector<Stage> stages_;
};

}  // namespace sdv2
