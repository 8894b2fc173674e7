// SPDX-License-Identifier: LGPL-2.1-or-later
// Control structures to properties.
#include "transform/live_control.h"

#include <memory>
#include <vector>

namespace sdv2 {
namespace {

// A GValue that clears itself.
class Value {
 public:
  explicit Value(GType type) { g_value_init(&value_, type); }
  Value(Value&& other) noexcept : value_(other.value_) { other.value_ = G_VALUE_INIT; }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  Value& operator=(Value&&) = delete;
  ~Value() {
    if (G_IS_VALUE(&value_)) g_value_unset(&value_);
  }
  GValue* get() { return &value_; }

 private:
  GValue value_ = G_VALUE_INIT;
};

struct Change {
  GParamSpec* property;
  Value value;
};

bool can_be_controlled(const char* property) {
  return g_str_equal(property, "bypass") || live_setting_named(property);
}

// Numbers of any type, enumerations by name, and texts of all of them fit.
bool convert(const GValue* from, GParamSpec* property, GValue* to) {
  if (G_VALUE_HOLDS_STRING(from) && !G_IS_PARAM_SPEC_STRING(property)) {
    const gchar* text = g_value_get_string(from);
    if (text == nullptr || !gst_value_deserialize_with_pspec(to, text, property)) return false;
  } else if (!g_value_transform(from, to)) {
    return false;
  }
  return g_param_value_validate(property, to) == FALSE;
}

}  // namespace

bool apply_control(GstElement* element, const GstStructure* control, std::string* problem) {
  std::vector<Change> changes;
  for (gint i = 0; i < gst_structure_n_fields(control); ++i) {
    const gchar* name = gst_structure_nth_field_name(control, static_cast<guint>(i));
    GParamSpec* property = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
    if (property == nullptr || !can_be_controlled(property->name)) {
      *problem = std::string("'") + name + "' is no property that can be changed while the stream runs";
      return false;
    }
    Change change{property, Value(property->value_type)};
    const GValue* value = gst_structure_get_value(control, name);
    if (!convert(value, property, change.value.get())) {
      const std::unique_ptr<gchar, decltype(&g_free)> text(g_strdup_value_contents(value), g_free);
      *problem = std::string("the value ") + text.get() + " does not fit '" + name + "'";
      return false;
    }
    changes.push_back(std::move(change));
  }
  for (Change& change : changes)
    g_object_set_property(G_OBJECT(element), change.property->name, change.value.get());
  return true;
}

GstStructure* new_applied(GstElement* element, const char* property) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
  Value value(spec->value_type);
  g_object_get_property(G_OBJECT(element), property, value.get());
  GstStructure* applied = gst_structure_new(kAppliedName, "property", G_TYPE_STRING, property, nullptr);
  gst_structure_set_value(applied, "value", value.get());
  return applied;
}

}  // namespace sdv2
