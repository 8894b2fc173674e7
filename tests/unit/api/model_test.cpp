// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening engines and models: version, progress, cancel, misuse.
#include <atomic>
#include <fstream>
#include <future>

#include "unit/api/fixture.h"

namespace sdv2 {
namespace {

class ApiModelTest : public ApiTest {
 protected:
  // Opens a model whose load waits in its first progress() until the test lets it go on.
  class HeldLoad {
   public:
    explicit HeldLoad(const std::string& config) {
      client::LoadObserver observer;
      observer.progress = [this](const char* stage, int percent) {
        {
          const std::scoped_lock lock(mutex_);
          stages_.emplace_back(stage);
          percents_.push_back(percent);
        }
        if (held_.exchange(false)) {
          in_progress_.set_value();
          go_on_.get_future().wait();
        }
      };
      observer.done = [this](const client::Status& status) { done_.set_value(status.code()); };
      auto opened = engine().open_model(config, observer);
      EXPECT_TRUE(opened.ok()) << opened.status().message();
      model_.emplace(*std::move(opened));
      in_progress_.get_future().wait();
    }
    client::Model& operator*() { return *model_; }
    client::Model* operator->() { return &*model_; }
    void go_on() { go_on_.set_value(); }
    sdv2_code done() { return done_.get_future().get(); }
    void close() { model_.reset(); }
    std::vector<int> percents() {
      const std::scoped_lock lock(mutex_);
      return percents_;
    }
    std::vector<std::string> stages() {
      const std::scoped_lock lock(mutex_);
      return stages_;
    }

   private:
    std::mutex mutex_;
    std::vector<std::string> stages_;
    std::vector<int> percents_;
    std::atomic<bool> held_ = true;
    std::promise<void> in_progress_, go_on_;
    std::promise<sdv2_code> done_;
    std::optional<client::Model> model_;
  };

  // Not shared with another test's model.
  static std::string own_config(const std::string& seed) {
    return R"({"model": "random:tiny,dim=128,ffn=64,layers=1,text_dim=16,text_len=)" + seed +
           R"(,vae_dim=8"})";
  }
};

TEST_F(ApiModelTest, VersionsAgree) {
  EXPECT_STREQ(engine().version(), SDV2_VERSION);
  EXPECT_EQ(api().abi_supported(SDV2_ABI_VERSION), 1);
  EXPECT_EQ(api().abi_supported(0), 0);
  EXPECT_EQ(api().abi_supported(SDV2_ABI_VERSION + 1), 0);
}

TEST_F(ApiModelTest, LoadReportsProgressThenDone) {
  HeldLoad load(own_config("4"));
  load.go_on();
  EXPECT_TRUE(load->wait().ok());
  EXPECT_EQ(load.done(), SDV2_OK);
  const auto percents = load.percents();
  EXPECT_EQ(percents.front(), 0);
  EXPECT_EQ(percents.back(), 100);
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  for (const std::string& stage : load.stages()) EXPECT_NE(stage, "");
}

TEST_F(ApiModelTest, NothingIsServedBeforeTheLoadEnds) {
  HeldLoad load(own_config("5"));
  EXPECT_EQ(load->info().status().code(), SDV2_INVALID_ARGUMENT);
  EXPECT_EQ(load->open_session("{}").status().code(), SDV2_INVALID_ARGUMENT);
  load.go_on();
  EXPECT_TRUE(load->wait().ok());
  EXPECT_TRUE(load->open_session("{}").ok());
}

TEST_F(ApiModelTest, LoadIsCancelled) {
  HeldLoad load(own_config("6"));
  load->cancel();
  EXPECT_EQ(load->wait().code(), SDV2_CANCELLED) << "before the loader has taken notice";
  load.go_on();
  EXPECT_EQ(load.done(), SDV2_CANCELLED);
  EXPECT_EQ(load->info().status().code(), SDV2_CANCELLED);
  EXPECT_EQ(load->open_session("{}").status().code(), SDV2_CANCELLED);
  EXPECT_EQ(load.percents().size(), 1U) << "no progress after it";
  // Whoever opens it again gets a load of their own.
  auto again = engine().open_model(own_config("6"));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->wait().ok());
}

TEST_F(ApiModelTest, OneOfTwoHandlesCancelsOnlyItself) {
  HeldLoad load(own_config("7"));
  auto second = engine().open_model(own_config("7"));
  ASSERT_TRUE(second.ok());
  load->cancel();
  EXPECT_EQ(load->wait().code(), SDV2_CANCELLED);
  load.go_on();
  EXPECT_TRUE(second->wait().ok());
}

TEST_F(ApiModelTest, CancelOfALoadedModelDoesNothing) {
  model().cancel();
  EXPECT_TRUE(model().wait().ok());
  EXPECT_TRUE(model().info().ok());
}

