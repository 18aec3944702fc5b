#include "engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fold.h"
#include "base/near_miss.h"
#include "engine/decision_json.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

using plan::Op;

bool is_test(Op op) {
  switch (op) {
    case Op::kCompare:
    case Op::kIsBlank:
    case Op::kOneOf:
    case Op::kBetween:
    case Op::kTruth:
    case Op::kChanged:
    case Op::kIsNew:
    case Op::kHas: return true;
    default: return false;
  }
}

// A condition taken apart: its tests, each a program of its own, and the control steps between
// them.
class Condition {
 public:
  explicit Condition(const plan::UnitPlan& unit) : unit_(unit) {
    uint32_t begin = unit.condition.begin;
    uint32_t depth = 0;
    for (uint32_t i = unit.condition.begin; i < unit.condition.end; ++i) {
      const plan::Step& step = unit.code.steps[i];
      plan::StackEffect effect = plan::stack_effect(step);
      depth = depth - effect.pops + effect.pushes;
      // Deeper tests belong to a value, as an argument of a function does.
      bool test = is_test(step.op) && depth == 1;
      if (test) tests_.push_back({begin, i + 1});
      bool control = step.op == Op::kNot || step.op == Op::kAndJump || step.op == Op::kOrJump;
      if (test || (control && depth <= 1)) begin = i + 1;
    }
  }

  const std::vector<plan::ProgramRange>& tests() const { return tests_; }

  // The condition's truth when its tests have these results.
  bool truth(const std::vector<bool>& results) const {
    std::vector<bool> stack;
    size_t next = 0;
    for (uint32_t i = unit_.condition.begin; i < unit_.condition.end; ++i) {
      while (next < tests_.size() && tests_[next].end <= i) ++next;
      if (next < tests_.size() && tests_[next].begin <= i) {
        stack.push_back(results[next]);
        i = tests_[next].end - 1;
        continue;
      }
      const plan::Step& step = unit_.code.steps[i];
      bool top = stack.back();
      switch (step.op) {
        case Op::kNot: stack.back() = !top; break;
        case Op::kAndJump:
        case Op::kOrJump:
          if (top == (step.op == Op::kOrJump)) {
            i = step.a - 1;
          } else {
            stack.pop_back();
          }
          break;
        default: break;
      }
    }
    return stack.empty() || stack.back();
  }

  // The smallest set of tests that, answered the other way, make the condition true; the first of
  // equals.
  std::vector<size_t> smallest_change(const std::vector<bool>& results) const {
    constexpr size_t kChangesMax = 4;
    std::vector<size_t> chosen;
    for (size_t size = 1; size <= std::min(kChangesMax, results.size()); ++size) {
      if (search(results, size, 0, chosen)) return chosen;
    }
    return {};
  }

 private:
  bool search(std::vector<bool> results, size_t left, size_t from,
              std::vector<size_t>& chosen) const {
    if (left == 0) return truth(results);
    for (size_t i = from; i + left <= results.size(); ++i) {
      results[i] = !results[i];
      chosen.push_back(i);
      if (search(results, left - 1, i + 1, chosen)) return true;
      chosen.pop_back();
      results[i] = !results[i];
    }
    return false;
  }

  const plan::UnitPlan& unit_;
  std::vector<plan::ProgramRange> tests_;
};

class OneTest final : public exec::Trace {
 public:
  void test(const exec::TestSeen& seen_now) override { seen = seen_now; }
  std::optional<exec::TestSeen> seen;
};

std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  return out;
}

class Explainer {
 public:
  Explainer(Runtime& runtime, uint32_t number, const std::string& record_name_given,
            std::optional<Instant> since)
      : runtime_(runtime),
        program_(runtime.program()),
        number_(number),
        unit_(*program_.units[number]),
        record_name_(record_name_given),
        since_(since) {}

  Result<Explanation> run() {
    out_.automation =
        fmt::format("{} \"{}\"{}", plan::unit_kind_name(unit_.kind), unit_.name,
                    unit_.author.empty() ? "" : fmt::format(" by \"{}\"", unit_.author));
    out_.record = record_name_;
    Status looked =
        runtime_.read([&](RecordBook& book, Matcher& matcher, StoreReader& reader) -> Status {
          if (Status kept = read_kept(reader); !kept) return kept;
          return match_again(book, matcher, reader);
        });
    if (!looked) return looked.error();
    tell();
    return std::move(out_);
  }

