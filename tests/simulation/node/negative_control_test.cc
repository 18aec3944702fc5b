// Promises taken away, one at a time: the checks of the simulation must find each of them missing,
// and nothing where it is kept.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "base/key128.h"
#include "engine/outbox.h"
#include "support/programs.h"
#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"

namespace ensue::testing {
namespace {

constexpr int kSeeds = 10;
constexpr int64_t kHour = 3'600'000;

uint64_t count_of(const Witness& witness, const std::string& broken) {
  auto found = witness.violations.find(broken);
  return found == witness.violations.end() ? 0 : found->second;
}

void say_found(const char* control, uint64_t found) {
  say(fmt::format("negative control, {}: {} violations found in {} seeds from ENSUE_SEED={}",
                  control, found, kSeeds, test_seed()));
}

// A store whose transactions are wrapped in a `Txn` made by `make`.
class WrappedStore final : public ForwardingStore {
 public:
  using Work = std::function<Status(StoreTxn&)>;
  using Wrap = std::function<Status(StoreTxn&, const Work&)>;
  WrappedStore(std::shared_ptr<Store> inner, Wrap wrap)
      : ForwardingStore(std::move(inner)), wrap_(std::move(wrap)) {}
  Status commit(const Work& write) override {
    return inner_->commit([&](StoreTxn& txn) { return wrap_(txn, write); });
  }
  Status commit_results(const Work& write) override {
    return inner_->commit_results([&](StoreTxn& txn) { return wrap_(txn, write); });
  }

 private:
  Wrap wrap_;
};

template <class Txn>
std::shared_ptr<Store> wrapped_in(std::shared_ptr<Store> inner) {
  return std::make_shared<WrappedStore>(std::move(inner),
                                        [](StoreTxn& txn, const WrappedStore::Work& write) {
                                          Txn broken(txn);
                                          return write(broken);
                                        });
}

// ---- Events are not known again -----------------------------------------------------------------

class ForgetfulTxn final : public ForwardingTxn {
 public:
  using ForwardingTxn::ForwardingTxn;
  Result<bool> admit(const Key128& event) override {
    Result<bool> fresh = ForwardingTxn::admit(event);
    return fresh ? Result<bool>(true) : fresh;
  }
};

// ---- A limit is read outside of the transaction -------------------------------------------------

// Decides by counts as they were when this engine last looked, before the other one's commits.
struct StaleCounts {
  std::map<CounterName, int64_t> used;

  void look(Store& store) {
    Status looked = store.read([&](StoreReader& reader) {
      return reader.visit_counters([&](const CounterRow& row) {
        used[{row.scope, row.key, row.counter, row.window}] = row.used;
        return true;
      });
    });
    REQUIRE(looked);
  }
};

class StaleLimitTxn final : public ForwardingTxn {
 public:
  StaleLimitTxn(StoreTxn& inner, StaleCounts& counts) : ForwardingTxn(inner), counts_(counts) {}
  Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) override {
    ChargeResult out;
    for (const Charge& charge : charges) {
      int64_t used = counts_.used[{charge.scope, charge.key, charge.counter, charge.window}];
      out.used.push_back(used + 1);
      if (used < charge.max) continue;
      out.refused = out.used.size() - 1;
      out.used.back() = used;
      return out;
    }
    std::vector<Charge> unlimited = charges;
    for (Charge& charge : unlimited) {
      ++counts_.used[{charge.scope, charge.key, charge.counter, charge.window}];
      charge.max = INT64_MAX / 2;
    }
    return ForwardingTxn::charge(run, unlimited);
  }

