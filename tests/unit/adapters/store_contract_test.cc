// What every store promises, asked of each of them alike.
#include <catch2/catch.hpp>
#include <cstdio>
#include <random>
#include <stdexcept>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "support/files.h"
#include "support/random.h"

namespace ensue::adapters {
namespace {

using base::hash_key;

// A store of one kind, and opening it again where it outlives its object.
struct Subject {
  std::string kind;
  testing::TempDir dir;
  std::unique_ptr<Store> store;

  explicit Subject(std::string k) : kind(std::move(k)) { open(); }
  bool lasts() const { return kind == "sqlite"; }
  void open() {
    store.reset();
    if (kind == "memory") {
      store = make_memory_store();
      return;
    }
    auto opened = open_sqlite_store(dir.file("store.db"), StoreAccess::kOwn);
    if (!opened) FAIL(opened.error().message);
    store = std::move(*opened);
  }
};

std::string any_kind() { return GENERATE(as<std::string>(), "memory", "sqlite"); }

Status commit(Subject& subject, const std::function<Status(StoreTxn&)>& write) {
  return subject.store->commit(write);
}
void must(const Status& status) {
  if (!status) FAIL(status.error().message);
}
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

RunRow run_row(const std::string& key, Instant at = {1000}) {
  RunRow row;
  row.run = hash_key({"run", key});
  row.rule = hash_key({"rule"});
  row.event = hash_key({"event", key});
  row.at = at;
  row.automation = "A";
  row.author = "ana";
  row.kind = "action";
  row.record = "Lead/" + key;
  row.user = "005";
  row.status = "executed";
  row.detail = R"({"effects":[]})";
  return row;
}

Charge day_charge(const std::string& key, int64_t max, const std::string& day = "2026-01-05") {
  return {"user", key, "action executions", day, max, 0, {}};
}
Charge burst_charge(int64_t max, int64_t window_ms, int64_t now_ms) {
  std::string window = std::to_string(window_ms / 1000) + " s";
  return {"service", "crm", "calls", window, max, window_ms, {now_ms}};
}

// Everything a store holds, as text: two stores are equal when their dumps are.
std::string dump(Store& store) {
  std::string out;
  must(store.read([&](StoreReader& reader) -> Status {
    auto line = [&](std::initializer_list<std::string> words) {
      for (const std::string& word : words) out += word + "|";
      out += "\n";
      return true;
    };
    auto when = [](const std::optional<Instant>& i) {
      return i ? std::to_string(i->ms) : std::string("-");
    };
    must(reader.visit_records("", [&](const RecordRow& r) {
      return line({"record", r.object, r.id, r.body, r.last_change, std::to_string(r.deleted)});
    }));
    must(reader.visit_runs({}, [&](const RunRow& r) {
      return line({"run", std::to_string(r.seq), base::to_hex(r.run), r.automation, r.record,
                   r.user, r.status, r.detail, std::to_string(r.at.ms)});
    }));
    must(reader.visit_verdicts("", "", [&](const VerdictRow& r) {
      return line({"verdict", std::to_string(r.seq), r.automation, r.record, r.verdict});
    }));
    must(reader.visit_counters([&](const CounterRow& r) {
      return line({"counter", r.scope, r.key, r.counter, r.window, std::to_string(r.used),
                   std::to_string(r.max)});
    }));
    must(reader.visit_proofs([&](const CounterProof& p) {
      CHECK(p.agrees());
      return line({"proof", p.counter.scope, p.counter.key, p.counter.window,
                   std::to_string(p.charges), std::to_string(p.counted)});
    }));
    must(reader.visit_dead_letters([&](const DeadLetterRow& r) {
      return line(
          {"dead", std::to_string(r.seq), r.source, std::to_string(r.line), r.reason, r.text});
    }));
    must(reader.visit_reminders("", [&](const ReminderRow& r) {
      return line({"reminder", base::to_hex(r.id), r.automation, r.record, r.person, r.state,
                   when(r.due_at), when(r.snoozed_until)});
    }));
    must(reader.visit_activations([&](const ActivationRow& r) {
      return line({"activation", r.automation, r.person, std::to_string(r.active)});
    }));
    for (const TimerRow& t : must(reader.due_timers({INT64_MAX}, 100'000)))
      line({"timer", std::to_string(t.due.ms), base::to_hex(t.id), t.kind, t.payload});
    for (const char* source : {"s0", "s1", "s2"}) {
      if (auto c = must(reader.cursor(source)))
        line({"cursor", c->source, std::to_string(c->line), std::to_string(c->offset),
              c->fingerprint});
    }
    for (const char* source : {"s0", "s1", "s2"}) {
      if (auto at = must(reader.attempt(source)))
        line({"attempt", source, std::to_string(at->line), std::to_string(at->count)});
    }
    must(reader.visit_intents("", [&](const IntentRow& r) {
      return line({"intent", std::to_string(r.seq), base::to_hex(r.key), r.record, r.request,
                   r.state, std::to_string(r.attempt), std::to_string(r.epoch), when(r.due),
                   r.result});
    }));
    for (const char* state : {"ready", "claimed", "unknown", "failed", "done"})
      must(reader.visit_intents(state, [&](const IntentRow& r) {
        CHECK(r.state == state);
        return line({"intent of a state", state, std::to_string(r.seq)});
      }));
    for (const char* name : {"t0", "t1"})
      line({"total", name, std::to_string(must(reader.total(name)))});
    for (const char* name : {"m0", "m1"})
      line({"meta", name, must(reader.meta(name)).value_or("-")});
    for (const char* target : {"a0", "a1", "a2"}) {
      for (const std::string& id : must(reader.linked("Lead", "AccountId", target, 1000)))
        line({"link", target, id});
    }
    return {};
  }));
  return out;
}

}  // namespace

TEST_CASE("an event is admitted once, for good") {
  Subject subject(any_kind());
  INFO(subject.kind);
  Key128 event = hash_key({"e1"});
  bool first = false;
  bool second = true;
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    first = must(txn.admit(event));
    second = must(txn.admit(event));
    return {};
  }));
  CHECK(first);
  CHECK_FALSE(second);
  if (subject.lasts()) subject.open();
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK_FALSE(must(txn.admit(event)));
    return {};
  }));
}

