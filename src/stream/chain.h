// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything that happens to a chunk, as one line of units:
//   encoder layers → mix noise → [patch, block 0 … block n-1, head] × steps → decoder layers
// Unit u of chunk c needs unit u-1 of chunk c and unit u of chunk c-1, nothing else. Plans cut this line into
// stages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sdv2 {

// The head also makes x0 of the flow and adds the noise of the next step.
enum class UnitKind { kEncoderLayer, kMixNoise, kPatchEmbedding, kBlock, kHead, kDecoderLayer };

struct Unit {
  UnitKind kind = UnitKind::kMixNoise;
  int step = 0;   // denoising step of kPatchEmbedding, kBlock, kHead
  int index = 0;  // layer or block
  friend bool operator==(const Unit&, const Unit&) = default;
};

// The numbers that fix a chain. Layers may be 0 (latents in, latents out); blocks and steps are at least 1.
struct ChainShape {
  int encoder_layers = 0;
  int blocks = 1;
  int steps = 1;
  int decoder_layers = 0;
  friend bool operator==(const ChainShape&, const ChainShape&) = default;

  int units_per_step() const { return blocks + 2; }
  int unit_count() const { return encoder_layers + 1 + steps * units_per_step() + decoder_layers; }
};

// The unit at a position 0 … unit_count-1, and back. A unit that the chain does not have gives nothing.
Unit unit_at(const ChainShape& shape, int position);
std::optional<int> position_of(const ChainShape& shape, const Unit& unit);

// Names: enc.3, mix, s0.patch, s1.b12, s0.head, dec.4
std::string to_string(const Unit& unit);
Result<Unit> parse_unit(std::string_view name);

// A run of units that is scheduled as one piece of work: it never crosses a border between devices, between
// steps, or between encoder, denoiser and decoder, so that rows of different steps and sessions can run
// together.
struct Segment {
  int worker = 0;  // index of the device worker
  int begin = 0;   // positions [begin, end)
  int end = 0;
  enum class Kind { kEncode, kDenoise, kDecode } kind = Kind::kEncode;
  int step = 0;  // of a kDenoise segment

  // Segments with an equal class do the same work on the same worker with different rows, whatever plan they
  // belong to: they may share a forward. A packed SegmentWork.
  int batch_class = 0;
};

// What a segment does, without its step.
struct SegmentWork {
  int worker = 0;
  Segment::Kind kind = Segment::Kind::kEncode;
  int begin = 0;  // units [begin, end) from the first of the encoder, of the step, or of the decoder
  int end = 0;
  friend bool operator==(const SegmentWork&, const SegmentWork&) = default;
};

// One number for up to 64 workers and 1023 units, and back.
int pack(const SegmentWork& work);
SegmentWork unpack_work(int packed);

// For people: "encode", "denoise 0" (its step), "decode".
std::string stage_name(const Segment& segment);

}  // namespace sdv2