 private:
  StaleCounts& counts_;
};

// Two engines on one store, taking turns. Gives the violations.
uint64_t take_turns(uint64_t seed, bool stale) {
  NodeScenario scenario = node_scenario(seed, {60, 3, false, 0}, false, SinkClass::kKeyed);
  Witness witness(*scenario.program);
  Instant now = scenario.latest.front();
  witness.when_locked = [&] { return scenario.latest.front(); };
  witness.latest = [&] { return now; };
  std::shared_ptr<Store> base =
      std::make_shared<WitnessStore>(adapters::make_memory_store(), witness);
  std::array<StaleCounts, 2> counts;
  std::vector<std::unique_ptr<engine::Runtime>> engines;
  for (StaleCounts& own : counts) {
    std::shared_ptr<Store> store = base;
    if (stale) {
      store = std::make_shared<WrappedStore>(
          base, [&own](StoreTxn& txn, const WrappedStore::Work& write) {
            StaleLimitTxn broken(txn, own);
            return write(broken);
          });
    }
    engines.push_back(std::make_unique<engine::Runtime>(store, engine::RuntimeOptions{}));
    REQUIRE(engines.back()->use(scenario.program));
  }
  for (size_t i = 0; i < scenario.lines.size(); ++i) {
    size_t turn = i < 4 ? 0 : i % 2;
    now = scenario.latest[i];
    // Each engine knows the people from its store: it reads them as it starts.
    if (i == 4) REQUIRE(engines[1]->use(scenario.program));
    engine::Runtime::Lines batch;
    batch.source = kNodeSource;
    batch.lines.push_back({scenario.lines[i], i + 1});
    Result<BatchReport> report = engines[turn]->submit(batch);
    if (!report) FAIL(report.error().message);
    // It looks between its transactions: what the other one does next it does not see.
    counts[turn].look(*base);
  }
  return count_of(witness, "a counter over its maximum");
}

// ---- A result is kept without asking who claimed it ---------------------------------------------

class UnfencedTxn final : public ForwardingTxn {
 public:
  using ForwardingTxn::ForwardingTxn;
  Result<bool> finish_intent(const IntentRow& row, int64_t) override {
    Result<std::optional<IntentRow>> kept = intent(row.key);
    if (!kept) return kept.error();
    if (!*kept) return false;
    return (*kept)->state == "claimed" ? ForwardingTxn::finish_intent(row, (*kept)->epoch)
                                       : ForwardingTxn::settle_intent(row);
  }
};

// An engine is held up in a call; another takes over, a person has the parked change called again,
// and it is done. Then the first one wakes up with a connection that failed.
struct Zombies {
  uint64_t unsettled = 0;
  uint64_t twice = 0;
};

Zombies wake_zombies(uint64_t seed, bool fenced) {
  NodeScenario scenario = node_scenario(seed, {30, 3, false, 0}, false, SinkClass::kBlind);
  Witness witness(*scenario.program);
  witness.when_locked = witness.latest = [&] { return scenario.latest.back(); };
  witness.clock_is_right = false;
  std::shared_ptr<Store> store =
      std::make_shared<WitnessStore>(adapters::make_memory_store(), witness);
  if (!fenced) store = wrapped_in<UnfencedTxn>(store);
  RecordingService service(SinkClass::kBlind);
  engine::RuntimeOptions options;
  options.sink = &service;
  auto engine_on = [&] {
    auto out = std::make_unique<engine::Runtime>(store, options);
    REQUIRE(out->use(scenario.program));
    return out;
  };
  auto first = engine_on();
  engine::Runtime::Lines all;
  all.source = kNodeSource;
  for (size_t i = 0; i < scenario.lines.size(); ++i)
    all.lines.push_back({scenario.lines[i], i + 1});
  REQUIRE(first->submit(all));

  std::unique_ptr<engine::Runtime> second;
  Key128 held_up;
  service.answers = [&](const SinkCall& call) -> SinkAnswer {
    if (second != nullptr) return {};
    held_up = call.key;
    second = engine_on();
    REQUIRE(second->deliver());
    std::vector<Key128> parked;
    REQUIRE(store->read([&](StoreReader& reader) {
      return reader.visit_intents("unknown", [&](const IntentRow& row) {
        parked.push_back(row.key);
        return true;
      });
    }));
    for (const Key128& key : parked)
      REQUIRE(
          engine::settle_intent(*store, base::to_hex(key), engine::Settle::kRetry, second->now()));
    REQUIRE(second->deliver());
    return {SinkAnswer::Kind::kAgain, "the connection failed"};
  };
  (void)first->deliver();  // told by kStoreLocked, or not
  first.reset();
  second = engine_on();
  REQUIRE(second->deliver());
  Zombies out;
  out.unsettled = count_of(witness, "a settled change unsettled");
  out.twice = service.effects[held_up] > 1 ? 1 : 0;
  return out;
}

// ---- The clock is read before the lock is held --------------------------------------------------

class PinnedClock final : public Clock {
 public:
  explicit PinnedClock(SimulatedClock& clock) : clock_(clock) {}
  Instant now() override { return pinned ? *pinned : clock_.now(); }
  std::optional<Instant> pinned;