TEST_CASE("a transaction that fails leaves nothing behind") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    must(
        txn.put_record({"Lead", "l1", R"({"Status":"Open"})", "{}", false, {{"AccountId", "a0"}}}));
    must(txn.put_meta("m0", "kept"));
    RunRow row = run_row("kept");
    must(txn.add_run(row));
    must(txn.charge(hash_key({"c"}), {day_charge("ana", 5)}));
    return {};
  }));
  std::string before = dump(*subject.store);
  Status failed = commit(subject, [](StoreTxn& txn) -> Status {
    must(txn.admit(hash_key({"e"})));
    must(txn.put_record(
        {"Lead", "l1", R"({"Status":"Closed"})", "{}", true, {{"AccountId", "a1"}}}));
    must(txn.put_record({"Lead", "l2", "{}", "{}", false, {{"AccountId", "a0"}}}));
    RunRow row = run_row("lost");
    must(txn.add_run(row));
    must(txn.charge(hash_key({"d"}), {day_charge("ana", 5), burst_charge(3, 1000, 5)}));
    must(txn.add_verdict({0, {}, {}, {}, "A", "Lead/l1", "", "{}"}));
    must(txn.put_reminder(
        {hash_key({"r"}), {}, {}, "A", "", "Lead/l1", "p", "open", "", "", {}, {}, {}, {}}));
    must(txn.put_timer({{5}, hash_key({"t"}), "reminder_expiry", "{}"}));
    must(txn.add_dead_letter({0, "s0", 1, {}, "bad", "text"}));
    must(txn.put_cursor({"s0", 1, 2, "f"}));
    must(txn.put_activation({hash_key({"rule"}), "A", "p", false}));
    must(txn.add_total("t0", 5));
    must(txn.put_meta("m0", "lost"));
    must(txn.put_meta("m1", "lost"));
    return {ErrorCode::kCancelled, "stop"};
  });
  CHECK(failed.error().code == ErrorCode::kCancelled);
  CHECK(dump(*subject.store) == before);
  if (subject.lasts()) {
    subject.open();
    CHECK(dump(*subject.store) == before);
  }
  must(commit(subject, [](StoreTxn& txn) -> Status {
    CHECK(must(txn.admit(hash_key({"e"}))));  // was rolled back, so it is new
    RunRow row = run_row("next");
    CHECK(must(txn.add_run(row)));
    CHECK(row.seq == 2);  // no hole where the lost one was
    return {};
  }));
}

TEST_CASE("an exception out of a transaction leaves nothing behind, and the store goes on") {
  Subject subject(any_kind());
  INFO(subject.kind);
  struct Died {};
  must(commit(subject, [](StoreTxn& txn) -> Status {
    IntentRow intent;
    intent.key = hash_key({"i"});
    intent.record = "Lead/1";
    intent.request = "{}";
    intent.state = "ready";
    must(txn.add_intent(intent));
    must(txn.put_meta("m0", "kept"));
    return {};
  }));
  std::string before = dump(*subject.store);
  CHECK_THROWS_AS(subject.store->commit([](StoreTxn& txn) -> Status {
    must(txn.admit(hash_key({"e"})));
    must(txn.put_meta("m0", "lost"));
    must(txn.charge(hash_key({"c"}), {day_charge("ana", 5)}));
    must(txn.claim_intents({1}, 1, 10, ""));
    must(txn.visit_intents("", [](const IntentRow&) -> bool { throw Died(); }));
    return {};
  }),
                  Died);
  CHECK_THROWS_AS(subject.store->read([](StoreReader& reader) -> Status {
    return reader.visit_intents("", [](const IntentRow&) -> bool { throw Died(); });
  }),
                  Died);
  CHECK(dump(*subject.store) == before);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    CHECK(must(txn.admit(hash_key({"e"}))));
    return {};
  }));
}

