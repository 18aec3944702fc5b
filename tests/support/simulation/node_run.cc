#include "support/simulation/node_run.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "engine/outbox.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

using Kind = NodeStep::Kind;

constexpr int64_t kHour = 3'600'000;
constexpr int kTriesMax = 60;

// An error of the world, after which the same is tried again; the others are answers.
bool of_the_world(const Error& error) {
  return error.code == ErrorCode::kIo || error.code == ErrorCode::kStorageFull ||
         error.code == ErrorCode::kStoreDamaged || error.code == ErrorCode::kStoreLocked;
}

uint64_t fold(uint64_t hash, std::string_view text) {
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211u;
  return hash;
}

}  // namespace

NodeRun::NodeRun(const NodeScenario& scenario)
    : witness(*scenario.program),
      service(scenario.sink_class),
      scenario_(scenario),
      random_(scenario.seed ^ 0x5EED),
      sink_(service, points) {
  if (scenario.in_file) dir_.emplace();
  stream_before_ = stream_latest_ = scenario.latest.front();
  clock.at = scenario.latest.front();
  witness.clock_is_right = !scenario.clock_jumps;
  witness.when_locked = [this] { return scenario_.host_clock ? clock.at : stream_before_; };
  witness.latest = [this] {
    return scenario_.host_clock ? std::max(clock.latest(), clock.at) : stream_latest_;
  };
  points.duplicate = [this] { duplicate_wanted_ = true; };
  points.delay = [this] {
    int64_t passed = random_.between(1000, 6 * kHour);
    clock.at.ms += passed;
    clock.elapsed += passed;
  };
  for (const std::string& line : scenario.lines) {
    auto event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_object() || !event.contains("ids")) continue;  // a broken line
    bool goes = event.value("kind", "") == "delete" ||
                (event.value("kind", "") != "create" &&
                 event.value("set", nlohmann::json::object()).contains("OwnerId"));
    if (goes) {
      witness.may_change_hands(event.value("entity", "") + "/" +
                               event["ids"].front().get<std::string>());
    }
  }
  service.answers = [this](const SinkCall& call) { return answer(call); };
  service.dies = [this](const SinkCall& call) {
    if (service.effects.count(call.key) != 0 && effected_.insert(call.key).second)
      effects_.push_back(call.key);
  };
}

void NodeRun::trace(std::string_view text) { trace_hash = fold(trace_hash, text); }

// The same for a key and an attempt, whatever else went wrong before.
SinkAnswer NodeRun::answer(const SinkCall& call) {
  ++figures.calls;
  trace(call.request);
  Random random(fold(scenario_.seed, call.key.view()) + static_cast<uint64_t>(call.attempt));
  if (!random.chance(scenario_.sink_failures_percent)) return {};
  service.happens_before_unknown = random.chance(50);
  return {random.chance(50) ? SinkAnswer::Kind::kAgain : SinkAnswer::Kind::kUnknown, "failing"};
}

// ---- Engines that come and go -----------------------------------------------------------------

void NodeRun::open_store() {
  if (base_ != nullptr && !scenario_.in_file) return;
  store_.reset();
  base_.reset();
  if (scenario_.in_file) {
    auto opened = adapters::open_sqlite_store(dir_->file("node.db"), adapters::StoreAccess::kOwn);
    if (!opened) throw std::runtime_error(opened.error().message);
    base_ = std::move(*opened);
  } else {
    base_ = adapters::make_memory_store();
  }
  std::shared_ptr<Store> watched = std::make_shared<WitnessStore>(base_, witness);
  if (break_store) watched = break_store(watched);
  store_ = std::make_shared<FaultyStore>(watched, points);
}

Status NodeRun::start() {
  if (runtime_ != nullptr) return {};
  open_store();
  ++figures.starts;
  engine::RuntimeOptions options;
  options.clock = scenario_.host_clock ? &clock : nullptr;
  options.keep_all_verdicts = true;
  options.sink = &sink_;
  auto fresh = std::make_unique<engine::Runtime>(store_, options);
  if (Status used = fresh->use(scenario_.program); !used) return used;
  runtime_ = std::move(fresh);
  return {};
}