 private:
  SimulatedClock& clock_;
};

// Each commit waits for its lock, up to two hours.
class WaitingStore final : public ForwardingStore {
 public:
  WaitingStore(std::shared_ptr<Store> inner, SimulatedClock& clock, PinnedClock& pinned,
               bool reads_first, uint64_t seed)
      : ForwardingStore(std::move(inner)),
        clock_(clock),
        pinned_(pinned),
        reads_first_(reads_first),
        random_(seed) {}
  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    if (reads_first_) pinned_.pinned = clock_.now();
    clock_.at.ms += random_.between(0, 2 * kHour);
    Status done = inner_->commit(write);
    pinned_.pinned.reset();
    return done;
  }

 private:
  SimulatedClock& clock_;
  PinnedClock& pinned_;
  bool reads_first_;
  Random random_;
};

uint64_t wait_for_locks(uint64_t seed, bool reads_first) {
  NodeScenario scenario = node_scenario(seed, {60, 3, false, 0}, true, SinkClass::kKeyed);
  SimulatedClock clock;
  clock.at = scenario.latest.front();
  PinnedClock pinned(clock);
  Witness witness(*scenario.program);
  witness.when_locked = [&] { return clock.at; };
  witness.latest = [&] { return std::max(clock.at, clock.latest()); };
  auto store = std::make_shared<WaitingStore>(
      std::make_shared<WitnessStore>(adapters::make_memory_store(), witness), clock, pinned,
      reads_first, seed);
  engine::RuntimeOptions options;
  options.clock = &pinned;
  engine::Runtime runtime(store, options);
  REQUIRE(runtime.use(scenario.program));
  for (size_t i = 0; i < scenario.lines.size(); ++i) {
    engine::Runtime::Lines batch;
    batch.source = kNodeSource;
    batch.lines.push_back({scenario.lines[i], i + 1});
    Result<BatchReport> report = runtime.submit(batch);
    if (!report) FAIL(report.error().message);
  }
  return count_of(witness, "a charge to a day that is over");
}

uint64_t send_twice(uint64_t seed, bool forgetful) {
  NodeScenario scenario = node_scenario(seed, {30, 3, false, 0}, false, SinkClass::kKeyed);
  NodeRun run(scenario);
  Random random(seed);
  run.points.choose = [&](FailPoint at) {
    bool commit = at.verb == FaultyVerb::commit && !at.after;
    return commit && random.chance(20) ? FaultAction::kDuplicate : FaultAction::kNone;
  };
  if (forgetful) run.break_store = wrapped_in<ForgetfulTxn>;
  run.run();
  CHECK(run.figures.deliveries > 0);
  return forgetful ? count_of(run.witness, "a unit charged twice") : run.witness.violation_count();
}

// Of all seeds: what is found where the promise is broken, and where it is kept.
template <class Control>
void hold(const char* name, const Control& control) {
  uint64_t found = 0;
  for (uint64_t i = 0; i < kSeeds; ++i) {
    uint64_t seed = test_seed() + i;
    INFO(name << ", ENSUE_SEED=" << seed);
    found += control(seed, true);
    CHECK(control(seed, false) == 0);
  }
  say_found(name, found);
  INFO(name);
  CHECK(found > 0);
}

}  // namespace

TEST_CASE("negative control: a store that forgets events is found out") {
  hold("dedupe off", send_twice);
}

TEST_CASE("negative control: limits read outside of the transaction are found out") {
  hold("limit read outside of the transaction", take_turns);
}

TEST_CASE("negative control: a result kept without its epoch is found out") {
  hold("result written without its epoch",
       [](uint64_t seed, bool broken) { return wake_zombies(seed, !broken).unsettled; });
  hold("call after a result that was written without its epoch",
       [](uint64_t seed, bool broken) { return wake_zombies(seed, !broken).twice; });
}

TEST_CASE("negative control: a clock read before the lock is held is found out") {
  hold("clock read before the lock", wait_for_locks);
}

}  // namespace ensue::testing