 private:
  Status read_kept(StoreReader& reader) {
    RunFilter filter;
    filter.automation = unit_.name;
    filter.record = record_name_;
    filter.since = since_;
    filter.newest_first = true;
    constexpr size_t kRunsMax = 10;
    Status runs = reader.visit_runs(filter, [&](const RunRow& row) {
      if (row.rule != unit_.rule) return true;
      ++out_.run_count;
      if (out_.runs.size() < kRunsMax) out_.runs.push_back(decision_of(row));
      if (!last_event_) last_event_ = row.event;
      return true;
    });
    if (!runs) return runs;
    if (!out_.runs.empty()) out_.decision = out_.runs.front();
    return reader.visit_verdicts(unit_.name, record_name_, [&](const VerdictRow& row) {
      bool wanted = row.rule == unit_.rule && (!since_ || row.at >= *since_);
      if (wanted)
        out_.verdicts.push_back(fmt::format("{}: {}", value::instant_text(row.at), row.verdict));
      return true;
    });
  }

  // The last change of the record, matched again.
  Status match_again(RecordBook& book, Matcher& matcher, StoreReader& reader) {
    size_t slash = record_name_.find('/');
    types::ObjectId object = program_.schema().find_object(record_name_.substr(0, slash));
    std::string id = record_name_.substr(slash + 1);
    Result<std::optional<RecordRow>> row = reader.record(program_.schema().object(object).name, id);
    if (!row) return row.error();
    if (!row->has_value()) {
      return {ErrorCode::kNotFound, fmt::format("there is no record {}", record_name_)};
    }
    RecordCodec codec(program_.schema(), program_.options.bounds);
    Result<LastChange> last = codec.decode_change(object, (*row)->last_change);
    if (!last) return last.error();
    types::RecordPtr image = book.image(object, id);
    if (image == nullptr)
      return {ErrorCode::kStoreDamaged, fmt::format("record {} cannot be read", record_name_)};
    change_ = change_from(*last, image);
    snapshot_ = last->kind == types::ChangeKind::kSnapshot;
    match_ = matcher.examine(number_, change_, change_.at);
    collect_questions(matcher);
    return {};
  }

  // ---- The questions, in the order they are asked ---------------------------------------------
  void ask(Stop stop, std::string question, std::string seen) {
    Finding finding;
    finding.question = std::move(question);
    finding.seen = std::move(seen);
    finding.asked = match_.stop == Stop::kNone || stop <= match_.stop;
    finding.passed = finding.asked && match_.stop != stop;
    out_.findings.push_back(std::move(finding));
  }

  std::string event_word() const {
    if (snapshot_) return "taken in as a snapshot, which starts nothing";
    switch (change_.kind) {
      case plan::kCreated: return "created";
      case plan::kDeleted: return "deleted";
      case plan::kUndeleted: return "undeleted";
      default: return "edited";
    }
  }

  std::string changed_fields() const {
    std::string out;
    const types::Object& object = program_.schema().object(change_.after->object);
    change_.changed.for_each(
        [&](types::FieldId field) { out += (out.empty() ? "" : ", ") + object.field(field).name; });
    return out.empty() ? "nothing changed" : "changed: " + out;
  }

  std::string watched_fields() const {
    std::string out;
    for (types::FieldId field : unit_.watched) {
      out += (out.empty() ? "" : ", ") + program_.schema().object(unit_.object).field(field).name;
    }
    return out;
  }