TEST_CASE("a run has one row, and a seq in order of writing") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    RunRow a = run_row("a");
    RunRow b = run_row("b");
    RunRow again = run_row("a");
    CHECK(must(txn.add_run(a)));
    CHECK(must(txn.add_run(b)));
    CHECK_FALSE(must(txn.add_run(again)));
    CHECK(a.seq == 1);
    CHECK(b.seq == 2);
    return {};
  }));
  if (subject.lasts()) subject.open();
  must(commit(subject, [](StoreTxn& txn) -> Status {
    RunRow again = run_row("a");
    CHECK_FALSE(must(txn.add_run(again)));
    return {};
  }));
}

TEST_CASE("runs are found by automation, record, user, status and time") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    for (int i = 0; i < 6; ++i) {
      RunRow row = run_row(std::to_string(i), {1000 * i});
      row.automation = i % 2 ? "Odd" : "Even";
      row.user = i < 3 ? "005a" : "005b";
      row.status = i == 5 ? "suppressed" : "executed";
      must(txn.add_run(row));
    }
    return {};
  }));
  auto found = [&](RunFilter filter) {
    std::string out;
    must(subject.store->read([&](StoreReader& reader) {
      return reader.visit_runs(filter, [&](const RunRow& row) {
        out += row.record.substr(5);
        return true;
      });
    }));
    return out;
  };
  CHECK(found({}) == "012345");
  CHECK(found({"Odd", "", "", "", {}, SIZE_MAX, false}) == "135");
  CHECK(found({"", "Lead/4", "", "", {}, SIZE_MAX, false}) == "4");
  CHECK(found({"", "", "005b", "executed", {}, SIZE_MAX, false}) == "34");
  CHECK(found({"", "", "", "", Instant{3000}, SIZE_MAX, false}) == "345");
  CHECK(found({"", "", "", "", {}, 2, true}) == "54");
}

TEST_CASE("a counter takes exactly its maximum, whatever the batches") {
  Subject subject(any_kind());
  INFO(subject.kind);
  int let_through = 0;
  for (int batch = 0; batch < 5; ++batch) {
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      for (int i = 0; i < 3; ++i) {
        ChargeResult result = must(txn.charge(hash_key({std::to_string(batch), std::to_string(i)}),
                                              {day_charge("ana", 7)}));
        if (!result.refused) ++let_through;
      }
      return {};
    }));
    if (subject.lasts()) subject.open();
  }
  CHECK(let_through == 7);
}

TEST_CASE("counters are recounted from their charges") {
  Subject subject(any_kind());
  INFO(subject.kind);
  auto proofs = [&](StoreReader& reader) {
    std::string out;
    must(reader.visit_proofs([&](const CounterProof& proof) {
      CHECK(proof.agrees());
      out += proof.counter.scope + " " + proof.counter.window + ": " +
             std::to_string(proof.counter.used) + " of " + std::to_string(proof.charges) + "\n";
      return true;
    }));
    return out;
  };
  // Four units, of which a window of 1,000 ms ending at 1,500 holds two.
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    for (int64_t at : {100, 400, 900, 1500})
      must(txn.charge(hash_key({std::to_string(at)}),
                      {day_charge("ana", 9), burst_charge(3, 1000, at)}));
    // Inside the transaction its own charges show.
    CHECK(proofs(txn) == "service 1 s: 2 of 4\nuser 2026-01-05: 4 of 4\n");
    must(txn.charge(hash_key({"in the same"}), {day_charge("ana", 9)}));
    return {};
  }));
  // Refused charges, and those of a transaction that fails, count nowhere.
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(must(txn.charge(hash_key({"over"}), {day_charge("ana", 5)})).refused);
    return {};
  }));
  CHECK_FALSE(commit(subject, [&](StoreTxn& txn) -> Status {
    must(txn.charge(hash_key({"lost"}), {day_charge("ana", 9), burst_charge(3, 1000, 1600)}));
    return {ErrorCode::kCancelled, "stop"};
  }));
  if (subject.lasts()) subject.open();
  must(subject.store->read([&](StoreReader& reader) -> Status {
    CHECK(proofs(reader) == "service 1 s: 2 of 4\nuser 2026-01-05: 5 of 5\n");
    return {};
  }));
}

TEST_CASE("several counters are charged together or not at all") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    std::vector<Charge> both{day_charge("ana", 10), day_charge("", 2)};
    both[1].scope = "org";
    CHECK_FALSE(must(txn.charge(hash_key({"1"}), both)).refused);
    CHECK_FALSE(must(txn.charge(hash_key({"2"}), both)).refused);
    ChargeResult third = must(txn.charge(hash_key({"3"}), both));
    CHECK(third.refused == 1u);
    CHECK(third.used == std::vector<int64_t>{2, 2});  // ana was not charged for the third
    return {};
  }));
  std::string text = dump(*subject.store);
  CHECK(text.find("counter|user|ana|action executions|2026-01-05|2|10|") != std::string::npos);
  CHECK(text.find("counter|org||action executions|2026-01-05|2|2|") != std::string::npos);
}

