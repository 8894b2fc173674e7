// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/sim/simulation.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <queue>
#include <random>

#include "base/percentile.h"
#include "sched/admission.h"
#include "sched/batch_policy.h"
#include "sched/cost_model.h"
#include "sched/freeze_guard.h"
#include "sched/quality_control.h"
#include "tools/sim/fifo.h"
#include "tools/sim/pipeline.h"

namespace sdv2::sim {
namespace {

constexpr int kFramesPerChunk = 4;
constexpr int64_t kGovern_ns = 100'000'000;
constexpr double kPriorError = 0.75;  // the policy begins with costs that are this far off

struct Job {
  int64_t number = 0;
  int64_t capture_ns = 0, arrival_ns = 0, deadline_ns = 0;
  const Route* route = nullptr;
  size_t next = 0;  // segment
  bool running = false;
  int64_t available_ns = 0;  // when what it needs has crossed the link
};

struct WaitingChunk {
  int64_t number = 0;
  int64_t deadline_ns = 0;
  bool spare = false;  // may be left out to save time
};

struct Stream {
  StreamKind kind;
  uint64_t id = 0;
  size_t pipeline = 0;
  int64_t phase_ns = 0, period_ns = 0, frame_ns = 0;
  std::vector<Quality> ladder;
  std::vector<const Route*> routes;  // by rung; null where nothing runs
  int rung = 0;
  int64_t next_number = 0;
  std::deque<WaitingChunk> waiting;  // that have not begun
  FreezeGuard freeze;
  std::deque<Job> flight;        // begun, in order; references to its elements stay valid
  int64_t last_picture_ns = -1;  // when the last new picture was shown

  Job job(int64_t number) const {
    const int64_t capture = phase_ns + number * period_ns;
    return {
        .number = number,
        .capture_ns = capture,
        .arrival_ns = capture + (kFramesPerChunk - 1) * frame_ns,
        .deadline_ns = deadline_ns({.media_ns = 0, .clock_ns = 0}, capture, seconds_to_ns(kind.latency_s))};
  }
};

struct Gpu {
  size_t pipeline = 0;
  int index = 0;  // in its pipeline
  double busy_s = 0;
  std::vector<std::pair<Stream*, Job*>> batch;  // that runs
  int64_t began_ns = 0;
};

struct Group {
  std::unique_ptr<Pipeline> pipeline;
  size_t first_gpu = 0;
  std::vector<size_t> streams;
  DeviceLoad load;  // that was admitted
  CostModel costs;
  std::map<CostKey, AffineCost> priors;
  QualityControl quality;

  Group() : costs([this](const CostKey& key) { return priors.at(key); }) {}
};

enum class Happens : uint8_t { kDone, kArrival, kGovern, kLook };
struct Event {
  int64_t at_ns = 0;
  Happens what = Happens::kLook;
  size_t who = 0;  // GPU, stream, or group
  uint64_t order = 0;
  bool operator>(const Event& other) const {
    return std::tuple(at_ns, what, order) > std::tuple(other.at_ns, other.what, other.order);
  }
};

class Simulation {
 public:
  Simulation(const Options& options, const CostBook& costs, Policy policy)
      : options_(options),
        costs_(costs),
        policy_(policy),
        random_(options.seed),
        end_ns_(seconds_to_ns(options.seconds)) {
    result_.policy = policy;
    result_.seconds.resize(static_cast<size_t>(std::ceil(options.seconds)));
  }

  Result<RunResult> run() {
    make_groups();
    SDV2_CHECK(open_streams());
    if (policy_ == Policy::kSlo)
      for (size_t g = 0; g < groups_.size(); ++g) add_event(kGovern_ns, Happens::kGovern, g);
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ns_ = event.at_ns;
      happen(event);
    }
    summarise();
    return std::move(result_);
  }

 private:
  // ---- set-up

  void make_groups() {
    std::vector<double> speeds;
    for (const GpuKind& kind : options_.gpus)
      speeds.insert(speeds.end(), static_cast<size_t>(kind.count), kind.speed);
    const auto size = static_cast<size_t>(options_.gpus_per_stream);
    for (size_t first = 0; first < speeds.size(); first += size) {
      auto group = std::make_unique<Group>();
      const auto begin = speeds.begin() + static_cast<long>(first);
      group->pipeline = std::make_unique<Pipeline>(
          costs_, std::vector<double>(begin, begin + static_cast<long>(size)), options_.max_rows);
      group->first_gpu = first;
      group->load.assign(size, 0);
      for (size_t i = 0; i < size; ++i)
        gpus_.push_back({.pipeline = groups_.size(), .index = static_cast<int>(i)});
      groups_.push_back(std::move(group));
    }
  }

