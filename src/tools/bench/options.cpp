// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the command line of sdv2-bench by a table of options.
#include "tools/bench/options.h"

#include <algorithm>
#include <string_view>

#include "tools/command_line.h"

namespace sdv2::bench {

const char* const kUsage =
    R"(usage: sdv2-bench --model MODEL [options]
Sends frames through the engine, as fast as it takes them or at a rate, and tells how long they took, from the
copy in to the copy out.

model
  --model MODEL        folder, or random:1.3b, random:14b, random:tiny
  --devices LIST       auto, cpu, cuda:0,cuda:1, …                          auto
  --precision P        auto, fp32, bf16                                     auto
  --vae V              auto, wan, taehv                                     auto
  --kernels K          auto, plain, fused                                   auto
  --linears L          of the transformer's blocks: auto, bf16, fp8         auto
  --plan PLAN          where the chain is cut over the devices              auto
  --fault deviceN@chunkM
                       let the device at place N of the list fail when it is to begin chunk M of a stream
                       (both from 0), to see what happens then              none
  --fault deviceN*F@chunkM-L
                       let it be F times as slow from chunk M to chunk L
stream
  --size HxW           processing size, and that of the frames              the model's
  --steps N[,N…]       denoising steps 1 to 4; one run for each             the model's
  --prompt TEXT                                                             empty
  --seed N             the first stream's; stream i has N+i                 0
  --noise-scale X      0 to 1                                               the model's
  --execution E        latency, throughput, auto                            auto
run
  --chunks N           chunks of each stream that are measured              20
  --seconds S          measure for so long instead
  --target-fps F       frames of each stream go in at this rate on the clock, the streams spread over a chunk;
                       where the engine has no room they wait               as fast as it takes them
  --target-latency MS  a chunk is due so long after the time of its first frame
                                                                            500 with --target-fps, else never
  --degrade LIST       what streams may give up when deadlines cannot hold: steps, repeat, source, with commas
                                                                            nothing
  --admit              refuse streams whose --target-fps does not fit beside the others
  --warmup N           chunks before, in a session of their own             2
  --streams N          sessions at the same time                            1
  --capacity N         chunks that a stream keeps under way                 4
  --frames FILE        input: raw RGB frames of the size, repeated          a moving picture
output
  --json               one JSON object instead of tables
  --show-plan          a picture of the plan: stages, their devices, and the milliseconds of each, as measured
  --compare            each stage beside the least time that the roofline model gives it on one H100 (800 TFLOP/s
                       bf16, 1500 TFLOP/s fp8, 3 TB/s), with --execution latency, so that a step is one row
  --check-fused        run on plain kernels first, and compare the pictures of this run with those: PSNR and
                       largest difference
  --dump FILE          write the first stream's output as raw RGB
  --against FILE       compare the first stream's output with such a file: PSNR and largest difference
  --trace FILE         write a Chrome trace of everything
  --engine FILE        engine library to run                                this program's own
  --help

Times are milliseconds of one chunk.
  upload    copying its frames in
  …         the engine's own figures of its stages, as the first stream saw them
  download  copying its pixels out
  work      from the first device's start to its pixels
  chunk     from submit to its pixels, which counts the wait for chunks before it
  total     from its first frame in to its last frame out
Deadlines are those of all streams' chunks; a chunk has met its own when the engine had its pixels by then; one
that repeats the last picture to save time has not. The longest freeze is the longest time without a new picture.
fps is that of all streams from the end of their first chunk on; "first frame" is the time from the first frame
in to the first pixels out. The checksum is that of all output pixels in frame order, whatever the timing.
Exit code: 0 done, 1 failed, 2 wrong usage.
)";

namespace {

constexpr int kDefaultChunks = 20;
constexpr double kDefaultLatency_ms = 500;  // that of sdv2-sim

Setter<Options> text_option(std::string Options::*field) {
  return [=](Options& options, std::string_view text) -> Result<void> {
    options.*field = text;
    return {};
  };
}

Setter<Options> word_option(std::string Options::*field, const std::vector<std::string_view>& words) {
  return [=](Options& options, std::string_view text) -> Result<void> {
    if (std::find(words.begin(), words.end(), text) != words.end()) {
      options.*field = text;
      return {};
    }
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
    return wrong("one of " + list, text);
  };
}

Result<void> set_size(Options& options, std::string_view text) {
  const char* const what = "HEIGHTxWIDTH in multiples of 16, such as 480x832";
  SDV2_TRY(const PictureSize size, picture_size(text, 16, 16384, what));
  options.height = size.height;
  options.width = size.width;
  return {};
}

Result<void> set_steps(Options& options, std::string_view text) {
  options.steps.clear();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    SDV2_TRY(const int steps, number<int>(text.substr(begin, end - begin), 1, 4,
                                          "one or more numbers from 1 to 4, such as 1,2,4"));
    options.steps.push_back(steps);
    begin = end + 1;
  }
  return {};
}

