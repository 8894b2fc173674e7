// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/model_json.h"

#include "base/json.h"
#include "base/quote.h"
#include "model/json_fields.h"

namespace sdv2 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "sdv2-model";
constexpr int64_t kVersion = 1;

// --- the fields of each object, once, for reading and writing: visit(key, value, required)

template <class Visit>
void visit(DitConfig& spec, const Visit& field) {
  field("dim", spec.dim, true);
  field("ffn_dim", spec.ffn_dim, true);
  field("num_heads", spec.num_heads, true);
  field("num_layers", spec.num_layers, true);
  field("freq_dim", spec.freq_dim, true);
  field("text_dim", spec.text_dim, true);
  field("text_len", spec.text_len, true);
  field("in_dim", spec.in_dim, true);
  field("out_dim", spec.out_dim, true);
  field("eps", spec.eps, false);
}

template <class Visit>
void visit(WanVaeSpec& spec, const Visit& field) {
  field("base_dim", spec.base_dim, true);
}

template <class Visit>
void visit(TaehvSpec& spec, const Visit& field) {
  field("encoder_width", spec.encoder_width, true);
  field("decoder_widths", spec.decoder_widths, true);
}

template <class Visit>
void visit(TextEncoderSpec& spec, const Visit& field) {
  field("vocab", spec.vocab, true);
  field("dim", spec.dim, true);
  field("dim_attn", spec.dim_attn, true);
  field("dim_ffn", spec.dim_ffn, true);
  field("num_heads", spec.num_heads, true);
  field("num_layers", spec.num_layers, true);
  field("eps", spec.eps, false);
}

template <class Visit>
void visit(StreamDefaults& stream, const Visit& field) {
  field("steps", stream.steps, false);
  field("num_steps", stream.num_steps, false);
  field("min_timestep", stream.min_timestep, false);
  field("noise_scale", stream.noise_scale, false);
  field("shift", stream.shift, false);
  field("chunk_latents", stream.chunk_latents, false);
  field("kv_frames", stream.kv_frames, false);
  field("sink_frames", stream.sink_frames, false);
  field("adaptive_sink_threshold", stream.adaptive_sink_threshold, false);
  field("normalise_encode", stream.normalise_encode, false);
  field("width", stream.width, false);
  field("height", stream.height, false);
}

// --- reading

class Reader {
 public:
  Reader(const fs::path& folder, std::string where) : folder_(folder), where_(std::move(where)) {}

  template <class Spec>
  Result<void> network(const json& value, const char* name, Network<Spec>& out) {
    JsonFields fields(value, where_, name);
    std::string file;
    fields.required("file", file);
    visit(out.spec, [&](const char* key, auto& target, bool required) {
      required ? fields.required(key, target) : fields.optional(key, target);
    });
    SDV2_CHECK(fields.result(true));
    SDV2_TRY(out.file, inside(std::string(name) + ".file", file));
    return {};
  }

  Result<void> stream(const json& value, StreamDefaults& out) {
    JsonFields fields(value, where_, "stream");
    visit(out, [&](const char* key, auto& target, bool) { fields.optional(key, target); });
    return fields.result(true);
  }

  // <folder>/<file>, for a file that cannot lead out of the folder.
  Result<fs::path> inside(const std::string& what, const std::string& file) {
    const fs::path path = file;
    bool leads_out = path.empty() || path.has_root_path() || file.find('\0') != std::string::npos;
    for (const auto& part : path) leads_out |= part == "..";
    if (leads_out)
      return Error{ErrorCode::kCorrupt,
                   where_ + ": " + what + " is " + quote(file) +
                       ", wanted the name of a file inside the model folder, without '..'"};
    std::error_code ignored;
    const fs::path full = folder_ / path;
    if (!fs::is_regular_file(full, ignored)) missing_.push_back(what + " " + quote(file));
    return full;
  }

  Result<void> check_missing() const {
    if (missing_.empty()) return {};
    std::string text = where_ + ": the folder does not hold";
    for (size_t i = 0; i < missing_.size(); ++i) text += (i == 0 ? " " : ", ") + missing_[i];
    return Error{ErrorCode::kNotFound, text + ". Copy the whole model folder again."};
  }

 private:
  fs::path folder_;
  std::string where_;
  std::vector<std::string> missing_;
};

constexpr const char* to_string(Autoencoder choice) {
  return choice == Autoencoder::kTaehv ? "taehv" : "wan_vae";
}