TEST_CASE("a new day is a new counter, and a lowered maximum refuses at once") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    CHECK_FALSE(must(txn.charge(hash_key({"1"}), {day_charge("ana", 5)})).refused);
    CHECK_FALSE(must(txn.charge(hash_key({"2"}), {day_charge("ana", 5)})).refused);
    CHECK(must(txn.charge(hash_key({"3"}), {day_charge("ana", 1)})).refused == 0u);
    CHECK_FALSE(must(txn.charge(hash_key({"4"}), {day_charge("ana", 1, "2026-01-06")})).refused);
    return {};
  }));
}

TEST_CASE("a maximum of zero lets nothing through") {
  Subject subject(any_kind());
  INFO(subject.kind);
  must(commit(subject, [](StoreTxn& txn) -> Status {
    CHECK(must(txn.charge(hash_key({"1"}), {day_charge("ana", 0)})).refused == 0u);
    return {};
  }));
}

TEST_CASE("a burst counts what lies inside its window") {
  Subject subject(any_kind());
  INFO(subject.kind);
  auto charge = [&](int64_t now) {
    ChargeResult out;
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      out = must(txn.charge(hash_key({std::to_string(now)}), {burst_charge(2, 10'000, now)}));
      return {};
    }));
    if (subject.lasts()) subject.open();
    return out;
  };
  CHECK_FALSE(charge(1'000).refused);
  CHECK_FALSE(charge(4'000).refused);
  ChargeResult refused = charge(10'999);
  CHECK(refused.refused == 0u);
  CHECK(refused.free_at == Instant{11'000});
  CHECK_FALSE(charge(11'000).refused);  // the first has left
  CHECK(charge(13'999).refused == 0u);
  CHECK_FALSE(charge(14'000).refused);
}

TEST_CASE("links follow the record they belong to") {
  Subject subject(any_kind());
  INFO(subject.kind);
  auto put = [&](const std::string& id, std::vector<std::pair<std::string, std::string>> links) {
    must(commit(subject, [&](StoreTxn& txn) {
      return txn.put_record({"Case", id, "{}", "", false, links});
    }));
  };
  auto linked = [&](const std::string& target, size_t most) {
    std::vector<std::string> out;
    must(subject.store->read([&](StoreReader& reader) -> Status {
      out = must(reader.linked("Case", "AccountId", target, most));
      return {};
    }));
    return out;
  };
  put("c2", {{"AccountId", "a1"}, {"OwnerId", "o"}});
  put("c1", {{"AccountId", "a1"}});
  put("c3", {{"AccountId", "a1"}});
  CHECK(linked("a1", 10) == std::vector<std::string>{"c1", "c2", "c3"});
  CHECK(linked("a1", 1).size() == 2);  // one more than asked for tells that there are more
  put("c2", {{"AccountId", "a2"}});
  CHECK(linked("a1", 10) == std::vector<std::string>{"c1", "c3"});
  CHECK(linked("a2", 10) == std::vector<std::string>{"c2"});
  put("c2", {});
  CHECK(linked("a2", 10).empty());
}

TEST_CASE("timers come in order of due time and key") {
  Subject subject(any_kind());
  INFO(subject.kind);
  Key128 low{};
  Key128 high{};
  high.bytes[0] = 0xFF;
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    must(txn.put_timer({{20}, low, "deferred", "c"}));
    must(txn.put_timer({{10}, high, "deferred", "b"}));
    must(txn.put_timer({{10}, low, "deferred", "a"}));
    must(txn.put_timer({{-5}, low, "deferred", "before 1970"}));
    return {};
  }));
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(must(txn.next_timer()) == Instant{-5});
    CHECK(must(txn.timer_count()) == 4);
    std::vector<TimerRow> due = must(txn.due_timers({10}, 10));
    REQUIRE(due.size() == 3);
    CHECK(due[0].payload == "before 1970");
    CHECK(due[1].payload == "a");
    CHECK(due[2].payload == "b");
    CHECK(must(txn.due_timers({10}, 2)).size() == 2);
    must(txn.remove_timer({-5}, low));
    CHECK(must(txn.next_timer()) == Instant{10});
    must(txn.put_timer({{10}, low, "deferred", "replaced"}));
    CHECK(must(txn.due_timers({10}, 10))[0].payload == "replaced");
    return {};
  }));
}

TEST_CASE("texts come back as they were, zero bytes and all") {
  Subject subject(any_kind());
  INFO(subject.kind);
  std::string odd("a\0b\xff\n\"'", 7);
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    must(txn.add_dead_letter({0, "s0", 7, {5}, "not JSON", odd}));
    return txn.put_record({"Lead", "it's", odd, odd, true, {}});
  }));
  if (subject.lasts()) subject.open();
  must(subject.store->read([&](StoreReader& reader) -> Status {
    RecordRow row = must(reader.record("Lead", "it's")).value();
    CHECK(row.body == odd);
    CHECK(row.last_change == odd);
    CHECK(row.deleted);
    CHECK_FALSE(must(reader.record("lead", "it's")));  // names are exact here
    return reader.visit_dead_letters([&](const DeadLetterRow& letter) {
      CHECK(letter.text == odd);
      CHECK(letter.line == 7);
      CHECK(letter.at == Instant{5});
      return true;
    });
  }));
}

TEST_CASE("dead letters keep their numbers for good") {
  Subject subject(any_kind());
  INFO(subject.kind);
  auto add = [&] {
    must(commit(subject, [](StoreTxn& txn) {
      return txn.add_dead_letter({0, "s0", 1, {}, "bad", "x"});
    }));
  };
  add();
  add();
  must(commit(subject, [](StoreTxn& txn) { return txn.remove_dead_letter(2); }));
  if (subject.lasts()) subject.open();
  add();
  std::vector<int64_t> numbers;
  must(subject.store->read([&](StoreReader& reader) {
    return reader.visit_dead_letters([&](const DeadLetterRow& row) {
      numbers.push_back(row.seq);
      return true;
    });
  }));
  CHECK(numbers == std::vector<int64_t>{1, 3});
}

TEST_CASE("reminders are found by state and by record") {
  Subject subject(any_kind());
  INFO(subject.kind);
  auto reminder = [](const std::string& id, const std::string& record, const std::string& state) {
    ReminderRow row;
    row.id = hash_key({id});
    row.record = record;
    row.state = state;
    row.due_at = Instant{9};
    return row;
  };
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    must(txn.put_reminder(reminder("1", "Lead/a", "open")));
    must(txn.put_reminder(reminder("2", "Lead/a", "snoozed")));
    must(txn.put_reminder(reminder("3", "Lead/a", "run")));
    must(txn.put_reminder(reminder("4", "Lead/b", "open")));
    CHECK(must(txn.reminders_about("Lead/a")).size() == 2);
    CHECK(must(txn.reminder(hash_key({"3"})))->state == "run");
    CHECK(must(txn.reminder(hash_key({"1"})))->due_at == Instant{9});
    CHECK_FALSE(must(txn.reminder(hash_key({"1"})))->expires_at);
    CHECK_FALSE(must(txn.reminder(hash_key({"9"}))));
    size_t open = 0;
    must(txn.visit_reminders("open", [&](const ReminderRow&) { return ++open, true; }));
    CHECK(open == 2);
    return {};
  }));
}

namespace {

// The store in memory as the model of the one on SQLite: random verbs in random transactions, some
// of which fail or throw.
void compare_with_model(uint64_t seed, size_t& verb_count) {
  std::mt19937_64 random(seed);
  auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Subject memory("memory");
  Subject sqlite("sqlite");
  for (int batch = 0; batch < 40; ++batch) {
    struct Verb {
      int kind, a, b;
    };
    std::vector<Verb> verbs(static_cast<size_t>(1 + pick(12)));
    for (Verb& verb : verbs) verb = {pick(18), pick(6), pick(6)};
    bool fails = pick(4) == 0;
    bool throws = fails && pick(3) == 0;
    verb_count += verbs.size();
    auto work = [&](StoreTxn& txn) -> Status {
      std::string seen;
      for (const Verb& v : verbs) {
        std::string a = std::to_string(v.a);
        std::string b = std::to_string(v.b);
        Key128 key = hash_key({a, b});
        switch (v.kind) {
          case 0:
            txn.expect(key);  // or whatever else comes
            seen += must(txn.admit(v.b == 0 ? hash_key({b, a}) : key)) ? "new " : "old ";
            break;
          case 1:
            must(txn.put_record({"Lead",
                                 a,
                                 "body " + b,
                                 "change " + b,
                                 v.b == 0,
                                 {{"AccountId", "a" + std::to_string(v.b % 3)}}}));
            break;
          case 17: {
            // Some of them more than once: the last counts.
            std::vector<RecordRow> rows;
            for (int i = 0; i < 5 + v.b * 47; ++i) {
              std::string id = std::to_string(i * (v.a + 1) % 200);
              rows.push_back({"Lead",
                              id,
                              "body " + std::to_string(i),
                              "change " + b,
                              i % 7 == 0,
                              {{"AccountId", "a" + std::to_string(i % 3)}}});
            }
            std::vector<RecordView> views;
            for (const RecordRow& row : rows) views.push_back(RecordView::of(row));
            must(txn.put_records(views));
            break;
          }
          case 2: {
            RunRow row = run_row(a + b);
            must(txn.add_run(row));
            break;
          }
          case 3: {
            ChargeResult charged =
                must(txn.charge(key, {day_charge(a, 3), burst_charge(4, 1000, batch * 400)}));
            seen += charged.refused ? "refused " : "charged ";
            for (int64_t used : charged.used) seen += std::to_string(used) + " ";
            break;
          }
          case 4: must(txn.put_timer({{v.a * 10}, key, "deferred", b})); break;
          case 5: must(txn.remove_timer({v.a * 10}, key)); break;
          case 6:
            must(txn.put_cursor({"s" + std::to_string(v.a % 3), static_cast<uint64_t>(v.b), 7, b}));
            break;
          case 7:
            must(txn.put_reminder({key,
                                   {},
                                   {},
                                   "A" + a,
                                   "",
                                   "Lead/" + b,
                                   "p",
                                   v.a % 2 ? "open" : "run",
                                   "",
                                   "",
                                   {},
                                   {},
                                   {},
                                   Instant{v.b}}));
            break;
          case 8:
            must(txn.add_dead_letter({0, "s0", static_cast<uint64_t>(v.a), {}, "r", b}));
            break;
          case 9:
            seen += txn.remove_dead_letter(v.a * 6 + v.b) ? "removed " : "no such letter ";
            break;
          case 10: must(txn.add_total("t" + std::to_string(v.a % 2), v.b)); break;
          case 11: {
            IntentRow row;
            row.key = key;
            row.record = "Lead/" + std::to_string(v.a % 3);
            row.request = b;
            row.state = "ready";
            row.due = {v.b * 10};
            seen += must(txn.add_intent(row)) ? "intent " : "intent again ";
            break;
          }
          case 12:
            for (const IntentRow& row : must(txn.claim_intents({v.b * 10}, v.a % 2, 2, "")))
              seen += "claimed " + std::to_string(row.seq) + " ";
            break;
          case 13:
          case 14: {
            IntentRow row;
            row.key = key;
            row.state = v.b % 3 == 0 ? "done" : v.b % 3 == 1 ? "unknown" : "ready";
            row.result = a;
            bool done =
                must(v.kind == 13 ? txn.finish_intent(row, v.a % 2) : txn.settle_intent(row));
            seen += done ? "settled " : "not settled ";
            break;
          }
          case 15: must(txn.put_attempt({"s" + a, static_cast<uint64_t>(v.b), v.a, true})); break;
          default: must(txn.put_activation({key, "A" + a, b, v.b % 2 == 0})); break;
        }
      }
      // What the verbs answered must be the same too.
      must(txn.put_meta("m0", seen));
      if (throws) throw std::runtime_error("no");
      if (fails) return {ErrorCode::kCancelled, "no"};
      return {};
    };
    for (Subject* subject : {&memory, &sqlite}) {
      if (throws) {
        CHECK_THROWS_AS(commit(*subject, work), std::runtime_error);
      } else {
        CHECK(static_cast<bool>(commit(*subject, work)) == !fails);
      }
    }
    if (pick(6) == 0) sqlite.open();
    REQUIRE(dump(*memory.store) == dump(*sqlite.store));
  }
}

}  // namespace

// ENSUE_EFFORT=1000 is the length of a release.
TEST_CASE("stores of both kinds hold the same after the same random work") {
  size_t verb_count = 0;
  uint64_t seeds = 12 * testing::test_effort();
  for (uint64_t i = 0; i < seeds; ++i) {
    INFO("ENSUE_SEED=" << testing::test_seed() << ", part " << i);
    compare_with_model(testing::test_seed() + i, verb_count);
  }
  std::printf("store against model: %zu verbs, %llu seeds from ENSUE_SEED=%llu\n", verb_count,
              static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(testing::test_seed()));
}

TEST_CASE("an attempt is kept by source") {
  Subject subject(any_kind());
  must(commit(subject, [](StoreTxn& txn) {
    CHECK_FALSE(must(txn.attempt("crm")));
    return txn.put_attempt({"crm", 7, 3, true});
  }));
  must(subject.store->read([](StoreReader& reader) -> Status {
    auto row = must(reader.attempt("crm"));
    REQUIRE(row);
    CHECK(row->line == 7);
    CHECK(row->count == 3);
    CHECK(row->running);
    return {};
  }));
}

TEST_CASE("a run that waits is known by its key, its record and its automation") {
  Subject subject(any_kind());
  auto row = [](const std::string& name, const std::string& record, const std::string& state) {
    FlowRunRow out;
    out.run = hash_key({"run", name});
    out.rule = hash_key({"rule"});
    out.automation = "Chase";
    out.record = record;
    out.user = "ana";
    out.state = state;
    out.since = {1000};
    if (state == "waiting") out.due = Instant{5000};
    out.program = "p";
    out.frame = std::string("\x01\0frame", 7);
    out.detail = name;
    return out;
  };
  auto names = [](const std::vector<FlowRunRow>& rows) {
    std::string out;
    for (const FlowRunRow& one : rows) out += one.detail + " ";
    return out;
  };
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    for (const auto& one : {row("a", "Lead/1", "waiting"), row("b", "Lead/2", "queued"),
                            row("c", "Lead/1", "failed"), row("d", "Lead/1", "calling")}) {
      if (Status put = txn.put_flow_run(one); !put) return put;
    }
    return {};
  }));
  Key128 rule = hash_key({"rule"});
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(names(must(txn.flow_runs_about("Lead/1", 10))) == "a d ");
    CHECK(names(must(txn.flow_runs_about("Lead/1", 1))) == "a ");
    CHECK(names(must(txn.flow_runs_of(rule, "", 10))) == "a b d ");
    CHECK(names(must(txn.flow_runs_of(rule, "Lead/2", 10))) == "b ");
    CHECK(must(txn.flow_runs_of(hash_key({"other"}), "", 10)).empty());
    std::optional<FlowRunRow> a = must(txn.flow_run(hash_key({"run", "a"})));
    REQUIRE(a);
    CHECK(a->frame == std::string("\x01\0frame", 7));
    CHECK(a->due == Instant{5000});
    CHECK(a->program == "p");
    // Put again it keeps its place.
    a->state = "failed";
    a->wakes = 3;
    a->due.reset();
    if (Status put = txn.put_flow_run(*a); !put) return put;
    CHECK(names(must(txn.flow_runs_about("Lead/1", 10))) == "d ");
    a->state = "waiting";
    if (Status put = txn.put_flow_run(*a); !put) return put;
    CHECK(names(must(txn.flow_runs_about("Lead/1", 10))) == "a d ");
    CHECK(must(txn.flow_run(a->run))->wakes == 3);
    CHECK_FALSE(must(txn.flow_run(a->run))->due);
    if (Status removed = txn.remove_flow_run(a->run); !removed) return removed;
    if (Status removed = txn.remove_flow_run(a->run); !removed) return removed;
    CHECK_FALSE(must(txn.flow_run(a->run)));
    std::string states;
    Status visited = txn.visit_flow_runs("", [&](const FlowRunRow& one) {
      states += one.state + " ";
      return true;
    });
    CHECK(states == "queued failed calling ");
    return visited;
  }));
}

