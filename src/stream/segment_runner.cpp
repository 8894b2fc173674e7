// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/segment_runner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "diffusion/latent_ops.h"
#include "runtime/trace.h"
#include "stream/denoise.h"
#include "stream/segment_error.h"

namespace sdv2 {
namespace {

// Between pictures in [-1, 1], which the chain begins and ends with, and the range of an autoencoder.
at::Tensor to_range(const at::Tensor& pixels, PixelRange range) {
  return range == PixelRange::kSigned ? pixels : pixels * 0.5 + 0.5;
}

at::Tensor from_range(const at::Tensor& pixels, PixelRange range) {
  return range == PixelRange::kSigned ? pixels : pixels * 2 - 1;
}

}  // namespace

SegmentRunner::SegmentRunner(size_t worker, std::shared_ptr<const DeviceNetworks> networks,
                             IncomingLinks links, const FlowMatchTable& table)
    : worker_(worker),
      networks_(std::move(networks)),
      links_(std::move(links)),
      table_(table),
      fused_(networks_->fused ? FusedDit::create(networks_->dit, networks_->device) : nullptr),
      input_(networks_->device, /*urgent=*/true),
      stream_(networks_->device) {
  if (networks_->fused && !fused_)
    log_warning(
        "there are no fused kernels for this transformer's sizes in this build: it runs on plain ones");
}

Mark SegmentRunner::run(std::span<Chunk* const> chunks) {
  const c10::InferenceMode inference;
  const DeviceStream::Current current(stream_);
  for (Chunk* chunk : chunks) take_over(*chunk);
  Mark begun = stream_.mark();
  Chunk& first = *chunks.front();
  const Segment& segment = first.route->segments[first.next_segment];
  switch (segment.kind) {
    case Segment::Kind::kEncode:
      encode(first, segment);
      break;
    case Segment::Kind::kDenoise:
      denoise(worker_, *networks_, fused_.get(), table_, chunks);
      break;
    case Segment::Kind::kDecode:
      decode(first, segment);
      break;
  }
  for (Chunk* chunk : chunks) {
    if (chunk->next_segment + 1 == chunk->route->segments.size()) deliver(*chunk);
    chunk->mark = stream_.mark();
  }
  return begun;
}

// Everything that travels with the chunk comes to this device, in the order of this stream.
void SegmentRunner::take_over(Chunk& chunk) {
  stream_.wait_for(chunk.behind);
  std::unordered_map<c10::Device, std::vector<at::Tensor*>> elsewhere;
  for (at::Tensor* tensor : {&chunk.x, &chunk.latent, &chunk.encoded, &chunk.negative_clean,
                             &chunk.tokens[kPositive], &chunk.tokens[kNegative]}) {
    if (!tensor->defined()) continue;
    if (tensor->device() == networks_->device)
      use_on_current_stream(*tensor);
    else
      elsewhere[tensor->device()].push_back(tensor);
  }
  for (const auto& [from, tensors] : elsewhere) {
    const TraceSpan span("link from " + from.str(), worker_, 1);
    links_.at(from)->bring(tensors, chunk.mark, stream_);
  }
  stream_.wait_for(chunk.mark);
}

void SegmentRunner::abort_links() {
  for (const auto& [from, link] : links_) link->abort();
}

void SegmentRunner::begin(Chunk& chunk) {
  chunk.started = std::chrono::steady_clock::now();
  for (const auto& prompt : {chunk.prompt, chunk.negative_prompt})
    if (prompt && !prompt->embedding().ok()) throw SegmentError(prompt->embedding().error());
  ChunkSource source = std::exchange(chunk.source, {});
  at::Tensor pixels;
  std::optional<NoiseLevels> levels;
  {
    // How much noise there will be depends on the pictures: the host waits for them, but not for the chunks
    // that are under way.
    const DeviceStream::Current current(input_);
    if (source.pixels) pixels = source.pixels(networks_->device, networks_->type);
    levels = chunk.decide(pixels);
  }
  stream_.wait_for(input_.mark());
  if (pixels.defined()) use_on_current_stream(pixels);
  if (!levels) {
    chunk.skipped = true;
    return;
  }
  chunk.levels = *levels;
  chunk.x = source.pixels ? to_range(pixels, networks_->encoder_range)
                          : source.latents.to(networks_->device, networks_->type);
}

void SegmentRunner::encode(Chunk& chunk, const Segment& segment) {
  if (segment.begin == 0) begin(chunk);
  if (chunk.skipped || chunk.abandoned) return;
  const int layers = chunk.route->plan.shape().encoder_layers;  // behind them: the noise
  const int end = std::min(segment.end, layers);
  if (segment.begin < end)
    chunk.x = chunk.stream->encoder().run(networks_->encoder, networks_->fused_encoder.get(),
                                          static_cast<size_t>(segment.begin), static_cast<size_t>(end),
                                          std::exchange(chunk.x, {}), chunk.abandoned);
  if (segment.end > layers && !chunk.abandoned) add_noise(chunk);
}

void SegmentRunner::add_noise(Chunk& chunk) {
  const at::Tensor clean = std::exchange(chunk.x, {}).unsqueeze(0);  // [1, F, 16, h, w]
  if (chunk.guidance.active() && chunk.guidance.mode == GuidanceMode::kSelfNegative) chunk.encoded = clean;
  const NoiseKey key{static_cast<uint64_t>(chunk.index), 0};
  chunk.latent =
      mix_noise(clean, or_throw(chunk.noise->draw(key, clean.sizes(), clean.scalar_type(), clean.device())),
                chunk.levels.noise_scale);
}

void SegmentRunner::decode(Chunk& chunk, const Segment& segment) {
  if (chunk.skipped) return;
  if (chunk.latent.defined()) chunk.x = std::exchange(chunk.latent, {}).squeeze(0);  // [F, 16, h, w]
  if (chunk.abandoned || segment.begin == segment.end) return;
  const int first = unit_at(chunk.route->plan.shape(), segment.begin).index;
  chunk.x = chunk.stream->decoder().run(
      networks_->decoder, networks_->fused_decoder.get(), static_cast<size_t>(first),
      static_cast<size_t>(first + segment.end - segment.begin), std::exchange(chunk.x, {}), chunk.abandoned);
}

void SegmentRunner::deliver(Chunk& chunk) {
  if (chunk.skipped || chunk.abandoned) return;
  if (chunk.route->plan.shape().decoder_layers > 0)
    chunk.deliver(from_range(std::exchange(chunk.x, {}), networks_->decoder_range));
  else
    chunk.deliver(std::exchange(chunk.latent, {}).squeeze(0));
}

}  // namespace sdv2
