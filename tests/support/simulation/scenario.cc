#include "support/simulation/scenario.h"

#include <map>
#include <tuple>

#include "support/programs.h"
#include "value/time_text.h"

namespace ensue::testing {
namespace {

constexpr const char* kActions = R"(
cadence "One"
  track main
    step "Call" immediately: call
end
cadence "Two"
  track main
    step "Mail" after 2 days: manual email
end
action "Hot leads" by "ana"
  when Lead is created or edited
  for my records
  if Rating is "Hot"
  then add it to cadence "One"
end
action "Web leads" by "bob"
  when Lead is created or edited
  for my records
  if LeadSource is "Web"
  then add it to cadence "Two", assigned to me
end
action "Team leads" by "mona"
  when Lead is created or edited
  for records of my team
  and newly meets Status is "Unqualified"
  then remove it from all cadences
end
action "Cold leads" by "ana"
  when Lead is created or edited
  for my records
  if Rating is "Cold"
  then remind me, expiring after 1 day to add it to cadence "Two"
end
action "Legal leads" by "mona"
  when Lead is created or edited
  for records of my team
  if Title contains "Legal"
  then change assignee of it to user "bob"
end
action "Contacts" by "bob"
  when Contact is created or edited
  for my records
  then add it to cadence "One"
end
action "Quiet contacts" by "ana"
  when Contact is created or edited
  for my records
  if DoNotCall is true
  then pause it in all cadences
end
)";

// The limits decide most of what can go wrong; a few of each kind is enough, and parsing is slow.
struct Limits {
  const char* policy;
  int per_user;
  int per_org;
  bool burst;
  auto key() const { return std::tuple(std::string_view(policy), per_user, per_org, burst); }
};

Limits limits_of(Random& random) {
  bool tight = random.chance(60);
  return {random.word({"drop", "defer", "remind", "fail"}), tight ? 2 : 6, tight ? 4 : 12,
          random.chance(50)};
}

engine::ProgramPtr program_with(const Limits& limits) {
  static std::map<std::tuple<std::string_view, int, int, bool>, engine::ProgramPtr> parsed;
  engine::ProgramPtr& program = parsed[limits.key()];
  if (program == nullptr) {
    std::string text = kActions;
    text += "limits \"Small\"\n  each user: at most " + std::to_string(limits.per_user) +
            " action executions per day\n  whole org: at most " + std::to_string(limits.per_org) +
            " action executions per day\n";
    if (limits.burst) text += "  each user: at most 2 action executions per 10 seconds\n";
    text += "  when reached " + std::string(limits.policy) + "\nend\n";
    program = program_of(text);
  }
  return program;
}

std::string user_line(const std::string& id, const std::string& manager) {
  std::string more = manager.empty() ? "" : R"(,"ManagerId":")" + manager + "\"";
  return R"({"entity":"User","ids":[")" + id + R"("],"kind":"snapshot","set":{"Username":")" + id +
         "\"" + more + "}}";
}

// A stream as a CRM sends it, with lines sent twice and lines that are broken.
class StreamWriter {
 public:
  explicit StreamWriter(Random& random) : random_(random) {}