// "encoder" or "decoder".
void read_choice(JsonFields& fields, const char* key, const ModelDescription& model, Autoencoder& out) {
  const bool both = model.wan_vae && model.taehv;
  out = model.taehv && !model.wan_vae ? Autoencoder::kTaehv : Autoencoder::kWanVae;
  std::string word = to_string(out);
  both ? fields.required(key, word) : fields.optional(key, word);
  if (word != "wan_vae" && word != "taehv") return fields.fail(key, "must be \"wan_vae\" or \"taehv\"");
  out = word == "taehv" ? Autoencoder::kTaehv : Autoencoder::kWanVae;
}

Result<ModelDescription> parse(const json& document, const fs::path& folder, const std::string& where) {
  ModelDescription model;
  model.origin = ModelOrigin::kModelJson;
  model.folder = folder;

  JsonFields fields(document, where, "");
  std::string format, tokenizer;
  int64_t version = 0;
  fields.required("format", format);
  fields.required("version", version);
  SDV2_CHECK(fields.result(false));
  if (format != kFormat) return Error{ErrorCode::kCorrupt, where + ": format must be \"" + kFormat + "\""};
  if (version != kVersion)
    return Error{ErrorCode::kUnsupported, where + ": version " + std::to_string(version) +
                                              " of the format is not known; this sdv2 reads version 1. "
                                              "Update sdv2 or import the model again."};
  fields.optional("name", model.name);
  fields.required("tokenizer", tokenizer);

  Reader reader(folder, where);
  const auto network = [&](const char* name, auto& out) -> Result<void> {
    const json* const value = fields.child(name);
    return value == nullptr ? Result<void>() : reader.network(*value, name, out.emplace());
  };
  std::optional<Network<DitConfig>> dit;
  SDV2_CHECK(network("dit", dit));
  SDV2_CHECK(network("wan_vae", model.wan_vae));
  SDV2_CHECK(network("taehv", model.taehv));
  SDV2_CHECK(network("text_encoder", model.text_encoder));
  if (!dit) fields.fail("dit", "is missing");
  if (!model.wan_vae && !model.taehv) fields.fail("wan_vae", "or taehv must be there");
  if (!model.text_encoder) fields.fail("text_encoder", "is missing");
  read_choice(fields, "encoder", model, model.encoder);
  read_choice(fields, "decoder", model, model.decoder);
  if (const json* const stream = fields.child("stream")) SDV2_CHECK(reader.stream(*stream, model.stream));
  SDV2_CHECK(fields.result(true));

  model.dit = *std::move(dit);
  SDV2_TRY(model.tokenizer, reader.inside("tokenizer", tokenizer));
  if (auto sound = validate(model); !sound.ok())
    return Error{ErrorCode::kCorrupt, where + ": " + sound.error().message};
  SDV2_CHECK(reader.check_missing());
  if (model.name.empty()) model.name = fs::absolute(folder).lexically_normal().filename().string();
  return model;
}

// --- writing

template <class Spec>
ordered_json write(const Network<Spec>& network, const fs::path& folder) {
  ordered_json out;
  out["file"] = network.file.lexically_relative(folder).string();
  Spec spec = network.spec;
  visit(spec, [&](const char* key, const auto& value, bool) { out[key] = value; });
  return out;
}

}  // namespace

Result<ModelDescription> read_model_json(const fs::path& folder) {
  const fs::path file = folder / kModelJson;
  SDV2_TRY(const json document,
           read_json_file(file, {.max_bytes = 1 << 20, .max_depth = 8, .max_values = 10'000}));
  return parse(document, folder, file.string());
}

ordered_json to_model_json(const ModelDescription& model) {
  ordered_json out;
  out["format"] = kFormat;
  out["version"] = kVersion;
  out["name"] = model.name;
  out["dit"] = write(model.dit, model.folder);
  if (model.wan_vae) out["wan_vae"] = write(*model.wan_vae, model.folder);
  if (model.taehv) out["taehv"] = write(*model.taehv, model.folder);
  out["encoder"] = to_string(model.encoder);
  out["decoder"] = to_string(model.decoder);
  if (model.text_encoder) out["text_encoder"] = write(*model.text_encoder, model.folder);
  out["tokenizer"] = model.tokenizer.lexically_relative(model.folder).string();
  StreamDefaults stream = model.stream;
  ordered_json& fields = out["stream"];
  visit(stream, [&](const char* key, const auto& value, bool) { fields[key] = value; });
  return out;
}

}  // namespace sdv2
