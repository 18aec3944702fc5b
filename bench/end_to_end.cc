// End to end: events through the whole engine into a SQLite file, next to bare loops of prepared
// statements.
//
//   bench_end_to_end [--events N] [--rounds N] [--batch N]
//
// One event in ten executes an action: the engine next to a loop that writes the same rows in the
// same batches. Nothing matches: the engine next to a loop that writes the same copies of records
// in the same batches, and matching alone, from the bytes of an event to what it starts. What the
// loops write is recorded from the engine (recorded_writes.h). The sides run in turn; the ratios
// are of processor time.
#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "ensue/engine.h"
#include "fresh_engine.h"
#include "leads.h"
#include "match/predicate_index.h"
#include "measure.h"
#include "recorded_writes.h"

namespace ensue::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

struct Options {
  size_t events = 40'000;
  size_t rounds = 5;
  size_t batch = 500;
};

FreshEngine open_engine(const std::string& path) {
  return fresh_engine(path, lead_rules(), lead_users());
}

// The number of runs that were executed.
uint64_t through_engine(const std::string& path, const std::vector<std::string>& lines,
                        size_t batch, Side& side, Recorder* recorder = nullptr) {
  FreshEngine opened = open_engine(path);
  if (recorder != nullptr) recorder->start();
  uint64_t executed = 0;
  auto begin = SteadyClock::now();
  double processor = processor_seconds();
  std::vector<InputLine> rows;
  for (size_t i = 0; i < lines.size(); i += batch) {
    rows.clear();
    for (size_t k = i; k < std::min(i + batch, lines.size()); ++k)
      rows.push_back({lines[k], k + 1});
    Result<BatchReport> report = opened.engine->submit("crm", rows);
    if (!report) fail(report.error().message);
    executed += report->statuses["executed"];
  }
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  side.processor.push_back(processor_seconds() - processor);
  return executed;
}

// ---- Matching alone ---------------------------------------------------------------------------

// From the bytes of a lead to the actions it starts: what the index needs is read, nothing is kept.
class Matching {
 public:
  Matching() {
    program_ = load_rules(lead_rules());
    const types::Schema& schema = program_->schema();
    lead_ = schema.find_object("Lead");
    index_.emplace(schema, Bounds{}.run_steps_max);
    for (uint32_t i = 0; i < program_->units.size(); ++i) {
      const plan::UnitPlan& unit = *program_->units[i];
      if (unit.kind != plan::UnitKind::kAction) continue;
      match::PredicateIndex::RuleInput rule;
      uint32_t author = static_cast<uint32_t>(std::stoul(unit.author.substr(1)));
      rule.scope = {unit.object, match::ScopeKind::kOwn, author};
      rule.events = unit.events;
      rule.code = &unit.code;
      rule.condition = unit.condition;
      rule.watches = true;
      rule.watched = &unit.watched;
      index_->put(i, rule);
    }
    snapshot_ = index_->publish();
    const types::Object& object = schema.object(lead_);
    for (size_t i = 0; i < object.fields.size(); ++i) {
      types::FieldId field(i);
      uint8_t slot = snapshot_->layout(lead_).find(field);
      if (slot == match::Layout::kNoSlot) continue;
      bool number = object.field(field).type.is(types::TypeKind::kNumber);
      slots_.emplace(object.field(field).stored_as, Slot{slot, number});
    }
  }

  size_t match(const simdjson::padded_string& line) {
    simdjson::ondemand::document document = parser_.iterate(line);
    image_.begin(snapshot_->layout(lead_), plan::kCreated, true);
    uint32_t owner = 0;
    for (auto member : document["set"].get_object()) {
      std::string_view name = member.unescaped_key();
      if (name == "OwnerId") {
        std::string_view id = member.value();
        owner = static_cast<uint32_t>((id[4] - '0') * 100 + (id[5] - '0') * 10 + (id[6] - '0'));
        continue;
      }
      auto found = slots_.find(name);
      if (found == slots_.end()) continue;
      if (found->second.number) {
        image_.set_key(found->second.slot, match::decimal_key({member.value().get_int64(), 0}));
      } else {
        image_.set_text(found->second.slot, snapshot_->layout(lead_), snapshot_->vocabulary(),
                        member.value().get_string());
      }
    }
    snapshot_->match(lead_, {&owner, 1}, {}, image_, found_);
    return found_.size();
  }

 private:
  struct Slot {
    uint8_t slot = 0;
    bool number = false;
  };
  engine::ProgramPtr program_;
  types::ObjectId lead_;
  std::optional<match::PredicateIndex> index_;
  match::SnapshotPtr snapshot_;
  std::unordered_map<std::string_view, Slot> slots_;
  simdjson::ondemand::parser parser_;
  match::EventImage image_;
  std::vector<uint32_t> found_;
};

size_t matching_alone(const std::vector<std::string>& lines, Side& side) {
  Matching matching;
  std::vector<simdjson::padded_string> padded(lines.begin(), lines.end());
  size_t found = 0;
  auto begin = SteadyClock::now();
  double processor = processor_seconds();
  for (const simdjson::padded_string& line : padded) found += matching.match(line);
  side.seconds.push_back(Seconds(SteadyClock::now() - begin).count());
  side.processor.push_back(processor_seconds() - processor);
  return found;
}

