// SPDX-License-Identifier: LGPL-2.1-or-later
// A model that is shared by the handles and sessions on it, and the handle that one caller opened.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "sdv2/sdv2.h"
#include "stub/program.h"

namespace sdv2::stub {

// The part of an observer that the engine may use: without what a caller of another version does not know.
Result<sdv2_load_observer> check_observer(const sdv2_load_observer* observer);

class Model {
 public:
  Model(std::string key, nlohmann::json config, nlohmann::json stub, Program program);

  const std::string& key() const { return key_; }
  const nlohmann::json& config() const { return config_; }
  const nlohmann::json& stub() const { return stub_; }
  const Program& program() const { return program_; }
  nlohmann::json info() const;

  // The devices' names, "auto" being one CPU.
  nlohmann::json devices() const;

  // Waits until the load has come to `percent` or `stop` says so. False: stopped. Real time.
  bool wait_loaded(int percent, const std::function<bool()>& stop);
  // Makes everyone who waits look again.
  void wake();

  // The device failed: everything on the model fails with this from now on.
  void kill(const std::string& message);
  std::optional<Error> dead() const;

 private:
  std::string key_;
  nlohmann::json config_;
  nlohmann::json stub_;
  Program program_;
  int64_t begin_ns_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> dead_;
};

// One sdv2_model_open. Its thread makes the callbacks of this handle.
class ModelHandle : public std::enable_shared_from_this<ModelHandle> {
 public:
  ModelHandle(std::shared_ptr<Model> model, const sdv2_load_observer& observer);
  ~ModelHandle();

  void start();
  Result<void> wait();
  void cancel();
  // Cancels a load under way and waits for callbacks, unless the caller is one.
  void close();
  // The model once it is loaded. Errors: those of the load; kInvalidArgument while it is under way.
  Result<std::shared_ptr<Model>> loaded();

 private:
  void load();
  void finish(const Result<void>& result);

  std::shared_ptr<Model> model_;
  sdv2_load_observer observer_;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable finished_;
  bool cancelled_ = false;
  std::optional<Result<void>> result_;
};

}  // namespace sdv2::stub
