// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of a chunk into the session and its pixels out of it.
#include "stub/session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "stream/fault.h"
#include "stub/engine.h"
#include "stub/status.h"

namespace sdv2::stub {

using Json = nlohmann::json;

Result<std::shared_ptr<Session>> Session::open(const std::shared_ptr<Model>& model, const char* settings,
                                               const sdv2_session_observer* observer) {
  if (auto dead = model->dead()) return *dead;
  if (observer != nullptr && observer->struct_size < sizeof *observer)
    return invalid("observer: struct_size is not set");
  SDV2_TRY(Json given, parse_object(settings, "settings"));
  const Json stub = given.value("stub", Json::object());
  given.erase("stub");
  SDV2_TRY(Program program, Engine::instance().program({&model->stub(), &stub}));
  // What belongs to the model was fixed when it was opened.
  program.latent_frames = model->program().latent_frames;
  program.width = model->program().width;
  program.height = model->program().height;
  if (program.fail_session) return *program.fail_session;
  SDV2_TRY(Json whole, change_settings(default_settings(program), given, false));
  auto session = std::make_shared<Session>(model, std::move(program), std::move(whole),
                                           observer == nullptr ? sdv2_session_observer{} : *observer);
  Engine::instance().add_session(session);
  session->thread_ = std::thread([raw = session.get()] { raw->run(); });
  return session;
}

Session::Session(std::shared_ptr<Model> model, Program program, Json settings,
                 const sdv2_session_observer& observer)
    : model_(std::move(model)),
      program_(std::move(program)),
      defaults_(default_settings(program_)),
      observer_(observer),
      active_(std::move(settings)) {
  Engine::instance().add_use(*model_);
  ++Engine::instance().open_sessions;
}

Session::~Session() {
  Engine::instance().end_use(*model_);
  --Engine::instance().open_sessions;
}

int64_t Session::now() const {
  return program_.pace == Pace::kVirtual ? Engine::instance().virtual_now() : monotonic_ns();
}

Result<int64_t> Session::set(const char* text) {
  SDV2_TRY(const Json given, parse_object(text, "changes"));
  const std::scoped_lock lock(mutex_);
  if (auto dead = model_->dead()) return *dead;
  const Json& latest = changes_.empty() ? active_ : changes_.back().settings;
  SDV2_TRY(Json changed, change_settings(latest, given, true));
  int64_t chunk = next_chunk_ + (prompt_differs(latest, changed) ? program_.prompt_chunks : 0);
  if (!changes_.empty()) chunk = std::max(chunk, changes_.back().chunk);
  changes_.push_back({chunk, std::move(changed)});
  return chunk;
}

int32_t Session::frames_of_open_chunk() const {
  if (stream_begins_ && active_["warm_up"] == "frame") return 1;
  return (stream_begins_ ? 1 : 0) + 4 * program_.latent_frames;
}

int32_t Session::chunk_frames() {
  const std::scoped_lock lock(mutex_);
  return frames_of_open_chunk();
}

Result<void> Session::check_room() const {
  if (auto dead = model_->dead()) return *dead;
  if (open_.empty() && held() >= active_["capacity"].get<size_t>())
    return Error{ErrorCode::kBusy,
                 std::to_string(held()) + " chunks are under way or unread; release one first"};
  if (static_cast<int32_t>(open_.size()) >= frames_of_open_chunk())
    return invalid("the open chunk is full; submit it first");
  return {};
}

Result<void> Session::put_frame(const sdv2_image* image) {
  SDV2_CHECK(check_image(image));
  {
    const std::scoped_lock lock(mutex_);
    SDV2_CHECK(check_room());
  }
  Picture picture = read_picture(*image);
  const std::scoped_lock lock(mutex_);
  SDV2_CHECK(check_room());
  open_.push_back(std::move(picture));
  if (!first_put_ns_.has_value()) first_put_ns_ = now();
  ++stats_.counts.frames_in;
  return {};
}

void Session::activate_changes(int64_t chunk) {
  while (!changes_.empty() && changes_.front().chunk <= chunk) {
    Json settings = std::move(changes_.front().settings);
    changes_.erase(changes_.begin());
    if (active_["prompt"] != settings["prompt"]) {
      blend_from_ = last_look_;
      blend_begin_ = stream_begins_ ? kNoBlend : chunk;
    }
    active_ = std::move(settings);
  }
}

void Session::choose_look(Chunk& chunk) {
  chunk.quality = program_.rung_of(chunk.number);
  chunk.steps = active_["steps"].get<int32_t>();
  chunk.noise_scale = active_["noise_scale"].get<double>();
  chunk.look = look_of(active_, defaults_);
  const auto blend = active_["prompt_blend"].get<int64_t>();
  const int64_t step = chunk.number - blend_begin_ + 1;
  if (blend_begin_ != kNoBlend && step < blend) {
    const double share = static_cast<double>(step) / static_cast<double>(blend);
    for (size_t channel = 0; channel < 3; ++channel)
      chunk.look.tint[channel] = static_cast<uint8_t>(
          std::lround(blend_from_.tint[channel] * (1 - share) + chunk.look.tint[channel] * share));
  }
  const bool is_static = std::all_of(chunk.frames.begin(), chunk.frames.end(),
                                     [&](const Picture& each) { return each == last_picture_; });
  if (active_["similarity_filter"] > 0 && is_static && !stream_begins_) {
    chunk.steps = 0;
    chunk.look = last_look_;
    chunk.quality.show = SDV2_SHOW_STILL;
  }
}

// That the program or the model's "fault" asks for.
std::optional<Error> Session::failure_of_next(int64_t number) {
  const int64_t index = stream_chunks_++;
  const std::string text = model_->config().value("fault", "");
  if (const auto fault = parse_fault(text); fault.ok() && fault->fails() && fault->chunk == index)
    return Error{ErrorCode::kDevice,
                 "device " + std::to_string(fault->worker) + " failed as " + text + " asks"};
  return program_.failure_of(number);
}

Result<int64_t> Session::submit(int64_t deadline_ns) {
  const std::scoped_lock lock(mutex_);
  if (auto dead = model_->dead()) return *dead;
  if (open_.empty()) return invalid("the open chunk holds no frame");
  auto chunk = std::make_shared<Chunk>();
  chunk->number = next_chunk_++;
  chunk->generation = generation_;
  chunk->stream = stream_;
  chunk->frames = std::exchange(open_, {});
  chunk->deadline_ns = deadline_ns;
  activate_changes(chunk->number);
  choose_look(*chunk);
  chunk->failure = failure_of_next(chunk->number);
  chunk->submit_ns = now();
  chunk->start_ns = std::max(chunk->submit_ns, last_due_ns_);
  chunk->due_ns = chunk->start_ns + program_.chunk_ns(chunk->number);
  last_due_ns_ = chunk->due_ns;
  last_picture_ = chunk->frames.back();
  last_look_ = chunk->look;
  stream_begins_ = false;
  under_way_.push_back(chunk);
  ++stats_.counts.chunks_submitted;
  changed_.notify_all();
  return chunk->number;
}

Error Session::no_such_chunk(int64_t chunk) const {
  if (chunk >= 0 && chunk < generation_begin_)
    return {ErrorCode::kCancelled, "chunk " + std::to_string(chunk) + " was dropped by a flush"};
  return invalid("chunk " + std::to_string(chunk) + " is not finished, failed, or released already");
}

Result<void> Session::read_frame(int64_t number, int32_t frame, const sdv2_image* image) {
  SDV2_CHECK(check_image(image));
  std::shared_ptr<Chunk> chunk;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = finished_.find(number);
    if (found == finished_.end()) return no_such_chunk(number);
    chunk = found->second;
  }
  if (frame < 0 || frame >= static_cast<int32_t>(chunk->frames.size()))
    return invalid("chunk " + std::to_string(number) + " has no frame " + std::to_string(frame));
  write_picture(
      chunk->frames[static_cast<size_t>(frame)],
      [&](const Rgba& pixel) { return restyle(pixel, chunk->look); }, *image);
  return {};
}

Result<void> Session::release_chunk(int64_t chunk) {
  const std::scoped_lock lock(mutex_);
  if (finished_.erase(chunk) == 0) return no_such_chunk(chunk);
  changed_.notify_all();
  return {};
}

sdv2_session_stats Session::stats() {
  const std::scoped_lock lock(mutex_);
  sdv2_session_stats stats = stats_.snapshot();
  stats.generation = generation_;
  stats.chunks_under_way = static_cast<int32_t>(under_way_.size());
  return stats;
}

Json Session::stats_json() {
  const Json devices = model_->devices();
  Json memory = Json::array();
  for (const Json& device : devices) memory.push_back({{"device", device}, {"bytes", 0}, {"peak_bytes", 0}});
  const std::scoped_lock lock(mutex_);
  Json json = stats_.to_json(devices.front());
  json["generation"] = generation_;
  json["settings"] = active_;
  json["plan"] = model_->info()["plan"];
  size_t bytes = 0;
  for (const auto& chunk : under_way_)
    for (const Picture& frame : chunk->frames) bytes += frame.pixels.size() * sizeof(Rgba);
  json["memory"] = {{"host_bytes", bytes}, {"devices", std::move(memory)}};
  return json;
}

}  // namespace sdv2::stub
