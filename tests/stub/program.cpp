// SPDX-License-Identifier: LGPL-2.1-or-later
// The program of the stub engine from JSON.
#include "stub/program.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/quote.h"
#include "stub/status.h"

namespace sdv2::stub {
namespace {

using Json = nlohmann::json;

Result<ChunkFailure> parse_failure(const Json& value, const std::string& key) {
  if (!value.is_object() || !value.contains("code") || !value["code"].is_string() ||
      (value.contains("message") && !value["message"].is_string()))
    return invalid("stub: " + key + " needs a code and a message");
  SDV2_TRY(const ErrorCode code, parse_error_code(value["code"].get<std::string>()));
  return ChunkFailure{0, {code, value.value("message", "failed as programmed")}};
}

Result<Pace> parse_pace(const Json& value) {
  if (value == "real") return Pace::kReal;
  if (value == "virtual") return Pace::kVirtual;
  if (value == "step") return Pace::kStep;
  return invalid("stub: pace must be 'real', 'virtual' or 'step'");
}

Result<int> parse_int(const Json& value, const std::string& key, int least, int most) {
  if (!value.is_number_integer() || value < least || value > most)
    return invalid("stub: " + key + " must be a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most));
  return value.get<int>();
}

Result<std::vector<double>> parse_times(const Json& value, const std::string& key) {
  const Json list = value.is_array() ? value : Json::array({value});
  const bool valid = !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& each) {
    return each.is_number() && each >= 0 && each <= 1e9;
  });
  if (!valid) return invalid("stub: " + key + " must be milliseconds, or a list of them");
  return list.get<std::vector<double>>();
}

Result<std::vector<ChunkFailure>> parse_failures(const Json& value, const std::string& key) {
  if (!value.is_array()) return invalid("stub: " + key + " must be a list");
  std::vector<ChunkFailure> failures;
  for (const Json& each : value) {
    SDV2_TRY(ChunkFailure failure, parse_failure(each, key));
    if (!each.contains("chunk") || !each["chunk"].is_number_integer())
      return invalid("stub: " + key + " needs the number of a chunk");
    failure.chunk = each["chunk"].get<int64_t>();
    failures.push_back(std::move(failure));
  }
  return failures;
}

Result<std::vector<ProgrammedRung>> parse_rungs(const Json& value, const std::string& key) {
  const auto problem =
      invalid("stub: " + key +
              " must be a list of [chunk, rung, \"restyled\", \"still\", \"repeated\" or \"source\"]");
  constexpr std::array kShows = {"restyled", "still", "repeated", "source"};
  if (!value.is_array()) return problem;
  std::vector<ProgrammedRung> rungs;
  for (const Json& each : value) {
    if (!each.is_array() || each.size() != 3 || !each[0].is_number_integer() || !each[1].is_number_integer())
      return problem;
    const auto show = std::find(kShows.begin(), kShows.end(), each[2]);
    if (show == kShows.end()) return problem;
    rungs.push_back({each[0], each[1], static_cast<sdv2_show>(show - kShows.begin())});
  }
  return rungs;
}

Result<void> set_key(Program& program, const std::string& key, const Json& value) {
  if (key == "abi_version") {
    SDV2_TRY(program.abi_version, parse_int(value, key, 0, 1'000'000));
  } else if (key == "chunk") {
    SDV2_TRY(program.latent_frames, parse_int(value, key, 1, 4));
  } else if (key == "width") {
    SDV2_TRY(program.width, parse_int(value, key, 16, 16384));
  } else if (key == "height") {
    SDV2_TRY(program.height, parse_int(value, key, 16, 16384));
  } else if (key == "load_ms") {
    SDV2_TRY(const std::vector<double> times, parse_times(value, key));
    program.load_ms = times.front();
  } else if (key == "hold_load") {
    if (!value.is_boolean()) return invalid("stub: hold_load must be true or false");
    program.hold_load = value.get<bool>();
  } else if (key == "fail_load") {
    SDV2_TRY(ChunkFailure failure, parse_failure(value, key));
    program.fail_load = std::move(failure.error);
  } else if (key == "pace") {
    SDV2_TRY(program.pace, parse_pace(value));
  } else if (key == "chunk_ms") {
    SDV2_TRY(program.chunk_ms, parse_times(value, key));
  } else if (key == "fail_chunks") {
    SDV2_TRY(program.fail_chunks, parse_failures(value, key));
  } else if (key == "prompt_chunks") {
    SDV2_TRY(program.prompt_chunks, parse_int(value, key, 0, 1000));
  } else if (key == "rungs") {
    SDV2_TRY(program.rungs, parse_rungs(value, key));
  } else if (key == "fail_session") {
    SDV2_TRY(ChunkFailure failure, parse_failure(value, key));
    program.fail_session = std::move(failure.error);
  } else {
    return invalid("stub: unknown key " + quote(key));
  }
  return {};
}

}  // namespace

int64_t Program::chunk_ns(int64_t chunk) const {
  const auto last = static_cast<int64_t>(chunk_ms.size()) - 1;
  return static_cast<int64_t>(chunk_ms[static_cast<size_t>(std::min(chunk, last))] * 1e6);
}

std::optional<Error> Program::failure_of(int64_t chunk) const {
  for (const ChunkFailure& failure : fail_chunks)
    if (failure.chunk == chunk) return failure.error;
  return std::nullopt;
}

ProgrammedRung Program::rung_of(int64_t chunk) const {
  ProgrammedRung now;
  for (const ProgrammedRung& rung : rungs)
    if (rung.chunk <= chunk) now = rung;
  return now;
}

Result<Json> parse_object(const char* text, std::string_view where) {
  if (text == nullptr) return invalid(std::string(where) + " is NULL");
  auto parsed = parse_json(text, where);
  if (!parsed.ok()) return invalid(parsed.error().message);
  if (!parsed->is_object()) return invalid(std::string(where) + " must be a JSON object");
  return parsed;
}

Result<Program> parse_program(const Json& object) {
  if (!object.is_object()) return invalid("stub: the program must be a JSON object");
  Program program;
  for (const auto& [key, value] : object.items()) SDV2_CHECK(set_key(program, key, value));
  return program;
}

}  // namespace sdv2::stub
