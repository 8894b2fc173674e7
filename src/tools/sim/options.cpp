// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/options.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "base/quote.h"
#include "tools/command_line.h"

namespace sdv2::sim {

const char* const kUsage =
    R"(usage: sdv2-sim [options]
Runs the engine's scheduler on a virtual clock: which deadlines would hold, on any GPUs and with any streams.

machine
  --gpus LIST             COUNT or COUNTxSPEED, …; speed 1 is what the costs are of      1
  --gpus-per-stream N     GPUs (1 to 8) that serve a stream one after the other          1
  --model M               1.3b or 14b                                                    1.3b
  --vae V                 taehv or wan                                                   taehv
  --precision P           bf16 or fp8 (block linears)                                    bf16
  --efficiency X          share of the roofline that is reached, 0.01 to 1               0.7
  --shared-ms X           time of a denoising forward that its rows share beside that,
                          such as launching kernels without CUDA graphs                  0
  --costs FILE            take the medians of encode, denoise and decode from a report of
                          sdv2-bench --json instead; for rows, layers and other sizes
                          they are scaled as the roofline says
  --slow GPU@T+DxF        GPU number (or all) takes F times as long from T for D seconds
streams
  --streams N[:SETTING…]  N streams; may be given more than once. Settings, each :KEY=VALUE:
                          fps 24, latency 500 (ms, from a frame's capture), steps 1, size 512x512
                          (HxW), priority 0, degrade all (or none, or steps+size+repeat+source)
                                                                                         8
  --sweep A:B[:STEP]      instead of the first N: every count from A to B
  --admit                 slo: refuse streams that do not fit, as the engine does
run
  --policies LIST         slo,static,threshold,none                                      all
  --max-rows N            rows of a forward, 1 to 64                                     8
  --static-rows N         static: rows that a forward waits for                          4
  --seconds S             virtual seconds                                                60
  --jitter X              relative spread of the times, 0 to 1                           0.03
  --seed N                of arrivals and jitter                                         0
output
  --json                  one JSON object instead of tables
  --plot FILE.svg         plots over time, or over the counts of --sweep
  --help

Policies
  slo        earliest deadline first, batches while all deadlines hold, late chunks are not begun, quality is
             given up when the GPUs are too slow and comes back (the engine's scheduler)
  static     first come first served; denoising waits until a fixed number of rows is there
  threshold  the reference's rule: a chunk whose first frame is 0.5 s old or more runs alone through all steps,
             a younger one in a batch with its stream's neighbours, one step per chunk that arrives
  none       first come first served, one row at a time
Columns: "met" are chunks whose restyled pixels are ready in time, "filled" chunks that show the last picture or
the source instead, "late" the rest. Latencies are of restyled chunks, from the capture of the first frame.
Exit code: 0 done, 1 failed, 2 wrong usage.
)";

const char* to_string(Policy policy) {
  switch (policy) {
    case Policy::kSlo:
      return "slo";
    case Policy::kStatic:
      return "static";
    case Policy::kThreshold:
      return "threshold";
    case Policy::kNone:
      return "none";
  }
  return "unknown";
}

int Options::gpu_count() const {
  return std::accumulate(gpus.begin(), gpus.end(), 0,
                         [](int sum, const GpuKind& gpu) { return sum + gpu.count; });
}

int Options::stream_count() const {
  return std::accumulate(streams.begin(), streams.end(), 0,
                         [](int sum, const StreamKind& kind) { return sum + kind.count; });
}

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

constexpr int kMaxGpus = 1024, kMaxStreams = 100'000;

Result<void> set_gpus(Options& options, std::string_view text) {
  options.gpus.clear();
  const char* const what = "GPUs such as 4 or 2x1,2x0.5";
  for (const std::string_view part : split(text, ',')) {
    const size_t cross = part.find('x');
    GpuKind kind;
    SDV2_TRY(kind.count, number(part.substr(0, cross), 1, kMaxGpus, what));
    if (cross != std::string_view::npos) {
      SDV2_TRY(kind.speed, number(part.substr(cross + 1), 0.01, 100.0, what));
    }
    options.gpus.push_back(kind);
  }
  if (options.gpu_count() > kMaxGpus) return wrong("1024 GPUs at most", text);
  return {};
}

Result<uint8_t> parse_degrade(std::string_view text) {
  static const std::map<std::string_view, uint8_t> flags{
      {"none", kDegradeNothing}, {"all", kDegradeAll},       {"steps", kDegradeSteps},
      {"size", kDegradeSize},    {"repeat", kDegradeRepeat}, {"source", kDegradeSource}};
  uint8_t degrade = 0;
  for (const std::string_view part : split(text, '+')) {
    const auto flag = flags.find(part);
    if (flag == flags.end()) return wrong("all, none, or of steps+size+repeat+source", part);
    degrade |= flag->second;
  }
  return degrade;
}

Result<void> set_size(StreamKind& kind, std::string_view text) {
  SDV2_TRY(const PictureSize size,
           picture_size(text, 128, 4096, "HxW with multiples of 16 from 128 to 4096, such as 480x832"));
  kind.height = size.height;
  kind.width = size.width;
  return {};
}

Result<void> set_of_stream(StreamKind& kind, std::string_view key, std::string_view value) {
  if (key == "fps") {
    SDV2_TRY(kind.fps, number(value, 1.0, 240.0, "1 to 240"));
  } else if (key == "latency") {
    SDV2_TRY(const double ms, number(value, 1.0, 60'000.0, "milliseconds from 1 to 60000"));
    kind.latency_s = ms * 1e-3;
  } else if (key == "steps") {
    SDV2_TRY(kind.steps, number(value, 1, 4, "1 to 4"));
  } else if (key == "size") {
    return set_size(kind, value);
  } else if (key == "priority") {
    SDV2_TRY(kind.priority, number(value, -100, 100, "-100 to 100"));
  } else if (key == "degrade") {
    SDV2_TRY(kind.degrade, parse_degrade(value));
  } else {
    return Error{ErrorCode::kInvalidArgument,
                 "is not known; there are fps, latency, steps, size, priority, degrade"};
  }
  return {};
}

Result<void> add_streams(Options& options, std::string_view text) {
  const auto parts = split(text, ':');
  StreamKind kind;
  SDV2_TRY(kind.count, number(parts.front(), 1, kMaxStreams, "N[:KEY=VALUE…] with N from 1 to 100000"));
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = std::min(parts[i].find('='), parts[i].size());
    const std::string_view key = parts[i].substr(0, equals);
    const auto set = set_of_stream(kind, key, parts[i].substr(std::min(equals + 1, parts[i].size())));
    if (!set.ok()) return Error{ErrorCode::kInvalidArgument, quote(key) + " " + set.error().message};
  }
  options.streams.push_back(kind);
  return {};
}

Result<void> set_sweep(Options& options, std::string_view text) {
  const char* const what = "counts A:B or A:B:STEP, 1 to 100000";
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return wrong(what, text);
  Sweep sweep;
  SDV2_TRY(sweep.first, number(parts[0], 1, kMaxStreams, what));
  SDV2_TRY(sweep.last, number(parts[1], sweep.first, kMaxStreams, what));
  if (parts.size() == 3) {
    SDV2_TRY(sweep.step, number(parts[2], 1, kMaxStreams, what));
  }
  options.sweep = sweep;
  return {};
}

Result<void> add_slow(Options& options, std::string_view text) {
  const char* const what = "GPU@T+DxF, such as 0@20+20x2 or all@20+20x2";
  const size_t at = text.find('@'), plus = text.find('+'), cross = text.find('x');
  if (at == std::string_view::npos || plus == std::string_view::npos || cross == std::string_view::npos ||
      !(at < plus && plus < cross))
    return wrong(what, text);
  SlowTime slow;
  if (text.substr(0, at) != "all") {
    SDV2_TRY(slow.gpu, number(text.substr(0, at), 0, kMaxGpus - 1, what));
  }
  SDV2_TRY(slow.begin_s, number(text.substr(at + 1, plus - at - 1), 0.0, 1e6, what));
  SDV2_TRY(slow.seconds, number(text.substr(plus + 1, cross - plus - 1), 0.0, 1e6, what));
  SDV2_TRY(slow.factor, number(text.substr(cross + 1), 0.01, 1000.0, what));
  options.slow.push_back(slow);
  return {};
}

Result<void> set_policies(Options& options, std::string_view text) {
  options.policies.clear();
  for (const std::string_view part : split(text, ',')) {
    const auto policy = std::find_if(std::begin(kPolicies), std::end(kPolicies),
                                     [&](Policy each) { return part == to_string(each); });
    if (policy == std::end(kPolicies)) return wrong("of slo,static,threshold,none", part);
    if (std::find(options.policies.begin(), options.policies.end(), *policy) == options.policies.end())
      options.policies.push_back(*policy);
  }
  return {};
}

Result<void> set_word(std::string& field, std::string_view text,
                      std::initializer_list<std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) {
    if (word == text) return field = text, Result<void>();
    all += (all.empty() ? "" : " or ") + std::string(word);
  }
  return wrong(all, text);
}

const OptionTable<Options>& option_table() {
  static const OptionTable<Options> table{
      .flags = {{"--json", &Options::json}, {"--admit", &Options::admit}},
      .options = {
          {"--gpus", set_gpus},
          {"--gpus-per-stream", number_option(&Options::gpus_per_stream, 1, 8, "1 to 8")},
          {"--model",
           [](Options& o, std::string_view text) {
             return set_word(o.costs.model, text, {"1.3b", "14b"});
           }},
          {"--vae",
           [](Options& o, std::string_view text) {
             return set_word(o.costs.vae, text, {"taehv", "wan"});
           }},
          {"--precision",
           [](Options& o, std::string_view text) -> Result<void> {
             std::string word;
             SDV2_CHECK(set_word(word, text, {"bf16", "fp8"}));
             o.costs.fp8 = word == "fp8";
             return {};
           }},
          {"--efficiency",
           [](Options& o, std::string_view text) -> Result<void> {
             SDV2_TRY(o.costs.efficiency, number(text, 0.01, 1.0, "a share from 0.01 to 1"));
             return {};
           }},
          {"--shared-ms",
           [](Options& o, std::string_view text) -> Result<void> {
             SDV2_TRY(const double ms, number(text, 0.0, 10'000.0, "milliseconds from 0 to 10000"));
             o.costs.shared_s = ms * 1e-3;
             return {};
           }},
          {"--costs", [](Options& o, std::string_view text) { return o.recorded = text, Result<void>(); }},
          {"--slow", add_slow},
          {"--streams", add_streams},
          {"--sweep", set_sweep},
          {"--policies", set_policies},
          {"--max-rows", number_option(&Options::max_rows, 1, 64, "1 to 64")},
          {"--static-rows", number_option(&Options::static_rows, 1, 64, "1 to 64")},
          {"--seconds", number_option(&Options::seconds, 1.0, 86'400.0, "seconds from 1 to 86400")},
          {"--jitter", number_option(&Options::jitter, 0.0, 1.0, "0 to 1")},
          {"--seed", number_option<uint64_t>(&Options::seed, 0, UINT64_MAX, "a whole number")},
          {"--plot", [](Options& o, std::string_view text) { return o.plot = text, Result<void>(); }},
      }};
  return table;
}

Result<void> check_together(const Options& options) {
  const auto invalid = [](const std::string& why) { return Error{ErrorCode::kInvalidArgument, why}; };
  if (options.gpu_count() % options.gpus_per_stream != 0)
    return invalid("--gpus-per-stream " + std::to_string(options.gpus_per_stream) + " does not divide the " +
                   std::to_string(options.gpu_count()) + " GPUs");
  for (const SlowTime& slow : options.slow)
    if (slow.gpu >= options.gpu_count())
      return invalid("--slow names GPU " + std::to_string(slow.gpu) + ", but there are " +
                     std::to_string(options.gpu_count()) + ", counted from 0");
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  SDV2_TRY(Options options, read_options(arguments, option_table()));
  if (options.help) return options;
  if (options.streams.empty()) options.streams.push_back({.count = 8});
  SDV2_CHECK(check_together(options));
  return options;
}

}  // namespace sdv2::sim
