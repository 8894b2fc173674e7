// SPDX-License-Identifier: LGPL-2.1-or-later
// The loader's thread. It owns its job together with the loader, so that it may outlive it: opening a library
// cannot be interrupted.
#include "transform/model_loader.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sdv2 {

class ModelLoader::Job {
 public:
  Job(LoadRequest request, LoadListener* listener) : request_(std::move(request)), listener_(listener) {}

  const LoadRequest& request() const { return request_; }

  void run(EngineLog log, sdv2_log_level log_level);
  // As ModelLoader::stop.
  bool cancel();

 private:
  static void on_progress(void* user, const char* stage, int percent) {
    const std::string text = stage != nullptr ? stage : "";
    static_cast<Job*>(user)->tell([&](LoadListener& l) { l.load_progress(text, percent); });
  }

  // Calls the listener, unless the load is cancelled. cancel() waits for the call's end. `last`: the load is
  // over with it.
  template <class Call>
  void tell(Call call, bool last = false) {
    std::unique_lock lock(mutex_);
    if (cancelled_) return;
    told_end_ = last;
    ++telling_;
    lock.unlock();
    call(*listener_);
    lock.lock();
    --telling_;
    changed_.notify_all();
  }
  void load(EngineLog log, sdv2_log_level log_level);

  const LoadRequest request_;
  LoadListener* const listener_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<EngineModel> model_;  // while it is being loaded
  int telling_ = 0;
  bool cancelled_ = false;
  bool told_end_ = false;
  bool over_ = false;  // the thread has nothing more to do
};

void ModelLoader::Job::run(EngineLog log, sdv2_log_level log_level) {
  load(log, log_level);
  const std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void ModelLoader::Job::load(EngineLog log, sdv2_log_level log_level) {
  const auto fail = [this](const EngineStatus& status) {
    tell([&](LoadListener& l) { l.load_failed(status); }, true);
  };
  const OpenedEngine engine = open_engine(request_.engine);
  if (!engine.api) return fail(engine.status);
  const EngineApi& api = *engine.api;
  api.set_log(log_level, log, nullptr);

  const sdv2_load_observer observer = {sizeof(sdv2_load_observer), this, on_progress, nullptr};
  sdv2_model* handle = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
  }
  EngineStatus status = api.take(api.model_open(request_.config.c_str(), &observer, &handle));
  if (!status.ok()) return fail(status);
  auto model = std::make_shared<EngineModel>(engine.api, handle);
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    model_ = model;
    cancelled = cancelled_;
  }
  if (cancelled) api.model_cancel(handle);
  status = api.take(api.model_wait(handle));
  {
    const std::lock_guard lock(mutex_);
    model_ = nullptr;
  }
  if (!status.ok()) return fail(status);

  ModelInfo info;
  status = model->info(&info);
  if (!status.ok()) return fail(status);
  tell([&](LoadListener& l) { l.load_done({model, info}); }, true);
}

bool ModelLoader::Job::cancel() {
  std::unique_lock lock(mutex_);
  const bool under_way = !told_end_;
  cancelled_ = true;
  changed_.wait(lock, [this] { return telling_ == 0; });
  auto model = std::move(model_);
  lock.unlock();
  if (model) model->api().model_cancel(model->handle());
  model.reset();
  lock.lock();
  changed_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(100),
                      [this] { return over_; });
  return under_way;
}

void ModelLoader::start(const LoadRequest& request) {
  job_ = std::make_shared<Job>(request, listener_);
  std::thread([job = job_, log = log_, level = log_level_] { job->run(log, level); }).detach();
}

bool ModelLoader::holds(const LoadRequest& request) const { return job_ && job_->request() == request; }

bool ModelLoader::stop() {
  if (!job_) return false;
  const bool under_way = job_->cancel();
  job_.reset();
  return under_way;
}

}  // namespace sdv2
