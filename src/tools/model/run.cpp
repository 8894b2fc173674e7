// SPDX-License-Identifier: LGPL-2.1-or-later
// sdv2-model run: every network of a model once, on one chunk: does it fit, and how long does it take?
#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "diffusion/denoising_list.h"
#include "dit/causal_dit.h"
#include "model/describe_model.h"
#include "model/network_files.h"
#include "model/networks.h"
#include "text/encode_prompt.h"
#include "tools/model/commands.h"
#include "tools/model/report.h"
#include "weights/formula_source.h"

namespace sdv2::model_tool {
namespace {

struct Options {
  std::string model;
  std::optional<at::Device> device;
  std::optional<at::ScalarType> type;
  std::optional<std::pair<int64_t, int64_t>> size;  // height, width
};

// Attends to the chunk itself: there is no past.
class NoPast : public KvStore {
 public:
  std::vector<KvRow> write(const at::Tensor& k, const at::Tensor& v) override {
    std::vector<KvRow> rows;
    for (int64_t row = 0; row < k.size(0); ++row) rows.push_back({k[row], v[row]});
    return rows;
  }
};

class Timer {
 public:
  explicit Timer(at::Device device) : device_(device) {}

  // Since construction or the last call, all work of the device included.
  double seconds() {
    if (!device_.is_cpu()) at::accelerator::synchronizeDevice(device_.index());
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  at::Device device_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Runs a model's networks one after the other, each on the output of the one before, and prints a line each.
class ChunkRun {
 public:
  ChunkRun(const ModelDescription& model, at::ScalarType type, at::Device device)
      : model_(model), type_(type), device_(device) {}

  Result<void> run() {
    std::printf("  %-18s %16s %10s %10s\n", "network", "parameters", "load", "forward");
    SDV2_TRY(const at::Tensor prompt, prompt_rows());
    // Weights stay on the device until all has run, as in a stream.
    SDV2_TRY(const at::Tensor latents, run_chain("encoder", encoder_kind(model_), encoder_, pixels()));
    SDV2_TRY(const at::Tensor flow, run_dit(latents, prompt));
    SDV2_TRY(const at::Tensor pictures, run_chain("decoder", decoder_kind(model_), decoder_, latents - flow));
    if (!at::isfinite(pictures).all().item<bool>())
      return Error{ErrorCode::kInternal, "the pictures hold numbers that are not finite"};
    return {};
  }

 private:
  // Fills the parameters; returns the seconds that it took.
  Result<double> load(NetworkKind kind, const ParamList& params) {
    Timer timer(device_);
    SDV2_TRY(const NetworkFile file, NetworkFile::open(model_, kind));
    SDV2_CHECK(load_params(params, file.weights(), type_, device_));
    return timer.seconds();
  }

  static void print(const char* name, const ParamList& params, double load, double forward) {
    int64_t count = 0;
    for (const auto& param : params) count += c10::multiply_integers(param.shape);
    std::printf("  %-18s %16s %8.2f s %8.3f s\n", name, grouped(count).c_str(), load, forward);
    std::fflush(stdout);
  }

  // [1, text_len, text_dim]. The text encoder is needed only for this and gives its memory back.
  Result<at::Tensor> prompt_rows() {
    const DitConfig& dit = model_.dit.spec;
    if (!model_.text_encoder) {
      FormulaSource random(model_.seed);
      return random.read("prompt", {1, dit.text_len, dit.text_dim}, type_, device_);
    }
    Umt5Encoder encoder(config_of(model_.text_encoder->spec));
    const ParamList params = params_of(encoder);
    SDV2_TRY(const auto tokenizer, Tokenizer::open(model_.tokenizer));
    SDV2_TRY(const double seconds, load(NetworkKind::kTextEncoder, params));
    Timer timer(device_);
    SDV2_TRY(const at::Tensor rows, encode_prompt(*tokenizer, encoder, "an oil painting", dit.text_len));
    print("text encoder", params, seconds, timer.seconds());
    return rows.unsqueeze(0);
  }

  // The first chunk of a stream, [1 + 4P, 3, H, W], in the range of the encoder.
  at::Tensor pixels() const {
    const int64_t frames = 1 + 4 * model_.stream.chunk_latents;
    const std::vector<int64_t> shape = {frames, 3, model_.stream.height, model_.stream.width};
    const at::Tensor values =
        formula_uniform("pixels", model_.seed, 0, c10::multiply_integers(shape), device_).view(shape);
    return (encoder_kind(model_) == NetworkKind::kTaehv ? values.mul(0.5).add(0.5) : values).to(type_);
  }

  Result<at::Tensor> run_chain(const char* name, NetworkKind kind, LayerChain& chain, const at::Tensor& x) {
    const ParamList params = params_of(chain);
    SDV2_TRY(const double seconds, load(kind, params));
    ChainState state = chain.new_state();
    Timer timer(device_);
    const at::Tensor y = chain.forward(x, state);
    print((std::string(to_string(kind)) + " " + name).c_str(), params, seconds, timer.seconds());
    return y;
  }

  // latents [F, 16, h, w] → flow, the same shape.
  Result<at::Tensor> run_dit(const at::Tensor& latents, const at::Tensor& prompt) {
    const ParamList params = params_of(dit_);
    SDV2_TRY(const double seconds, load(NetworkKind::kDit, params));
    NoPast past;
    const std::vector<KvStore*> kv(static_cast<size_t>(model_.dit.spec.num_layers), &past);
    Timer timer(device_);
    const TextContext text = dit_.text_context(dit_.embed_text(prompt), {0, model_.dit.spec.num_layers});
    const at::Tensor timesteps = at::full({1, latents.size(0)}, first_timestep(model_.stream.noise_scale),
                                          at::TensorOptions(at::kFloat).device(device_));
    const at::Tensor start = at::zeros({1}, at::TensorOptions(at::kLong).device(device_));
    const at::Tensor flow = dit_.forward(latents.unsqueeze(0), timesteps, start, text, kv);
    print(to_string(NetworkKind::kDit), params, seconds, timer.seconds());
    return flow.squeeze(0);
  }

  const ModelDescription& model_;
  at::ScalarType type_;
  at::Device device_;
  LayerChain encoder_ = make_encoder(model_);
  CausalDit dit_{model_.dit.spec};
  LayerChain decoder_ = make_decoder(model_);
};

// Peak of this process's resident memory in bytes, mapped files included.
uint64_t peak_host_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (uint64_t kib = 0; word == "VmHWM:" && status >> kib) return kib << 10;
  return 0;
}

std::optional<at::Device> parse_device(const std::string& text) {
  if (text == "cpu") return at::Device(at::kCPU);
  int index = 0;
  constexpr std::string_view kCuda = "cuda:";
  const char* const end = text.data() + text.size();
  if (text == "cuda") return at::Device(at::kCUDA, 0);
  if (!text.starts_with(kCuda)) return std::nullopt;
  const auto parsed = std::from_chars(text.data() + kCuda.size(), end, index);
  if (parsed.ec != std::errc() || parsed.ptr != end || index < 0 || index > 127) return std::nullopt;
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

std::optional<std::pair<int64_t, int64_t>> parse_size(std::string_view text) {
  std::pair<int64_t, int64_t> size;
  const char* const end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.first);
  if (height.ec != std::errc() || height.ptr == end || *height.ptr != 'x') return std::nullopt;
  const auto width = std::from_chars(height.ptr + 1, end, size.second);
  if (width.ec != std::errc() || width.ptr != end) return std::nullopt;
  return size;
}

// kOk, or the exit code of what was told.
int parse(Arguments arguments, Options& options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument(arguments[i]);
    if (!argument.starts_with("-")) {
      if (!options.model.empty()) return wrong_usage("run takes one model");
      options.model = argument;
      continue;
    }
    if (i + 1 == arguments.size())
      return wrong_usage("run does not know " + argument + ", or its value is missing");
    const std::string value(arguments[++i]);
    if (argument == "--device") {
      options.device = parse_device(value);
      if (!options.device) return wrong_usage("--device takes cpu or cuda:N, not '" + value + "'");
    } else if (argument == "--dtype") {
      if (value != "bf16" && value != "fp32")
        return wrong_usage("--dtype takes bf16 or fp32, not '" + value + "'");
      options.type = value == "bf16" ? at::kBFloat16 : at::kFloat;
    } else if (argument == "--size") {
      options.size = parse_size(value);
      if (!options.size) return wrong_usage("--size takes HEIGHTxWIDTH, not '" + value + "'");
    } else {
      return wrong_usage("run does not know " + argument);
    }
  }
  return options.model.empty() ? wrong_usage("run needs a model folder or random:...") : kOk;
}

Result<void> check_device(at::Device device) {
  const int count = at::hasCUDA() ? at::accelerator::deviceCount() : 0;
  if (device.is_cpu() || device.index() < count) return {};
  return Error{ErrorCode::kNotFound, device.str() + ": there is no such device; this machine has " +
                                         std::to_string(count) + " GPUs that can be used"};
}

}  // namespace

int run_run(Arguments arguments) {
  Options options;
  if (const int status = parse(arguments, options); status != kOk) return status;
  const at::Device device =
      options.device.value_or(at::hasCUDA() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU));
  const at::ScalarType type = options.type.value_or(device.is_cpu() ? at::kFloat : at::kBFloat16);
  if (const auto usable = check_device(device); !usable.ok()) return report(usable.error());
  auto model = describe_model(options.model);
  if (!model.ok()) return report(model.error());
  if (options.size) std::tie(model->stream.height, model->stream.width) = *options.size;
  if (const auto sound = validate(*model); !sound.ok()) return report(sound.error());

  std::printf("%s on %s in %s, %lld×%lld, first chunk of %lld frames\n", options.model.c_str(),
              device.str().c_str(), type == at::kFloat ? "fp32" : "bf16",
              static_cast<long long>(model->stream.height), static_cast<long long>(model->stream.width),
              static_cast<long long>(1 + 4 * model->stream.chunk_latents));
  std::fflush(stdout);
  const c10::InferenceMode inference;
  try {
    if (const auto done = ChunkRun(*model, type, device).run(); !done.ok()) return report(done.error());
  } catch (const c10::Error& error) {
    return report({ErrorCode::kInternal, error.what_without_backtrace()});
  }
  if (!device.is_cpu()) {
    const auto stats = at::accelerator::getDeviceStats(device.index());
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    std::printf("  peak device memory %s\n",
                size_text(static_cast<uint64_t>(stats.allocated_bytes[all].peak)).c_str());
  }
  std::printf("  peak host memory   %s\n", size_text(peak_host_memory()).c_str());
  return kOk;
}

}  // namespace sdv2::model_tool
