// A run is the same wherever the process ends: the engine is opened anew from the store at random
// points between events and timers, and tells the same trace as one that never stopped.
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "support/native_lines.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/sinks.h"
#include "value/time_text.h"

namespace ensue {
namespace {

using testing::Bench;

constexpr const char* kProgram = R"(
calendar "Sales" in "Europe/Paris"
  open Monday - Friday 09:00 - 18:00
end
subflow "Ask" takes lead as Lead gives answer as text
  let found = call service "crm.find" with Id to lead
  wait 2 hours
  give answer to "{found.Number}"
end
flow "Rate" priority 1
  when Lead is created or edited, before save
  and meets Company is not blank
  set Industry to "rated {Company}"
end
flow "Chase"
  when Lead is created
  mode queued at most 40
  let was = Status
  wait until Status is "Contacted" for at most 3 days
    on timeout
      create Task with Subject to "chase {LastName}"
    end
  try
    let word = run "Ask" with lead to it
    set Description to "{was} {word}"
    if Rating is "Bad"
      stop with fault "bad"
    end
  retry 2 times, starting at 1 hour, doubling
  on fault as f
    create Case with Subject to "{LastName}: {f.Message}"
  end
  for each task in find all Task where Subject starts with "chase", ordered by Subject
    update task set Status to "In Progress"
    wait 1 business hour
  end
  log "{LastName} ends"
end
flow "Restart"
  when Lead is edited and meets Status changed
  mode restart per record
  wait 1 day
  set Title to "quiet"
end
flow "Close date"
  when Opportunity is created or edited and meets CloseDate is not blank
  mode single per record
  wait until CloseDate
  create Task with Subject to "closed {Name}"
end
flow "Heard"
  when changes arrive for Task
  and meets Subject starts with "chase"
  create Case with Subject to "heard {Subject}"
end
flow "Morning"
  every weekday at 08:30 in "Europe/Paris" catch up all
  over Lead where Status is "Open" and Rating is blank, in batches of 2
  set Rating to "Seen"
end
flow "Half hours"
  every 6 hours
  create Task with Subject to "tick"
end
)";

// Answers by what it is asked, so that a call done again has the same answer.
SinkAnswer answer(const SinkCall& call) {
  bool refused = call.attempt == 1 && call.key.bytes[0] % 3 == 0;
  if (refused) return {SinkAnswer::Kind::kRefused, "not now", ""};
  return {SinkAnswer::Kind::kDone, "", R"({"Number":)" + std::to_string(call.key.bytes[1]) + "}"};
}

struct Outcome {
  std::string trace;
  std::string records;
  size_t restarts = 0;
};

std::vector<std::string> stream(testing::Random& random) {
  std::vector<std::string> out;
  Instant at = value::parse_datetime("2026-03-26T06:00:00Z")->instant();
  for (int i = 0; i < 60; ++i) {
    at.ms += static_cast<int64_t>(random.below(5 * 3600)) * 1000;
    std::string id = std::to_string(1 + random.below(8));
    std::string time = value::instant_text(at);
    std::string head = R"({"id":"e)" + std::to_string(i) + R"(","at":")" + time + R"(","entity":)";
    switch (random.below(5)) {
      case 0:
        out.push_back(head + R"("Lead","ids":["L)" + id +
                      R"("],"kind":"create","set":{"LastName":"N)" + id +
                      R"(","Company":"C","Status":"Open"}})");
        break;
      case 1:
        out.push_back(head + R"("Lead","ids":["L)" + id +
                      R"("],"kind":"update","set":{"Status":"Contacted"}})");
        break;
      case 2:
        out.push_back(head + R"("Lead","ids":["L)" + id +
                      R"("],"kind":"update","set":{"Status":"Open","Rating":")" +
                      (random.below(2) == 0 ? "Bad" : "") + R"("}})");
        break;
      case 3:
        out.push_back(head + R"("Opportunity","ids":["O)" + id +
                      R"("],"kind":"update","set":{"Name":"O","CloseDate":"2026-04-0)" +
                      std::to_string(1 + random.below(9)) + R"("}})");
        break;
      default: out.push_back(head + R"("Lead","ids":["L)" + id + R"("],"kind":"delete"})");
    }
  }
  return out;
}

// `chance` in a hundred that the engine is opened anew before a step.
Outcome live(const engine::ProgramPtr& program, const std::vector<std::string>& lines,
             uint64_t seed, size_t chance) {
  testing::Random random(seed);
  auto store = std::shared_ptr<Store>(adapters::make_memory_store());
  testing::RecordingService service(SinkClass::kKeyed);
  service.answers = answer;
  engine::RuntimeOptions options;
  options.services = &service;
  auto bench = std::make_unique<Bench>(program, store, options);
  Outcome out;
  auto step = [&](auto work) {
    if (random.below(100) < chance) {
      bench = std::make_unique<Bench>(program, store, options);
      ++out.restarts;
    }
    work();
    // What is to be called is called, and the answers are taken in, at the same time of the clock.
    for (;;) {
      auto delivered = bench->runtime().deliver();
      REQUIRE(delivered.has_value());
      if (delivered->calls == 0) break;
      if (random.below(100) < chance) {
        bench = std::make_unique<Bench>(program, store, options);
        ++out.restarts;
      }
      auto later = bench->runtime().advance(bench->runtime().now());
      REQUIRE(later.has_value());
      out.trace += testing::decisions_text(*later);
    }
  };
  auto advance_to = [&](Instant to) {
    // Timer by timer, so that each may be the last thing a process does.
    for (;;) {
      std::optional<Instant> next;
      auto looked = store->read([&](StoreReader& reader) -> Status {
        auto found = reader.next_timer();
        if (!found) return found.error();
        next = *found;
        return {};
      });
      REQUIRE(looked.has_value());
      Instant until = next && *next < to ? std::max(*next, bench->runtime().now()) : to;
      step([&] {
        auto report = bench->runtime().advance(until);
        REQUIRE(report.has_value());
        out.trace += testing::decisions_text(*report);
      });
      if (until == to) return;
    }
  };
  // Line numbers go on over restarts.
  for (const std::string& line : lines) {
    size_t at = line.find("\"at\":\"") + 6;
    advance_to(value::parse_datetime(line.substr(at, line.find('"', at) - at))->instant());
    step([&] { out.trace += testing::decisions_text(bench->send(line)); });
  }
  advance_to(value::parse_datetime("2026-04-20T00:00:00Z")->instant());
  auto looked = store->read([&](StoreReader& reader) {
    return reader.visit_records("", [&](const RecordRow& row) {
      out.records += row.object + "/" + row.id + " " + row.body + "\n";
      return true;
    });
  });
  REQUIRE(looked.has_value());
  return out;
}

}  // namespace

TEST_CASE("a life is the same, however often the process stops between two steps") {
  engine::ProgramPtr program = testing::program_of(kProgram);
  uint64_t seed = testing::test_seed();
  size_t restarts = 0;
  for (uint64_t round = 0; round < 12; ++round) {
    INFO("seed " << seed << " round " << round);
    testing::Random random(seed + round);
    std::vector<std::string> lines = stream(random);
    Outcome whole = live(program, lines, seed + round, 0);
    Outcome again = live(program, lines, seed + round, 0);
    Outcome stopped = live(program, lines, seed + round, 30);
    CHECK(whole.trace == again.trace);
    CHECK(whole.trace == stopped.trace);
    CHECK(whole.records == stopped.records);
    CHECK(whole.trace.find("\"status\":\"waiting\"") != std::string::npos);
    restarts += stopped.restarts;
  }
  CHECK(restarts > 100);
}

}  // namespace ensue