// ---- The table --------------------------------------------------------------------------------

// Only the copies of records, in the commits they were in.
Recording copies_of_records(const Recording& all) {
  Recording out;
  out.statements = all.statements;
  for (const Write& write : all.writes) {
    const std::string& sql = all.sql(write);
    if (sql[0] == 'B' || sql[0] == 'C' || sql.rfind("INSERT INTO record ", 0) == 0)
      out.writes.push_back(write);
  }
  return out;
}

struct Table {
  size_t events;
  void row(const std::string& name, const Side& side, size_t rows, const std::string& ratio) const {
    auto each = [&](const std::vector<double>& seconds) {
      return median(seconds) / static_cast<double>(events) * 1e6;
    };
    fmt::print(
        "  {:<44}{:>12.2f}{:>12.2f}{:>12}{:>10}\n", name, each(side.processor), each(side.seconds),
        rows == 0 ? ""
                  : fmt::format("{:.2f}", static_cast<double>(rows) / static_cast<double>(events)),
        ratio);
  }
};

// Of each round; the median.
std::string ratio(const Side& side, const std::vector<const Side*>& against) {
  std::vector<double> ratios;
  for (size_t i = 0; i < side.processor.size(); ++i) {
    double sum = 0;
    for (const Side* other : against) sum += other->processor[i];
    ratios.push_back(side.processor[i] / sum);
  }
  return fmt::format("{:.2f}", median(ratios));
}

int run(const Options& options) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_end_to_end.tmp";
  std::filesystem::create_directories(folder);
  std::string engine_path = folder / "engine.db";
  std::string bare_path = folder / "bare.db";
  auto recorded = [&](const std::vector<std::string>& lines, uint64_t executed) {
    Recorder recorder;
    Side unmeasured;
    if (through_engine(engine_path, lines, options.batch, unmeasured, &recorder) != executed)
      fail("other actions ran than should");
    return recorder.stop();
  };
  auto bare = [&](const Recording& recording, Side& side) {
    open_engine(bare_path);  // and closed: an empty store of the same layout
    BareLoop(bare_path, recording).run(1, side);
  };
  std::vector<std::string> tenth = leads(options.events, 10);
  std::vector<std::string> none = leads(options.events, 0);
  size_t bytes = 0;
  for (const std::string& line : none) bytes += line.size();
  Recording all_rows = recorded(tenth, (options.events + 9) / 10);
  Side unmeasured;
  bare(all_rows, unmeasured);
  if (row_counts(engine_path) != row_counts(bare_path)) fail("the two have not written the same");
  Recording with_none = recorded(none, 0);
  Recording copies = copies_of_records(with_none);
  if (matching_alone(tenth, unmeasured) != (options.events + 9) / 10)
    fail("matching alone finds others");

  Side engine_tenth;
  Side bare_tenth;
  Side engine_none;
  Side bare_none;
  Side matching;
  for (size_t round = 0; round < options.rounds; ++round) {
    if (round % 2 == 0) bare(all_rows, bare_tenth);
    through_engine(engine_path, tenth, options.batch, engine_tenth);
    if (round % 2 == 1) bare(all_rows, bare_tenth);
    matching_alone(none, matching);
    if (round % 2 == 0) bare(copies, bare_none);
    through_engine(engine_path, none, options.batch, engine_none);
    if (round % 2 == 1) bare(copies, bare_none);
  }
  fmt::print(
      "End to end: {} events of {} bytes, {} automations, {} events a commit; {} rounds in turn, "
      "medians;\nSQLite {} in WAL mode, synchronous = FULL\n\n",
      options.events, bytes / none.size(), kUsers * kActionsOfUser, options.batch, options.rounds,
      sqlite3_libversion());
  fmt::print("  {:<44}{:>12}{:>12}{:>12}{:>10}\n", "us an event", "processor", "wall", "rows",
             "ratio");
  Table table{options.events};
  fmt::print("  one event in ten executes an action\n");
  table.row("bare SQLite loop, the same rows", bare_tenth, all_rows.rows(), "");
  table.row("Engine::submit", engine_tenth, all_rows.rows(), ratio(engine_tenth, {&bare_tenth}));
  fmt::print("  nothing matches\n");
  table.row("matching alone, from JSON", matching, 0, "");
  table.row("bare SQLite loop, the copies of records", bare_none, copies.rows(), "");
  table.row("Engine::submit", engine_none, with_none.rows(),
            ratio(engine_none, {&bare_none, &matching}));
  fmt::print("\n  ratio: processor time against the rows above it, median of the rounds\n\n");
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  ensue::bench::Options options;
  CLI::App app("The whole engine next to bare loops", "bench_end_to_end");
  app.add_option("--events", options.events)
      ->check(CLI::Range(10, 1'000'000))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--batch", options.batch)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, count, words);
  return ensue::bench::run(options);
}
