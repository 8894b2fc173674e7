// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2transform: control structures of every kind that an application may send. What does not fit is refused
// as a whole with one warning, what fits is accepted by the engine too, and nothing else happens.
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "transform_harness.h"

namespace sdv2::testing {
namespace {

// A structure, owned.
class Structure {
 public:
  Structure() : structure_(gst_structure_new_empty("sdv2-control")) {}
  explicit Structure(const char* fields)
      : structure_(gst_structure_from_string((std::string("sdv2-control, ") + fields).c_str(), nullptr)) {
    EXPECT_NE(structure_, nullptr) << fields;
  }
  template <class T>
  Structure(const char* field, GType type, T value) : Structure() {
    gst_structure_set(structure_, field, type, value, nullptr);
  }
  Structure(Structure&& other) noexcept : structure_(std::exchange(other.structure_, nullptr)) {}
  Structure(const Structure&) = delete;
  Structure& operator=(const Structure&) = delete;
  Structure& operator=(Structure&&) = delete;
  ~Structure() {
    if (structure_ != nullptr) gst_structure_free(structure_);
  }
  GstStructure* get() const { return structure_; }
  GstStructure* copy() const { return gst_structure_copy(structure_); }
  std::string text() const {
    gchar* text = gst_structure_to_string(structure_);
    std::string result = text;
    g_free(text);
    return result;
  }

 private:
  GstStructure* structure_;
};

class TransformHostileControl : public TransformTest {
 protected:
  // The value of every property, as text.
  std::vector<std::string> properties() {
    std::vector<std::string> all;
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(h().element()), &count);
    for (guint i = 0; i < count; ++i) {
      if (specs[i]->value_type == GST_TYPE_STRUCTURE || (specs[i]->flags & G_PARAM_READABLE) == 0) continue;
      GValue value = G_VALUE_INIT;
      g_object_get_property(G_OBJECT(h().element()), specs[i]->name, &value);
      gchar* text = g_strdup_value_contents(&value);
      all.push_back(std::string(specs[i]->name) + "=" + text);
      g_free(text);
      g_value_unset(&value);
    }
    g_free(specs);
    return all;
  }

  // The ways that a structure can come.
  bool by_event(GstEventType type, const Structure& changes) {
    GstEvent* event = gst_event_new_custom(type, changes.copy());
    return (gst_event_type_get_flags(type) & GST_EVENT_TYPE_DOWNSTREAM) != 0
               ? h().push_event(event)
               : gst_harness_push_upstream_event(h().harness(), event) != FALSE;
  }
  bool by_signal(const Structure& changes) {
    gboolean accepted = FALSE;
    g_signal_emit_by_name(h().element(), "control", changes.get(), &accepted);
    return accepted != FALSE;
  }
  bool send(int way, const Structure& changes) {
    constexpr GstEventType kTypes[] = {GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
                                       GST_EVENT_CUSTOM_UPSTREAM, GST_EVENT_CUSTOM_BOTH,
                                       GST_EVENT_CUSTOM_BOTH_OOB};
    return way < 5 ? by_event(kTypes[way], changes) : by_signal(changes);
  }
  static constexpr int kWays = 6;