// The engine knows the words.
Result<void> set_degrade(Options& options, std::string_view text) {
  options.degrade.clear();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    options.degrade.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return {};
}

const OptionTable<Options>& option_table() {
  static const OptionTable<Options> table{
      .flags = {{"--json", &Options::json},
                {"--show-plan", &Options::show_plan},
                {"--admit", &Options::admit},
                {"--compare", &Options::compare},
                {"--check-fused", &Options::check_fused}},
      .options = {
          {"--model", text_option(&Options::model)},
          {"--devices", text_option(&Options::devices)},
          {"--precision", word_option(&Options::precision, {"auto", "fp32", "bf16"})},
          {"--vae", word_option(&Options::vae, {"auto", "wan", "taehv"})},
          {"--kernels", word_option(&Options::kernels, {"auto", "plain", "fused"})},
          {"--linears", word_option(&Options::linears, {"auto", "bf16", "fp8"})},
          {"--plan", text_option(&Options::plan)},
          {"--fault", text_option(&Options::fault)},
          {"--size", set_size},
          {"--steps", set_steps},
          {"--prompt", text_option(&Options::prompt)},
          {"--seed",
           number_option<int64_t>(&Options::seed, 0, int64_t{1} << 53, "a whole number from 0 to 2^53")},
          {"--noise-scale", number_option<double>(&Options::noise_scale, 0, 1, "a number from 0 to 1")},
          {"--execution", word_option(&Options::execution, {"auto", "latency", "throughput"})},
          {"--chunks", number_option<int>(&Options::chunks, 1, 10'000'000, "a number of at least 1")},
          {"--seconds", number_option<double>(&Options::seconds, 0.001, 1e7, "seconds, more than 0")},
          {"--target-fps",
           number_option<double>(&Options::target_fps, 0.001, 1e5, "frames per second, more than 0")},
          {"--target-latency",
           number_option<double>(&Options::target_latency_ms, 0.001, 1e7, "milliseconds, more than 0")},
          {"--degrade", set_degrade},
          {"--warmup", number_option<int>(&Options::warmup, 0, 10'000'000, "a number of at least 0")},
          {"--streams", number_option<int>(&Options::streams, 1, 1024, "a number from 1 to 1024")},
          {"--capacity", number_option<int>(&Options::capacity, 1, 64, "a number from 1 to 64")},
          {"--frames", text_option(&Options::frames)},
          {"--dump", text_option(&Options::dump)},
          {"--against", text_option(&Options::against)},
          {"--trace", text_option(&Options::trace)},
          {"--engine", text_option(&Options::engine)},
      }};
  return table;
}

Result<void> check_together(const Options& options) {
  if (options.model.empty()) return Error{ErrorCode::kInvalidArgument, "--model is missing"};
  if (options.steps.size() > 1 && (!options.dump.empty() || !options.against.empty()))
    return Error{ErrorCode::kInvalidArgument,
                 "--dump and --against take one run: give one number to --steps"};
  if (options.chunks > 0 && options.seconds > 0)
    return Error{ErrorCode::kInvalidArgument, "--chunks and --seconds exclude each other: give one of them"};
  if (options.admit && options.target_fps <= 0)
    return Error{ErrorCode::kInvalidArgument, "--admit needs the rate that has to hold: give --target-fps"};
  if (options.show_plan && options.json)
    return Error{ErrorCode::kInvalidArgument,
                 "--show-plan is for the tables: with --json see \"plan\" and \"stages\" of each run"};
  if (options.compare && (options.streams > 1 || options.execution == "throughput"))
    return Error{
        ErrorCode::kInvalidArgument,
        "--compare takes one stream and --execution latency: steps that share a forward have no time of "
        "their own"};
  if (options.check_fused &&
      (options.kernels == "plain" || !options.dump.empty() || !options.against.empty()))
    return Error{
        ErrorCode::kInvalidArgument,
        "--check-fused compares with plain kernels: it excludes --kernels plain, --dump and --against"};
  if (options.check_fused && options.seconds > 0)
    return Error{ErrorCode::kInvalidArgument, "--check-fused takes --chunks: both runs need equally many"};
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  SDV2_TRY(Options options, read_options(arguments, option_table()));
  if (options.help) return options;
  SDV2_CHECK(check_together(options));
  if (options.compare) options.execution = "latency";
  if (options.check_fused) options.kernels = "fused";
  if (options.chunks == 0 && options.seconds == 0) options.chunks = kDefaultChunks;
  if (options.target_fps > 0 && options.target_latency_ms == 0)
    options.target_latency_ms = kDefaultLatency_ms;
  return options;
}

}  // namespace sdv2::bench
