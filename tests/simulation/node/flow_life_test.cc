// Ninety days of leads on the virtual clock: schedules, waits, retries, services that fail, the
// modes. The same twice, and the same when the process is ended at random points, in the middle of
// commits and of calls too, and the store opened anew with all memory gone.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"
#include "base/key128.h"
#include "support/programs.h"
#include "support/simulation/budget.h"
#include "support/simulation/node_run.h"
#include "support/simulation/store_state.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int kDays = 90;
constexpr size_t kBatch = 500;

constexpr const char* kProgram = R"(
limits "Life"
  whole org: at most 1_000_000 flow executions per day
  day starts at 00:00 in "Europe/Paris"
end
limits "Services"
  service "score": at most 30 calls per 30 minutes
  when reached pause
end
calendar "Sales" in "Europe/Paris"
  open Monday - Friday 09:00 - 18:00
  holidays 2026-04-06, 2026-05-01
end
template "Welcome"
  subject "Welcome {Recipient.LastName}"
  body "Dear {Recipient.LastName}, {Sender.Name}"
end
subflow "Ask for a score" takes lead as Lead gives answer as text
  let found = call service "score" with Id to lead
  wait 2 hours
  give answer to "{found.Number}"
end
flow "Rate" priority 1
  when Lead is created or edited, before save
  and meets Company is not blank
  set Industry to "rated {Company}"
end
flow "Nurture"
  when Lead is created
  run as the owner
  let was = Status
  send email to it using template "Welcome"
  wait until Status is "Contacted" for at most 3 days
    on timeout
      create Task with Subject to "chase {LastName}", Who to it, ActivityDate to today + 2 days
    end
  try
    let word = run "Ask for a score" with lead to it
    set Description to "{was} {word}"
    if Rating is "Bad"
      stop with fault "a bad one"
    end
  retry 2 times, starting at 1 hour, doubling
  on fault as f
    create Case with Subject to "{LastName}: {f.Message}"
  end
  for each task in Tasks
    update task set Status to "In Progress"
    wait 5 business hours
  end
  log "{LastName} ends as {Status}"
end
flow "One at a time"
  when Lead is created
  and meets LeadSource is "Partner"
  mode queued at most 12
  wait 3 hours
  set Title to "seen by the desk"
end
flow "Quiet"
  when Lead is edited and meets Status changed
  mode restart per record
  wait 1 day
  set Title to "quiet"
end
flow "Turn by turn"
  when Lead is edited and meets Rating changed
  mode queued per record at most 4
  let was = Rating
  wait 8 hours
  set City to "{was} before"
end
flow "Few at once"
  when Lead is edited and meets Phone changed
  mode parallel at most 5
  wait 30 minutes
  log "called"
end
flow "Close date"
  when Opportunity is created or edited and meets CloseDate is not blank
  mode single per record
  wait until CloseDate
  create Task with Subject to "closed {Name}", What to it
end
flow "Bill"
  when Opportunity is edited and newly meets StageName is "Closed Won"
  let bill = call service "erp.bill" with Id to Id, Amount to Amount
  set NextStep to "bill {bill.Number}"
end
flow "Bill patiently"
  when Opportunity is edited and newly meets StageName is "Closed Lost"
  try
    call service "erp.close" with Id to Id
  retry 3 times, starting at 30 minutes, doubling
  on fault as f
    create Task with Subject to "{Name}: {f.Message}", What to it
    stop
  end
  set NextStep to "closed in the books"
end
flow "Heard"
  when changes arrive for Task
  and meets Subject starts with "chase"
  create Case with Subject to "heard {Subject}"
end
flow "Morning"
  every weekday at 08:30 in "Europe/Paris" catch up all
  over Lead where Status is "Open" and Rating is blank, in batches of 200
  set Rating to "Seen"
end
flow "Sunday night"
  every Sunday at 02:30 in "Europe/Paris"
  over Lead where Status is "Nurturing", in batches of 50
  set Status to "Unqualified"
end
flow "Six hours"
  every 6 hours
  create Task with Subject to "tick"
end
flow "Month"
  every month on 1 at 09:00 in "Europe/Paris"
  log "a month begins"
end
)";

