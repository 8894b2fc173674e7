// SPDX-License-Identifier: LGPL-2.1-or-later
#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/weights/file_builders.h"

namespace sdv2 {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace): strings that hold zero bytes
using test::as_bytes;
using test::kProto;
using test::le;
using test::pickle_global;
using test::pickle_int;
using test::pickle_ints;
using test::pickle_storage;
using test::pickle_string;
using test::pickle_tensor;
using testing::ElementsAre;
using testing::HasSubstr;

// A document and the bytes that its strings point into.
struct Loaded {
  std::string bytes;
  Result<PickleDocument> document;

  template <class T>
  const T* root() const {
    return document->get<T>(document->root);
  }
};

std::unique_ptr<Loaded> load(const std::string& body) {
  auto loaded = std::make_unique<Loaded>(Loaded{kProto + body + ".", Error{}});
  loaded->document = load_pickle(as_bytes(loaded->bytes), "file");
  return loaded;
}

std::string error_of(const std::string& whole) {
  const auto result = load_pickle(as_bytes(whole), "file");
  return result.ok() ? "" : result.error().message;
}

void expect_int(const std::string& body, int64_t value) {
  const auto loaded = load(body);
  ASSERT_TRUE(loaded->document.ok()) << loaded->document.error().message;
  const auto* const number = loaded->root<int64_t>();
  ASSERT_NE(number, nullptr);
  EXPECT_EQ(*number, value);
}