  Result<void> open_streams() {
    for (const StreamKind& kind : options_.streams)
      for (int i = 0; i < kind.count; ++i) {
        Stream stream{.kind = kind, .id = streams_.size()};
        stream.frame_ns = seconds_to_ns(1 / kind.fps);
        stream.period_ns = kFramesPerChunk * stream.frame_ns;
        stream.phase_ns = std::uniform_int_distribution<int64_t>(0, stream.period_ns)(random_);
        SDV2_TRY(const bool opened, open_on_idlest_group(stream));
        if (!opened) continue;
        Group& group = *groups_[stream.pipeline];
        group.streams.push_back(streams_.size());
        group.quality.open(streams_.size(), kind.priority, static_cast<int>(stream.ladder.size()));
        streams_.push_back(std::move(stream));
      }
    for (size_t s = 0; s < streams_.size(); ++s)
      add_event(streams_[s].job(0).arrival_ns, Happens::kArrival, s);
    result_.streams = static_cast<int>(streams_.size());
    return {};
  }

  Result<bool> open_on_idlest_group(Stream& stream) {
    const auto busiest = [](const Group& group) {
      return *std::max_element(group.load.begin(), group.load.end());
    };
    size_t best = 0;
    double best_load = std::numeric_limits<double>::infinity();
    const Quality full{.steps = stream.kind.steps, .width = stream.kind.width, .height = stream.kind.height};
    for (size_t g = 0; g < groups_.size(); ++g) {
      // In proportion to what the stream would add.
      const double load = busiest(*groups_[g]) + 1e-3 / groups_[g]->pipeline->speed();
      if (load < best_load) best = g, best_load = load;
    }
    Group& group = *groups_[best];
    stream.pipeline = best;
    const uint8_t allowed = policy_ == Policy::kSlo ? stream.kind.degrade : uint8_t{kDegradeNothing};
    stream.ladder = degradation_ladder(full, allowed);
    for (const Quality& quality : stream.ladder) {
      SDV2_TRY(const Route* route, group.pipeline->route(quality));
      for (const RouteSegment& segment : route->segments)
        group.priors.emplace(
            key_of(segment, *route),
            AffineCost{.fixed_s = std::max(0.0, 2 * segment.seconds[1] - segment.seconds[2]) * kPriorError,
                       .per_row_s = (segment.seconds[2] - segment.seconds[1]) * kPriorError});
      stream.routes.push_back(quality.show == Quality::Show::kSource ? nullptr : route);
    }
    if (result_.placement.empty()) result_.placement = stream.routes.front()->placement;
    const DeviceLoad load = true_load(stream, stream.routes.front(), group);
    if (policy_ == Policy::kSlo && options_.admit)
      if (const auto admitted = admit_on(group, stream, load); !admitted.ok()) {
        if (result_.refused++ == 0) result_.refusal = admitted.error().message;
        return false;
      }
    for (size_t i = 0; i < load.size(); ++i) group.load[i] += load[i];
    return true;
  }

  // As measured at warm-up, in the batches that a busy GPU would make.
  DeviceLoad true_load(const Stream& stream, const Route* route, const Group& group) const {
    DeviceLoad load(group.pipeline->gpus(), 0);
    if (!route) return load;
    double alone_s = (kFramesPerChunk - 1) * ns_to_seconds(stream.frame_ns);
    for (const RouteSegment& segment : route->segments) alone_s += segment.seconds[1] + segment.link_s;
    const double per_second = 1 / ns_to_seconds(stream.period_ns);
    const int most = attainable_rows(stream.kind.latency_s - alone_s,
                                     alike(group, *route, stream) * per_second, options_.max_rows);
    for (const RouteSegment& segment : route->segments) {
      const int rows = segment.batchable() ? most : 1;
      load[static_cast<size_t>(segment.gpu)] +=
          segment.seconds[static_cast<size_t>(rows)] / rows * per_second;
    }
    return load;
  }

