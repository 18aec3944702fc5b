// The same events give the same output: into a fresh store, byte for byte; with lines delivered
// twice or the stream cut into batches elsewhere, the same decisions, totals and counters. And no
// counter ever stands above its maximum.
#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "support/conditions.h"
#include "support/files.h"
#include "support/native_lines.h"
#include "support/programs.h"
#include "support/random.h"
#include "support/reference/evaluator.h"
#include "support/worlds.h"

namespace ensue::testing {
namespace {

constexpr const char* kCadences = R"(
cadence "One"
  track main
    step "Call" immediately: call
end
cadence "Two"
  track main
    step "Mail" after 2 days: manual email
end
)";

std::string random_program(const types::Schema& schema, Random& random, bool defers) {
  ConditionOptions options = ConditionOptions::plain_test(1);
  std::string policy = defers ? "defer" : random.word({"drop", "remind", "fail"});
  std::string out = kCadences;
  out += "limits \"Small\"\n  each user: at most " + std::to_string(random.between(1, 5)) +
         " action executions per day\n  whole org: at most " +
         std::to_string(random.between(3, 12)) +
         " action executions per day\n  each user: at most 3 action executions per 10 seconds\n  "
         "when reached " +
         policy + "\nend\n";
  for (size_t i = 0; i < 16; ++i) {
    std::string object = random.word({"Lead", "Contact"});
    std::string condition =
        ConditionWriter(schema, random, options).condition(schema.find_object(object)).written() +
        (random.chance(60) ? " or DoNotCall is false" : "");
    out += "action \"A" + std::to_string(i) + "\" by \"" + random.word({"ana", "bob", "mona"}) +
           "\"\n  when " + object + " is created or edited\n  for " +
           random.word({"my records", "records of my team"}) + "\n  if " + condition + "\n  then " +
           random.word({"add it to cadence \"One\"", "add it to cadence \"Two\", assigned to me",
                        "remove it from all cadences", "pause it in all cadences",
                        "resume it in cadence \"One\"", "change assignee of it to user \"bob\"",
                        "remind me, expiring after 1 day to add it to cadence \"One\""}) +
           "\nend\n";
  }
  return out;
}

std::vector<std::string> random_stream(const types::Schema& schema, Random& random, size_t events) {
  WorldMaker maker(schema, random);
  std::vector<std::string> out;
  reference::World world = maker.world({"User", "Account"});
  int64_t at = kWorldNow.ms;
  for (const auto& [key, record] : world.records) {
    out.push_back(
        native_line(schema, "s" + std::to_string(out.size()), "snapshot", {at}, nullptr, *record));
  }
  for (size_t i = 0; i < events; ++i) {
    types::ObjectId object = schema.find_object(random.word({"Lead", "Contact"}));
    const std::string id = random.pick(ids_of(schema.object(object)));
    types::RecordPtr known = world.find(object, id);
    bool create = known == nullptr;
    types::Record after = create ? maker.record(object, id, 30) : maker.edited(*known, 6);
    after.deleted = !create && random.chance(5);
    at += random.chance(70) ? random.between(0, 4'000) : random.between(0, 20) * 3'600'000;
    std::string kind = create ? "create" : after.deleted ? "delete" : "update";
    out.push_back(native_line(schema, "e" + std::to_string(i), kind, {at}, known.get(), after));
    if (random.chance(3)) out.push_back("{\"id\":\"bad\"");
    world.put(std::move(after));
  }
  return out;
}

// What a stream came to: decisions in order, totals, counters.
struct Outcome {
  std::string decisions;
  std::string totals;
  std::string counters;
  uint64_t duplicates = 0;
  size_t executed = 0;
  size_t limited = 0;
};

class Player {
 public:
  explicit Player(const engine::ProgramPtr& program) : bench_(program) {}

  void send(const std::vector<std::string>& lines) {
    BatchReport report = bench_.send(lines);
    out_.decisions += decisions_text(report);
    out_.duplicates += report.duplicates;
    for (const Decision& decision : report.decisions) {
      out_.executed += decision.status == "executed" ? 1 : 0;
      out_.limited += decision.limit ? 1 : 0;
    }
    check_counters();
  }

  Outcome outcome() {
    look([&](StoreReader& reader) {
      for (const char* name :
           {"events", "executed", "suppressed", "failed", "reminded", "deferred"}) {
        Result<int64_t> total = reader.total(name);
        REQUIRE(total);
        out_.totals += std::string(name) + " " + std::to_string(*total) + "\n";
      }
      Status seen = reader.visit_counters([&](const CounterRow& row) {
        out_.counters += row.scope + " " + row.key + " " + row.counter + " " + row.window + ": " +
                         std::to_string(row.used) + "\n";
        return true;
      });
      REQUIRE(seen);
    });
    return out_;
  }

 private:
  template <class Look>
  void look(Look visit) {
    Status read = bench_.runtime().store().read([&](StoreReader& reader) -> Status {
      visit(reader);
      return {};
    });
    REQUIRE(read);
  }
  void check_counters() {
    look([&](StoreReader& reader) {
      Status seen = reader.visit_counters([&](const CounterRow& row) {
        INFO(row.scope << " " << row.key << " " << row.counter << " " << row.window);
        CHECK(row.used <= row.max);
        return true;
      });
      REQUIRE(seen);
    });
  }

  Bench bench_;
  Outcome out_;
};

Outcome played(const engine::ProgramPtr& program, const std::vector<std::string>& lines,
               size_t batch) {
  Player player(program);
  for (size_t at = 0; at < lines.size(); at += batch) {
    size_t end = std::min(lines.size(), at + batch);
    player.send({lines.begin() + static_cast<std::ptrdiff_t>(at),
                 lines.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  return player.outcome();
}

// Batches of any size, and every so often a line that has been sent before.
Outcome played_untidily(const engine::ProgramPtr& program, const std::vector<std::string>& lines,
                        Random& random) {
  Player player(program);
  std::vector<std::string> batch;
  for (size_t i = 0; i < lines.size(); ++i) {
    batch.push_back(lines[i]);
    if (random.chance(20)) batch.push_back(lines[random.below(i + 1)]);
    if (random.chance(15)) {
      player.send(batch);
      batch.clear();
    }
  }
  if (!batch.empty()) player.send(batch);
  return player.outcome();
}

std::string lines_around(const std::string& a, const std::string& b) {
  std::vector<std::string> x = lines_of(a);
  std::vector<std::string> y = lines_of(b);
  for (size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    std::string left = i < x.size() ? x[i] : "(nothing)";
    std::string right = i < y.size() ? y[i] : "(nothing)";
    if (left != right) return "line " + std::to_string(i + 1) + ":\n" + left + "\n" + right;
  }
  return "no difference";
}

void compare(const Outcome& a, const Outcome& b) {
  if (a.decisions != b.decisions)
    FAIL_CHECK("decisions differ at " << lines_around(a.decisions, b.decisions));
  CHECK(a.totals == b.totals);
  CHECK(a.counters == b.counters);
}

}  // namespace

TEST_CASE("the same events give the same output") {
  Random random(test_seed());
  engine::ProgramPtr library = program_of("");
  size_t executed = 0;
  size_t limited = 0;
  for (uint64_t round = 0; round < 8 * test_effort(); ++round) {
    uint64_t seed = random.fork();
    Random part(seed);
    engine::ProgramPtr program =
        program_of(random_program(library->schema(), part, round % 4 == 0));
    std::vector<std::string> lines = random_stream(library->schema(), part, 150);
    INFO("ENSUE_SEED=" << test_seed() << ", round " << seed);
    Outcome once = played(program, lines, lines.size());
    compare(once, played(program, lines, lines.size()));
    compare(once, played(program, lines, 1));
    Outcome untidy = played_untidily(program, lines, part);
    compare(once, untidy);
    CHECK(untidy.duplicates > once.duplicates);
    executed += once.executed;
    limited += once.limited;
  }
  INFO(executed << " executed, " << limited << " met a limit");
  CHECK(executed > 20);
  CHECK(limited > 0);
}

}  // namespace ensue::testing
