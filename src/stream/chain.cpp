// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/chain.h"

#include <cassert>
#include <charconv>

namespace sdv2 {
namespace {

// The number after `prefix` in `text`, when the rest of the text is exactly that number.
std::optional<int> number_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Unit unit_at(const ChainShape& shape, int position) {
  assert(position >= 0 && position < shape.unit_count());
  if (position < shape.encoder_layers) return {UnitKind::kEncoderLayer, 0, position};
  position -= shape.encoder_layers;
  if (position == 0) return {UnitKind::kMixNoise, 0, 0};
  position -= 1;
  const int denoise = shape.steps * shape.units_per_step();
  if (position >= denoise) return {UnitKind::kDecoderLayer, 0, position - denoise};
  const int step = position / shape.units_per_step();
  const int within = position % shape.units_per_step();
  if (within == 0) return {UnitKind::kPatchEmbedding, step, 0};
  if (within == shape.units_per_step() - 1) return {UnitKind::kHead, step, 0};
  return {UnitKind::kBlock, step, within - 1};
}

std::optional<int> position_of(const ChainShape& shape, const Unit& unit) {
  const int first_step = shape.encoder_layers + 1 + unit.step * shape.units_per_step();
  const bool step_exists = unit.step >= 0 && unit.step < shape.steps;
  const auto in = [&](int count) { return unit.index >= 0 && unit.index < count; };
  switch (unit.kind) {
    case UnitKind::kEncoderLayer:
      return in(shape.encoder_layers) ? std::optional(unit.index) : std::nullopt;
    case UnitKind::kMixNoise:
      return shape.encoder_layers;
    case UnitKind::kPatchEmbedding:
      return step_exists ? std::optional(first_step) : std::nullopt;
    case UnitKind::kBlock:
      return step_exists && in(shape.blocks) ? std::optional(first_step + 1 + unit.index) : std::nullopt;
    case UnitKind::kHead:
      return step_exists ? std::optional(first_step + shape.units_per_step() - 1) : std::nullopt;
    case UnitKind::kDecoderLayer:
      return in(shape.decoder_layers) ? std::optional(shape.unit_count() - shape.decoder_layers + unit.index)
                                      : std::nullopt;
  }
  return std::nullopt;
}

std::string to_string(const Unit& unit) {
  const std::string step = "s" + std::to_string(unit.step);
  switch (unit.kind) {
    case UnitKind::kEncoderLayer:
      return "enc." + std::to_string(unit.index);
    case UnitKind::kMixNoise:
      return "mix";
    case UnitKind::kPatchEmbedding:
      return step + ".patch";
    case UnitKind::kBlock:
      return step + ".b" + std::to_string(unit.index);
    case UnitKind::kHead:
      return step + ".head";
    case UnitKind::kDecoderLayer:
      return "dec." + std::to_string(unit.index);
  }
  return "?";
}

Result<Unit> parse_unit(std::string_view name) {
  if (name == "mix") return Unit{UnitKind::kMixNoise, 0, 0};
  if (const auto index = number_after(name, "enc.")) return Unit{UnitKind::kEncoderLayer, 0, *index};
  if (const auto index = number_after(name, "dec.")) return Unit{UnitKind::kDecoderLayer, 0, *index};
  if (const size_t dot = name.find('.'); dot != std::string_view::npos) {
    const auto step = number_after(name.substr(0, dot), "s");
    const std::string_view part = name.substr(dot + 1);
    if (step && part == "patch") return Unit{UnitKind::kPatchEmbedding, *step, 0};
    if (step && part == "head") return Unit{UnitKind::kHead, *step, 0};
    if (const auto block = number_after(part, "b"); step && block)
      return Unit{UnitKind::kBlock, *step, *block};
  }
  return Error{ErrorCode::kInvalidArgument,
               "'" + std::string(name) +
                   "' is not a unit of the chain; units are enc.N, mix, sN.patch, sN.bN, "
                   "sN.head and dec.N"};
}

int pack(const SegmentWork& work) {
  assert(work.worker < 64 && work.end < 1024);
  return (((work.worker << 2 | static_cast<int>(work.kind)) << 10) | work.begin) << 10 | work.end;
}

SegmentWork unpack_work(int packed) {
  return {.worker = packed >> 22,
          .kind = static_cast<Segment::Kind>((packed >> 20) & 3),
          .begin = (packed >> 10) & 1023,
          .end = packed & 1023};
}

std::string stage_name(const Segment& segment) {
  switch (segment.kind) {
    case Segment::Kind::kEncode:
      return "encode";
    case Segment::Kind::kDenoise:
      return "denoise " + std::to_string(segment.step);
    case Segment::Kind::kDecode:
      return "decode";
  }
  return "?";
}

}  // namespace sdv2
