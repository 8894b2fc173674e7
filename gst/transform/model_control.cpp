// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading, as the bus sees it.
#include "transform/model_control.h"

#include <cstdlib>

#include "transform/engine_error.h"
#include "transform/model_folder.h"

GST_DEBUG_CATEGORY_EXTERN(gst_sdv2_engine_debug);

namespace sdv2 {
namespace {

constexpr const char* kProgressCode = "load";

// The engine's messages, in the category sdv2engine.
void log_engine(void*, sdv2_log_level level, const char* message) {
  constexpr GstDebugLevel kLevels[] = {GST_LEVEL_ERROR, GST_LEVEL_WARNING, GST_LEVEL_INFO, GST_LEVEL_DEBUG};
  if (level < SDV2_LOG_ERROR || level > SDV2_LOG_DEBUG) return;
  GST_CAT_LEVEL_LOG(gst_sdv2_engine_debug, kLevels[level - SDV2_LOG_ERROR], nullptr, "%s", message);
}

// What the category lets through now.
sdv2_log_level log_level() {
  switch (gst_debug_category_get_threshold(gst_sdv2_engine_debug)) {
    case GST_LEVEL_NONE:
    case GST_LEVEL_ERROR:
      return SDV2_LOG_ERROR;
    case GST_LEVEL_WARNING:
    case GST_LEVEL_FIXME:
      return SDV2_LOG_WARNING;
    case GST_LEVEL_INFO:
      return SDV2_LOG_INFO;
    default:
      return SDV2_LOG_DEBUG;
  }
}

// The model to load when the property names none.
std::string default_model() {
  const char* variable = std::getenv("SDV2_MODEL");
  return variable != nullptr && *variable != '\0' ? variable : SDV2_DEMO_MODEL;
}

}  // namespace

ModelControl::ModelControl(GstElement* element, TransformStream* stream, const LiveControl* control)
    : element_(element), stream_(stream), control_(control), loader_(this, log_engine, log_level()) {
  stream_->set_reload([this](const std::vector<std::string>& devices) { reload(devices); });
}

// Only what costs nothing: the rest fails in the background.
bool ModelControl::find(const TransformSettings& settings, LoadRequest* request) {
  const std::string model = settings.model.empty() ? default_model() : settings.model;
  const ModelFolderCheck check = check_model_folder(model);
  if (!check.found) {
    GST_ELEMENT_ERROR(
        element_, RESOURCE, NOT_FOUND, ("The model \"%s\" is not there.", model.c_str()),
        ("%s; set the property model, or the environment variable SDV2_MODEL, to a model's folder",
         check.problem.c_str()));
    return false;
  }
  if (!check.problem.empty()) {
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ, ("The model \"%s\" cannot be read.", model.c_str()),
                      ("%s", check.problem.c_str()));
    return false;
  }
  std::vector<std::string> searched;
  request->engine = find_engine(settings.engine, &searched);
  if (request->engine.empty()) {
    std::string places;
    for (const std::string& place : searched) places += (places.empty() ? "" : ", ") + place;
    GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND, ("The engine of sdv2 is not installed."),
                      ("searched: %s; set the property engine, or the environment variable SDV2_ENGINE, to "
                       "libsdv2engine.so",
                       places.c_str()));
    return false;
  }
  request->config = model_config_json(settings, model);
  return true;
}

bool ModelControl::begin() {
  LoadRequest request;
  if (!find(control_->settings(), &request)) return false;
  if (loader_.holds(request)) return true;
  end();
  reloading_ = false;
  post_progress(GST_PROGRESS_TYPE_START, "Loading the model", 0);
  loader_.start(request);
  return true;
}

void ModelControl::end() {
  if (loader_.stop()) post_progress(GST_PROGRESS_TYPE_CANCELED, "Loading was cancelled", 0);
  stream_->model_loading();
}

void ModelControl::reload(const std::vector<std::string>& devices) {
  TransformSettings settings = control_->settings();
  settings.devices.clear();
  for (const std::string& device : devices)
    settings.devices += (settings.devices.empty() ? "" : ",") + device;
  settings.plan = "auto";
  loader_.stop();
  reloading_ = true;
  LoadRequest request;
  if (!find(settings, &request))
    return stream_->replan_failed({SDV2_NOT_FOUND, "The model cannot be loaded again."});
  post_progress(GST_PROGRESS_TYPE_START, "Loading the model on " + settings.devices, 0);
  loader_.start(request);
}

void ModelControl::load_progress(const std::string& stage, int percent) {
  post_progress(GST_PROGRESS_TYPE_CONTINUE, "Loading " + stage + ": " + std::to_string(percent) + " %",
                percent);
}

void ModelControl::load_done(const LoadedModel& model) {
  stream_->model_ready(model);
  post_progress(GST_PROGRESS_TYPE_COMPLETE, "The model is ready", 100);
}

void ModelControl::load_failed(const EngineStatus& status) {
  if (reloading_) {
    stream_->replan_failed(status);
  } else {
    stream_->model_failed();
    post_engine_status(element_, GST_MESSAGE_ERROR, "The model could not be loaded.", status);
  }
  post_progress(GST_PROGRESS_TYPE_ERROR, "Loading has failed", 0);
}

// gst-launch-1.0 prints the text; the field `percent` is for applications.
void ModelControl::post_progress(GstProgressType type, const std::string& text, int percent) {
  GstMessage* message =
      gst_message_new_progress(GST_OBJECT_CAST(element_), type, kProgressCode, text.c_str());
  gst_structure_set(gst_message_writable_structure(message), "percent", G_TYPE_INT, percent, nullptr);
  gst_element_post_message(element_, message);
}

}  // namespace sdv2
