// End to end: events through the whole engine into a SQLite file, next to bare loops of prepared
// statements.
//
//   bench_end_to_end [--events N] [--rounds N] [--batch N] [--side SIDE]
//
// One event in ten executes an action: the engine next to a loop that writes the same rows in the
// same batches. Nothing matches: the engine next to a loop that writes the same copies of records
// in the same batches, and matching alone, from the bytes of an event to what it starts. What the
// loops write is recorded from the engine (recorded_writes.h), a statement for each row; the engine
// puts many records by one, and a loop that does so as well is shown beside it. The sides take
// turns batch by batch, each in a process of its own (lockstep.h); the ratios are of processor time.
#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "ensue/engine.h"
#include "fresh_engine.h"
#include "leads.h"
#include "lockstep.h"
#include "match/predicate_index.h"
#include "measure.h"
#include "recorded_writes.h"

namespace ensue::bench {
namespace {

struct Options {
  size_t events = 40'000;
  size_t rounds = 5;
  size_t batch = 500;
  std::string side;  // that this process is
};

// The streams: of how many events one executes an action; none does where it is 0.
constexpr size_t kTenth = 10;
constexpr size_t kNone = 0;

FreshEngine open_engine(const std::string& path) {
  return fresh_engine(path, lead_rules(), lead_users());
}

class EngineSide {
 public:
  EngineSide(const std::string& path, const Options& options, size_t part)
      : lines_(leads(options.events, part)), batch_(options.batch), opened_(open_engine(path)) {}

  void step(size_t batch) {
    rows_.clear();
    for (size_t i = batch * batch_; i < std::min((batch + 1) * batch_, lines_.size()); ++i)
      rows_.push_back({lines_[i], i + 1});
    Result<BatchReport> report = opened_.engine->submit("crm", rows_);
    if (!report) fail(report.error().message);
    executed_ += report->statuses["executed"];
  }

  void step_through() {
    for (size_t i = 0; i * batch_ < lines_.size(); ++i) step(i);
  }

  uint64_t executed() const { return executed_; }