void NodeRun::stop(bool in_good_order) {
  if (runtime_ != nullptr && in_good_order) until_done([this] { return runtime_->rest(); });
  runtime_.reset();
}

void NodeRun::until_done(const std::function<Status()>& work) {
  for (int i = 0; i < kTriesMax; ++i) {
    try {
      Status done = start();
      if (done) done = work();
      if (done) return;
      if (!of_the_world(done.error())) {
        witness.violation("an engine that cannot go on", done.error().message);
        return;
      }
      ++figures.errors;
      // Where it is known that nothing was kept, the same engine may go on.
      if (points.outcome_unknown || scenario_.in_file || random_.chance(50)) runtime_.reset();
    } catch (const Died&) {
      ++figures.deaths;
      runtime_.reset();
    }
    points.outcome_unknown = false;
  }
  witness.violation("a step that does not end", scenario_.text);
}

// ---- Steps ------------------------------------------------------------------------------------

Status NodeRun::tell(Result<BatchReport> report) {
  if (!report) return report.error();
  for (const Decision& decision : report->decisions) trace(decision.json());
  figures.decisions += report->decisions.size();
  return {};
}

Status NodeRun::submit(const NodeStep& step) {
  engine::Runtime::Lines batch;
  batch.source = kNodeSource;
  for (size_t i = step.begin; i < step.end; ++i) batch.lines.push_back({scenario_.lines[i], i + 1});
  batch.cursor = CursorRow{kNodeSource, step.end, step.end * 100, "mark"};
  Result<BatchReport> report = runtime_->submit(batch);
  if (!report) return report.error();
  bool moved = report->events + report->duplicates > 0;
  if (Status told = tell(std::move(report)); !told) return told;
  if (moved) {
    Result<std::optional<Instant>> next = std::optional<Instant>();
    Status looked = base_->read([&](StoreReader& reader) -> Status {
      next = reader.next_timer();
      return {};
    });
    if (looked && next && *next && **next <= runtime_->now())
      witness.violation("a timer that is late", value::instant_text(**next));
  }
  if (!duplicate_wanted_) return {};
  duplicate_wanted_ = false;
  ++figures.deliveries;
  Result<BatchReport> again = runtime_->submit(batch);
  if (!again) return again.error();
  if (again->events != 0 || !again->decisions.empty())
    witness.violation("a batch that acted twice", scenario_.text);
  return {};
}

Status NodeRun::by_hand(const NodeStep& step) {
  Result<BatchReport> report = runtime_->reminder(
      step.record, step.person, [&](engine::Cascade& cascade, const ReminderRow& row) {
        return step.kind == Kind::kRunReminder      ? cascade.run_reminder(row, row.person)
               : step.kind == Kind::kIgnoreReminder ? cascade.ignore_reminder(row)
                                                    : cascade.snooze_reminder(row, std::nullopt);
      });
  if (!report && !of_the_world(report.error())) return {};
  return tell(std::move(report));
}

Status NodeRun::retry_letter() {
  std::optional<DeadLetterRow> letter;
  Status looked = base_->read([&](StoreReader& reader) {
    return reader.visit_dead_letters([&](const DeadLetterRow& row) {
      letter = row;
      return false;
    });
  });
  if (!looked || !letter) return looked;
  engine::Runtime::Lines batch;
  batch.source = letter->source;
  batch.lines.push_back({letter->text, letter->line});
  batch.dead_letter = letter->seq;
  return tell(runtime_->submit(batch));
}

Status NodeRun::perform(const NodeStep& step) {
  switch (step.kind) {
    case Kind::kBatch: return submit(step);
    case Kind::kRetryLetter: return retry_letter();
    case Kind::kSwitch: {
      // Off and on again, so that what runs does not hang on it.
      for (bool active : {false, true}) {
        Status done = runtime_->set_active("Stop", "ana", "ana", active);
        if (!done) return done;
      }
      return {};
    }
    case Kind::kSettle: return settle_parked();
    case Kind::kRestart: {
      if (Status rested = runtime_->rest(); !rested) return rested;
      runtime_.reset();
      return start();
    }
    default: return by_hand(step);
  }
}