// Fails by what it is asked and when, on the clock of the life: a call made again after the process
// ended has the same answer.
class Services final : public Sink {
 public:
  SinkClass sink_class() const override { return SinkClass::kKeyed; }
  SinkAnswer call(const SinkCall& call) override {
    ++calls;
    if (call.channel == SinkChannel::kEmail) return {};
    Key128 chance = base::hash_key({call.key.view(), std::to_string(now.ms / kHour)});
    bool down = (now.ms / kHour) % 50 < 4;  // four hours of every fifty
    if (down || chance.bytes[0] % 6 == 0)
      return {SinkAnswer::Kind::kRefused, down ? "down for repairs" : "not now", ""};
    return {SinkAnswer::Kind::kDone, "", fmt::format(R"({{"Number":{}}})", chance.bytes[1])};
  }

  Instant now;
  uint64_t calls = 0;
};

struct Line {
  Instant at;
  std::string text;
};

class LifeStream {
 public:
  LifeStream(size_t leads, uint64_t seed, Instant from) : random_(seed), from_(from) {
    for (size_t i = 0; i < leads; ++i) lead(i);
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.at < b.at; });
  }
  std::vector<Line> take() { return std::move(lines_); }

 private:
  void line(int64_t minute, const char* object, const std::string& id, const char* kind,
            const std::string& set) {
    if (minute >= int64_t{kDays} * 24 * 60) return;
    Instant at{from_.ms + minute * 60'000 + static_cast<int64_t>(random_.below(60'000))};
    lines_.push_back(
        {at, fmt::format(R"({{"id":"e{}","entity":"{}","ids":["{}"],"kind":"{}","at":"{}"{}}})",
                         ++count_, object, id, kind, value::instant_text(at),
                         set.empty() ? "" : ",\"set\":{" + set + "}")});
  }
  int64_t some_days(int most) { return random_.between(10, int64_t{most} * 24 * 60); }

  void lead(size_t number) {
    std::string id = fmt::format("L{}", number);
    int64_t minute = random_.between(0, int64_t{kDays - 20} * 24 * 60);
    line(
        minute, "Lead", id, "create",
        fmt::format(
            R"("LastName":"N{}","Company":"C{}","Status":"Open","LeadSource":"{}","Email":"n{}@x.test","OwnerId":"u{}")",
            number, number % 97, random_.word({"Web", "Phone", "Partner"}), number,
            random_.below(20)));
    bool deleted = false;
    for (size_t edits = random_.below(8); edits > 0 && !deleted; --edits) {
      minute += some_days(10);
      switch (random_.below(6)) {
        case 0: line(minute, "Lead", id, "update", R"("Status":"Contacted")"); break;
        case 1: line(minute, "Lead", id, "update", R"("Status":"Working","Rating":"Bad")"); break;
        case 2: line(minute, "Lead", id, "update", R"("Status":"Nurturing","Rating":"")"); break;
        case 3:
          line(minute, "Lead", id, "update",
               fmt::format(R"("Rating":"{}")", random_.word({"Hot", "Warm", "Cold"})));
          break;
        case 4:
          line(minute, "Lead", id, "update",
               fmt::format(R"("Phone":"{}")", 1000 + random_.below(9000)));
          break;
        default:
          deleted = random_.chance(30);
          line(minute, "Lead", id, deleted ? "delete" : "update",
               deleted ? "" : R"("Status":"Open")");
      }
    }
    if (random_.chance(30)) opportunity(number, minute);
  }

  void opportunity(size_t number, int64_t minute) {
    std::string id = fmt::format("O{}", number);
    auto date = [&] {
      Instant at{from_.ms + (minute + some_days(30)) * 60'000};
      return value::instant_text(at).substr(0, 10);
    };
    minute += some_days(3);
    line(minute, "Opportunity", id, "create",
         fmt::format(R"("Name":"O{}","StageName":"Prospecting","Amount":{},"CloseDate":"{}")",
                     number, 1000 + number, date()));
    if (random_.chance(50)) {
      minute += some_days(5);
      line(minute, "Opportunity", id, "update", fmt::format(R"("CloseDate":"{}")", date()));
    }
    minute += some_days(10);
    line(minute, "Opportunity", id, "update",
         fmt::format(R"("StageName":"{}")", random_.word({"Closed Won", "Closed Lost"})));
  }

  Random random_;
  Instant from_;
  std::vector<Line> lines_;
  uint64_t count_ = 0;
};

// One life in one store. The process may end at any verb of the store and before and after any
// call; then everything is made anew: the store opened, the program read, the engine begun.
class Life {
 public:
  Life(const std::vector<Line>& lines, bool in_file) : lines_(lines), sink_(services_, points_) {
    if (in_file) dir_.emplace();
    memory_ = adapters::make_memory_store();
  }

