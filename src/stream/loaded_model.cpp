// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream/loaded_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "model/describe_model.h"
#include "runtime/device_stream.h"
#include "stream/cost_prior.h"
#include "stream/device_links.h"
#include "stream/device_list.h"
#include "stream/network_loader.h"
#include "stream/unit_costs.h"

namespace sdv2 {
namespace {

Result<void> choose_autoencoder(ModelDescription& model, const std::string& vae) {
  if (vae == "auto") return {};
  const bool there = vae == "wan" ? model.wan_vae.has_value() : model.taehv.has_value();
  if (!there)
    return Error{ErrorCode::kUnsupported, "model '" + model.name + "' has no autoencoder of the kind '" +
                                              vae +
                                              "'; choose vae=auto, or add its weights to the model folder"};
  model.encoder = model.decoder = vae == "wan" ? Autoencoder::kWanVae : Autoencoder::kTaehv;
  return {};
}

at::ScalarType type_of(const std::string& precision, const std::vector<c10::Device>& devices) {
  if (precision == "fp32") return at::kFloat;
  if (precision == "bf16") return at::kBFloat16;
  const bool gpus =
      std::none_of(devices.begin(), devices.end(), [](c10::Device device) { return device.is_cpu(); });
  return gpus ? at::kBFloat16 : at::kFloat;
}

Result<void> check_fault(const ModelConfig& config, size_t workers) {
  if (!config.fault || config.fault->worker < workers) return {};
  return Error{ErrorCode::kInvalidArgument, "fault '" + to_string(*config.fault) + "': there are " +
                                                std::to_string(workers) + " devices, counted from 0"};
}

int max_steps(const ModelDescription& model) {
  return std::min<int>(kMaxSteps, static_cast<int>(model.stream.steps.size()));
}

// A chunk that ends may take the last session, and that the model, with it: on a thread which the model's end
// waits for. Then another thread ends it.
struct EndModel {
  void operator()(LoadedModel* model) const {
    if (model->ends_on_own_thread())
      std::thread([model] { delete model; }).detach();
    else
      delete model;
  }
};

// A plan for every number of steps. A plan that the user wrote is one for the most steps.
Result<std::vector<Plan>> make_plans(const ModelDescription& model, const ModelConfig& config,
                                     const std::vector<c10::Device>& devices) {
  const int workers = static_cast<int>(devices.size());
  std::vector<Plan> plans;
  if (config.plan != "auto") {
    SDV2_TRY(const Plan plan, Plan::parse(chain_shape(model, max_steps(model)), workers, config.plan));
    for (int steps = 1; steps <= max_steps(model); ++steps) plans.push_back(plan.with_steps(steps));
    return plans;
  }
  const bool on_cpu =
      std::all_of(devices.begin(), devices.end(), [](c10::Device device) { return device.is_cpu(); });
  for (int steps = 1; steps <= max_steps(model); ++steps) {
    const ChainShape shape = chain_shape(model, steps);
    plans.push_back(Plan::balanced(shape, unit_costs(model, shape, on_cpu), workers));
  }
  return plans;
}

}  // namespace

Result<std::shared_ptr<LoadedModel>> LoadedModel::load(const ModelConfig& config, const LoadWatch& watch) {
  std::shared_ptr<LoadedModel> model(new LoadedModel(), EndModel());
  model->config_ = config;
  watch.progress("model", 0);
  SDV2_TRY(model->description_, describe_model(config.model));
  SDV2_CHECK(choose_autoencoder(model->description_, config.vae));
  SDV2_TRY(model->devices_, parse_devices(config.devices));
  SDV2_CHECK(check_fault(config, model->devices_.size()));
  model->type_ = type_of(config.precision, model->devices_);
  model->table_ = FlowMatchTable(model->description_.stream.shift);
  SDV2_TRY(const std::vector<Plan> plans, make_plans(model->description_, config, model->devices_));
  for (const Plan& plan : plans) model->routes_.push_back(std::make_shared<Route>(plan));

  const auto step = [&](const char* what, int done, int count) -> Result<void> {
    if (watch.cancelled()) return Error{ErrorCode::kCancelled, "loading the model was cancelled"};
    watch.progress(what, 5 + 85 * done / count);
    return {};
  };
  SDV2_TRY(auto networks,
           load_networks(model->description_, plans, model->devices_, model->type_, config, step));
  model->fp8_ = std::any_of(networks.begin(), networks.end(), [](const auto& each) { return each->fp8; });
  SDV2_CHECK(step("text encoder", 1, 1));
  SDV2_TRY(auto encode, load_text_encoder(model->description_, model->type_, model->devices_.front()));
  for (const c10::Device device : model->devices_) synchronize(device);  // workers use it on other streams
  SDV2_CHECK(step("threads", 1, 1));

  model->executor_ =
      std::make_unique<Executor>(std::move(networks), make_links(plans, model->devices_), model->table_,
                                 CostPrior(model->description_, model->devices_), config.fault);
  QualityDevices devices{.route = [model = model.get()](int steps) { return model->route(steps); },
                         .latent_frames = model->chunk_latents()};
  for (const c10::Device device : model->devices_) devices.names.push_back(device.str());
  model->quality_ = std::make_unique<QualityKeeper>(*model->executor_, std::move(devices));
  model->prompts_ = std::make_unique<PromptEncoder>(
      model->devices_.size(), model->description_.dit.spec.num_layers, std::move(encode),
      [executor = model->executor_.get()] { executor->wake(); });
  watch.progress("ready", 100);
  return model;
}

SessionSettings LoadedModel::default_settings() const {
  const StreamDefaults& defaults = description_.stream;
  SessionSettings settings;
  settings.width = static_cast<int>(defaults.width);
  settings.height = static_cast<int>(defaults.height);
  settings.kv_cache_frames = defaults.kv_frames;
  settings.sink_frames = defaults.sink_frames;
  settings.live.steps = static_cast<int>(defaults.num_steps);
  settings.live.noise_scale = defaults.noise_scale;
  settings.live.adaptive_sink = defaults.adaptive_sink_threshold;
  return settings;
}

SettingLimits LoadedModel::setting_limits() const { return {max_steps(description_)}; }

Result<StreamShape> LoadedModel::stream_shape(const SessionSettings& settings) const {
  const ChainShape& chain = routes_.front()->plan.shape();
  StreamShape shape{.encoder_layers = chain.encoder_layers,
                    .decoder_layers = chain.decoder_layers,
                    .blocks = chain.blocks,
                    .heads = description_.dit.spec.num_heads,
                    .latent_height = settings.height / 8,
                    .latent_width = settings.width / 8,
                    .ring = {.slots = settings.kv_cache_frames,
                             .sinks = settings.sink_frames,
                             .refresh_at = std::max<int64_t>(50, settings.kv_cache_frames + 1)}};
  const auto refuse = [&](const Error& error) {
    return Error{ErrorCode::kInvalidArgument,
                 "kv_cache_frames " + std::to_string(settings.kv_cache_frames) + " and sink_frames " +
                     std::to_string(settings.sink_frames) + " do not suit chunks of " +
                     std::to_string(chunk_latents()) + " latent frames: " + error.message};
  };
  auto ring = KvRing::create(shape.ring);
  if (!ring.ok()) return refuse(ring.error());
  // The first chunk and every later one must fit.
  for (const int64_t frames : {1 + chunk_latents(), chunk_latents()}) {
    const auto fits = ring->begin_chunk(frames);
    if (!fits.ok()) return refuse(fits.error());
    ring->place();
  }
  return shape;
}

std::string LoadedModel::info_json() const {
  const ModelDescription& model = description_;
  nlohmann::json devices = nlohmann::json::array();
  for (const c10::Device device : devices_) devices.push_back(device.str());
  nlohmann::json failed = nlohmann::json::array();
  if (const auto worker = executor_->failed_worker()) failed.push_back(*worker);
  nlohmann::json plans = nlohmann::json::object();
  for (const auto& route : routes_) plans[std::to_string(route->steps())] = route->plan.to_string();
  const char* const precision = type_ == at::kFloat ? "fp32" : "bf16";
  const auto name = [](Autoencoder which) { return which == Autoencoder::kTaehv ? "taehv" : "wan"; };
  return nlohmann::json{
      {"name", model.name},
      {"chunk", model.stream.chunk_latents},
      {"max_steps", max_steps(model)},
      {"networks",
       {{"transformer",
         {{"dim", model.dit.spec.dim},
          {"ffn", model.dit.spec.ffn_dim},
          {"layers", model.dit.spec.num_layers},
          {"heads", model.dit.spec.num_heads}}},
        {"encoder", name(model.encoder)},
        {"decoder", name(model.decoder)},
        {"wan_width", model.wan_vae ? model.wan_vae->spec.base_dim : 0},
        {"text_encoder", model.text_encoder ? "umt5" : "none"}}},
      {"default", nlohmann::json::parse(to_json(default_settings()))},
      {"devices", devices},
      {"failed_devices", failed},
      {"precision", precision},
      {"linears", fp8_ ? "fp8" : precision},
      {"plan", route(static_cast<int>(std::clamp<int64_t>(model.stream.num_steps, 1, max_steps(model))))
                   ->plan.to_string()},
      {"plans", plans},
      {"notes", model.notes}}
      .dump();
}

}  // namespace sdv2
