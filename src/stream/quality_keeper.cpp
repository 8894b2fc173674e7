// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/quality_keeper.h"

#include <algorithm>

#include "sched/admission.h"
#include "stream/cost_prior.h"

namespace sdv2 {
namespace {

constexpr int kFramesPerLatent = 4;
constexpr int kLatentScale = 8;  // pixels per latent pixel

}  // namespace

QualityKeeper::QualityKeeper(const Executor& executor, QualityDevices devices)
    : executor_(executor), devices_(std::move(devices)) {}

QualityKeeper::Stream QualityKeeper::stream_of(const QualityWish& wish) const {
  Stream stream{.wish = wish, .ladder = degradation_ladder(wish.full, wish.degrade)};
  stream.per_s = wish.target_fps / static_cast<double>(kFramesPerLatent * devices_.latent_frames);
  stream.shape = pack({.frames = devices_.latent_frames,
                       .latent_height = wish.full.height / kLatentScale,
                       .latent_width = wish.full.width / kLatentScale});
  return stream;
}

Result<void> QualityKeeper::open(uint64_t session, const QualityWish& wish) {
  const std::lock_guard lock(mutex_);
  Stream stream = stream_of(wish);
  SDV2_CHECK(admit(stream));
  control_.open(session, wish.priority, 1);
  streams_.emplace(session, std::move(stream));
  return {};
}

void QualityKeeper::change(uint64_t session, const QualityWish& wish) {
  const std::lock_guard lock(mutex_);
  Stream& known = streams_.at(session);
  if (known.wish == wish) return;
  Stream stream = stream_of(wish);
  stream.rate = known.rate;
  stream.slack_s = known.slack_s;
  stream.governed = known.governed;
  known = std::move(stream);
  take_part(session, known, known.governed);
}

void QualityKeeper::close(uint64_t session) {
  const std::lock_guard lock(mutex_);
  control_.close(session);
  streams_.erase(session);
}

// Only streams with deadlines are moved: nobody waits for the others, and they give way by themselves.
void QualityKeeper::take_part(uint64_t session, Stream& stream, bool takes_part) {
  stream.governed = takes_part;
  control_.change(session, stream.wish.priority, takes_part ? static_cast<int>(stream.ladder.size()) : 1);
}

ChunkQuality QualityKeeper::next_chunk(uint64_t session, int64_t deadline_ns, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  Stream& stream = streams_.at(session);
  stream.rate.add(deadline_ns);
  if (stream.wish.target_fps <= 0) stream.per_s = stream.rate.per_second();
  if (stream.rate.has_deadlines()) stream.slack_s = ns_to_seconds(deadline_ns - now_ns);
  if (stream.rate.has_deadlines() != stream.governed) take_part(session, stream, !stream.governed);

  control_.update(now_ns, [&](uint64_t id, int rung) {
    return load(streams_.at(id), streams_.at(id).ladder[static_cast<size_t>(rung)]);
  });
  const int rung = control_.rung(session);
  return {rung, stream.ladder[static_cast<size_t>(rung)]};
}

void QualityKeeper::count(bool in_time) {
  const std::lock_guard lock(mutex_);
  control_.count(in_time);
}

// Chunks per second of the streams whose rows can share a forward with this one's.
double QualityKeeper::alike_per_s(const Stream& stream) const {
  double sum = 0;
  for (const auto& [id, other] : streams_)
    if (other.shape == stream.shape && other.governed) sum += other.per_s;
  return std::max(sum, stream.per_s);
}

DeviceLoad QualityKeeper::load(const Stream& stream, const Quality& quality) const {
  const auto route = devices_.route(quality.steps);
  const double alone_s = executor_.chunk_s(*route, stream.shape).value_or(0);
  return executor_.load(*route, stream.shape,
                        {.chunks_per_s = stream.per_s * quality.chunk_share(),
                         .alike_per_s = alike_per_s(stream) * quality.chunk_share(),
                         .slack_s = stream.slack_s - alone_s});
}

Result<void> QualityKeeper::admit(const Stream& stream) const {
  const QualityWish& wish = stream.wish;
  const auto alone_s = executor_.chunk_s(*devices_.route(wish.full.steps), stream.shape);
  if (wish.target_fps <= 0 || !alone_s) return {};

  const double frames = static_cast<double>(kFramesPerLatent * devices_.latent_frames);
  const double collecting_s = (frames - 1) / wish.target_fps;
  Stream asking = stream;
  asking.slack_s = std::max(0.0, wish.target_latency_s - collecting_s);
  const auto demand = [&](const Quality& quality) {
    const double chain_s = executor_.chunk_s(*devices_.route(quality.steps), asking.shape).value_or(*alone_s);
    return StreamDemand{.load = load(asking, quality), .latency_s = collecting_s + chain_s};
  };
  std::vector<DeviceRoom> rooms;
  for (const std::string& name : devices_.names) rooms.push_back({.name = name});
  for (const auto& [id, other] : streams_) {
    const DeviceLoad taken = load(other, other.wish.full);
    for (size_t i = 0; i < taken.size(); ++i) rooms[i].load += taken[i];
  }
  AdmissionRequest request{
      .demand = demand(wish.full), .fps = wish.target_fps, .target_latency_s = wish.target_latency_s};
  for (const Quality& cheaper : degradation_ladder(wish.full, kDegradeSteps))
    if (cheaper != wish.full) request.alternatives.push_back({to_string(cheaper), demand(cheaper)});
  return sdv2::admit(rooms, request);
}

}  // namespace sdv2
