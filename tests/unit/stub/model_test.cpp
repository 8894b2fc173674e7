// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading models: progress, failure, cancel, sharing, misuse.
#include <future>

#include "unit/stub/fixture.h"

namespace sdv2 {
namespace {

class ModelTest : public StubTest {
 protected:
  // Opens with a program and records the load.
  client::Expected<client::Model> open_with(const std::string& stub, const std::string& more = "") {
    client::LoadObserver observer;
    observer.progress = [this](const char* stage, int percent) {
      const std::scoped_lock lock(mutex_);
      stages_.emplace_back(stage);
      percents_.push_back(percent);
      if (percent == 50) half_way_.set_value();
    };
    observer.done = [this](const client::Status& status) {
      const std::scoped_lock lock(mutex_);
      done_.push_back(status.code());
    };
    return engine().open_model(R"({"model": "any", "stub": )" + stub + more + "}", observer);
  }

  std::mutex mutex_;
  std::vector<std::string> stages_;
  std::vector<int> percents_;
  std::vector<sdv2_code> done_;
  std::promise<void> half_way_;
};

TEST_F(ModelTest, LoadReportsProgressThenDoneOnce) {
  {
    auto model = open_with("{}");
    ASSERT_TRUE(model.ok());
    EXPECT_TRUE(model->wait().ok());
  }
  EXPECT_EQ(percents_, (std::vector<int>{0, 25, 50, 75, 100}));
  EXPECT_EQ(stages_.front(), "weights");
  EXPECT_EQ(stages_.back(), "warm-up");
  EXPECT_EQ(done_, std::vector<sdv2_code>{SDV2_OK});
}

TEST_F(ModelTest, InfoNeedsALoadedModel) {
  auto model = open_with(R"({"hold_load": true, "chunk": 3, "width": 64, "height": 48})",
                         R"(, "devices": "cpu,cuda:1")");
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->info().status().code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(model->open_session("{}").status().code(), SDV2_INVALID_ARGUMENT);
  sdv2_stub_release_loads();
  ASSERT_TRUE(model->wait().ok());
  const auto info = nlohmann::json::parse(*model->info());
  EXPECT_EQ(info["chunk"], 3);
  EXPECT_EQ(info["default"]["width"], 64);
  EXPECT_EQ(info["default"]["steps"], 2);
  EXPECT_EQ(info["devices"], nlohmann::json::parse(R"(["cpu", "cuda:1"])"));
  EXPECT_TRUE(info.contains("plan") && info.contains("networks") && info.contains("memory"));
}

TEST_F(ModelTest, HeldLoadIsCancelled) {
  {
    auto model = open_with(R"({"hold_load": true})");
    ASSERT_TRUE(model.ok());
    half_way_.get_future().wait();
    model->cancel();
    EXPECT_EQ(model->wait().code(), SDV2_CANCELLED);
    EXPECT_EQ(model->open_session("{}").status().code(), SDV2_CANCELLED);
  }
  EXPECT_EQ(done_, std::vector<sdv2_code>{SDV2_CANCELLED});
}

TEST_F(ModelTest, SlowLoadIsCancelledByClosing) {
  { ASSERT_TRUE(open_with(R"({"load_ms": 1e9})").ok()); }
  EXPECT_EQ(done_, std::vector<sdv2_code>{SDV2_CANCELLED});
  EXPECT_LE(percents_.size(), 1U);
}

TEST_F(ModelTest, FailedLoadGivesItsErrorAndIsTriedAgain) {
  const std::string stub = R"({"fail_load": {"code": "corrupt", "message": "weights.pt: byte 7"}})";
  {
    auto model = open_with(stub);
    ASSERT_TRUE(model.ok());
    const client::Status status = model->wait();
    EXPECT_EQ(status.code(), SDV2_CORRUPT);
    EXPECT_EQ(status.message(), "weights.pt: byte 7");
    auto again = engine().open_model(R"({"model": "any", "stub": )" + stub + "}");
    EXPECT_EQ(again->wait().code(), SDV2_CORRUPT);
  }
  EXPECT_EQ(done_, std::vector<sdv2_code>{SDV2_CORRUPT});
  EXPECT_EQ(sdv2_stub_count().loads, 2);
}

TEST_F(ModelTest, EqualConfigurationsShareALoad) {
  const auto load = [](const std::string& config) {
    auto model = engine().open_model(config);
    EXPECT_TRUE(model.ok() && model->wait().ok());
    return std::make_unique<client::Model>(*std::move(model));
  };
  {
    auto first = load(R"({"model": "a"})");
    auto same = load(R"({"devices": "auto", "model": "a"})");
    EXPECT_EQ(sdv2_stub_count().loads, 1);
    auto other = load(R"({"model": "a", "vae": "taehv"})");
    EXPECT_EQ(sdv2_stub_count().loads, 2);
    EXPECT_EQ(sdv2_stub_count().models, 3);
  }
  load(R"({"model": "a"})");
  EXPECT_EQ(sdv2_stub_count().loads, 3);
  load(R"({"model": "a", "linger": 1000})");
  load(R"({"model": "a", "linger": 1000})");
  EXPECT_EQ(sdv2_stub_count().loads, 4);
}

TEST_F(ModelTest, SessionsKeepTheModelWhenItsHandleIsClosed) {
  std::optional<client::Session> session;
  {
    auto model = engine().open_model(R"({"model": "a"})");
    ASSERT_TRUE(model->wait().ok());
    session.emplace(*model->open_session("{}"));
  }
  const auto again = engine().open_model(R"({"model": "a"})");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(sdv2_stub_count().loads, 1);
  EXPECT_EQ(feed(*session), 0);
  EXPECT_TRUE(session->drain(60'000).ok());
}

TEST_F(ModelTest, OneOfTwoHandlesCancelsOnlyItself) {
  auto first = open_with(R"({"hold_load": true})");
  auto second = engine().open_model(R"({"model": "any", "stub": {"hold_load": true}})");
  ASSERT_TRUE(first.ok() && second.ok());
  first->cancel();
  EXPECT_EQ(first->wait().code(), SDV2_CANCELLED);
  sdv2_stub_release_loads();
  EXPECT_TRUE(second->wait().ok());
  EXPECT_EQ(sdv2_stub_count().loads, 1);
}

TEST_F(ModelTest, BadConfigurationsStartNothing) {
  for (const char* config :
       {"", "[]", "{", "{}", R"({"model": ""})", R"({"model": 3})", R"({"model": "a", "vae": "none"})",
        R"({"model": "a", "precision": "fp8"})", R"({"model": "a", "devices": ""})",
        R"({"model": "a", "devices": "cpu,"})", R"({"model": "a", "devices": "cuda"})",
        R"({"model": "a", "devices": "cuda:x"})", R"({"model": "a", "linger": -1})",
        R"({"model": "a", "modle": "b"})", R"({"model": "a", "stub": {"paces": 1}})",
        R"({"model": "a", "stub": {"chunk": 5}})",
        R"({"model": "a", "stub": {"fail_load": {"code": "bad"}}})"}) {
    const auto model = engine().open_model(config);
    EXPECT_EQ(model.status().code(), SDV2_INVALID_ARGUMENT) << config;
    EXPECT_NE(model.status().message(), "");
  }
  EXPECT_EQ(sdv2_stub_count().loads, 0);
}

TEST_F(ModelTest, ProgramAppliesToWhatIsOpenedLater) {
  EXPECT_EQ(sdv2_stub_program(R"({"paces": "x"})"), 0);
  ASSERT_EQ(sdv2_stub_program(R"({"chunk": 2})"), 1);
  auto& loaded = model(R"({"pace": "step"})");
  EXPECT_EQ(nlohmann::json::parse(*loaded.info())["chunk"], 2);
  EXPECT_EQ(open().chunk_frames(), 9);
}

}  // namespace
}  // namespace sdv2
