// SPDX-License-Identifier: LGPL-2.1-or-later
// Guards the public interface: writes down factories, pads, properties, signals and documentation texts of
// the sdv2 plugin, and compares them with the recorded ones. A change on purpose is recorded with --update.
//
//   elements-snapshot FILE [--update]      exit code 0: the same, 1: different (the lines that differ are
//   printed)
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string take(gchar* text) {
  std::string result = text != nullptr ? text : "";
  g_free(text);
  return result;
}

// The range of a property's type, as far as it has one.
std::string range_of(GParamSpec* spec) {
  char text[160] = "";
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    std::snprintf(text, sizeof text, " %u..%u", G_PARAM_SPEC_UINT(spec)->minimum,
                  G_PARAM_SPEC_UINT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_INT(spec)) {
    std::snprintf(text, sizeof text, " %d..%d", G_PARAM_SPEC_INT(spec)->minimum,
                  G_PARAM_SPEC_INT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
    std::snprintf(text, sizeof text, " %" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT,
                  G_PARAM_SPEC_UINT64(spec)->minimum, G_PARAM_SPEC_UINT64(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    std::snprintf(text, sizeof text, " %g..%g", G_PARAM_SPEC_DOUBLE(spec)->minimum,
                  G_PARAM_SPEC_DOUBLE(spec)->maximum);
  } else if (GST_IS_PARAM_SPEC_FRACTION(spec)) {
    const auto* f = GST_PARAM_SPEC_FRACTION(spec);
    std::snprintf(text, sizeof text, " %d/%d..%d/%d", f->min_num, f->min_den, f->max_num, f->max_den);
  }
  return text;
}

std::string flags_of(GParamSpec* spec) {
  std::string text;
  const auto flag = [&](guint bit, const char* name) {
    if ((spec->flags & bit) == bit) text += std::string(" ") + name;
  };
  flag(G_PARAM_READABLE, "readable");
  flag(G_PARAM_WRITABLE, "writable");
  flag(GST_PARAM_CONTROLLABLE, "controllable");
  flag(GST_PARAM_MUTABLE_READY, "mutable-ready");
  flag(GST_PARAM_MUTABLE_PAUSED, "mutable-paused");
  flag(GST_PARAM_MUTABLE_PLAYING, "mutable-playing");
  return text;
}

void write_property(std::ostream& out, GParamSpec* spec) {
  const GValue* value = g_param_spec_get_default_value(spec);
  const std::string default_value =
      G_VALUE_HOLDS_BOXED(value) ? "none" : take(g_strdup_value_contents(value));
  out << "  property " << spec->name << ": " << g_type_name(spec->value_type) << range_of(spec)
      << " default=" << default_value << " [" << flags_of(spec) << " ]\n    " << g_param_spec_get_nick(spec)
      << ": " << g_param_spec_get_blurb(spec) << "\n";
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    const GEnumClass* values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    for (guint i = 0; i < values->n_values; ++i) {
      out << "    " << values->values[i].value << " " << values->values[i].value_nick << ": "
          << values->values[i].value_name << "\n";
    }
  }
}

void write_signals(std::ostream& out, GType type) {
  guint count = 0;
  guint* ids = g_signal_list_ids(type, &count);
  for (guint i = 0; i < count; ++i) {
    GSignalQuery query;
    g_signal_query(ids[i], &query);
    out << "  signal " << query.signal_name << "(";
    for (guint p = 0; p < query.n_params; ++p)
      out << (p > 0 ? ", " : "") << g_type_name(query.param_types[p]);
    out << ") -> " << g_type_name(query.return_type)
        << (query.signal_flags & G_SIGNAL_ACTION ? " action" : "") << "\n";
  }
  g_free(ids);
}

void write_factory(std::ostream& out, GstElementFactory* factory) {
  out << "element " << GST_OBJECT_NAME(factory)
      << " rank=" << gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)) << "\n";
  for (const char* key :
       {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS, GST_ELEMENT_METADATA_DESCRIPTION}) {
    out << "  " << key << ": " << gst_element_factory_get_metadata(factory, key) << "\n";
  }
  for (const GList* item = gst_element_factory_get_static_pad_templates(factory); item != nullptr;
       item = item->next) {
    auto* pad = static_cast<GstStaticPadTemplate*>(item->data);
    GstCaps* caps = gst_static_pad_template_get_caps(pad);
    out << "  pad " << pad->name_template << (pad->direction == GST_PAD_SRC ? " src" : " sink")
        << (pad->presence == GST_PAD_ALWAYS ? " always: " : " not always: ") << take(gst_caps_to_string(caps))
        << "\n";
    gst_caps_unref(caps);
  }
  GstElement* element = gst_element_factory_create(factory, nullptr);
  const GType type = G_OBJECT_TYPE(element);
  out << "  type " << g_type_name(type) << " < " << g_type_name(g_type_parent(type)) << "\n";
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  std::sort(specs, specs + count,
            [](const GParamSpec* a, const GParamSpec* b) { return std::strcmp(a->name, b->name) < 0; });
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type == type) write_property(out, specs[i]);
  }
  g_free(specs);
  write_signals(out, type);
  gst_object_unref(element);
}

std::string snapshot() {
  std::ostringstream out;
  GstPlugin* plugin = gst_plugin_load_by_name("sdv2");
  if (plugin == nullptr) return "the sdv2 plugin is not there\n";
  out << "plugin " << gst_plugin_get_name(plugin) << ": " << gst_plugin_get_description(plugin) << " ["
      << gst_plugin_get_license(plugin) << "]\n";
  GList* features = gst_registry_get_feature_list_by_plugin(gst_registry_get(), "sdv2");
  features = g_list_sort(features, [](gconstpointer a, gconstpointer b) {
    return std::strcmp(GST_OBJECT_NAME(a), GST_OBJECT_NAME(b));
  });
  for (GList* item = features; item != nullptr; item = item->next) {
    GstPluginFeature* loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(item->data));
    if (GST_IS_ELEMENT_FACTORY(loaded)) write_factory(out, GST_ELEMENT_FACTORY(loaded));
    gst_object_unref(loaded);
  }
  gst_plugin_feature_list_free(features);
  gst_object_unref(plugin);
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int compare(const std::string& recorded, const std::string& now) {
  if (recorded == now) return 0;
  const auto before = lines_of(recorded);
  const auto after = lines_of(now);
  const auto missing_in = [](const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) == lines.end();
  };
  for (const auto& line : before) {
    if (missing_in(after, line)) std::printf("- %s\n", line.c_str());
  }
  for (const auto& line : after) {
    if (missing_in(before, line)) std::printf("+ %s\n", line.c_str());
  }
  std::printf("The elements' interface has changed. If that is meant, record it with --update.\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc < 2) {
    std::fprintf(stderr, "usage: elements-snapshot FILE [--update]\n");
    return 2;
  }
  const std::string now = snapshot();
  int result = 0;
  if (argc > 2 && std::strcmp(argv[2], "--update") == 0) {
    std::ofstream(argv[1]) << now;
  } else {
    std::ifstream file(argv[1]);
    std::stringstream recorded;
    recorded << file.rdbuf();
    result = compare(recorded.str(), now);
  }
  gst_deinit();
  return result;
}
