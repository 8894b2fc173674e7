// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model_json.h"

#include <gmock/gmock.h>

#include <functional>

#include "unit/base/temp_dir.h"

namespace sdv2 {
namespace {

using nlohmann::json;
using test::TempDir;
using testing::HasSubstr;

// A whole and correct document; the files it names are in the folder.
json sound_document() {
  return json::parse(R"({
    "format": "sdv2-model", "version": 1, "name": "small",
    "dit": {"file": "dit.safetensors", "dim": 256, "ffn_dim": 512, "num_heads": 2, "num_layers": 3, "freq_dim": 256,
            "text_dim": 64, "text_len": 32, "in_dim": 16, "out_dim": 16, "eps": 1e-5},
    "wan_vae": {"file": "nets/vae.pth", "base_dim": 24},
    "taehv": {"file": "nets/taehv.pth", "encoder_width": 24, "decoder_widths": [64, 48, 32, 24]},
    "encoder": "wan_vae", "decoder": "taehv",
    "text_encoder": {"file": "t5.safetensors", "vocab": 800, "dim": 64, "dim_attn": 128, "dim_ffn": 320, "num_heads": 2,
                     "num_layers": 2},
    "tokenizer": "spiece.model",
    "stream": {"steps": [650, 300], "num_steps": 1, "min_timestep": 50, "noise_scale": 0.4, "kv_frames": 8, "sink_frames": 2,
               "adaptive_sink_threshold": -1, "normalise_encode": true, "width": 256, "height": 320}
  })");
}

class ModelJson : public testing::Test {
 protected:
  ModelJson() {
    for (const char* name :
         {"dit.safetensors", "nets/vae.pth", "nets/taehv.pth", "t5.safetensors", "spiece.model"})
      folder.write(name);
  }

  Result<ModelDescription> read(const json& document) const {
    folder.write(kModelJson, document.dump());
    return read_model_json(folder.path());
  }

  // The message for a document that differs from the sound one.
  std::string error_of(const std::function<void(json&)>& change) const {
    json document = sound_document();
    change(document);
    const auto model = read(document);
    return model.ok() ? "accepted" : model.error().message;
  }

  TempDir folder;
};

TEST_F(ModelJson, ReadsEveryField) {
  const auto model = read(sound_document());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->name, "small");
  EXPECT_EQ(model->origin, ModelOrigin::kModelJson);
  EXPECT_EQ(model->dit.file, folder.path() / "dit.safetensors");
  EXPECT_EQ(model->dit.spec, (DitConfig{.dim = 256,
                                        .ffn_dim = 512,
                                        .num_heads = 2,
                                        .num_layers = 3,
                                        .freq_dim = 256,
                                        .text_dim = 64,
                                        .text_len = 32,
                                        .eps = 1e-5}));
  EXPECT_EQ(model->wan_vae->spec.base_dim, 24);
  EXPECT_EQ(model->wan_vae->file, folder.path() / "nets/vae.pth");
  EXPECT_EQ(model->taehv->spec, (TaehvSpec{24, {64, 48, 32, 24}}));
  EXPECT_EQ(model->encoder, Autoencoder::kWanVae);
  EXPECT_EQ(model->decoder, Autoencoder::kTaehv);
  EXPECT_EQ(model->text_encoder->spec, (TextEncoderSpec{800, 64, 128, 320, 2, 2, 1e-6}));
  EXPECT_EQ(model->tokenizer, folder.path() / "spiece.model");
  EXPECT_EQ(model->stream, (StreamDefaults{.steps = {650, 300},
                                           .num_steps = 1,
                                           .min_timestep = 50,
                                           .noise_scale = 0.4,
                                           .kv_frames = 8,
                                           .sink_frames = 2,
                                           .adaptive_sink_threshold = -1,
                                           .normalise_encode = true,
                                           .width = 256,
                                           .height = 320}));
}

TEST_F(ModelJson, RoundTrips) {
  const auto model = read(sound_document());
  ASSERT_TRUE(model.ok());
  folder.write(kModelJson, to_model_json(*model).dump(2));
  const auto again = read_model_json(folder.path());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *model);
}

TEST_F(ModelJson, LeavesOutWhatHasDefaults) {
  json document = sound_document();
  for (const char* key : {"name", "stream", "taehv", "encoder", "decoder"}) document.erase(key);
  const auto model = read(document);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->stream, StreamDefaults());
  EXPECT_EQ(model->decoder, Autoencoder::kWanVae);
  EXPECT_EQ(model->name, folder.path().filename());

  document = sound_document();
  for (const char* key : {"wan_vae", "encoder", "decoder"}) document.erase(key);
  const auto taehv = read(document);
  ASSERT_TRUE(taehv.ok()) << taehv.error().message;
  EXPECT_EQ(taehv->encoder, Autoencoder::kTaehv);
  EXPECT_EQ(taehv->decoder, Autoencoder::kTaehv);
}

TEST_F(ModelJson, RejectsWhatItDoesNotKnow) {
  EXPECT_THAT(error_of([](json& d) { d["dti"] = 1; }), HasSubstr("unknown key 'dti'"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["heads"] = 2; }), HasSubstr("dit has an unknown key 'heads'"));
  EXPECT_THAT(error_of([](json& d) { d["stream"]["fps"] = 2; }),
              HasSubstr("stream has an unknown key 'fps'"));
  EXPECT_THAT(error_of([](json& d) { d["format"] = "onnx"; }), HasSubstr("format must be"));
  EXPECT_THAT(error_of([](json& d) { d["version"] = 2; }), HasSubstr("version 2"));
}

