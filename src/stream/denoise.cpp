// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/denoise.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "diffusion/latent_ops.h"
#include "dit/rope.h"
#include "runtime/upload.h"
#include "stream/segment_error.h"

namespace sdv2 {
namespace {

// One pass of one chunk through the transformer at one step.
struct Row {
  Chunk* chunk;
  Branch branch;
  int step;

  Prompt& prompt() const { return branch == kNegative ? *chunk->negative_prompt : *chunk->prompt; }
  at::Tensor& tokens() const { return chunk->tokens[branch]; }
};

using Rows = std::span<const Row>;

const Segment& segment_of(const Chunk& chunk) { return chunk.route->segments[chunk.next_segment]; }

// The units of a segment, without their step.
std::vector<Unit> units_of(const Chunk& chunk) {
  const Segment& segment = segment_of(chunk);
  std::vector<Unit> units;
  for (int position = segment.begin; position < segment.end; ++position)
    units.push_back(unit_at(chunk.route->plan.shape(), position));
  return units;
}

std::vector<Row> rows_of(std::span<Chunk* const> chunks) {
  std::vector<Row> rows;
  for (Chunk* chunk : chunks) {
    if (chunk->skipped || chunk->abandoned) continue;
    const int step = segment_of(*chunk).step;
    rows.push_back({chunk, kPositive, step});
    if (needs_negative_pass(chunk->guidance, step)) rows.push_back({chunk, kNegative, step});
  }
  return rows;
}

bool contains(const std::vector<int>& steps, int step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

class Batch {
 public:
  Batch(size_t worker, const DeviceNetworks& networks, FusedDit* fused, Rows rows,
        const std::vector<Unit>& units)
      : worker_(worker), networks_(networks), fused_(fused), rows_(rows), units_(units) {}

  // Brings every row's lanes to the state in which they take the chunk.
  void prepare_lanes() {
    for (const Unit& unit : units_)
      if (unit.kind == UnitKind::kBlock)
        for (const Row& row : rows_) prepare_lane(row, unit.index);
  }

  // Runs some of the rows through the units; the result is in their tokens: tokens, or the flow after a head.
  void run(Rows rows);
  // The same for all rows, on fused kernels.
  void run_fused();

 private:
  void prepare_lane(const Row& row, int block);
  static Lane& lane(const Row& row, int block) {
    return *row.chunk->stream->lane(row.step, row.branch, block);
  }
  std::vector<Lane*> lanes(Rows rows, int block) const;
  int64_t begin_chunk(const Row& row) const;
  at::Tensor start_positions(Rows rows) const;
  at::Tensor timesteps(Rows rows) const;
  FusedRow fused_row(const Row& row, bool embed) const;
  TextKv text(Rows rows, int block) const;

  size_t worker_;
  const DeviceNetworks& networks_;
  FusedDit* fused_;
  Rows rows_;
  const std::vector<Unit>& units_;
};

// Of every row one tensor [1, …], all behind one another: [R, …].
template <class Select>
at::Tensor gather(Rows rows, Select select) {
  if (rows.size() == 1) return select(rows.front());
  std::vector<at::Tensor> parts;
  parts.reserve(rows.size());
  for (const Row& row : rows) parts.push_back(select(row));
  return at::cat(parts);
}

void Batch::prepare_lane(const Row& row, int block) {
  const Chunk& chunk = *row.chunk;
  StreamState& stream = *chunk.stream;
  Lane& lane = stream.lane_on(row.step, row.branch, block, networks_.type, networks_.device);
  Lane* model = nullptr;
  if (row.branch == kNegative && chunk.fresh_negative)
    model = stream.lane(row.step, kPositive, block);  // prepared just before
  else if (contains(chunk.copied_steps, row.step))
    model = stream.lane(chunk.copy_from, row.branch, block);
  if (model) lane.copy_from(*model);
  if (chunk.clear_cache) lane.clear(stream.empty_ring());
  lane.set_sink_threshold(chunk.sink_threshold);
}

std::vector<Lane*> Batch::lanes(Rows rows, int block) const {
  std::vector<Lane*> lanes;
  lanes.reserve(rows.size());
  for (const Row& row : rows) lanes.push_back(&lane(row, block));
  return lanes;
}

// Announces the chunk to all lanes of the row, which agree on where it is in time.
int64_t Batch::begin_chunk(const Row& row) const {
  int64_t start = 0;
  for (const Unit& unit : units_)
    if (unit.kind == UnitKind::kBlock) start = or_throw(lane(row, unit.index).begin_chunk(row.chunk->frames));
  return start;
}

at::Tensor Batch::start_positions(Rows rows) const {
  std::vector<int64_t> starts;
  for (const Row& row : rows) starts.push_back(begin_chunk(row));
  return upload(starts, networks_.device);
}

at::Tensor Batch::timesteps(Rows rows) const {
  const int64_t frames = rows.front().chunk->frames;
  std::vector<double> told;
  for (const Row& row : rows)
    told.insert(told.end(), static_cast<size_t>(frames),
                row.chunk->levels.timesteps.at(static_cast<size_t>(row.step)));
  return upload(told, networks_.device).view({static_cast<int64_t>(rows.size()), frames});
}

TextKv Batch::text(Rows rows, int block) const {
  const auto of_row = [&](const Row& row) -> const TextKv& {
    return row.prompt().text_kv(worker_, block, networks_.dit, networks_.type, networks_.device);
  };
  const auto same_prompt = [&](const Row& row) { return &row.prompt() == &rows.front().prompt(); };
  if (std::all_of(rows.begin(), rows.end(), same_prompt)) return of_row(rows.front());
  return {gather(rows, [&](const Row& row) { return of_row(row).k; }),
          gather(rows, [&](const Row& row) { return of_row(row).v; })};
}

void Batch::run(Rows rows) {
  const CausalDit& dit = networks_.dit;
  const at::Tensor& latent = rows.front().chunk->latent;  // [1, F, 16, h, w]
  const TokenGrid grid = TokenGrid::of_latents(latent.size(1), latent.size(3), latent.size(4));
  const TimeVectors time = dit.time(timesteps(rows), networks_.type);
  const at::Tensor turns = rope_turns(start_positions(rows), grid);

  at::Tensor x;  // [R, F·S, dim]
  if (rows.front().tokens().defined()) x = gather(rows, [](const Row& row) { return row.tokens(); });
  for (const Unit& unit : units_) {
    if (unit.kind == UnitKind::kPatchEmbedding) {
      x = dit.embed(gather(rows, [](const Row& row) { return row.chunk->latent; }));
    } else if (unit.kind == UnitKind::kBlock) {
      LaneStore store(lanes(rows, unit.index));
      x = dit.block(unit.index).forward(x, time.e0, turns, text(rows, unit.index), store);
    } else {
      x = dit.head(x, time.e, grid);  // [R, F, 16, h, w], the flow
    }
    if (std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.chunk->abandoned.load(); }))
      return;
  }
  for (size_t r = 0; r < rows.size(); ++r) rows[r].tokens() = x.narrow(0, static_cast<int64_t>(r), 1);
}

FusedRow Batch::fused_row(const Row& row, bool embed) const {
  FusedRow fused;
  fused.input = embed ? row.chunk->latent : row.tokens();
  fused.start_frame = begin_chunk(row);
  fused.timesteps.assign(static_cast<size_t>(row.chunk->frames),
                         row.chunk->levels.timesteps.at(static_cast<size_t>(row.step)));
  for (const Unit& unit : units_) {
    if (unit.kind != UnitKind::kBlock) continue;
    fused.kv.push_back(lane(row, unit.index).place());
    fused.text.push_back(
        row.prompt().text_kv(worker_, unit.index, networks_.dit, networks_.type, networks_.device));
  }
  return fused;
}

void Batch::run_fused() {
  const at::Tensor& latent = rows_.front().chunk->latent;  // [1, F, 16, h, w]
  FusedCall call;
  call.embed = units_.front().kind == UnitKind::kPatchEmbedding;
  call.head = units_.back().kind == UnitKind::kHead;
  call.grid = TokenGrid::of_latents(latent.size(1), latent.size(3), latent.size(4));
  for (const Unit& unit : units_) {
    if (unit.kind != UnitKind::kBlock) continue;
    if (call.blocks.end == 0) call.blocks.begin = unit.index;
    call.blocks.end = unit.index + 1;
  }
  for (const Row& row : rows_) call.rows.push_back(fused_row(row, call.embed));
  const FusedResult result = fused_->run(call);
  for (size_t r = 0; r < rows_.size(); ++r) {
    const auto index = static_cast<int64_t>(r);
    rows_[r].tokens() = result.out.narrow(0, index, 1);
    for (size_t b = 0; b < call.rows[r].kv.size(); ++b)
      if (call.rows[r].kv[b].test.sinks > 0)
        lane(rows_[r], static_cast<int>(call.blocks.begin) + static_cast<int>(b))
            .follow(result.sinks, static_cast<int64_t>(b), index);
  }
}

// From the flow of a step to its clean latent, and to the noisy one of the next step.
void end_step(Chunk& chunk, int step, const FlowMatchTable& table) {
  const auto sigma = [&](int of_step) {
    const float value = table.sigma_of(chunk.levels.timesteps.at(static_cast<size_t>(of_step)));
    return at::full({1}, value, at::TensorOptions(at::kFloat).device(chunk.latent.device()));
  };
  const auto clean_of = [&](Branch branch) {
    const at::Tensor flow = std::exchange(chunk.tokens[branch], {});
    return clean_from_flow(flow, chunk.latent, sigma(step));
  };
  at::Tensor clean = clean_of(kPositive);
  if (chunk.guidance.active()) {
    if (chunk.tokens[kNegative].defined()) chunk.negative_clean = clean_of(kNegative);
    const at::Tensor& negative =
        chunk.guidance.mode == GuidanceMode::kSelfNegative ? chunk.encoded : chunk.negative_clean;
    clean = guide(clean, negative, chunk.guidance.scale);
  }
  if (step + 1 == chunk.route->steps()) {
    chunk.latent = clean;
    chunk.encoded.reset();
    chunk.negative_clean.reset();
    return;
  }
  const NoiseKey key{static_cast<uint64_t>(chunk.index), static_cast<uint32_t>(step + 1)};
  chunk.latent =
      add_noise(clean, or_throw(chunk.noise->draw(key, clean.sizes(), clean.scalar_type(), clean.device())),
                sigma(step + 1));
}

}  // namespace

void denoise(size_t worker, const DeviceNetworks& networks, FusedDit* fused, const FlowMatchTable& table,
             std::span<Chunk* const> chunks) {
  const std::vector<Row> rows = rows_of(chunks);
  if (rows.empty()) return;
  const std::vector<Unit> units = units_of(*rows.front().chunk);
  Batch batch(worker, networks, fused, rows, units);
  batch.prepare_lanes();
  if (networks.device.is_cpu()) {
    // The bits of a CPU library's matrix products depend on the number of rows. One by one, a stream gives
    // the same pictures whatever else runs.
    for (const Row& row : rows) batch.run({&row, 1});
  } else if (fused != nullptr) {
    batch.run_fused();
  } else {
    batch.run(rows);
  }
  if (units.back().kind != UnitKind::kHead) return;
  for (const Row& row : rows)
    if (row.branch == kPositive && !row.chunk->abandoned) end_step(*row.chunk, row.step, table);
}

}  // namespace sdv2