Status NodeRun::deliver() {
  Result<DeliveryReport> report = runtime_->deliver();
  if (!report) return report.error();
  figures.parked += report->unknown + report->failed;
  trace(fmt::format("{} {} {} {}", report->calls, report->done, report->again, report->unknown));
  return {};
}

void NodeRun::run() {
  for (const NodeStep& step : scenario_.steps) {
    ++step_number_;
    clock.elapsed += std::max<int64_t>(0, step.elapsed_ms);
    clock.at = step.clock;
    stream_before_ = stream_latest_;
    if (step.kind == Kind::kBatch) stream_latest_ = scenario_.latest[step.end - 1];
    until_done([&] { return perform(step); });
    if (step.delivers) until_done([this] { return deliver(); });
    duplicate_wanted_ = false;
  }
  hits = points.hits;
  come_to_rest();
  check_end();
  describe_end();
}

// ---- The end ----------------------------------------------------------------------------------

std::vector<IntentRow> NodeRun::intents(const char* state) {
  std::vector<IntentRow> out;
  Status looked = base_->read([&](StoreReader& reader) {
    return reader.visit_intents(state, [&](const IntentRow& row) {
      out.push_back(row);
      return true;
    });
  });
  if (!looked) witness.violation("a store that cannot be read", looked.error().message);
  return out;
}

// A person who looks at the service settles what nobody knows.
Status NodeRun::settle_parked() {
  for (const IntentRow& row : intents("unknown")) {
    bool happened = service.effects.count(row.key) != 0;
    Result<IntentRow> settled = engine::settle_intent(
        *store_, base::to_hex(row.key), happened ? engine::Settle::kDone : engine::Settle::kRetry,
        runtime_->now());
    if (!settled) return settled.error();
  }
  return {};
}

// Without faults, within some simulated days: every timer fires, every change is settled.
void NodeRun::come_to_rest() {
  points.choose = nullptr;
  service.answers = [this](const SinkCall&) {
    ++figures.calls;
    return SinkAnswer{};
  };
  Instant at = std::max({clock.latest(), clock.at, stream_latest_});
  stop(true);
  constexpr int kRoundsMax = 60;
  for (int round = 0; round < kRoundsMax && (round == 0 || !at_rest()); ++round) {
    at.ms += 6 * kHour;
    clock.at = at;
    clock.elapsed += 6 * kHour;
    stream_before_ = stream_latest_;
    stream_latest_ = std::max(stream_latest_, at);
    until_done([&] { return tell(runtime_->advance(at)); });
    until_done([this] { return deliver(); });
    // With the clock of the events, what was put off is tried once in each run.
    until_done([this] { return settle_parked(); });
    if (!intents("ready").empty()) stop(true);
  }
  deliver_all_again();
  stop(true);
}

bool NodeRun::at_rest() {
  Result<std::optional<Instant>> timer = std::optional<Instant>();
  Status looked = base_->read([&](StoreReader& reader) -> Status {
    timer = reader.next_timer();
    return {};
  });
  return looked && timer && !*timer && intents("ready").empty() && intents("claimed").empty() &&
         intents("unknown").empty();
}

// A source that has forgotten how far it was: nothing of it acts again.
void NodeRun::deliver_all_again() {
  engine::Runtime::Lines all;
  all.source = kNodeSource;
  for (size_t i = 0; i < scenario_.lines.size(); ++i)
    all.lines.push_back({scenario_.lines[i], i + 1});
  all.cursor = CursorRow{kNodeSource, all.lines.size(), all.lines.size() * 100, "mark"};
  until_done([&]() -> Status {
    Result<BatchReport> report = runtime_->submit(all);
    if (!report) return report.error();
    if (report->events != 0 || !report->decisions.empty())
      witness.violation("a stream that acted twice", scenario_.text);
    return {};
  });
}