  void collect_questions(Matcher& matcher) {
    bool action = unit_.kind == plan::UnitKind::kAction;
    const types::Object& object =
        program_.schema().object(unit_.object ? unit_.object : change_.after->object);
    ask(Stop::kDraft, "it is not a draft", "");
    ask(Stop::kObject, fmt::format("the record is of {}", object.name), "");
    ask(Stop::kEvent, fmt::format("it watches records being {}", event_word()), event_word());
    if (action) {
      std::string owner = matcher.owner_of(*change_.after);
      std::string shown_owner = owner.empty() ? "no user" : owner;
      ask(Stop::kAuthor, fmt::format("its author \"{}\" is a user", unit_.author), "");
      ask(Stop::kNoOwner, "a user owns the record", shown_owner);
      if (unit_.scope == plan::Scope::kTeam) {
        ask(Stop::kTeam, fmt::format("the owner is in the team of {}", unit_.author),
            "owner " + shown_owner);
      } else {
        ask(Stop::kOwner, fmt::format("the owner is {}", unit_.author), "owner " + shown_owner);
      }
      if (object.name == "Lead")
        ask(Stop::kTerritory, "the lead is in the author's territory",
            match_.stop == Stop::kTerritory ? match_.subject : "");
      ask(Stop::kInactive, "it is active for that person", match_.person);
    }
    ask(Stop::kUnchanged, action ? "a field of the condition changed" : "something changed",
        changed_fields());
    if (!unit_.condition.empty()) collect_tests(matcher);
    if (unit_.guard == plan::Guard::kNewlyMeets)
      ask(Stop::kNotNewly, "the condition was false before the save", "");
  }

  std::string source_of(plan::SourceRange range) const {
    const source::SourceFile* file = program_.texts->find(*unit_.file);
    return file == nullptr ? std::string()
                           : one_line(file->text().substr(range.begin, range.end - range.begin));
  }

  std::string seen_text(const exec::TestSeen& seen, Op op) const {
    switch (op) {
      case Op::kChanged:
        return fmt::format("was {}, is {}", value::source_text(seen.left),
                           value::source_text(seen.right));
      case Op::kHas:
        return fmt::format("{} of {} records fit", value::plain_text(seen.left),
                           value::plain_text(seen.right));
      case Op::kIsNew: return seen.result ? "new" : "not new";
      default: return value::source_text(seen.left);
    }
  }

  void collect_tests(Matcher& matcher) {
    Condition condition(unit_);
    for (plan::ProgramRange test : condition.tests()) {
      exec::Input input;
      input.it = change_.after.get();
      input.before = change_.before.get();
      input.changed = &change_.changed;
      input.is_new = change_.is_new;
      input.me = match_.person;
      input.now = change_.at;
      OneTest trace;
      Result<bool> result =
          exec::holds(unit_.code, test, unit_.calendar.get(), input, matcher.environment(), &trace);
      Finding finding;
      finding.test = true;
      finding.passed = result && *result;
      finding.question = source_of(unit_.code.ranges[test.end - 1]);
      if (!result) {
        finding.seen = result.error().message;
      } else if (trace.seen) {
        finding.seen = seen_text(*trace.seen, unit_.code.steps[test.end - 1].op);
      }
      results_.push_back(finding.passed);
      out_.findings.push_back(std::move(finding));
    }
    smallest_ = condition.smallest_change(results_);
  }

  // ---- The answer -----------------------------------------------------------------------------
  void tell() {
    out_.basis =
        last_event_ && *last_event_ == change_.event
            ? "the run is kept; the tests are evaluated again from the stored images of that change"
            : fmt::format("the last change, at {}, is evaluated again from the stored images",
                          value::instant_text(change_.at));
    if (out_.decision && *last_event_ != change_.event)
      out_.basis = "the run is kept; " + out_.basis;
    if (out_.decision) {
      const Decision& last = *out_.decision;
      std::string at = value::instant_text(last.at);
      if (last.status == "executed") {
        out_.headline =
            fmt::format("it ran {}, last at {}, for {}", times(out_.run_count), at, last.user);
      } else if (last.limit) {
        out_.headline =
            fmt::format("it was {} at {}: {}", last.status, at, limit_text(*last.limit));
      } else {
        out_.headline = fmt::format("it was {} at {}{}", last.status, at,
                                    last.fault.empty() ? "" : ": " + last.fault);
      }
    } else {
      out_.headline = "it did not start: " + stop_sentence();
    }
    remedies();
  }

  static std::string times(uint64_t count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
  }

  static std::string limit_text(const LimitRecord& limit) {
    std::string whose = limit.scope == "user"  ? "user " + limit.key
                        : limit.scope == "org" ? "the org"
                                               : limit.key;
    return fmt::format("the limit on {} of {} is reached, {} of {}, until {}", limit.counter, whose,
                       limit.count, limit.max, value::instant_text(limit.resets_at));
  }