TEST_CASE("what is written after a savepoint is taken back with it, counters too") {
  Subject subject(any_kind());
  std::vector<Charge> one(1);
  one[0] = {"user", "ana", "flow executions", "2026-01-05", 10, 0, {1000}};
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    must(txn.charge(hash_key({"r0"}), one));
    must(txn.savepoint());
    must(txn.charge(hash_key({"r1"}), one));
    must(txn.put_meta("outer", "kept"));
    must(txn.savepoint());
    must(txn.charge(hash_key({"r2"}), one));
    must(txn.put_meta("inner", "gone"));
    must(txn.put_timer({{5}, hash_key({"t"}), "wait", ""}));
    CHECK(must(txn.admit(hash_key({"event"}))));
    must(txn.rollback_savepoint());
    CHECK_FALSE(must(txn.meta("inner")));
    CHECK_FALSE(must(txn.next_timer()));
    CHECK(must(txn.admit(hash_key({"event"}))));
    must(txn.release_savepoint());
    must(txn.savepoint());
    must(txn.put_meta("again", "gone"));
    must(txn.rollback_savepoint());
    CHECK(must(txn.charge(hash_key({"r3"}), one)).used[0] == 3);
    CHECK_FALSE(txn.rollback_savepoint());
    return {};
  }));
  must(subject.store->read([&](StoreReader& reader) -> Status {
    CHECK(must(reader.meta("outer")) == "kept");
    CHECK_FALSE(must(reader.meta("again")));
    std::string counters;
    Status visited = reader.visit_proofs([&](const CounterProof& proof) {
      counters += std::to_string(proof.counter.used) + (proof.agrees() ? " agrees" : " differs");
      return true;
    });
    CHECK(counters == "3 agrees");
    return visited;
  }));
}