  size_t warnings() { return h().count_messages(GST_MESSAGE_WARNING); }
};

std::vector<Structure> refused() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<Structure> all;
  const auto add = [&](auto... arguments) { all.emplace_back(arguments...); };
  // Names.
  for (const char* name : {"no-such-property", "", " ", "prompt ", "PROMPT", "model", "engine", "devices",
                           "stats", "name", "parent", "on-late", "GstObject::name", "a\nb", "\xc3\xa4"})
    add(name, G_TYPE_STRING, "x");
  add(std::string(100000, 'n').c_str(), G_TYPE_INT, 1);
  // Types.
  add("prompt=(structure)[a, b=(int)1]");
  add("prompt={ (string)a, (string)b }");
  add("prompt=< (string)a >");
  add("steps=(fraction)2/1");
  add("steps=[ 1, 3 ]");
  add("seed=(bitmask)1");
  add("prompt", G_TYPE_POINTER, &all);
  add("steps", G_TYPE_POINTER, &all);
  add("prompt", GST_TYPE_CAPS, static_cast<GstCaps*>(nullptr));
  add("prompt", G_TYPE_BYTES, static_cast<GBytes*>(nullptr));
  add("execution", GST_TYPE_FORMAT, GST_FORMAT_DEFAULT);
  // Ranges and texts.
  for (const char* fields : {"steps=-1",
                             "steps=5",
                             "steps=two",
                             "steps=2.5",
                             "steps=(string)\"\"",
                             "steps=(string)2x",
                             "steps=(gint64)4294967297",
                             "steps=(double)1e300",
                             "seed=-1",
                             "seed=(string)-1",
                             "seed=(guint64)18446744073709551615",
                             "seed=(guint64)9007199254740993",
                             "seed=(double)0.5",
                             "guidance=0",
                             "guidance=20.5",
                             "guidance=(string)nan",
                             "noise-scale=1.01",
                             "mix=(double)-0.1",
                             "adaptive-noise=5",
                             "adaptive-noise=(string)perhaps",
                             "bypass=-1",
                             "execution=fast",
                             "execution=3",
                             "execution=-1",
                             "guidance-mode=none",
                             "adaptive-sink=-3",
                             "prompt-blend=257",
                             "prompt-blend-mode=(boolean)true",
                             "similarity-filter=2",
                             "prompt=x, steps=9"})
    add(fields);
  for (const double value : {kNan, kInfinity, -kInfinity, 1e300, -1e300}) {
    for (const char* name : {"guidance", "noise-scale", "steps", "seed", "adaptive-noise", "execution"})
      add(name, G_TYPE_DOUBLE, value);
  }
  return all;
}

TEST_F(TransformHostileControl, WhatDoesNotFitIsOneWarningAndNoChange) {
  begin("{}");
  wait_until_loaded();
  const auto before = properties();
  for (const Structure& changes : refused()) {
    for (int way = 0; way < kWays; ++way) {
      EXPECT_FALSE(send(way, changes)) << changes.text().substr(0, 200);
      EXPECT_EQ(warnings(), 1u) << changes.text().substr(0, 200);
    }
    ASSERT_EQ(properties(), before) << changes.text().substr(0, 200);
  }
}

TEST_F(TransformHostileControl, WhatMeansTheSameIsTheSame) {
  begin("{}");
  wait_until_loaded();
  for (const char* fields : {"noise_scale=(float)0.5", "noise-scale=(string)0.5", "steps=(gint64)2",
                             "steps=(double)2.0", "steps=(string)2", "execution=(int)1", "execution=latency",
                             "adaptive-noise=(int)0", "adaptive-noise=no", "guidance=(int)2", "prompt=(int)7",
                             "seed=(double)9007199254740992", "bypass=(guint64)1"}) {
    for (int way = 0; way < kWays; ++way) EXPECT_TRUE(send(way, Structure(fields))) << fields;
  }
  EXPECT_TRUE(by_signal(Structure("prompt", G_TYPE_STRING, static_cast<const char*>(nullptr))));
  EXPECT_TRUE(by_signal(Structure("execution", g_type_from_name("GstSdv2TransformExecution"), 2)));
  EXPECT_TRUE(by_signal(Structure()));
  EXPECT_EQ(warnings(), 0u);
}

// A declared name in another spelling is answered by the declared one.
TEST_F(TransformHostileControl, AnswersNameThePropertyAsDeclared) {
  begin("{}");
  EXPECT_TRUE(by_signal(Structure("noise_scale=(double)-1")));  // as it is: an answer all the same
  h().push_frames(0, 5);
  h().out().wait_for_buffers(5);
  GstMessage* answer = message(GST_MESSAGE_ELEMENT);
  EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(answer), "property"), "noise-scale");
  gst_message_unref(answer);
}

