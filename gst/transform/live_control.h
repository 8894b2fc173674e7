// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings while the element runs: who changes them, who asks for them, and what the stream has not taken
// over yet.
#pragma once

#include <gst/gst.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/transform_settings.h"

namespace sdv2 {

// Name of the structure in custom events that change settings, and of the messages that answer.
inline constexpr const char* kControlName = "sdv2-control";
inline constexpr const char* kAppliedName = "sdv2-applied";

// Thread-safe. Its lock is taken last and held for copies only.
class LiveControl {
 public:
  TransformSettings settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  // Runs `change` on the settings; true when they are different after it.
  template <class Change>
  bool update(Change change) {
    const std::lock_guard lock(mutex_);
    const TransformSettings before = settings_;
    change(settings_);
    return settings_ != before;
  }

  // Says that a live setting has been set.
  void note(LiveSetting setting) {
    const std::lock_guard lock(mutex_);
    changed_.insert(setting);
  }

  // The settings, and those of them that were set since the last call.
  std::pair<TransformSettings, LiveSettings> take_changes() {
    const std::lock_guard lock(mutex_);
    return {settings_, std::exchange(changed_, {})};
  }

  void forget_changes() {
    const std::lock_guard lock(mutex_);
    changed_.clear();
  }

 private:
  mutable std::mutex mutex_;
  TransformSettings settings_;
  LiveSettings changed_;
};

// Sets the properties that the fields of `control` name, and returns their names as they are declared; or
// sets none, when one is unknown, cannot be changed while the stream runs, or has a value that does not fit
// (then nothing, and `problem` says which). The fields may be anything that an application can put into a
// structure. Any thread; holds no lock.
std::optional<std::vector<std::string>> apply_control(GstElement* element, const GstStructure* control,
                                                      std::string* problem);

// A new structure for the message that says from when a property holds: `property` and `value`.
GstStructure* new_applied(GstElement* element, const char* property);

}  // namespace sdv2