TEST_CASE("counters go on from one transaction to the next, whatever was looked at or taken back") {
  Subject subject(any_kind());
  std::vector<Charge> charges(2);
  charges[0] = {"user", "ana", "flow executions", "2026-01-05", 100, 0, {1000}};
  charges[1] = {"user", "ana", "flow executions", "10 s", 100, 10'000, {1000}};
  int next = 0;
  auto charge = [&](StoreTxn& txn, int64_t at) {
    charges[0].now = charges[1].now = Instant{at};
    return must(txn.charge(hash_key({"run", std::to_string(next++)}), charges)).used;
  };
  auto told = [&](StoreReader& reader) {
    std::string out;
    must(reader.visit_proofs([&](const CounterProof& proof) {
      out += std::to_string(proof.counter.used) + (proof.agrees() ? " agrees " : " differs ");
      return true;
    }));
    return out;
  };
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(charge(txn, 1000) == std::vector<int64_t>{1, 1});
    must(txn.savepoint());
    CHECK(charge(txn, 2000) == std::vector<int64_t>{2, 2});
    // Looking writes what is in memory; the savepoint takes it back, but not what came before it.
    CHECK(told(txn) == "2 agrees 2 agrees ");
    must(txn.rollback_savepoint());
    CHECK(told(txn) == "1 agrees 1 agrees ");
    return {};
  }));
  Status failed = subject.store->commit([&](StoreTxn& txn) -> Status {
    CHECK(charge(txn, 3000) == std::vector<int64_t>{2, 2});
    must(txn.savepoint());
    return {ErrorCode::kInvalidArgument, "taken back"};
  });
  CHECK_FALSE(failed);
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK_FALSE(txn.release_savepoint());
    CHECK(charge(txn, 4000) == std::vector<int64_t>{2, 2});
    return {};
  }));
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(charge(txn, 11'000) == std::vector<int64_t>{3, 2});  // the first has left the window
    return {};
  }));
  must(subject.store->read([&](StoreReader& reader) -> Status {
    CHECK(told(reader) == "2 agrees 3 agrees ");
    return {};
  }));
}