void NodeRun::check_end() {
  witness.compare_books(*base_);
  Status looked = base_->read([&](StoreReader& reader) -> Status {
    Result<std::optional<Instant>> timer = reader.next_timer();
    if (!timer) return timer.error();
    if (*timer) witness.violation("a timer that never fired", value::instant_text(**timer));
    Result<std::optional<CursorRow>> cursor = reader.cursor(kNodeSource);
    if (!cursor) return cursor.error();
    if (!*cursor || (*cursor)->line != scenario_.lines.size())
      witness.violation("a stream not read to its end", scenario_.text);
    Result<std::optional<AttemptRow>> attempt = reader.attempt(kNodeSource);
    if (!attempt) return attempt.error();
    if (*attempt && (*attempt)->running) witness.violation("an attempt that never ends", "");
    return reader.visit_reminders("snoozed", [&](const ReminderRow& row) {
      witness.violation("a reminder snoozed for ever", row.record);
      return true;
    });
  });
  if (!looked) witness.violation("a store that cannot be read", looked.error().message);

  std::map<Key128, const IntentRow*> by_key;
  std::vector<IntentRow> rows = intents("");
  for (const IntentRow& row : rows) {
    by_key[row.key] = &row;
    auto effect = service.effects.find(row.key);
    int times = effect == service.effects.end() ? 0 : effect->second;
    if (row.state != "done")
      witness.violation("a change that is not settled", row.state + " " + row.record);
    if (row.state == "done" && times == 0)
      witness.violation("a change told as done that has not happened", row.record);
    if (times > 1) witness.violation("a change that happened twice", row.record);
  }
  std::map<std::string, int64_t> last;
  for (const Key128& key : effects_) {
    auto row = by_key.find(key);
    if (row == by_key.end()) {
      witness.violation("a change that no run made", base::to_hex(key));
      continue;
    }
    int64_t& before = last[row->second->record];
    if (row->second->seq < before)
      witness.violation("changes of a record out of order", row->second->record);
    before = row->second->seq;
  }
}

void NodeRun::describe_end() {
  std::string& out = end_state_;
  auto when = [](const std::optional<Instant>& at) { return at ? value::instant_text(*at) : "-"; };
  Status looked = base_->read([&](StoreReader& reader) -> Status {
    Status status = reader.visit_runs({}, [&](const RunRow& row) {
      out += fmt::format("run {} {} {} {} {} {} {} {}\n", row.seq, base::to_hex(row.run),
                         value::instant_text(row.at), row.automation, row.record, row.user,
                         row.status, row.detail);
      return true;
    });
    if (!status) return status;
    status = reader.visit_records("", [&](const RecordRow& row) {
      out += fmt::format("record {}/{} {} {}\n", row.object, row.id, row.body, row.last_change);
      return true;
    });
    if (!status) return status;
    status = reader.visit_counters([&](const CounterRow& row) {
      if (row.used > 0)
        out += fmt::format("counter {} {} {} {} {}\n", row.scope, row.key, row.counter, row.window,
                           row.used);
      return true;
    });
    if (!status) return status;
    std::set<std::string> letters;  // one tried again gets another number
    status = reader.visit_dead_letters([&](const DeadLetterRow& row) {
      letters.insert(fmt::format("dead letter {} {} {}\n", row.line, row.reason, row.text));
      return true;
    });
    if (!status) return status;
    for (const std::string& letter : letters) out += letter;
    status = reader.visit_verdicts("", "", [&](const VerdictRow& row) {
      out += fmt::format("verdict {} {} {}\n", row.automation, row.record, row.verdict);
      return true;
    });
    if (!status) return status;
    status = reader.visit_reminders("", [&](const ReminderRow& row) {
      out += fmt::format("reminder {} {} {} {} {}\n", row.automation, row.record, row.person,
                         row.state, when(row.expires_at));
      return true;
    });
    if (!status) return status;
    status = reader.visit_intents("", [&](const IntentRow& row) {
      out += fmt::format("intent {} {} {} {}\n", row.seq, row.record, row.cause, row.request);
      return true;
    });
    if (!status) return status;
    for (const char* name : {"events", "snapshots", "executed", "reminded", "suppressed",
                             "deferred", "failed", "active_targets"}) {
      Result<int64_t> total = reader.total(name);
      if (!total) return total.error();
      out += fmt::format("total {} {}\n", name, *total);
    }
    return {};
  });
  if (!looked) witness.violation("a store that cannot be read", looked.error().message);
  trace(out);
}

}  // namespace ensue::testing