TEST_F(TransformHostileControl, APromptThatIsNotUtf8IsMadeSo) {
  begin("{}");
  gboolean accepted = FALSE;
  g_signal_emit_by_name(h().element(), "set-prompt", "a\xff\xfe", &accepted);
  EXPECT_TRUE(accepted);
  g_signal_emit_by_name(h().element(), "set-prompt", nullptr, &accepted);
  EXPECT_TRUE(accepted);
  g_signal_emit_by_name(h().element(), "control", nullptr, &accepted);
  EXPECT_FALSE(accepted);
  g_object_set(h().element(), "prompt", "b\xff", nullptr);
  EXPECT_EQ(h().push_frames(0, 5), GST_FLOW_OK);
  h().out().wait_for_buffers(5);
  EXPECT_EQ(warnings(), 0u);
}

// Random fields: what the element accepts the engine accepts too.
TEST_F(TransformHostileControl, WhateverIsAcceptedSuitsTheEngine) {
  begin("{}");
  wait_until_loaded();
  std::mt19937 random(20);
  const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
  constexpr const char* kNames[] = {"prompt",
                                    "negative-prompt",
                                    "guidance",
                                    "guidance-mode",
                                    "prompt-blend",
                                    "steps",
                                    "prompt-blend-mode",
                                    "noise-scale",
                                    "seed",
                                    "adaptive-noise",
                                    "adaptive-sink",
                                    "mix",
                                    "execution",
                                    "bypass",
                                    "similarity-filter",
                                    "priority",
                                    "reset-on-prompt",
                                    "noise_scale",
                                    "model",
                                    "",
                                    "name"};
  constexpr double kNumbers[] = {0,    1,     -1,           2,
                                 3,    0.5,   1.5,          -1.5,
                                 256,  257,   4294967296.0, 9007199254740992.0,
                                 1e19, -1e19, 1e308,        std::numeric_limits<double>::quiet_NaN()};
  constexpr const char* kTexts[] = {"",
                                    "0",
                                    "1",
                                    "0.25",
                                    "-1",
                                    "auto",
                                    "full",
                                    "slerp",
                                    "true",
                                    "\xe2\x82\xac",
                                    "1e999",
                                    "0x10",
                                    "18446744073709551616"};
  const std::function<void(GstStructure*)> add_field = [&](GstStructure* to) {
    const char* name = kNames[below(std::size(kNames))];
    const double number = kNumbers[below(std::size(kNumbers))];
    const bool in_int = std::abs(number) < 2147483648.0;
    switch (below(6)) {
      case 0:
        gst_structure_set(to, name, G_TYPE_INT, in_int ? static_cast<int>(number) : G_MININT, nullptr);
        break;
      case 1:
        gst_structure_set(to, name, G_TYPE_UINT64, static_cast<guint64>(random()) << below(33), nullptr);
        break;
      case 2:
        gst_structure_set(to, name, G_TYPE_DOUBLE, number, nullptr);
        break;
      case 3:
        gst_structure_set(to, name, G_TYPE_BOOLEAN, below(2) == 1, nullptr);
        break;
      case 4:
        gst_structure_set(to, name, GST_TYPE_FRACTION, in_int ? static_cast<int>(number) : 1, 1, nullptr);
        break;
      default:
        gst_structure_set(to, name, G_TYPE_STRING, kTexts[below(std::size(kTexts))], nullptr);
        break;
    }
  };
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    const Structure changes;
    for (unsigned i = below(3); i < 3; ++i) add_field(changes.get());
    const auto before = properties();
    const bool fits = send(static_cast<int>(below(kWays)), changes);
    EXPECT_EQ(warnings(), fits ? 0u : 1u) << changes.text();
    accepted += fits ? 1 : 0;
    if (!fits) {
      ASSERT_EQ(properties(), before) << changes.text();
    }
    if (fits || round % 100 == 0) {
      // The first chunk has five frames, all others four.
      ASSERT_EQ(h().push_frames(round == 0 ? 0 : 5, round == 0 ? 5 : 4), GST_FLOW_OK);
      ASSERT_EQ(warnings(), 0u) << changes.text();
    }
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace sdv2::testing
