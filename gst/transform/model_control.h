// SPDX-License-Identifier: LGPL-2.1-or-later
// The element's model over its states: checks that cost nothing, the load in the background, and the messages
// about it.
#pragma once

#include <gst/gst.h>

#include "transform/model_loader.h"
#include "transform/transform_stream.h"

namespace sdv2 {

// begin() and end() are called by state changes, one at a time.
class ModelControl final : private LoadListener {
 public:
  ModelControl(GstElement* element, TransformStream* stream, const LiveControl* control);

  // NULL to READY, and READY to PAUSED: begins to load what the settings name, unless that is there already.
  // False, with an ERROR message, when it cannot be loaded for sure. Does not wait for anything.
  bool begin();
  // READY to NULL: cancels the load or lets go of the model. Waits 100 ms at most.
  void end();

 private:
  bool find(const TransformSettings& settings, LoadRequest* request);
  // In the source pad's task, which runs only between begin() and end(): loads the model on other devices.
  void reload(const std::vector<std::string>& devices);
  void load_progress(const std::string& stage, int percent) override;
  void load_done(const LoadedModel& model) override;
  void load_failed(const EngineStatus& status) override;
  void post_progress(GstProgressType type, const std::string& text, int percent);

  GstElement* element_;
  TransformStream* stream_;
  const LiveControl* control_;
  ModelLoader loader_;
  bool reloading_ = false;  // what is being loaded takes a dead model's place; set while nothing is
};

}  // namespace sdv2