  std::string stop_sentence() const {
    switch (match_.stop) {
      case Stop::kNone:
        return snapshot_
                   ? "the record came as a snapshot, which starts nothing"
                   : "it would start on this change, but was not in force when the change came";
      case Stop::kDraft: return "it is a draft";
      case Stop::kObject: return "it watches another object";
      case Stop::kEvent: return fmt::format("it does not watch records being {}", event_word());
      case Stop::kAuthor: return fmt::format("there is no user \"{}\"", unit_.author);
      case Stop::kNoOwner: return "no user owns the record";
      case Stop::kOwner:
        return fmt::format("the record belongs to {}, not to {}", match_.subject, unit_.author);
      case Stop::kTeam:
        return fmt::format("{} is not in the team of {}", match_.subject, unit_.author);
      case Stop::kTerritory:
        return match_.subject.empty()
                   ? "the lead has no territory, and the author has one"
                   : fmt::format("the lead is in territory \"{}\", and the author is not",
                                 match_.subject);
      case Stop::kInactive: return fmt::format("it is switched off for {}", match_.person);
      case Stop::kUnchanged: return "the last edit changed none of the fields it looks at";
      case Stop::kCondition: return failing_tests();
      case Stop::kNotNewly: return "the condition was true before the save already";
      case Stop::kFault: return "its condition failed: " + match_.fault;
    }
    return "";
  }

  std::string failing_tests() const {
    for (size_t index : smallest_) {
      const Finding& test = nth_test(index);
      return fmt::format("`{}` is {} ({})", test.question, test.passed ? "true" : "false",
                         test.seen);
    }
    return "the condition is false";
  }

  const Finding& nth_test(size_t index) const {
    size_t seen = 0;
    for (const Finding& finding : out_.findings) {
      if (finding.test && seen++ == index) return finding;
    }
    return out_.findings.back();
  }

  void remedies() {
    if (out_.decision && out_.decision->limit) {
      const LimitRecord& limit = *out_.decision->limit;
      out_.remedies.push_back(
          fmt::format("a maximum of {} in place of {}, or the same change after {}", limit.max + 1,
                      limit.max, value::instant_text(limit.resets_at)));
      return;
    }
    if (out_.decision) return;
    const types::Object& object =
        program_.schema().object(unit_.object ? unit_.object : change_.after->object);
    switch (match_.stop) {
      case Stop::kDraft: out_.remedies.push_back("take `draft` out"); break;
      case Stop::kEvent:
        out_.remedies.push_back((unit_.events & plan::kEdited) != 0
                                    ? fmt::format("a {} that is created or edited", object.name)
                                    : fmt::format("a {} that is created", object.name));
        break;
      case Stop::kAuthor:
        out_.remedies.push_back(
            fmt::format("a user whose id, username or e-mail is \"{}\"", unit_.author));
        break;
      case Stop::kNoOwner: out_.remedies.push_back("an owner that is a user, not a queue"); break;
      case Stop::kOwner:
        out_.remedies.push_back(
            fmt::format("the owner {} in place of {}", unit_.author, match_.subject));
        break;
      case Stop::kTeam:
        out_.remedies.push_back(
            fmt::format("{} below {} in the manager hierarchy", match_.subject, unit_.author));
        break;
      case Stop::kTerritory:
        out_.remedies.push_back("the same SalesTerritory for the lead and the author");
        break;
      case Stop::kInactive:
        out_.remedies.push_back(fmt::format(
            "ensue activate \"{}\" --as {}", unit_.name,
            unit_.activation == plan::Activation::kCreator ? unit_.author : match_.person));
        break;
      case Stop::kUnchanged:
        out_.remedies.push_back(unit_.watched.empty()
                                    ? "a new record: without a condition an edit never starts it"
                                    : "an edit of one of: " + watched_fields());
        [[fallthrough]];
      case Stop::kCondition:
        for (size_t index : smallest_) {
          if (match_.stop == Stop::kUnchanged && !results_.empty() &&
              Condition(unit_).truth(results_))
            break;
          const Finding& test = nth_test(index);
          out_.remedies.push_back(
              test.passed ? fmt::format("`{}` no longer true; it saw {}", test.question, test.seen)
                          : fmt::format("`{}` true; it saw {}", test.question, test.seen));
        }
        break;
      case Stop::kNotNewly:
        out_.remedies.push_back("a save that makes the condition true where it was false");
        break;
      default: break;
    }
  }