  Result<void> admit_on(const Group& group, const Stream& stream, const DeviceLoad& load) const {
    std::vector<DeviceRoom> rooms;
    for (size_t i = 0; i < group.load.size(); ++i)
      rooms.push_back({"gpu " + std::to_string(group.first_gpu + i), group.load[i], 0});
    const auto demand = [&](const Route* route, DeviceLoad taken) {
      double latency = ns_to_seconds((kFramesPerChunk - 1) * stream.frame_ns);
      for (const RouteSegment& segment : route->segments) latency += segment.link_s + segment.seconds[1];
      return StreamDemand{.load = std::move(taken), .latency_s = latency};
    };
    AdmissionRequest request{.demand = demand(stream.routes.front(), load),
                             .fps = stream.kind.fps,
                             .target_latency_s = stream.kind.latency_s};
    for (size_t rung = 1; rung < stream.ladder.size(); ++rung)
      if (stream.ladder[rung].show == Quality::Show::kRestyled)
        request.alternatives.push_back(
            {sdv2::to_string(stream.ladder[rung]),
             demand(stream.routes[rung], true_load(stream, stream.routes[rung], group))});
    return admit(rooms, request);
  }

  // ---- events

  void add_event(int64_t at_ns, Happens what, size_t who) { events_.push({at_ns, what, who, next_event_++}); }

  void happen(const Event& event) {
    switch (event.what) {
      case Happens::kDone:
        finish_batch(gpus_[event.who]);
        break;
      case Happens::kArrival:
        arrive(streams_[event.who], event.who);
        break;
      case Happens::kGovern:
        govern(*groups_[event.who]);
        if (now_ns_ + kGovern_ns < end_ns_) add_event(now_ns_ + kGovern_ns, Happens::kGovern, event.who);
        break;
      case Happens::kLook:
        dispatch(event.who);
        break;
    }
  }

  void arrive(Stream& stream, size_t index) {
    Group& group = *groups_[stream.pipeline];
    const Job job = stream.job(stream.next_number++);
    const Quality::Show show = stream.ladder[static_cast<size_t>(stream.rung)].show;
    if (show == Quality::Show::kSource) {
      fill(stream, job, true);
    } else {
      const bool spare = show == Quality::Show::kEveryOther && job.number % 2 == 1;
      stream.waiting.push_back({job.number, job.deadline_ns, spare});
    }
    const int64_t next = stream.job(stream.next_number).arrival_ns;
    if (next < end_ns_) add_event(next, Happens::kArrival, index);
    dispatch_all(group);
  }

  // As the engine does before it chooses: chunks that are to save time, and those that would only come too
  // late.
  void leave_out(Stream& stream, Group& group) {
    const int64_t soonest_ns =
        saturating_add(now_ns_, seconds_to_ns(rest_of_chain(group, route_now(stream), 0)));
    while (!stream.waiting.empty()) {
      const WaitingChunk& chunk = stream.waiting.front();
      const bool given_up = (stream.kind.degrade & kDegradeRepeat) != 0 && chunk.deadline_ns < soonest_ns;
      if (!stream.freeze.may_leave_out(chunk.deadline_ns) || !(chunk.spare || given_up)) return;
      stream.freeze.leave_out();
      fill(stream, stream.job(chunk.number), false);
      if (!chunk.spare) group.quality.count(false);
      stream.waiting.pop_front();
    }
  }