  std::vector<ScenarioLine> write(size_t events, bool long_texts) {
    lines_.push_back({user_line("mona", ""), 0});
    lines_.push_back({user_line("ana", "mona"), 0});
    lines_.push_back({user_line("bob", "mona"), 0});
    for (size_t i = 0; i < events; ++i) {
      if (lines_.size() > 6 && random_.chance(6)) {
        lines_.push_back(lines_[3 + random_.below(lines_.size() - 3)]);
      } else if (random_.chance(3)) {
        lines_.push_back({R"({"id":"bad)" + std::to_string(i) + "\"", 1});
      } else {
        lines_.push_back({event(i, long_texts), 1});
      }
    }
    return std::move(lines_);
  }

 private:
  std::string event(size_t number, bool long_texts) {
    at_ += random_.chance(75) ? random_.between(0, 6'000) : random_.between(0, 14) * 3'600'000;
    bool lead = random_.chance(75);
    size_t record = random_.below(9);
    bool& known = known_[{lead, record}];
    bool gone = known && random_.chance(6);
    std::string kind = gone ? "delete" : known ? "update" : "create";
    known = !gone;
    std::string out = R"({"id":"e)" + std::to_string(number) + R"(","entity":")" +
                      (lead ? "Lead" : "Contact") + R"(","ids":["r)" + std::to_string(record) +
                      R"("],"kind":")" + kind + R"(","at":")" + value::instant_text({at_}) + "\"";
    if (gone) return out + "}";
    out += R"(,"set":{"LastName":"Roe )" + std::to_string(random_.below(4)) + R"(","OwnerId":")" +
           random_.word({"ana", "bob"}) + "\"";
    if (lead) {
      out += std::string(R"(,"Rating":")") + random_.word({"Hot", "Cold", "Warm"}) +
             R"(","LeadSource":")" + random_.word({"Web", "Phone"}) + R"(","Status":")" +
             random_.word({"Open", "Unqualified"}) + R"(","Title":")" +
             random_.word({"Legal", "Chief"}) + "\"";
    } else {
      out += std::string(R"(,"DoNotCall":)") + random_.word({"true", "false"});
    }
    // Longer than a page of the store now and then: overflow pages.
    if (long_texts && random_.chance(10))
      out += R"(,"Description":")" + std::string(9'000, 'd') + "\"";
    return out + "}}";
  }

  Random& random_;
  std::vector<ScenarioLine> lines_;
  std::map<std::pair<bool, size_t>, bool> known_;
  int64_t at_ = 1'774'600'000'000;  // 2026-03-27
};

}  // namespace

Scenario scenario_of(uint64_t seed) {
  Random random(seed);
  Scenario out;
  out.seed = seed;
  Limits limits = limits_of(random);
  out.program = program_with(limits);
  auto events = static_cast<size_t>(random.between(24, 45));
  bool long_texts = random.chance(25);
  out.lines = StreamWriter(random).write(events, long_texts);
  out.batch = static_cast<size_t>(random.between(1, 3) * random.between(1, 4));
  out.reopen_percent = random.chance(40) ? 20 : 0;
  out.checkpoint_pages = random.chance(60) ? static_cast<int>(random.between(10, 90)) : 4000;
  out.deliver_percent = random.chance(50) ? 40 : 0;
  out.sink = random.chance(50) ? SinkClass::kKeyed : SinkClass::kAsked;
  out.disk.sector_bytes = random.chance(50) ? 512 : 4096;
  out.disk.sector_safe = random.chance(70);
  // Some streams are long enough to fill them several times.
  out.recent_keys = random.chance(70) ? static_cast<size_t>(random.between(1, 20)) : 65'536;
  out.text = "seed " + std::to_string(seed) + ": " + std::to_string(out.lines.size()) +
             " lines in batches of " + std::to_string(out.batch) + ", when reached " +
             limits.policy + ", " + std::to_string(limits.per_user) + " per user and " +
             std::to_string(limits.per_org) + " in all" + (limits.burst ? ", bursts" : "") +
             (long_texts ? ", long texts" : "") + ", delivered after " +
             std::to_string(out.deliver_percent) + "% of the batches to a sink that is " +
             sink_class_name(out.sink) + ", reopened after " + std::to_string(out.reopen_percent) +
             "% of the batches, checkpoint at " + std::to_string(out.checkpoint_pages) +
             " pages, keys sorted at " + std::to_string(out.recent_keys) + ", sectors of " +
             std::to_string(out.disk.sector_bytes) + (out.disk.sector_safe ? ", safe" : ", unsafe");
  return out;
}

}  // namespace ensue::testing
