#include "support/simulation/node_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "support/programs.h"
#include "support/random.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

using Kind = NodeStep::Kind;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// One limit of each policy, small enough to be reached every day.
constexpr const char* kActions = R"(
cadence "One"
  track main
    step "Call" immediately: call
end
cadence "Two"
  track main
    step "Mail" after 2 days: manual email
end
action "Greet" by "ana"
  when Lead is created
  for my records
  then add it to cadence "One"
end
action "Rescue" by "ana"
  when Lead is created or edited
  for my records
  if Rating is "Cold"
  then remind me within 1 day, expiring after 2 days to add it to cadence "Two"
end
action "Stop" by "ana"
  when Lead is created or edited
  for my records
  and newly meets Status is "Unqualified"
  then remove it from all cadences
end
action "Nudge" by "bob"
  when Lead is created or edited
  for my records
  if Rating is "Hot"
  then add it to cadence "One"
end
action "Chase" by "cy"
  when Lead is created or edited
  for my records
  if Rating is "Hot"
  then add it to cadence "Two"
end
flow "Patience"
  when Lead is created
  mode queued per record
  try
    set Title to "seen"
    if Status is "Working"
      stop with fault "at work already"
    end
  on fault as f
    log "{f.Message}"
  end
  wait until Status is "Contacted" for at most 6 hours
  set Description to "{Status}"
  if Rating is "Cold"
    stop with fault "cold"
  end
end
action "Team stop" by "mona"
  when Lead is created or edited
  for records of my team
  if Status is "Unqualified"
  then pause it in all cadences
end
limits "Greetings"
  action "Greet" by "ana": at most 2 executions per day
  when reached defer
end
limits "Nudges"
  action "Nudge" by "bob": at most 2 executions per day
  when reached remind
end
limits "Chases"
  action "Chase" by "cy": at most 1 executions per day
  when reached fail
end
limits "All"
  each user: at most 6 action executions per day
  whole org: at most 14 action executions per day
  when reached drop
  day starts at 00:00 in "ZONE"
end
)";

engine::ProgramPtr program_in(const std::string& zone) {
  static std::map<std::string, engine::ProgramPtr> parsed;
  engine::ProgramPtr& program = parsed[zone];
  if (program == nullptr) {
    std::string text = kActions;
    text.replace(text.find("ZONE"), 4, zone);
    program = program_of(text);
  }
  return program;
}

// Lines as a CRM sends them; then some twice, some late, and some that nobody can read.
class StreamMaker {
 public:
  StreamMaker(Random& random, const calendar::Zone& zone, Instant begin)
      : random_(random), zone_(zone), at_(begin) {
    for (const char* person : {"mona", "ana", "bob", "cy"}) {
      std::string more = std::string(person) == "mona" ? "" : R"(,"ManagerId":"mona")";
      lines.push_back(fmt::format(
          R"({{"entity":"User","ids":["{0}"],"kind":"snapshot","set":{{"Username":"{0}"{1}}}}})",
          person, more));
      times.push_back(begin);
    }
  }

  void make(const NodeSize& size) {
    // One that is broken at least, however short the stream.
    add(R"({"id":"p","entity":"Lead","kind":"create"})", at_);
    int64_t stride = size.days * kDay / static_cast<int64_t>(size.events);
    for (size_t i = 0; i < size.events; ++i) {
      step(stride);
      if (lines.size() > 8 && random_.chance(5)) {
        size_t again = lines.size() - 1 - random_.below(4);
        add(lines[again], times[again]);
      }
      // It tells no time.
      if (random_.below(200) == 0) add(R"({"half":)", times.back());
      add(event(), at_);
    }
    for (size_t i = 5; i + 4 < lines.size(); ++i) {
      if (!random_.chance(5)) continue;
      size_t other = i + 1 + random_.below(3);
      std::swap(lines[i], lines[other]);
      std::swap(times[i], times[other]);
    }
  }

  std::vector<std::string> lines;
  std::vector<Instant> times;

 private:
  void add(std::string line, Instant at) {
    lines.push_back(std::move(line));
    times.push_back(at);
  }

  // Often to just before a day begins, so that what follows falls on both sides of it.
  void step(int64_t stride) {
    if (random_.chance(8)) {
      Instant next = zone_.day_start({zone_.date(at_).days + 1});
      at_.ms = std::max(at_.ms, next.ms - 1 - random_.between(0, 2 * kMinute));
    } else {
      at_.ms +=
          random_.chance(60) ? random_.between(0, 2 * kMinute) : random_.between(0, 3 * stride);
    }
  }

