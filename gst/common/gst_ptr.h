// SPDX-License-Identifier: LGPL-2.1-or-later
// Owning pointers for GStreamer's reference counted types. Whether a reference is taken over or added shows
// at the call.
#pragma once

#include <gst/gst.h>

#include <utility>

namespace sdv2 {

// T: a GstObject or GstMiniObject type. Empty, or owns one reference.
template <class T>
class GstPtr {
 public:
  GstPtr() = default;
  GstPtr(GstPtr&& other) noexcept : object_(other.release()) {}
  GstPtr& operator=(GstPtr&& other) noexcept {
    GstPtr old(std::exchange(object_, other.release()));
    return *this;
  }
  GstPtr(const GstPtr&) = delete;
  GstPtr& operator=(const GstPtr&) = delete;
  ~GstPtr() {
    if (object_ != nullptr) unref(object_);
  }

  // Takes over the caller's reference (or null).
  static GstPtr adopt(T* object) { return GstPtr(object); }
  // Adds a reference of its own (or null).
  static GstPtr ref(T* object) {
    if (object != nullptr) add_ref(object);
    return GstPtr(object);
  }

  T* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  // Hands the reference to the caller.
  [[nodiscard]] T* release() { return std::exchange(object_, nullptr); }

 private:
  explicit GstPtr(T* object) : object_(object) {}

  static constexpr bool is_mini_object() {
    return requires(T & t) { t.mini_object; }
    || std::is_same_v<T, GstMiniObject>;
  }
  static void add_ref(T* object) {
    if constexpr (is_mini_object()) {
      gst_mini_object_ref(GST_MINI_OBJECT_CAST(object));
    } else {
      gst_object_ref(object);
    }
  }
  static void unref(T* object) {
    if constexpr (is_mini_object()) {
      gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));
    } else {
      gst_object_unref(object);
    }
  }

  T* object_ = nullptr;
};

}  // namespace sdv2