TEST(Pickle, ReadsIntegers) {
  expect_int("K\xff", 255);
  expect_int("M\xff\xff", 65535);
  expect_int(pickle_int(-7), -7);
  expect_int("\x8a\x00"s, 0);
  expect_int("\x8a\x01\xff", -1);
  expect_int("\x8a\x05\x00\x00\x00\x00\x01"s, int64_t{1} << 32);
  expect_int("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s, INT64_MIN);
  expect_int("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\x00"s, INT64_MAX);
}

TEST(Pickle, IntegersBeyond64BitsAreOpaque) {
  for (const std::string& body :
       {"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00"s, "\x8a\x09\0\0\0\0\0\0\0\0\x01"s,
        "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff"s})
    EXPECT_NE(load(body)->root<PickleOpaque>(), nullptr);
}

TEST(Pickle, ReadsOtherScalars) {
  EXPECT_NE(load("N")->root<PickleOpaque>(), nullptr);
  EXPECT_NE(load("G12345678")->root<PickleOpaque>(), nullptr);
  EXPECT_EQ(*load("\x88")->root<bool>(), true);
  EXPECT_EQ(*load("\x89")->root<bool>(), false);
  EXPECT_EQ(*load(pickle_string("\u00e9"))->root<std::string_view>(), "\u00e9");
  EXPECT_EQ(*load("\x8c\x02hi")->root<std::string_view>(), "hi");
}

TEST(Pickle, BuildsContainers) {
  const auto tuple = load("K\x01K\x02K\x03\x87");
  EXPECT_EQ(tuple->root<PickleTuple>()->items.size(), 3u);
  EXPECT_EQ(load(")")->root<PickleTuple>()->items.size(), 0u);
  EXPECT_EQ(load("(t")->root<PickleTuple>()->items.size(), 0u);
  EXPECT_EQ(load("]K\x01"
                 "a(K\x02K\x03"
                 "e")
                ->root<PickleList>()
                ->items.size(),
            3u);
  EXPECT_EQ(load("}K\x01K\x02s(K\x03K\x04K\x05K\x06u")->root<PickleDict>()->items.size(), 3u);
  EXPECT_EQ(
      load(pickle_global("collections", "OrderedDict") + ")R}K\x01K\x02sb")->root<PickleDict>()->items.size(),
      0u);
}

TEST(Pickle, KeepsValuesInTheMemo) {
  expect_int("K\x07q\x05K\x01\x86h\x05", 7);
  expect_int("K\x07r" + le(70'000, 4) + "K\x01\x86j" + le(70'000, 4), 7);
  expect_int("K\x07\x94K\x08\x94\x86h\x00"s, 7);  // MEMOIZE counts up
  expect_int("K\x07\x94K\x08\x94\x86h\x01", 8);
}

TEST(Pickle, AcceptsProtocol4Frames) {
  EXPECT_EQ(error_of("\x80\x04\x95" + le(2, 8) + "N."), "");
  EXPECT_NE(error_of("\x80\x04\x95" + le(3, 8) + "N."), "");
}

TEST(Pickle, RebuildsTensors) {
  const auto loaded = load(pickle_tensor(pickle_storage("BFloat16Storage", "17", 100), 4, {2, 3}, {1, 20}));
  ASSERT_TRUE(loaded->document.ok()) << loaded->document.error().message;
  const PickleTensor& tensor = **loaded->root<std::unique_ptr<PickleTensor>>();
  EXPECT_EQ(tensor.storage.dtype, DType::kBF16);
  EXPECT_EQ(tensor.storage.key, "17");
  EXPECT_EQ(tensor.storage.count, 100);
  EXPECT_EQ(tensor.offset, 4);
  EXPECT_THAT(tensor.shape, ElementsAre(2, 3));
  EXPECT_THAT(tensor.strides, ElementsAre(1, 20));
}

TEST(Pickle, SeesThroughParametersAndSizes) {
  const std::string tensor = pickle_tensor(pickle_storage("FloatStorage", "0", 1), 0, {1}, {1});
  EXPECT_NE(load(pickle_global("torch._utils", "_rebuild_parameter") + "(" + tensor + "\x88)tR")
                ->root<std::unique_ptr<PickleTensor>>(),
            nullptr);
  EXPECT_NE(load(pickle_global("torch", "Size") + pickle_ints({1, 2}) + "\x85R")->root<PickleTuple>(),
            nullptr);
  EXPECT_NE(load(pickle_global("torch", "bfloat16"))->root<PickleGlobal>(), nullptr);
  // STACK_GLOBAL for a name that is accepted.
  EXPECT_NE(load(pickle_string("torch") + pickle_string("float32") + "\x93")->root<PickleGlobal>(), nullptr);
}

TEST(Pickle, RefusesEveryOtherName) {
  for (const auto& [module, name] : {std::pair("os", "system"),
                                     {"builtins", "eval"},
                                     {"torch", "load"},
                                     {"torch", "FloatStorag"},
                                     {"torch._utils", "_rebuild_tensor"},
                                     {"collections", "OrderedDict.fromkeys"},
                                     {"", ""}}) {
    EXPECT_THAT(error_of(kProto + pickle_global(module, name) + "."), HasSubstr("not accepted"))
        << module << name;
    EXPECT_THAT(error_of(kProto + pickle_string(module) + pickle_string(name) + "\x93."),
                HasSubstr("not accepted"));
  }
  EXPECT_THAT(error_of(kProto + "cos\nsystem\n" + pickle_string("true") + "\x85R."),
              testing::AllOf(HasSubstr("byte 2 (GLOBAL)"), HasSubstr("'os' 'system'")));
}

TEST(Pickle, RefusesEveryOtherOperation) {
  const std::string known = "\x80\x95.(NJKMGX]ae}su)tqrhjcRbQ\x85\x86\x87\x88\x89\x8a\x8c\x93\x94";
  for (int code = 0; code < 256; ++code) {
    const bool accepted = known.find(static_cast<char>(code)) != std::string::npos;
    const std::string error = error_of(kProto + "N" + static_cast<char>(code) + "          .");
    EXPECT_EQ(error.find("byte 3: operation code") == std::string::npos, accepted) << code;
  }
  EXPECT_NE(error_of("\x80\x05N."), "");
  EXPECT_NE(error_of("\x80\x01N."), "");
}

TEST(Pickle, RefusesWrongCalls) {
  const std::string ordered = pickle_global("collections", "OrderedDict");
  const std::string rebuild = pickle_global("torch._utils", "_rebuild_tensor_v2");
  const std::string parameter = pickle_global("torch._utils", "_rebuild_parameter");
  for (const std::string& body :
       {ordered + "]\x85R", ordered + "NR", "N)R"s, pickle_string("os") + ")R", rebuild + ")R",
        rebuild + "(NNNNNNtR", parameter + "(NNNtR", pickle_global("torch", "FloatStorage") + ")R",
        pickle_global("torch", "float32") + ")R", pickle_global("torch", "Size") + ")R",
        pickle_global("torch", "Size") + "]\x85R", "NNb"s, "]NNs"s, "}Na"s,
        "]q\x00h\x00"
        "Q"s,
        "NQ"s, ")Q"s})
    EXPECT_FALSE(load(body)->document.ok()) << body;
}

TEST(Pickle, RefusesWrongTensors) {
  const std::string storage = pickle_storage("FloatStorage", "0", 10);
  EXPECT_TRUE(load(pickle_tensor(storage, 0, {2}, {1}))->document.ok());
  EXPECT_FALSE(load(pickle_tensor(storage, -1, {2}, {1}))->document.ok());
  EXPECT_FALSE(load(pickle_tensor(storage, 0, {-2}, {1}))->document.ok());
  EXPECT_FALSE(load(pickle_tensor(storage, 0, {2}, {-1}))->document.ok());
  EXPECT_FALSE(load(pickle_tensor(storage, 0, {2, 2}, {1}))->document.ok());
  EXPECT_FALSE(load(pickle_tensor(storage, 0, std::vector<int32_t>(17, 1), std::vector<int32_t>(17, 1)))
                   ->document.ok());
  EXPECT_FALSE(load(pickle_tensor("N", 0, {2}, {1}))->document.ok());
  EXPECT_FALSE(load(pickle_storage("FloatStorage", "0", -1))->document.ok());
  EXPECT_FALSE(load(pickle_storage("float32", "0", 1))->document.ok());
  EXPECT_FALSE(load(pickle_storage("WeirdStorage", "0", 1))->document.ok());
}

TEST(Pickle, NeverReachesBelowTheStackOrAMark) {
  for (const std::string& body :
       {""s,      "s"s,       "Ns"s,     "}Ns"s,   "a"s,  "]a"s,   "e"s,    "u"s,    "t"s,     "\x85"s,
        "N\x86"s, "NN\x87"s,  "R"s,      "NR"s,    "b"s,  "Nb"s,   "Q"s,    "\x93"s, "q\x00"s, "\x94"s,
        "h\x00"s, "N(q\x00"s, "N(\x85"s, "}NN(s"s, "N("s, "]N(a"s, "}(Nu"s, "N(e"s,  "(u"s})
    EXPECT_NE(error_of(kProto + body + "."), "") << body;
}

TEST(Pickle, RejectsEveryTruncation) {
  const std::string whole = kProto + "}q\x01(" + pickle_string("x") +
                            pickle_tensor(pickle_storage("FloatStorage", "0", 4), 0, {4}, {1}) +
                            pickle_string("n") + "\x8a\x02\x01\x02" + "\x8c\x01g" + "G12345678" +
                            "M\x01\x02" + "r" + le(9, 4) + "u.";
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(error_of(whole.substr(0, size)), "") << size;
}

TEST(Pickle, RejectsBadStrings) {
  EXPECT_NE(error_of(kProto + "X" + le(0xffffffff, 4) + "a."), "");
  EXPECT_NE(error_of(kProto + pickle_string("\xff") + "."), "");
  EXPECT_NE(error_of(kProto + "c" + std::string(1'000, 'a')), "");
}

TEST(Pickle, CyclesAreHarmless) {
  EXPECT_EQ(error_of(kProto + "]q\x00h\x00"
                              "a."s),
            "");                                            // a list that holds itself
  EXPECT_EQ(error_of(kProto + "}q\x00K\x01h\x00s."s), "");  // a dict
  EXPECT_EQ(error_of(kProto + "]q\x00(h\x00h\x00h\x00tq\x01"
                              "ah\x00h\x01"
                              "a."s),
            "");
  std::string deep = kProto + ")";
  for (int i = 0; i < 500'000; ++i) deep += "\x85";  // a tuple in a tuple in a tuple …
  EXPECT_EQ(error_of(deep + "."), "");
}

TEST(Pickle, BoundsTimeAndMemory) {
  EXPECT_THAT(error_of(kProto + std::string(kMaxPickleValues + 1, 'N') + "."), HasSubstr("values"));
  std::string steps = kProto + "Nq\x01"s;
  for (size_t i = 0; i < kMaxPickleSteps; ++i) steps += "h\x01";
  EXPECT_THAT(error_of(steps + "."), HasSubstr("operations"));
  EXPECT_THAT(error_of(kProto + "Nr" + le(0xffffffff, 4) + "."), HasSubstr("memo"));
  std::string tensors = kProto + pickle_global("torch._utils", "_rebuild_tensor_v2") + "q\x01((" +
                        pickle_storage("FloatStorage", "0", 1) + pickle_int(0) + "))NNtq\x02";
  for (int i = 0; i < 70'000; ++i) tensors += "h\x01h\x02R";
  EXPECT_THAT(error_of(tensors + "."), HasSubstr("tensors"));
}

}  // namespace
}  // namespace sdv2