  // Ends the process when so many points have been passed.
  void end_at(std::vector<uint64_t> passed) {
    std::sort(passed.begin(), passed.end());
    ends_ = std::move(passed);
    points_.choose = [this](FailPoint) {
      ++passed_;
      if (next_end_ == ends_.size() || passed_ < ends_[next_end_]) return FaultAction::kNone;
      ++next_end_;
      return FaultAction::kDie;
    };
  }

  void live(Instant from) {
    std::clock_t begin = std::clock();
    std::vector<std::string> people;
    for (int i = 0; i < 20; ++i)
      people.push_back(fmt::format(
          R"({{"entity":"User","ids":["u{0}"],"kind":"snapshot","set":{{"Username":"u{0}","Name":"U {0}","Email":"u{0}@x.test"}}}})",
          i));
    std::vector<std::string_view> first(people.begin(), people.end());
    send(first, 0);
    size_t at = 0;
    for (int64_t hour = 1; hour <= int64_t{kDays} * 24; ++hour) {
      Instant until{from.ms + hour * kHour};
      while (at < lines_.size() && lines_[at].at <= until) {
        std::vector<std::string_view> batch;
        uint64_t number = at;
        for (; at < lines_.size() && lines_[at].at <= until && batch.size() < kBatch; ++at)
          batch.push_back(lines_[at].text);
        send(batch, people.size() + number);
      }
      step([&] { return told(runtime_->advance(until)); });
      deliver(until);
      if (hour % 24 == 0) step([&] { return look(); });
    }
    seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    points_.choose = nullptr;
    tell();
  }

  std::string state;  // all that the store tells
  double seconds = 0;
  uint64_t deaths = 0;
  uint64_t starts = 0;
  uint64_t points_passed() const {
    uint64_t sum = 0;
    for (uint64_t hits : points_.hits) sum += hits;
    return sum;
  }
  std::map<std::string, int64_t> totals;
  uint64_t calls() const { return services_.calls; }
  uint64_t waiting = 0;
  uint64_t failed = 0;
  uint64_t records = 0;
  uint64_t waiting_most = 0;
  uint64_t queued_most = 0;
  uintmax_t bytes = 0;

 private:
  void send(const std::vector<std::string_view>& texts, uint64_t before) {
    engine::Runtime::Lines batch;
    batch.source = kNodeSource;
    for (size_t i = 0; i < texts.size(); ++i) batch.lines.push_back({texts[i], before + i + 1});
    uint64_t end = before + texts.size();
    batch.cursor = CursorRow{kNodeSource, end, end * 100, "mark"};
    step([&] { return told(runtime_->submit(batch)); });
  }

  // How many runs wait at the end of a day, and how many of them for their turn.
  Status look() {
    uint64_t now = 0;
    uint64_t in_turn = 0;
    Status looked = store_->read([&](StoreReader& reader) {
      return reader.visit_flow_runs("", [&](const FlowRunRow& row) {
        now += row.state == "failed" ? 0 : 1;
        in_turn += row.state == "queued" ? 1 : 0;
        return true;
      });
    });
    waiting_most = std::max(waiting_most, now);
    queued_most = std::max(queued_most, in_turn);
    return looked;
  }

  // What is to be called is called, and the answers are taken in, at the same time of the clock. A
  // process that ended between the two has made its calls and not heard of them.
  void deliver(Instant now) {
    services_.now = now;
    for (uint64_t before = UINT64_MAX; before != services_.calls;) {
      before = services_.calls;
      step([&]() -> Status {
        Result<DeliveryReport> report = runtime_->deliver();
        return report ? Status() : Status(report.error());
      });
      step([&] { return told(runtime_->advance(now)); });
    }
  }

  static Status told(const Result<BatchReport>& report) {
    return report ? Status() : Status(report.error());
  }

  void step(const std::function<Status()>& work) {
    for (;;) {
      try {
        if (runtime_ == nullptr) start();
        Status done = work();
        if (!done) FAIL(done.error().message);
        return;
      } catch (const Died&) {
        ++deaths;
        runtime_.reset();
        store_.reset();
      }
    }
  }

  void start() {
    ++starts;
    std::shared_ptr<Store> base = memory_;
    if (dir_) {
      auto opened = adapters::open_sqlite_store(dir_->file("life.db"), adapters::StoreAccess::kOwn);
      if (!opened) FAIL(opened.error().message);
      base = std::move(*opened);
    }
    store_ = std::make_shared<FaultyStore>(base, points_);
    engine::RuntimeOptions options;
    options.services = &sink_;
    options.mail = &sink_;
    ProgramOptions program;
    program.zone = "Europe/Paris";
    runtime_ = std::make_unique<engine::Runtime>(store_, options);
    Status used = runtime_->use(program_of(kProgram, program));
    if (!used) FAIL(used.error().message);
  }

