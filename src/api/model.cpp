// SPDX-License-Identifier: LGPL-2.1-or-later
// The sdv2_model_* calls.
#include "api/handles.h"
#include "api/status.h"
#include "base/log.h"

using sdv2::guarded;
using sdv2::invalid;
using sdv2::to_status;

namespace {

sdv2::LoadObserver to_observer(const sdv2_load_observer& c) {
  sdv2::LoadObserver observer;
  if (c.progress != nullptr)
    observer.progress = [c](const char* stage, int percent) { c.progress(c.user, stage, percent); };
  if (c.done != nullptr)
    observer.done = [c](const sdv2::Result<void>& result) {
      sdv2_status* const status = to_status(result);
      c.done(c.user, status);
      sdv2_status_free(status);
    };
  return observer;
}

}  // namespace

sdv2_status* sdv2_model_open(const char* config, const sdv2_load_observer* observer, sdv2_model** model) {
  return guarded([&]() -> sdv2_status* {
    if (model == nullptr) return invalid("sdv2_model_open: model is NULL");
    *model = nullptr;
    if (config == nullptr) return invalid("sdv2_model_open: config is NULL");
    if (observer != nullptr && observer->struct_size < sizeof(sdv2_load_observer))
      return invalid("sdv2_model_open: observer->struct_size is not set");
    const auto parsed = sdv2::parse_model_config(config);
    if (!parsed.ok()) return to_status(parsed.error());
    sdv2::log_info("opening model " + parsed->model + " on " + parsed->devices);
    *model = new sdv2_model{sdv2::model_cache().open(
        *parsed, observer == nullptr ? sdv2::LoadObserver() : to_observer(*observer))};
    return nullptr;
  });
}

sdv2_status* sdv2_model_wait(sdv2_model* model) {
  return guarded([&]() -> sdv2_status* {
    if (model == nullptr) return invalid("sdv2_model_wait: model is NULL");
    const auto loaded = model->handle->wait();
    return loaded.ok() ? nullptr : to_status(loaded.error());
  });
}

void sdv2_model_cancel(sdv2_model* model) {
  if (model != nullptr) model->handle->cancel();
}

sdv2_status* sdv2_model_info(sdv2_model* model, char** json) {
  return guarded([&]() -> sdv2_status* {
    if (model == nullptr || json == nullptr) return invalid("sdv2_model_info: an argument is NULL");
    const auto loaded = model->handle->get();
    if (!loaded.ok()) return to_status(loaded.error());
    *json = sdv2::to_c_string((*loaded)->info_json());
    return nullptr;
  });
}

void sdv2_model_close(sdv2_model* model) { delete model; }
