// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/chunk_sequence.h"

namespace sdv2 {

void inherit_lanes(Chunk& chunk, const Route* last) {
  if (last == nullptr) return;
  const int steps = chunk.route->steps();
  const int last_step = last->steps() - 1;
  if (chunk.index == 1) {
    // All steps of the first chunk saw nothing but it; what every step keeps of it is what its last step
    // made.
    chunk.follows = Follows::kDenoised;
    for (int step = 0; step < steps; ++step)
      if (step != last_step) chunk.copied_steps.push_back(step);
  } else {
    // Steps that were not there before begin with what the last one knows.
    for (int step = last_step + 1; step < steps; ++step) chunk.copied_steps.push_back(step);
  }
  chunk.copy_from = last_step;
  if (chunk.route.get() != last) chunk.follows = Follows::kFinished;
}

ChunkSequence::ChunkSequence(std::shared_ptr<LoadedModel> model, const SessionSettings& settings,
                             const StreamShape& shape)
    : model_(std::move(model)),
      settings_(settings),
      shape_(shape),
      target_(model_->prompts().encode(settings.live.prompt)) {
  restart();
}

void ChunkSequence::change(const LiveSettings& live) {
  if (live.prompt != settings_.live.prompt) {
    target_ = model_->prompts().encode(live.prompt);
    blend_from_ = at_start() ? nullptr : prompt_;
    blend_over_ = live.prompt_blend;
    blended_ = 0;
    clear_cache_ = live.reset_on_prompt && !at_start();
  }
  settings_.live = live;
}

void ChunkSequence::restart() {
  stream_ = std::make_shared<StreamState>(shape_);
  decision_ = std::make_shared<NoiseDecision>();
  index_ = 0;
  last_route_.reset();
  last_had_negative_ = false;
  spare_ = false;
  blend_from_.reset();
  clear_cache_ = false;
}

std::shared_ptr<Prompt> ChunkSequence::next_prompt() {
  if (blend_from_ && ++blended_ < blend_over_)
    return model_->prompts().blend(blend_from_, target_, static_cast<double>(blended_) / blend_over_,
                                   settings_.live.blend);
  blend_from_.reset();
  return target_;
}

std::shared_ptr<Chunk> ChunkSequence::next(const Quality& quality) {
  const LiveSettings& live = settings_.live;
  auto chunk = std::make_shared<Chunk>();
  chunk->index = index_;
  chunk->frames = latent_frames();
  chunk->stream = stream_;
  chunk->route = model_->route(quality.steps);
  chunk->execution = live.execution;
  chunk->priority = live.priority;
  chunk->noise = std::make_shared<PhiloxNoise>(live.seed);
  chunk->sink_threshold = live.adaptive_sink;
  chunk->clear_cache = std::exchange(clear_cache_, false);
  chunk->guidance = {live.guidance_mode, live.guidance};
  chunk->prompt = next_prompt();
  const bool new_prompt = std::exchange(prompt_, chunk->prompt) != chunk->prompt;
  const bool negative = needs_negative_pass(chunk->guidance, 0);
  if (negative) chunk->negative_prompt = model_->prompts().encode(live.negative_prompt);
  chunk->fresh_negative = negative && !last_had_negative_ && index_ > 0;
  inherit_lanes(*chunk, last_route_.get());

  const bool must_run = index_ < 2 || new_prompt || chunk->clear_cache || chunk->fresh_negative ||
                        chunk->follows != Follows::kPipelined;
  chunk->may_be_given_up = !must_run && (live.degrade & kDegradeRepeat) != 0;
  chunk->skipped = !must_run && quality.show == Quality::Show::kSource;
  spare_ = !must_run && quality.show == Quality::Show::kEveryOther && !spare_;
  chunk->spare = spare_;

  const auto& steps = model_->description().stream.steps;
  NoiseDecision::Wish wish{.index = index_,
                           .seed = live.seed,
                           .noise_scale = live.noise_scale,
                           .adaptive = live.adaptive_noise,
                           .similarity_threshold = live.similarity_filter,
                           .must_run = must_run,
                           .timesteps = {steps.begin(), steps.begin() + quality.steps},
                           .min_timestep = static_cast<double>(model_->description().stream.min_timestep)};
  chunk->decide = [decision = decision_, wish = std::move(wish)](const at::Tensor& pixels) {
    return decision->decide(pixels, wish);
  };

  ++index_;
  last_route_ = chunk->route;
  last_had_negative_ = negative;
  return chunk;
}

}  // namespace sdv2