  void tell() {
    Result<StoreState> all = state_of(*store_);
    REQUIRE(all);
    state = std::move(all->text);
    Status looked = store_->read([&](StoreReader& reader) -> Status {
      for (const char* name : {"events", "executed", "waiting", "failed", "cancelled"}) {
        Result<int64_t> total = reader.total(name);
        if (!total) return total.error();
        totals[name] = *total;
      }
      Status visited = reader.visit_flow_runs("", [&](const FlowRunRow& row) {
        ++(row.state == "failed" ? failed : waiting);
        return true;
      });
      if (!visited) return visited;
      return reader.visit_records("", [&](const RecordRow&) {
        ++records;
        return true;
      });
    });
    REQUIRE(looked);
    runtime_.reset();
    store_.reset();
    if (!dir_) return;
    for (const auto& file : std::filesystem::directory_iterator(dir_->path()))
      bytes += file.path().string().ends_with("-ballast") ? 0 : file.file_size();
  }

  const std::vector<Line>& lines_;
  Services services_;
  FailPoints points_;
  FaultySink sink_;
  std::optional<TempDir> dir_;
  std::shared_ptr<Store> memory_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<engine::Runtime> runtime_;
  std::vector<uint64_t> ends_;
  size_t next_end_ = 0;
  uint64_t passed_ = 0;
};

void show(const Life& life, size_t leads, const char* where) {
  auto total = [&](const char* name) { return life.totals.at(name); };
  say(fmt::format(
      "  {}: {:.1f} s of the processor; {} leads, {} events, {} records, {} calls; parts of runs: "
      "{} executed, {} waiting, {} failed, {} cancelled; at most {} wait at once, {} of them for "
      "their turn; {} wait and {} failed ones are kept at the end; {} deaths, {} starts; trace "
      "{:016x}{}",
      where, life.seconds, leads, total("events"), life.records, life.calls(), total("executed"),
      total("waiting"), total("failed"), total("cancelled"), life.waiting_most, life.queued_most,
      life.waiting, life.failed, life.deaths, life.starts, std::hash<std::string>()(life.state),
      life.bytes > 0 ? fmt::format("; {:.1f} MB", static_cast<double>(life.bytes) / 1e6) : ""));
}

void lives(size_t leads, size_t ends) {
  uint64_t seed = test_seed();
  INFO("ENSUE_SEED=" << seed);
  say(fmt::format("{} days of {} leads, ENSUE_SEED={}", kDays, leads, seed));
  Instant from = value::parse_datetime("2026-02-15T00:00:00Z")->instant();
  std::vector<Line> lines = LifeStream(leads, seed, from).take();

  Life whole(lines, false);
  whole.live(from);
  show(whole, leads, "in memory");
  for (const char* word : {"executed", "waiting", "failed", "cancelled"})
    CHECK(whole.totals.at(word) > 0);
  CHECK(whole.queued_most > 0);
  for (const char* word : {"down for repairs", "a bad one", "a later start takes its place",
                           "was deleted", "\"branches\":[\"timeout\"]"}) {
    INFO(word);
    CHECK(whole.state.find(word) != std::string::npos);
  }
  Life again(lines, false);
  again.live(from);
  CHECK(again.state == whole.state);

  Life in_file(lines, true);
  in_file.live(from);
  show(in_file, leads, "in a file");
  CHECK(first_difference(in_file.state, whole.state) == "");

  Random random(seed);
  std::vector<uint64_t> at;
  for (size_t i = 0; i < ends; ++i)
    at.push_back(1 + random.below(in_file.points_passed() * 9 / 10));
  Life ended(lines, true);
  ended.end_at(at);
  ended.live(from);
  show(ended, leads, "in a file, ended and begun again");
  CHECK(ended.deaths == ends);
  CHECK(first_difference(ended.state, whole.state) == "");
}

}  // namespace

TEST_CASE("ninety days of leads are the same twice, and wherever the process ends") {
  lives(200, 100);
}

// By hand: `simulation_node_test "[ninety]"`; ENSUE_SEED draws other lives.
TEST_CASE("ninety days of 10,000 leads", "[.][ninety]") { lives(10'000, 100); }

}  // namespace ensue::testing
