// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading, sharing and losing a model.
#include "stub/model.h"

#include <chrono>

#include "stub/engine.h"
#include "stub/settings.h"
#include "stub/status.h"

namespace sdv2::stub {
namespace {

using Json = nlohmann::json;

// Progress of a load. A load that is held or fails does so at kHeldPercent.
struct Stage {
  int percent;
  const char* name;
};
constexpr Stage kStages[] = {
    {0, "weights"}, {25, "weights"}, {50, "text encoder"}, {75, "warm-up"}, {100, "warm-up"}};
constexpr int kHeldPercent = 50;

Error cancelled_error() { return {ErrorCode::kCancelled, "the load was cancelled"}; }

}  // namespace

Result<sdv2_load_observer> check_observer(const sdv2_load_observer* observer) {
  if (observer == nullptr) return sdv2_load_observer{};
  if (observer->struct_size < sizeof(sdv2_load_observer)) return invalid("observer: struct_size is not set");
  return *observer;
}

Model::Model(std::string key, Json config, Json stub, Program program)
    : key_(std::move(key)),
      config_(std::move(config)),
      stub_(std::move(stub)),
      program_(std::move(program)),
      begin_ns_(monotonic_ns()) {}

Json Model::devices() const {
  const auto& list = config_["devices"].get_ref<const std::string&>();
  if (list == "auto") return Json::array({"cpu"});
  Json names = Json::array();
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

Json Model::info() const {
  Json failed = Json::array();
  if (dead()) failed.push_back(devices().size() - 1);
  return {{"networks", {{"transformer", "stub"}, {"vae", config_["vae"]}, {"text", "stub"}}},
          {"sizes", {{"parameters", 0}}},
          {"chunk", program_.latent_frames},
          {"default", default_settings(program_)},
          {"devices", devices()},
          {"failed_devices", failed},
          {"plan", config_["plan"] == "auto" ? Json("0=enc.0") : config_["plan"]},
          {"memory", {{"host_bytes", 0}, {"devices", Json::array()}}}};
}

bool Model::wait_loaded(int percent, const std::function<bool()>& stop) {
  const std::chrono::nanoseconds due(begin_ns_ +
                                     static_cast<int64_t>(program_.load_ms * 1e6 * percent / 100));
  const auto held = [&] {
    return program_.hold_load && percent > kHeldPercent && !Engine::instance().loads_released();
  };
  std::unique_lock lock(mutex_);
  while (!stop()) {
    if (held()) {
      changed_.wait(lock);
    } else if (monotonic_ns() < due.count()) {
      changed_.wait_until(lock, std::chrono::steady_clock::time_point(due));
    } else {
      return true;
    }
  }
  return false;
}

void Model::wake() {
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
}

void Model::kill(const std::string& message) {
  Engine::instance().forget(*this);
  const std::scoped_lock lock(mutex_);
  if (!dead_.has_value())
    dead_ = Error{ErrorCode::kDevice, message + "; the model is dead, close it and open it again"};
}

std::optional<Error> Model::dead() const {
  const std::scoped_lock lock(mutex_);
  return dead_;
}

ModelHandle::ModelHandle(std::shared_ptr<Model> model, const sdv2_load_observer& observer)
    : model_(std::move(model)), observer_(observer) {
  ++Engine::instance().open_models;
}

ModelHandle::~ModelHandle() {
  Engine::instance().end_use(*model_);
  --Engine::instance().open_models;
}

void ModelHandle::start() {
  // load() takes the lock before its first callback, so that close() finds the thread there.
  const std::scoped_lock lock(mutex_);
  thread_ = std::thread([self = shared_from_this()] { self->load(); });
}

void ModelHandle::load() {
  const auto stop = [this] {
    const std::scoped_lock lock(mutex_);
    return cancelled_;
  };
  for (const Stage& stage : kStages) {
    if (!model_->wait_loaded(stage.percent, stop)) {
      Engine::instance().forget_unless_shared(*model_);
      return finish(cancelled_error());
    }
    if (observer_.progress != nullptr) observer_.progress(observer_.user, stage.name, stage.percent);
    if (stage.percent == kHeldPercent && model_->program().fail_load.has_value()) {
      Engine::instance().forget(*model_);
      return finish(*model_->program().fail_load);
    }
  }
  finish({});
}

void ModelHandle::finish(const Result<void>& result) {
  {
    const std::scoped_lock lock(mutex_);
    result_ = cancelled_ && result.ok() ? Result<void>(cancelled_error()) : result;
    finished_.notify_all();
  }
  Engine::instance().log(SDV2_LOG_INFO,
                         result_->ok() ? "model loaded" : "model not loaded: " + result_->error().message);
  if (observer_.done == nullptr) return;
  sdv2_status* status = result_->ok() ? nullptr : new_status(result_->error());
  observer_.done(observer_.user, status);
  sdv2_status_free(status);
}

Result<void> ModelHandle::wait() {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return result_.has_value() || cancelled_; });
  return result_.has_value() ? *result_ : cancelled_error();
}

void ModelHandle::cancel() {
  {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
    finished_.notify_all();
  }
  model_->wake();
}

void ModelHandle::close() {
  cancel();
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

Result<std::shared_ptr<Model>> ModelHandle::loaded() {
  const std::scoped_lock lock(mutex_);
  if (!result_.has_value())
    return cancelled_ ? cancelled_error() : invalid("the model is not loaded yet; wait for it");
  if (!result_->ok()) return result_->error();
  return model_;
}

}  // namespace sdv2::stub