 private:
  std::vector<std::string> lines_;
  size_t batch_;
  FreshEngine opened_;
  std::vector<InputLine> rows_;
  uint64_t executed_ = 0;
};

// What the engine writes.
Recording recorded(const std::string& path, const Options& options, size_t part) {
  Recorder recorder;
  EngineSide engine(path, options, part);
  recorder.start();
  engine.step_through();
  if (engine.executed() != (part == kNone ? 0 : (options.events + part - 1) / part))
    fail("other actions ran than should");
  return recorder.stop();
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

class MatchingSide {
 public:
  MatchingSide(const Options& options, size_t part) : batch_(options.batch) {
    for (const std::string& line : leads(options.events, part)) lines_.emplace_back(line);
  }
  void step(size_t batch) {
    for (size_t i = batch * batch_; i < std::min((batch + 1) * batch_, lines_.size()); ++i)
      found_ += matching_.match(lines_[i]);
  }
  size_t found() const { return found_; }

 private:
  Matching matching_;
  std::vector<simdjson::padded_string> lines_;
  size_t batch_;
  size_t found_ = 0;
};

// ---- The table --------------------------------------------------------------------------------

// Only the copies of records, in the commits they were in.
Recording copies_of_records(const Recording& all) {
  Recording out;
  out.statements = all.statements;
  for (const Write& write : all.writes) {
    const std::string& sql = all.sql(write);
    if (sql[0] == 'B' || sql[0] == 'C' || sql.rfind("INSERT OR FAIL INTO record ", 0) == 0)
      out.writes.push_back(write);
  }
  return out;
}

// One side in each round.
struct Rounds {
  std::vector<double> processor;
  std::vector<double> wall;
  void add(const Used& used) {
    processor.push_back(used.processor);
    wall.push_back(used.wall);
  }
};

struct Table {
  size_t events;
  void row(const std::string& name, const Rounds& side, size_t rows,
           const std::string& ratio) const {
    auto each = [&](const std::vector<double>& seconds) {
      return median(seconds) / static_cast<double>(events) * 1e6;
    };
    fmt::print(
        "  {:<50}{:>12.2f}{:>12.2f}{:>12}{:>8}\n", name, each(side.processor), each(side.wall),
        rows == 0 ? ""
                  : fmt::format("{:.2f}", static_cast<double>(rows) / static_cast<double>(events)),
        ratio);
  }
};

// Of each round; the median, and the least and the most.
std::string ratio(const Rounds& side, const std::vector<const Rounds*>& against) {
  std::vector<double> ratios;
  for (size_t i = 0; i < side.processor.size(); ++i) {
    double sum = 0;
    for (const Rounds* other : against) sum += other->processor[i];
    ratios.push_back(side.processor[i] / sum);
  }
  auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:8.2f}   {:.2f} to {:.2f}", median(ratios), *least, *most);
}

// What a side without an engine reads: the recorded writes, and an empty store of the same layout.
std::string path_of(const std::string& side) { return "side-" + side + ".db"; }
std::string recording_of(std::string_view side) {
  return std::string(side.substr(side.find('-') + 1)) + ".writes";
}

// The process of one side.
int run_side(const Options& options) {
  std::string path = path_of(options.side);
  size_t part = options.side.ends_with("tenth") ? kTenth : kNone;
  if (options.side == "matching") {
    MatchingSide side(options, kNone);
    work_in_step([&](size_t batch) { side.step(batch); });
  } else if (options.side.starts_with("engine")) {
    EngineSide side(path, options, part);
    work_in_step([&](size_t batch) { side.step(batch); });
  } else {
    Recording recording = Recording::load(recording_of(options.side));
    BareLoop loop(path, recording);
    work_in_step([&](size_t) { loop.next_commit(); });
    if (!loop.at_end()) fail("the bare loop has not written everything");
  }
  remove_store(path);
  return 0;
}

int run(const Options& options) {
  std::filesystem::path folder = std::filesystem::current_path() / "bench_end_to_end.tmp";
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  Recording all_rows = recorded("engine.db", options, kTenth).row_by_row();
  open_engine("bare.db");
  Side unmeasured;
  BareLoop("bare.db", all_rows).run(1, unmeasured);
  if (row_counts("engine.db") != row_counts("bare.db")) fail("the two have not written the same");
  Recording with_none = recorded("engine.db", options, kNone);
  Recording together = copies_of_records(with_none);
  Recording copies = together.row_by_row();
  size_t steps = (options.events + options.batch - 1) / options.batch;
  MatchingSide matched(options, kTenth);
  for (size_t i = 0; i < steps; ++i) matched.step(i);
  if (matched.found() != (options.events + kTenth - 1) / kTenth)
    fail("matching alone finds others");

  auto words = [&](const char* side) {
    return std::vector<std::string>{"--side",   side,
                                    "--events", std::to_string(options.events),
                                    "--batch",  std::to_string(options.batch)};
  };
  Rounds engine_tenth;
  Rounds bare_tenth;
  Rounds engine_none;
  Rounds bare_none;
  Rounds bare_together;
  Rounds matching;
  all_rows.save(recording_of("bare-tenth"));
  copies.save(recording_of("bare-none"));
  together.save(recording_of("bare-together"));
  for (size_t round = 0; round < options.rounds; ++round) {
    for (const char* side : {"bare-tenth", "bare-none", "bare-together"})
      open_engine(path_of(side));  // and closed
    std::vector<Used> tenth = take_turns({words("engine-tenth"), words("bare-tenth")}, steps);
    engine_tenth.add(tenth[0]);
    bare_tenth.add(tenth[1]);
    std::vector<Used> none = take_turns(
        {words("engine-none"), words("bare-none"), words("matching"), words("bare-together")},
        steps);
    engine_none.add(none[0]);
    bare_none.add(none[1]);
    matching.add(none[2]);
    bare_together.add(none[3]);
  }
  size_t bytes = 0;
  for (const std::string& line : leads(options.events, kNone)) bytes += line.size();
  fmt::print(
      "End to end: {} events of {} bytes, {} automations, {} events a commit; {} rounds, sides in "
      "turn batch by batch, medians;\nSQLite {} in WAL mode, synchronous = FULL\n\n",
      options.events, bytes / options.events, kUsers * kActionsOfUser, options.batch,
      options.rounds, sqlite3_libversion());
  fmt::print("  {:<50}{:>12}{:>12}{:>12}{:>8}\n", "us an event", "processor", "wall", "rows",
             "ratio");
  Table table{options.events};
  fmt::print("  one event in ten executes an action\n");
  table.row("bare SQLite loop, the same rows", bare_tenth, all_rows.rows(), "");
  table.row("Engine::submit", engine_tenth, all_rows.rows(), ratio(engine_tenth, {&bare_tenth}));
  fmt::print("  nothing matches\n");
  table.row("matching alone, from JSON", matching, 0, "");
  table.row("bare SQLite loop, the copies of records", bare_none, copies.rows(), "");
  table.row("Engine::submit", engine_none, with_none.row_by_row().rows(),
            ratio(engine_none, {&bare_none, &matching}));
  table.row("bare SQLite loop, by the engine's own statements", bare_together, copies.rows(), "");
  fmt::print("\n  ratio: processor time against the rows above it, of the rounds\n\n");
  std::filesystem::current_path(folder.parent_path());
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
  app.add_option("--side", options.side, "The side this process is, told by another what to do")
      ->check(CLI::IsMember(
          {"engine-tenth", "bare-tenth", "engine-none", "bare-none", "bare-together", "matching"}));
  CLI11_PARSE(app, count, words);
  return options.side.empty() ? ensue::bench::run(options) : ensue::bench::run_side(options);
}