TEST_F(ApiModelTest, HandleMayBeClosedInItsDoneCallback) {
  struct Closer {
    const client::Functions* api;
    std::promise<sdv2_model*> opened;
    std::promise<void> closed;
  } closer{&api(), {}, {}};
  auto observer = client::sized<sdv2_load_observer>();
  observer.user = &closer;
  observer.done = [](void* user, const sdv2_status*) {
    auto* self = static_cast<Closer*>(user);
    self->api->model_close(self->opened.get_future().get());
    self->closed.set_value();
  };
  sdv2_model* handle = nullptr;
  ASSERT_EQ(code_of(api().model_open(own_config("8").c_str(), &observer, &handle)), SDV2_OK);
  closer.opened.set_value(handle);
  closer.closed.get_future().wait();
}

TEST_F(ApiModelTest, InfoTellsOfTheModel) {
  const auto info = nlohmann::json::parse(*model().info());
  EXPECT_EQ(info["chunk"], 1);
  EXPECT_EQ(info["devices"], nlohmann::json::parse(R"(["cpu", "cpu"])"));
  EXPECT_TRUE(info["plan"].is_string());
  EXPECT_TRUE(info["networks"].is_object());
  for (const char* key : {"width", "height", "steps", "noise_scale", "kv_cache_frames", "sink_frames"})
    EXPECT_TRUE(info["default"][key].is_number()) << key;
}

TEST_F(ApiModelTest, SessionsKeepTheModelWhenItsHandleIsClosed) {
  std::optional<client::Session> session;
  {
    auto opened = engine().open_model(own_config("9"));
    ASSERT_TRUE(opened->wait().ok());
    session.emplace(*opened->open_session(sized_settings("{}")));
  }
  feed(*session);
  finish(*session);
}

TEST_F(ApiModelTest, BadConfigurationsStartNothing) {
  for (const char* config : {"", "[]", "{", "{}", R"({"model": ""})", R"({"model": 3})",
                             R"({"model": "a", "vae": "none"})", R"({"model": "a", "precision": "fp8"})",
                             R"({"model": "a", "linger": -1})", R"({"model": "a", "modle": "b"})"}) {
    const auto model = engine().open_model(config);
    EXPECT_EQ(model.status().code(), SDV2_INVALID_ARGUMENT) << config;
    EXPECT_NE(model.status().message(), "");
  }
}

TEST_F(ApiModelTest, AFaultThatIsAskedForEndsEveryCall) {
  auto broken = engine().open_model(config(R"(, "devices": "cpu,cpu", "fault": "device1@chunk1")"));
  ASSERT_TRUE(broken.ok());
  ASSERT_TRUE(broken->wait().ok());
  Recorder recorder;
  auto session = broken->open_session(sized_settings("{}"), recorder.observer());
  ASSERT_TRUE(session.ok());
  const int64_t first = feed(*session);
  EXPECT_EQ(recorder.wait(first).code, SDV2_OK);
  const int64_t second = feed(*session);
  EXPECT_EQ(recorder.wait(second).code, SDV2_DEVICE);
  EXPECT_EQ(session->drain(kPatience).code(), SDV2_DEVICE);
  EXPECT_EQ(session->submit().status().code(), SDV2_DEVICE);
  EXPECT_EQ(nlohmann::json::parse(*broken->info())["failed_devices"], nlohmann::json::array({1}));
}

TEST_F(ApiModelTest, AFaultMustNameADeviceThatIsThere) {
  EXPECT_FALSE(engine().open_model(config(R"(, "fault": "device1")")).ok());
  auto outside = engine().open_model(config(R"(, "devices": "cpu,cpu", "fault": "device2@chunk1")"));
  const client::Status status = outside.ok() ? outside->wait() : outside.status();
  EXPECT_EQ(status.code(), SDV2_INVALID_ARGUMENT);
}

TEST_F(ApiModelTest, TracesAreWrittenOnce) {
  const std::string path = testing::TempDir() + "/api-trace.json";
  EXPECT_EQ(engine().trace_stop(path).code(), SDV2_INVALID_ARGUMENT) << "none was begun";
  ASSERT_TRUE(engine().trace_start().ok());
  EXPECT_FALSE(engine().trace_start().ok());
  auto session = open();
  feed(session);
  finish(session);
  EXPECT_TRUE(engine().trace_stop(path).ok());
  std::ifstream file(path);
  EXPECT_GT(nlohmann::json::parse(file)["traceEvents"].size(), 0U);
  ASSERT_TRUE(engine().trace_start().ok());
  EXPECT_EQ(engine().trace_stop("/nowhere/trace.json").code(), SDV2_NOT_FOUND);
}

}  // namespace
}  // namespace sdv2
