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

bool is_number(const GValue* value) {
  switch (G_VALUE_TYPE(value)) {
    case G_TYPE_BOOLEAN:
    case G_TYPE_INT:
    case G_TYPE_UINT:
    case G_TYPE_LONG:
    case G_TYPE_ULONG:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
      return true;
    default:
      return false;
  }
}

// GLib's transformations cut off what does not fit; only those that can be undone keep the number.
bool convert_number(const GValue* from, GValue* to) {
  Value back(G_VALUE_TYPE(from));
  return g_value_transform(from, to) && g_value_transform(to, back.get()) &&
         gst_value_compare(from, back.get()) == GST_VALUE_EQUAL;
}

// Values of the property's own type, numbers of any type that are the same number in the property's, and
// texts: of numbers, of enumerations' names.
bool convert(const GValue* from, GParamSpec* property, GValue* to) {
  const bool wants_text = G_IS_PARAM_SPEC_STRING(property);
  bool fits = false;
  if (g_value_type_compatible(G_VALUE_TYPE(from), property->value_type)) {
    g_value_copy(from, to);
    fits = true;
  } else if (G_VALUE_HOLDS_STRING(from)) {
    const gchar* text = g_value_get_string(from);
    // GStreamer reads an empty text as 0.
    fits = text != nullptr && *text != '\0' && gst_value_deserialize_with_pspec(to, text, property);
  } else if (is_number(from)) {
    fits = wants_text ? g_value_transform(from, to) : convert_number(from, to);
  }
  return fits && !g_param_value_validate(property, to);
}

}  // namespace

std::optional<std::vector<std::string>> apply_control(GstElement* element, const GstStructure* control,
                                                      std::string* problem) {
  std::vector<Change> changes;
  for (gint i = 0; i < gst_structure_n_fields(control); ++i) {
    const gchar* name = gst_structure_nth_field_name(control, static_cast<guint>(i));
    GParamSpec* property = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
    if (property == nullptr || !can_be_controlled(property->name)) {
      *problem = std::string("'") + name + "' is no property that can be changed while the stream runs";
      return std::nullopt;
    }
    Change change{property, Value(property->value_type)};
    const GValue* value = gst_structure_get_value(control, name);
    if (!convert(value, property, change.value.get())) {
      const std::unique_ptr<gchar, decltype(&g_free)> text(g_strdup_value_contents(value), g_free);
      *problem = std::string("the value ") + text.get() + " does not fit '" + name + "'";
      return std::nullopt;
    }
    changes.push_back(std::move(change));
  }
  std::vector<std::string> applied;
  for (Change& change : changes) {
    g_object_set_property(G_OBJECT(element), change.property->name, change.value.get());
    applied.emplace_back(change.property->name);
  }
  return applied;
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