  Runtime& runtime_;
  const Program& program_;
  uint32_t number_;
  const plan::UnitPlan& unit_;
  std::string record_name_;
  std::optional<Instant> since_;
  std::optional<Key128> last_event_;
  Change change_;
  bool snapshot_ = false;
  MatchResult match_;
  std::vector<bool> results_;
  std::vector<size_t> smallest_;
  Explanation out_;
};

}  // namespace

Result<Explanation> explain(Runtime& runtime, const std::string& automation,
                            const std::string& record, std::optional<Instant> since) {
  const Program& program = runtime.program();
  std::vector<std::string> names;
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < program.units.size(); ++i) {
    names.push_back(program.units[i]->name);
    if (base::equal_folded(program.units[i]->name, automation)) found.push_back(i);
  }
  if (found.empty()) {
    auto near = base::nearest(automation, names);
    return {ErrorCode::kNotFound,
            fmt::format("there is no automation \"{}\"{}", automation,
                        near ? fmt::format("; did you mean \"{}\"?", *near) : "")};
  }
  size_t slash = record.find('/');
  types::ObjectId object = slash == std::string::npos
                               ? types::ObjectId()
                               : program.schema().find_object(record.substr(0, slash));
  if (!object) {
    return {ErrorCode::kInvalidArgument,
            fmt::format("\"{}\" names no record; write Object/id, as in Lead/00Q1", record)};
  }
  std::string name = program.schema().object(object).name + record.substr(slash);
  // Several authors may share a name: the one whose records it is about, else the first.
  std::optional<Result<Explanation>> best;
  for (uint32_t number : found) {
    Result<Explanation> one = Explainer(runtime, number, name, since).run();
    if (!one) return one;
    bool owned = one->decision || one->headline.find("belongs to") == std::string::npos;
    if (!best || owned) best = std::move(one);
    if (owned) break;
  }
  return std::move(*best);
}

std::string Explanation::text() const {
  std::string out = fmt::format("{} and {}\n  {}\n", automation, record, headline);
  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.question.size());
  width = std::min<size_t>(width, 60);
  out += "\n";
  for (const Finding& finding : findings) {
    const char* mark = !finding.asked ? "·" : finding.passed ? "✓" : "✗";
    std::string question = finding.test ? "  " + finding.question : finding.question;
    out += finding.seen.empty()
               ? fmt::format("  {} {}\n", mark, question)
               : fmt::format("  {} {:<{}}  {}\n", mark, question, width + 2, finding.seen);
  }
  if (!remedies.empty()) {
    out += "\nthe smallest change that would have fired it\n";
    for (const std::string& remedy : remedies) out += "  " + remedy + "\n";
  }
  if (runs.size() > 1) {
    out += "\nruns, newest first\n";
    for (const Decision& run : runs) {
      out += fmt::format("  {}  {}  {}\n", value::instant_text(run.at), run.status, run.user);
    }
    if (run_count > runs.size()) out += fmt::format("  and {} more\n", run_count - runs.size());
  }
  if (!verdicts.empty()) {
    out += "\nkept verdicts\n";
    for (const std::string& verdict : verdicts) out += "  " + verdict + "\n";
  }
  return out + "\n(" + basis + ")\n";
}

std::string Explanation::json() const {
  nlohmann::ordered_json out{{"automation", automation},
                             {"record", record},
                             {"started", started()},
                             {"headline", headline}};
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    nlohmann::ordered_json row{
        {"question", finding.question}, {"test", finding.test}, {"seen", finding.seen}};
    row["passed"] =
        finding.asked ? nlohmann::ordered_json(finding.passed) : nlohmann::ordered_json(nullptr);
    rows.push_back(std::move(row));
  }
  out["findings"] = std::move(rows);
  out["remedies"] = remedies;
  nlohmann::ordered_json decisions = nlohmann::ordered_json::array();
  for (const Decision& run : runs) decisions.push_back(nlohmann::ordered_json::parse(run.json()));
  out["runs"] = std::move(decisions);
  out["verdicts"] = verdicts;
  out["basis"] = basis;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ensue::engine
