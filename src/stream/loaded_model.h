// SPDX-License-Identifier: LGPL-2.1-or-later
// A model in memory, ready to serve streams: the networks' parts on their devices, the plan that says which
// device runs what, and the threads that do it. Shared by all sessions. The last
// reference may end on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "diffusion/flow_match.h"
#include "model/model_description.h"
#include "stream/executor.h"
#include "stream/model_config.h"
#include "stream/prompt_encoder.h"
#include "stream/quality_keeper.h"
#include "stream/settings.h"

namespace sdv2 {

// What a load tells meanwhile: what is being done, and percent of the whole.
struct LoadWatch {
  std::function<void(const char* stage, int percent)> progress;
  std::function<bool()> cancelled;
};

class LoadedModel {
 public:
  // Blocks for as long as loading takes. Errors: those of the files and devices, kCancelled.
  static Result<std::shared_ptr<LoadedModel>> load(const ModelConfig& config, const LoadWatch& watch);

  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  // All of these: any thread.
  const ModelDescription& description() const { return description_; }
  const ModelConfig& config() const { return config_; }
  const std::vector<c10::Device>& devices() const { return devices_; }
  at::ScalarType type() const { return type_; }
  // P, latent frames per chunk (the first has one more).
  int64_t chunk_latents() const { return description_.stream.chunk_latents; }
  SessionSettings default_settings() const;
  SettingLimits setting_limits() const;

  // The way through the chain for 1 … setting_limits().max_steps denoising steps.
  std::shared_ptr<const Route> route(int steps) const { return routes_.at(static_cast<size_t>(steps - 1)); }
  // The memory that a stream needs. Errors: kInvalidArgument for a KV ring that cannot work.
  Result<StreamShape> stream_shape(const SessionSettings& settings) const;

  Executor& executor() { return *executor_; }
  PromptEncoder& prompts() { return *prompts_; }
  QualityKeeper& quality() { return *quality_; }

  // Whether the calling thread is one of those that the model's end waits for.
  bool ends_on_own_thread() const { return executor_ && executor_->owns_this_thread(); }

  // What a user may want to know, as JSON: see sdv2_model_info.
  std::string info_json() const;

 private:
  LoadedModel() = default;

  ModelConfig config_;
  ModelDescription description_;
  std::vector<c10::Device> devices_;  // by worker
  at::ScalarType type_ = at::kFloat;
  bool fp8_ = false;  // linears of transformer blocks on some device
  FlowMatchTable table_;
  std::vector<std::shared_ptr<const Route>> routes_;  // by steps - 1
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<QualityKeeper> quality_;  // looks at the executor's costs
  std::unique_ptr<PromptEncoder> prompts_;  // ends before the executor that it wakes
};

}  // namespace sdv2