  SecondOfRun& second_of(const Job& job) {
    const auto index = static_cast<size_t>(std::max<int64_t>(0, job.arrival_ns) / 1'000'000'000);
    return result_.seconds[std::min(index, result_.seconds.size() - 1)];
  }

  void fill(Stream& stream, const Job& job, bool with_source) {
    ++result_.chunks;
    ++result_.filled;
    ++second_of(job).due;
    ++second_of(job).filled;
    if (with_source) show(stream, job.deadline_ns);
  }

  // New pictures are shown from then on, one chunk long.
  void show(Stream& stream, int64_t at_ns) {
    if (stream.last_picture_ns >= 0) {
      const double freeze = ns_to_seconds(at_ns - stream.last_picture_ns - stream.frame_ns);
      result_.longest_freeze_s = std::max(result_.longest_freeze_s, freeze);
    }
    stream.last_picture_ns =
        std::max(stream.last_picture_ns, at_ns + (kFramesPerChunk - 1) * stream.frame_ns);
  }

  void complete(Stream& stream, const Job& job, Group& group) {
    const double latency = ns_to_seconds(now_ns_ - job.capture_ns);
    const bool in_time = now_ns_ <= job.deadline_ns;
    ++result_.chunks;
    ++(in_time ? result_.met : result_.late);
    SecondOfRun& second = second_of(job);
    ++second.due;
    second.met += in_time;
    second.worst_latency_s = std::max(second.worst_latency_s, latency);
    latencies_.push_back(latency);
    group.quality.count(in_time);
    show(stream, std::max(now_ns_, job.deadline_ns));
  }

  void finish_batch(Gpu& gpu) {
    Group& group = *groups_[gpu.pipeline];
    const auto batch = std::exchange(gpu.batch, {});
    const double seconds = ns_to_seconds(now_ns_ - gpu.began_ns);
    const double counted = ns_to_seconds(std::min(now_ns_, end_ns_) - std::min(gpu.began_ns, end_ns_));
    gpu.busy_s += counted;
    const Job& first = *batch.front().second;
    const RouteSegment& segment = first.route->segments[first.next];
    if (policy_ == Policy::kSlo)
      group.costs.add(key_of(segment, *first.route), static_cast<int>(batch.size()), seconds, now_ns_);
    if (segment.batchable()) {
      batched_rows_ += static_cast<int64_t>(batch.size());
      ++batches_;
    }
    for (const auto& [stream, job] : batch) {
      job->running = false;
      if (++job->next == job->route->segments.size()) {
        complete(*stream, *job, group);
        stream->flight.pop_front();  // chunks of a stream end in order
        continue;
      }
      const RouteSegment& next = job->route->segments[job->next];
      job->available_ns = now_ns_ + seconds_to_ns(next.link_s);
      if (next.link_s > 0)
        add_event(job->available_ns, Happens::kLook, group.first_gpu + static_cast<size_t>(next.gpu));
    }
    dispatch_all(group);
  }

  // ---- what runs next

  static CostKey key_of(const RouteSegment& segment, const Route& route) {
    return {.device = segment.gpu, .work = segment.work, .shape = route.shape};
  }

  // A chunk that could run its next segment on a GPU now; one that has not begun is `waiting`.
  struct Ready {
    Stream* stream;
    Job job;
    Job* begun;
    const RouteSegment& segment() const { return job.route->segments[job.next]; }
  };

  void dispatch_all(Group& group) {
    for (size_t i = 0; i < group.pipeline->gpus(); ++i) dispatch(group.first_gpu + i);
  }

  std::vector<Ready> ready_on(const Gpu& gpu, Group& group) {
    std::vector<Ready> ready;
    for (const size_t s : group.streams) {
      Stream& stream = streams_[s];
      const Job* before = nullptr;
      for (Job& job : stream.flight) {
        const bool follows = !before || (before->route == job.route && before->next > job.next);
        if (!job.running && follows && job.available_ns <= now_ns_ &&
            job.route->segments[job.next].gpu == gpu.index)
          ready.push_back({&stream, job, &job});
        before = &job;
      }
      if (before && before->next == 0) continue;
      if (policy_ == Policy::kSlo) leave_out(stream, group);
      if (stream.waiting.empty()) continue;
      Job job = stream.job(stream.waiting.front().number);
      job.route = route_now(stream);
      if (job.route->segments.front().gpu == gpu.index) ready.push_back({&stream, job, nullptr});
    }
    return ready;
  }

  // A chunk that was put before its stream went over to the source runs as cheaply as it can.
  static const Route* route_now(const Stream& stream) {
    const auto rung = static_cast<size_t>(stream.rung);
    return stream.routes[rung] ? stream.routes[rung] : stream.routes[rung - 1];
  }

  // Predicted seconds of the segments from `from` on, on one GPU or (-1) with links on all.
  double rest_of_chain(Group& group, const Route* route, size_t from, int gpu = -1) const {
    double seconds = 0;
    for (size_t i = from; i < route->segments.size(); ++i) {
      const RouteSegment& segment = route->segments[i];
      if (gpu >= 0 && segment.gpu != gpu) continue;
      seconds += group.costs.typical_s(key_of(segment, *route), 1, now_ns_) + (gpu < 0 ? segment.link_s : 0);
    }
    return seconds;
  }

  void dispatch(size_t index) {
    Gpu& gpu = gpus_[index];
    if (!gpu.batch.empty()) return;
    Group& group = *groups_[gpu.pipeline];
    std::vector<Ready> ready = ready_on(gpu, group);
    if (ready.empty()) return;
    const std::vector<size_t> rows =
        policy_ == Policy::kSlo ? slo_rows(group, gpu, ready) : fifo_rows(index, group, ready);
    if (rows.empty()) return;
    for (const size_t i : rows) {
      Ready& row = ready[i];
      if (!row.begun) {
        row.stream->waiting.pop_front();
        row.stream->freeze.begin(row.job.deadline_ns);
        row.stream->flight.push_back(row.job);
        row.begun = &row.stream->flight.back();
      }
      row.begun->running = true;
      gpu.batch.emplace_back(row.stream, row.begun);
    }
    const RouteSegment& segment = ready[rows.front()].segment();
    const double jitter = options_.jitter > 0
                              ? std::lognormal_distribution<double>(-options_.jitter * options_.jitter / 2,
                                                                    options_.jitter)(random_)
                              : 1;
    gpu.began_ns = now_ns_;
    add_event(now_ns_ + std::max<int64_t>(
                            1, seconds_to_ns(segment.seconds[rows.size()] * slowness(index) * jitter)),
              Happens::kDone, index);
  }

  double slowness(size_t gpu) const {
    double factor = 1;
    const double now = ns_to_seconds(now_ns_);
    for (const SlowTime& slow : options_.slow)
      if ((slow.gpu < 0 || slow.gpu == static_cast<int>(gpu)) && now >= slow.begin_s &&
          now < slow.begin_s + slow.seconds)
        factor *= slow.factor;
    return factor;
  }

  std::vector<size_t> slo_rows(Group& group, const Gpu& gpu, const std::vector<Ready>& ready) {
    std::vector<TimedRow> rows;
    for (const Ready& each : ready) {
      const Route& route = *each.job.route;
      const size_t next = each.job.next + 1;
      const bool feeds = next < route.segments.size() && route.segments[next].batchable() &&
                         route.segments[next].gpu == gpu.index;
      rows.push_back({.deadline_ns = each.job.deadline_ns,
                      .priority = each.stream->kind.priority,
                      .order = static_cast<uint64_t>(each.job.arrival_ns) << 20 | each.stream->id,
                      .work = each.segment().work,
                      .shape = route.shape,
                      .batchable = each.segment().batchable(),
                      .feeds = feeds ? route.segments[next].work : -1,
                      .rest_s = rest_of_chain(group, &route, next),
                      .rest_here_s = rest_of_chain(group, &route, next, gpu.index)});
    }
    const auto cost = [&](size_t i, size_t count) {
      return group.costs.typical_s(key_of(ready[i].segment(), *ready[i].job.route), static_cast<int>(count),
                                   now_ns_);
    };
    return next_batch(now_ns_, rows, cost, static_cast<size_t>(options_.max_rows)).rows;
  }

  std::vector<size_t> fifo_rows(size_t gpu, const Group& group, const std::vector<Ready>& ready) {
    std::vector<FifoRow> rows;
    rows.reserve(ready.size());
    for (const Ready& each : ready)
      rows.push_back({.arrival_ns = each.job.arrival_ns,
                      .capture_ns = each.job.capture_ns,
                      .stream = each.stream->id,
                      .work = each.segment().work,
                      .shape = each.job.route->shape,
                      .step = each.segment().step,
                      .period_ns = each.stream->period_ns});
    const auto fixed = static_cast<size_t>(
        std::min({options_.static_rows, options_.max_rows, static_cast<int>(group.streams.size())}));
    FifoChoice choice = policy_ == Policy::kStatic      ? static_batching(now_ns_, rows, fixed)
                        : policy_ == Policy::kThreshold ? wait_threshold(now_ns_, rows)
                                                        : no_batching(rows);
    if (choice.rows.empty() && choice.look_again_ns != INT64_MAX)
      add_event(choice.look_again_ns, Happens::kLook, gpu);
    return std::move(choice.rows);
  }

  // ---- quality

  void govern(Group& group) {
    int given_up = 0;
    const auto changes = group.quality.update(now_ns_, [&](uint64_t s, int rung) {
      return predicted_load(group, streams_[s], static_cast<size_t>(rung));
    });
    for (const RungChange& change : changes) streams_[change.id].rung = change.rung;
    result_.quality_changes += static_cast<int64_t>(changes.size());
    for (const size_t s : group.streams) {
      given_up += streams_[s].rung;
      full_quality_ticks_ += streams_[s].rung == 0;
      ++quality_ticks_;
    }
    if (given_up > 0) last_degraded_ns_ = now_ns_ + kGovern_ns;
    const auto second = static_cast<size_t>(now_ns_ / 1'000'000'000);
    if (second < result_.seconds.size() && now_ns_ % 1'000'000'000 >= 1'000'000'000 - kGovern_ns)
      result_.seconds[second].rungs += given_up;
  }

  // Streams that would share forwards with this one on that route: those of its size now, and itself.
  double alike(const Group& group, const Route& route, const Stream& self) const {
    double count = 1;
    for (const size_t s : group.streams) {
      const Stream& other = streams_[s];
      const Route* theirs = other.routes[static_cast<size_t>(other.rung)];
      count += &other != &self && theirs && theirs->shape == route.shape;
    }
    return count;
  }

  DeviceLoad predicted_load(Group& group, const Stream& stream, size_t rung) const {
    DeviceLoad load(group.pipeline->gpus(), 0);
    if (!stream.routes[rung]) return load;
    const Route& route = *stream.routes[rung];
    const double per_second = stream.ladder[rung].chunk_share() / ns_to_seconds(stream.period_ns);
    const double slack_s = stream.kind.latency_s - (kFramesPerChunk - 1) * ns_to_seconds(stream.frame_ns) -
                           rest_of_chain(group, &route, 0);
    const int most = attainable_rows(slack_s, alike(group, route, stream) * per_second, options_.max_rows);
    for (const RouteSegment& segment : route.segments) {
      const int rows = segment.batchable() ? most : 1;
      load[static_cast<size_t>(segment.gpu)] +=
          group.costs.typical_s(key_of(segment, route), rows, now_ns_) / rows * per_second;
    }
    return load;
  }

  void summarise() {
    std::sort(latencies_.begin(), latencies_.end());
    result_.latency_p50_s = percentile(latencies_, 0.5);
    result_.latency_p95_s = percentile(latencies_, 0.95);
    result_.latency_p99_s = percentile(latencies_, 0.99);
    result_.latency_max_s = latencies_.empty() ? 0 : latencies_.back();
    for (const Gpu& gpu : gpus_)
      result_.utilisation += gpu.busy_s / options_.seconds / static_cast<double>(gpus_.size());
    result_.rows_per_batch =
        batches_ > 0 ? static_cast<double>(batched_rows_) / static_cast<double>(batches_) : 0;
    result_.full_quality =
        quality_ticks_ > 0 ? static_cast<double>(full_quality_ticks_) / static_cast<double>(quality_ticks_)
                           : 1;
    double slow_end_s = -1;
    for (const SlowTime& slow : options_.slow) slow_end_s = std::max(slow_end_s, slow.begin_s + slow.seconds);
    if (slow_end_s >= 0 && last_degraded_ns_ < end_ns_)
      result_.recovered_s = std::max(0.0, ns_to_seconds(last_degraded_ns_) - slow_end_s);
  }

  const Options& options_;
  const CostBook& costs_;
  const Policy policy_;
  std::mt19937_64 random_;
  const int64_t end_ns_;
  int64_t now_ns_ = 0;
  RunResult result_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<Gpu> gpus_;
  std::vector<Stream> streams_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t next_event_ = 0;
  std::vector<double> latencies_;
  int64_t batched_rows_ = 0, batches_ = 0;
  int64_t quality_ticks_ = 0, full_quality_ticks_ = 0;
  int64_t last_degraded_ns_ = 0;
};

}  // namespace

Result<RunResult> simulate(const Options& options, const CostBook& costs, Policy policy) {
  return Simulation(options, costs, policy).run();
}

}  // namespace sdv2::sim