TEST_CASE(
    "an intent is written once, claimed in order of its record, and finished by its claimer") {
  Subject subject(any_kind());
  auto row = [](const std::string& name, const std::string& record, Instant due = {1000}) {
    IntentRow out;
    out.key = hash_key({"intent", name});
    out.at = {1000};
    out.due = due;
    out.cause = "action \"A\" by \"ana\"";
    out.record = record;
    out.request = name;
    out.state = "ready";
    return out;
  };
  auto names = [](const std::vector<IntentRow>& rows) {
    std::string out;
    for (const IntentRow& one : rows) out += one.request + " ";
    return out;
  };
  auto claimed = [&](Instant now, int64_t epoch) {
    std::vector<IntentRow> rows;
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      rows = must(txn.claim_intents(now, epoch, 10, ""));
      return {};
    }));
    return rows;
  };
  auto finished = [&](IntentRow one, const char* state, int64_t epoch) {
    bool kept = false;
    one.state = state;
    one.result = "said";
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      kept = must(txn.finish_intent(one, epoch));
      return {};
    }));
    return kept;
  };
  must(commit(subject, [&](StoreTxn& txn) -> Status {
    CHECK(must(txn.add_intent(row("a", "Lead/1"))));
    CHECK(must(txn.add_intent(row("b", "Lead/1"))));
    CHECK(must(txn.add_intent(row("c", "Lead/2"))));
    CHECK(must(txn.add_intent(row("later", "Lead/3", {9000}))));
    CHECK_FALSE(must(txn.add_intent(row("a", "Lead/1"))));
    return {};
  }));
  CHECK(claimed({999}, 1).empty());
  std::vector<IntentRow> first = claimed({1000}, 1);
  CHECK(names(first) == "a c ");
  CHECK(first[0].attempt == 1);
  CHECK(first[0].epoch == 1);
  CHECK(claimed({1000}, 1).empty());
  SECTION("by the epoch that claimed it only") {
    CHECK_FALSE(finished(first[0], "done", 2));
    CHECK(finished(first[0], "done", 1));
    CHECK_FALSE(finished(first[0], "failed", 1));
    CHECK(names(claimed({1000}, 2)) == "b ");
  }
  SECTION("an unknown one holds its record, a failed one does not") {
    CHECK(finished(first[0], "unknown", 1));
    CHECK(claimed({1000}, 1).empty());
    IntentRow settled = first[0];
    settled.state = "failed";
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      CHECK(must(txn.settle_intent(settled)));
      return {};
    }));
    CHECK(names(claimed({1000}, 1)) == "b ");
  }
  SECTION("one to be tried again waits for its time, and keeps its place") {
    first[0].due = {2000};
    CHECK(finished(first[0], "ready", 1));
    CHECK(finished(first[1], "done", 1));
    CHECK(claimed({1999}, 1).empty());
    std::vector<IntentRow> again = claimed({9000}, 1);
    CHECK(names(again) == "a later ");
    CHECK(again[0].attempt == 2);
  }
  SECTION("a claimed one is settled by nobody else") {
    must(commit(subject, [&](StoreTxn& txn) -> Status {
      CHECK_FALSE(must(txn.settle_intent(first[0])));
      return {};
    }));
  }
  SECTION("a failing commit leaves everything as it was") {
    Status failed = commit(subject, [&](StoreTxn& txn) -> Status {
      IntentRow done = first[0];
      done.state = "done";
      CHECK(must(txn.finish_intent(done, 1)));
      CHECK(must(txn.add_intent(row("d", "Lead/4"))));
      CHECK(must(txn.claim_intents({1000}, 5, 10, "")).size() == 2);
      return {ErrorCode::kIo, "no"};
    });
    CHECK_FALSE(failed);
    must(subject.store->read([&](StoreReader& reader) -> Status {
      CHECK_FALSE(must(reader.intent(hash_key({"intent", "d"}))));
      CHECK(must(reader.intent(first[0].key))->state == "claimed");
      std::vector<IntentRow> rows;
      must(reader.visit_intents("ready", [&](const IntentRow& one) {
        rows.push_back(one);
        return true;
      }));
      CHECK(names(rows) == "b later ");
      return {};
    }));
  }
}

}  // namespace ensue::adapters