TEST_F(ModelJson, RejectsWrongTypes) {
  EXPECT_THAT(error_of([](json& d) { d = json::array(); }), HasSubstr("the document must be an object"));
  EXPECT_THAT(error_of([](json& d) { d["dit"] = "x"; }), HasSubstr("dit must be an object"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["dim"] = "256"; }),
              HasSubstr("dit.dim must be a whole number"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["dim"] = 256.5; }),
              HasSubstr("dit.dim must be a whole number"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["dim"] = uint64_t{1} << 63; }),
              HasSubstr("dit.dim must be a whole"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["eps"] = "x"; }), HasSubstr("dit.eps must be a number"));
  EXPECT_THAT(error_of([](json& d) { d["tokenizer"] = 3; }), HasSubstr("tokenizer must be a text"));
  EXPECT_THAT(error_of([](json& d) { d["stream"]["steps"] = 700; }),
              HasSubstr("stream.steps must be a list"));
  EXPECT_THAT(error_of([](json& d) {
                d["stream"]["steps"] = {700, "x"};
              }),
              HasSubstr("stream.steps must be a list"));
  EXPECT_THAT(error_of([](json& d) { d["stream"]["normalise_encode"] = 1; }), HasSubstr("true or false"));
  EXPECT_THAT(error_of([](json& d) {
                d["taehv"]["decoder_widths"] = {1, 2, 3};
              }),
              HasSubstr("four whole numbers"));
  EXPECT_THAT(error_of([](json& d) { d["encoder"] = "vae"; }), HasSubstr("encoder must be"));
}

TEST_F(ModelJson, RejectsWhatIsMissing) {
  for (const char* key : {"format", "version", "dit", "text_encoder", "tokenizer", "encoder"})
    EXPECT_THAT(error_of([&](json& d) { d.erase(key); }), HasSubstr(std::string(key) + " is missing"));
  EXPECT_THAT(error_of([](json& d) { d["dit"].erase("num_layers"); }),
              HasSubstr("dit.num_layers is missing"));
  EXPECT_THAT(error_of([](json& d) {
                d.erase("wan_vae");
                d.erase("taehv");
              }),
              HasSubstr("wan_vae or taehv must be there"));
}

TEST_F(ModelJson, RejectsWrongRanges) {
  const auto with = [&](const char* object, const char* key, const json& value) {
    return error_of([&](json& d) { d[object][key] = value; });
  };
  EXPECT_THAT(with("dit", "dim", 300), HasSubstr("dit.dim is 300"));
  EXPECT_THAT(with("dit", "num_heads", 3), HasSubstr("dit.num_heads is 3, it must be 2"));
  EXPECT_THAT(with("dit", "num_layers", 100000), HasSubstr("dit.num_layers"));
  EXPECT_THAT(with("dit", "text_dim", 65), HasSubstr("the text encoder's dim"));
  EXPECT_THAT(with("dit", "in_dim", 36), HasSubstr("dit.in_dim"));
  EXPECT_THAT(with("wan_vae", "base_dim", 0), HasSubstr("wan_vae.base_dim"));
  EXPECT_THAT(with("taehv", "decoder_widths", {1, 2, 3, -4}), HasSubstr("taehv.decoder_widths"));
  EXPECT_THAT(with("text_encoder", "num_heads", 3), HasSubstr("multiple of text_encoder.num_heads"));
  EXPECT_THAT(with("stream", "steps", json::array()), HasSubstr("stream.steps"));
  EXPECT_THAT(with("stream", "steps", {500, 700}), HasSubstr("must fall"));
  EXPECT_THAT(with("stream", "steps", {1001}), HasSubstr("1001"));
  EXPECT_THAT(with("stream", "num_steps", 3), HasSubstr("stream.num_steps"));
  EXPECT_THAT(with("stream", "noise_scale", 1.5), HasSubstr("stream.noise_scale"));
  EXPECT_THAT(with("stream", "sink_frames", 8), HasSubstr("stream.sink_frames"));
  EXPECT_THAT(with("stream", "width", 250), HasSubstr("multiple of 16"));
}

TEST_F(ModelJson, FilesStayInTheFolder) {
  for (const char* path : {"../dit.safetensors", "/etc/passwd", "nets/../../x", "", ".."})
    EXPECT_THAT(error_of([&](json& d) { d["dit"]["file"] = path; }), HasSubstr("inside the model folder"))
        << path;
  EXPECT_THAT(error_of([](json& d) { d["tokenizer"] = "/usr/x"; }), HasSubstr("inside the model folder"));
  EXPECT_THAT(error_of([](json& d) { d["dit"]["file"] = std::string("a\0b", 3); }), HasSubstr("'a\\x00b'"));
}

TEST_F(ModelJson, NamesAllMissingFilesAtOnce) {
  std::filesystem::remove(folder.path() / "dit.safetensors");
  std::filesystem::remove(folder.path() / "spiece.model");
  const std::string error = error_of([](json&) {});
  EXPECT_THAT(error, HasSubstr("dit.file 'dit.safetensors', tokenizer 'spiece.model'"));
}

TEST_F(ModelJson, RejectsDamagedText) {
  for (const char* text : {"", "{", "nul", "{\"format\": \"sdv2-model\"} x", "{\"a\":1,\"a\":2}",
                           "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"}) {
    folder.write(kModelJson, text);
    const auto model = read_model_json(folder.path());
    ASSERT_FALSE(model.ok()) << text;
    EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(model.error().message, HasSubstr("model.json"));
  }
}

}  // namespace
}  // namespace sdv2