  std::string event() {
    std::string id = fmt::format("e{}", ++events_);
    std::string at = value::instant_text(at_);
    bool create = leads_ == 0 || random_.chance(55);
    std::string lead = fmt::format("L{}", create ? ++leads_ : 1 + random_.below(leads_));
    std::string set =
        fmt::format(R"("Rating":"{}","Status":"{}")", random_.word({"Hot", "Hot", "Warm", "Cold"}),
                    random_.word({"Open", "Working", "Unqualified"}));
    if (create || random_.chance(5))
      set += fmt::format(R"(,"OwnerId":"{}")", random_.word({"ana", "ana", "ana", "bob", "cy"}));
    if (create) set += R"(,"LastName":"Roe")";
    bool gone = !create && random_.chance(4);
    return fmt::format(R"({{"id":"{}","entity":"Lead","ids":["{}"],"kind":"{}","at":"{}"{}}})", id,
                       lead,
                       create ? "create"
                       : gone ? "delete"
                              : "update",
                       at, gone ? std::string() : ",\"set\":{" + set + "}");
  }

  Random& random_;
  const calendar::Zone& zone_;
  Instant at_;
  size_t events_ = 0;
  size_t leads_ = 0;
};

NodeStep by_hand(Random& random, Kind kind, size_t leads) {
  NodeStep step;
  step.kind = kind;
  step.record = fmt::format("Lead/L{}", 1 + random.below(leads));
  step.person = random.word({"ana", "ana", "ana", "bob"});
  return step;
}

// Each kind in turn.
Kind next_kind(Kind kind) {
  return kind == Kind::kRestart ? Kind::kRunReminder
                                : static_cast<Kind>(static_cast<uint8_t>(kind) + 1);
}

}  // namespace

const std::vector<NodeDay>& node_days() {
  static const std::vector<NodeDay> kDays = {
      {"Europe/Paris", "2026-03-28"},      {"Europe/Paris", "2026-10-24"},
      {"America/Sao_Paulo", "2018-11-03"}, {"America/Sao_Paulo", "2018-02-16"},
      {"Asia/Kolkata", "2026-05-05"},      {"Australia/Lord_Howe", "2026-04-04"},
      {"Pacific/Apia", "2011-12-28"},      {"Asia/Beirut", "2022-03-26"},
      {"America/Havana", "2026-10-31"},    {"Pacific/Chatham", "2026-09-26"},
      {"America/New_York", "2026-03-07"},
  };
  return kDays;
}

Instant node_begin(const NodeDay& day) {
  std::optional<calendar::Zone> zone = calendar::Zone::find(day.zone);
  return zone->day_start(*value::parse_date(day.date));
}

NodeScenario node_scenario(uint64_t seed, const NodeSize& size, bool host_clock,
                           SinkClass sink_class) {
  Random random(seed);
  const NodeDay& day = random.pick(node_days());
  NodeScenario out;
  out.seed = seed;
  out.program = program_in(day.zone);
  out.host_clock = host_clock;
  out.clock_jumps = size.clock_jumps;
  out.sink_class = sink_class;
  out.sink_failures_percent = size.sink_failures_percent;
  Instant begin{node_begin(day).ms + 9 * kHour};
  StreamMaker stream(random, out.program->counter_zone, begin);
  stream.make(size);
  out.lines = std::move(stream.lines);
  Instant latest = begin;
  for (Instant at : stream.times) {
    latest = std::max(latest, at);
    out.latest.push_back(latest);
  }
  size_t most = 1 + random.below(8);
  constexpr size_t kKinds = static_cast<size_t>(Kind::kRestart);
  Kind kind = static_cast<Kind>(1 + random.below(kKinds));
  size_t by_hand_count = 0;
  int64_t jump = 0;
  Instant true_time = begin;
  // Of what people do, each kind once at least.
  for (size_t at = 0; at < out.lines.size() || by_hand_count < kKinds;) {
    NodeStep step;
    if (at == out.lines.size() || (at > 8 && random.chance(30))) {
      step = by_hand(random, kind, std::max<size_t>(1, at / 3));
      kind = next_kind(kind);
      ++by_hand_count;
    } else {
      // A batch takes no longer than this: a clock more than a day ahead of all that an engine
      // knows is not believed.
      constexpr int64_t kBatchTimeMax = 20 * kHour;
      step.begin = at;
      size_t end = std::min(out.lines.size(), at + 1 + random.below(most));
      ++at;
      while (at < end && out.latest[at].ms - true_time.ms <= kBatchTimeMax) ++at;
      step.end = at;
    }
    if (size.clock_jumps && random.chance(6)) jump = random.between(-kDay, kDay);
    if (size.clock_jumps && random.chance(10)) jump = 0;
    step.elapsed_ms = out.latest[at - 1].ms - true_time.ms;
    true_time = out.latest[at - 1];
    step.clock.ms = true_time.ms + jump;
    step.delivers = random.chance(60);
    out.steps.push_back(std::move(step));
  }
  out.text = fmt::format("seed {}: {} from {}, {} days, {} lines, {} steps, clock of {}{}, {} sink",
                         seed, day.zone, day.date, size.days, out.lines.size(), out.steps.size(),
                         host_clock ? "the host" : "the events",
                         size.clock_jumps ? ", which jumps" : "", sink_class_name(sink_class));
  return out;
}

}  // namespace ensue::testing
