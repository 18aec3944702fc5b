// What a test expects. Each expectation gives the sentence of its failure, or nothing.
#include <fmt/format.h>

#include <algorithm>

#include "base/fold.h"
#include "engine/scenario.h"
#include "exec/evaluator.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {

using syntax::NodeId;
using syntax::NodeKind;
namespace ast = syntax::ast;

namespace {

std::string times(int64_t count) { return count == 1 ? "once" : fmt::format("{} times", count); }
std::string counted(int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

Scenario::Outcome Scenario::expect(NodeId id) {
  ast::ExpectStmt stmt(*tree_, id);
  Result<std::string> failure = check_expectation(stmt.expectation(), stmt.op() == 1);
  if (!failure) return failure.error();
  if (failure->empty()) return std::optional<Failure>();
  return std::optional(Failure{tree_->span(id), *failure});
}

Result<std::string> Scenario::check_expectation(NodeId id, bool negated) {
  switch (tree_->kind(id)) {
    case NodeKind::kExpectAutomation: return expect_automation(id, negated);
    case NodeKind::kExpectCharged: return expect_charged(id, negated);
    case NodeKind::kExpectHas: return expect_has(id, negated);
    case NodeKind::kExpectRecords: return expect_records(id, negated);
    case NodeKind::kExpectInCadence: return expect_in_cadence(id, negated);
    case NodeKind::kExpectLeft: return expect_left(id, negated);
    case NodeKind::kExpectReminder: return expect_reminder(id, negated);
    case NodeKind::kExpectFault: return expect_fault(id, negated);
    case NodeKind::kExpectEmail: return expect_email(id, negated);
    case NodeKind::kExpectCall: return expect_call(id, negated);
    default: return std::string("this version does not check this expectation");
  }
}

Result<std::string> Scenario::expect_automation(NodeId id, bool negated) {
  ast::ExpectAutomation expected(*tree_, id);
  bool flow = (expected.op() & syntax::kOutcomeOfFlow) != 0;
  uint8_t outcome = expected.op() & 15;
  std::string name = text(expected.name());
  std::string author = text(expected.author());
  std::string wanted_branch = text(expected.branch());
  int64_t took = 0;
  std::map<std::string, int64_t> branches;
  std::map<std::string, int64_t> statuses;
  std::map<std::string, int64_t> suppressed_by;
  for (const Decision& decision : decisions_) {
    bool same = (flow ? decision.kind != "action" : decision.kind == "action") &&
                base::equal_folded(decision.automation, name) &&
                (author.empty() || base::equal_folded(decision.author, author));
    if (!same) continue;
    for (const std::string& branch : decision.branches) {
      ++branches[branch];
      if (base::equal_folded(branch, wanted_branch)) ++took;
    }
    // What a run did after it waited is a part of the same run.
    if (decision.part != 0) continue;
    bool refused = decision.status == "failed" && decision.limit;  // `when reached fail`
    ++statuses[refused ? "suppressed" : decision.status];
    if (decision.limit && (decision.status == "suppressed" || refused))
      ++suppressed_by[decision.limit->scope];
  }
  std::string what = fmt::format("{} \"{}\"", flow ? "flow" : "action", name);
  // Runs let through: without those suppressed, put off or only offered.
  int64_t ran = statuses["executed"] + statuses["failed"] + statuses["waiting"];
  std::string others;
  for (const char* status : {"reminded", "suppressed", "deferred", "failed"}) {
    if (statuses[status] > 0) others += fmt::format("; {} {}", times(statuses[status]), status);
  }
  switch (outcome) {
    case syntax::kOutcomeTook: {
      if ((took > 0) != negated) return std::string();
      std::string seen;
      for (const auto& [branch, count] : branches)
        seen += fmt::format("{}\"{}\" {}", seen.empty() ? "" : ", ", branch, times(count));
      return negated ? fmt::format("{} took branch \"{}\" {}", what, wanted_branch, times(took))
             : seen.empty() ? fmt::format("{} took no branch; it ran {}", what,
                                          ran == 0 ? "never" : times(ran))
                            : fmt::format("{} never took branch \"{}\"; it took {}", what,
                                          wanted_branch, seen);
    }
    case syntax::kOutcomeStarted:
    case syntax::kOutcomeRan: {
      if (expected.count().valid()) {
        Result<int64_t> wanted = count(expected.count());
        if (!wanted) return wanted.error().message;
        bool fits = ran == *wanted;
        if (fits != negated) return std::string();
        return fmt::format("{} ran {}{}, {} expected", what, ran == 0 ? "never" : times(ran),
                           others, negated ? "not " + times(*wanted) : times(*wanted));
      }
      if ((ran > 0) != negated) return std::string();
      return negated ? fmt::format("{} ran {}", what, times(ran))
                     : fmt::format("{} never ran{}", what, others);
    }
    default: {
      int64_t suppressed = outcome == syntax::kOutcomeSuppressedByUser  ? suppressed_by["user"]
                           : outcome == syntax::kOutcomeSuppressedByOrg ? suppressed_by["org"]
                                                                        : statuses["suppressed"];
      if ((suppressed > 0) != negated) return std::string();
      std::string by = outcome == syntax::kOutcomeSuppressedByUser  ? " on each user"
                       : outcome == syntax::kOutcomeSuppressedByOrg ? " on the whole org"
                                                                    : "";
      return negated ? fmt::format("{} was suppressed by a limit{} {}", what, by, times(suppressed))
                     : fmt::format("{} was not suppressed by a limit{}; it ran {}{}", what, by,
                                   ran == 0 ? "never" : times(ran), others);
    }
  }
}

Result<std::string> Scenario::expect_charged(NodeId id, bool negated) {
  ast::ExpectCharged expected(*tree_, id);
  Result<int64_t> wanted = count(expected.count());
  if (!wanted) return wanted.error().message;
  std::string person = runtime_->directory().user_named(text(expected.person()));
  std::string day = value::date_text(runtime_->ledger().day_of(runtime_->now()));
  int64_t used = 0;
  Status looked = runtime_->store().read([&](StoreReader& reader) {
    return reader.visit_counters([&](const CounterRow& row) {
      bool theirs = row.scope == "user" && row.key == person &&
                    row.counter == "action executions" && row.window == day;
      if (theirs) used = row.used;
      return true;
    });
  });
  if (!looked) return looked.error();
  if ((used == *wanted) != negated) return std::string();
  return fmt::format("{} charged to \"{}\" on {}, {}{} expected",
                     used == 1 ? "1 execution is" : fmt::format("{} executions are", used),
                     text(expected.person()), day, negated ? "not " : "", *wanted);
}

Result<bool> Scenario::record_fits(const types::Record& record, NodeId condition) {
  lower::Calendars calendars(*module_);
  lower::ExprPlan plan = lower::lower_expression(*module_, {file_, condition}, true, calendars);
  Result<bool> out = false;
  Status looked = runtime_->read([&](RecordBook&, Matcher& matcher, StoreReader&) -> Status {
    exec::Input input;
    input.searched = &record;
    input.it = &record;
    input.now = runtime_->now();
    input.locals = columns_;
    out = exec::holds(plan.code, plan.program, plan.calendar.get(), input, matcher.environment());
    return {};
  });
  if (!looked) return looked.error();
  return out;
}

Result<std::string> Scenario::expect_has(NodeId id, bool negated) {
  ast::ExpectHas expected(*tree_, id);
  auto object = object_of(text(expected.id()));
  if (!object) return fmt::format("there is no record \"{}\"", text(expected.id()));
  types::RecordPtr record;
  Status looked = runtime_->read([&](RecordBook& book, Matcher&, StoreReader&) -> Status {
    record = book.find(*object, text(expected.id()));
    return {};
  });
  if (!looked) return looked.error();
  if (record == nullptr)
    return negated ? std::string() : fmt::format("\"{}\" is deleted", text(expected.id()));
  Result<bool> fits = record_fits(*record, expected.condition());
  if (!fits) return fits.error().message;
  if (*fits != negated) return std::string();
  // Tell what the record holds in the fields the condition names.
  std::string seen;
  const check::Facts& facts = module_->file(file_).facts;
  std::vector<NodeId> stack{expected.condition()};
  while (!stack.empty()) {
    NodeId node = stack.back();
    stack.pop_back();
    const check::Fact& fact = facts.of(node);
    if (fact.binding == check::Binding::kPath &&
        facts.paths[fact.index].base == check::PathBase::kSearched &&
        facts.paths[fact.index].hops.size() == 1) {
      const types::FieldRef& field = facts.paths[fact.index].hops[0].fields[0];
      std::string row = fmt::format("{} is {}", module_->schema.field(field).name,
                                    value::source_text(record->raw(field.field)));
      if (seen.find(row) == std::string::npos) seen = row + (seen.empty() ? "" : ", ") + seen;
    }
    for (NodeId child : tree_->children(node)) {
      if (child.valid()) stack.push_back(child);
    }
  }
  return fmt::format("\"{}\" {}: {}", text(expected.id()), negated ? "does fit" : "does not fit",
                     seen);
}

Result<std::string> Scenario::expect_records(NodeId id, bool negated) {
  ast::ExpectRecords expected(*tree_, id);
  types::ObjectId object = module_->schema.find_object_spoken(text(expected.object()));
  const std::string& name = module_->schema.object(object).name;
  std::vector<types::RecordPtr> records;
  Status looked = runtime_->read([&](RecordBook& book, Matcher&, StoreReader& reader) -> Status {
    std::vector<std::string> ids;
    Status visited = reader.visit_records(name, [&](const RecordRow& row) {
      if (!row.deleted) ids.push_back(row.id);
      return true;
    });
    if (!visited) return visited;
    for (const std::string& record : ids) records.push_back(book.find(object, record));
    return {};
  });
  if (!looked) return looked.error();
  int64_t found = 0;
  for (const types::RecordPtr& record : records) {
    Result<bool> fits = record_fits(*record, expected.condition());
    if (!fits) return fits.error().message;
    found += *fits ? 1 : 0;
  }
  if (expected.count().valid()) {
    Result<int64_t> wanted = count(expected.count());
    if (!wanted) return wanted.error().message;
    if ((found == *wanted) != negated) return std::string();
    return fmt::format("{} of {} there, {}{} expected", counted(found, "record"), name,
                       negated ? "not " : "", *wanted);
  }
  if ((found > 0) != negated) return std::string();
  return negated ? fmt::format("{} of {} there", counted(found, "such record"), name)
                 : fmt::format("there is no such {} among {}", name,
                               counted(static_cast<int64_t>(records.size()), "record"));
}

Result<std::vector<Scenario::TrackerSeen>> Scenario::trackers_of(const std::string& target) {
  types::ObjectId object = module_->schema.find_object("ActionCadenceTracker");
  const types::Object& shape = module_->schema.object(object);
  std::vector<TrackerSeen> out;
  Status looked = runtime_->read([&](RecordBook& book, Matcher&, StoreReader&) -> Status {
    auto ids = book.referring(object, shape.find_stored("TargetId"), target, 10'000);
    if (!ids) return ids.error();
    for (const std::string& id : *ids) {
      types::RecordPtr record = book.find(object, id);
      if (record == nullptr) continue;
      auto field = [&](const char* name) {
        return std::string(record->raw(shape.find_stored(name)).as_text());
      };
      TrackerSeen row{field("CadenceName"),  field("State"),
                      field("CurrentTrack"), field("CurrentStepTitle"),
                      field("OwnerId"),      field("CompletionDisposition"),
                      std::nullopt};
      const Value& due = record->raw(shape.find_stored("CurrentStepDueDate"));
      if (due.is(Value::Kind::kDatetime)) row.due = due.as_instant();
      out.push_back(std::move(row));
    }
    return {};
  });
  if (!looked) return looked.error();
  return out;
}

Result<std::string> Scenario::expect_in_cadence(NodeId id, bool negated_by_no) {
  ast::ExpectInCadence expected(*tree_, id);
  bool negated = negated_by_no != (expected.op() == 1);
  Result<std::vector<TrackerSeen>> trackers = trackers_of(text(expected.id()));
  if (!trackers) return trackers.error();
  std::optional<Instant> due;
  if (expected.due().valid()) {
    Result<Instant> at = instant(expected.due());
    if (!at) return at.error().message;
    due = *at;
  }
  std::string assignee = expected.assignee().valid()
                             ? runtime_->directory().user_named(text(expected.assignee()))
                             : "";
  std::string seen;
  bool found = false;
  for (const TrackerSeen& row : *trackers) {
    if (row.state != "Active" && row.state != "Paused") continue;
    std::string due_text = row.due ? ", due " + value::instant_text(*row.due) : "";
    seen += fmt::format("{}\"{}\"{}{}, assigned to {}{}", seen.empty() ? "" : "; ", row.cadence,
                        row.track.empty() ? "" : " on track " + row.track,
                        row.step.empty() ? "" : " at step \"" + row.step + "\"",
                        row.owner.empty() ? "nobody" : row.owner, due_text);
    bool fits =
        base::equal_folded(row.cadence, text(expected.cadence())) &&
        (!expected.track().valid() || base::equal_folded(row.track, text(expected.track()))) &&
        (!expected.step().valid() || base::equal_folded(row.step, text(expected.step()))) &&
        (!expected.assignee().valid() || row.owner == assignee) && (!due || row.due == due);
    found = found || fits;
  }
  if (found != negated) return std::string();
  std::string where = seen.empty() ? "it is in no cadence" : "it is in " + seen;
  return negated ? fmt::format("\"{}\" is in cadence \"{}\"", text(expected.id()),
                               text(expected.cadence()))
                 : fmt::format("\"{}\" is not so in cadence \"{}\"; {}", text(expected.id()),
                               text(expected.cadence()), where);
}

Result<std::string> Scenario::expect_left(NodeId id, bool negated) {
  ast::ExpectLeft expected(*tree_, id);
  Result<std::vector<TrackerSeen>> trackers = trackers_of(text(expected.id()));
  if (!trackers) return trackers.error();
  bool left = false;
  std::string dispositions;
  for (const TrackerSeen& row : *trackers) {
    if (row.state != "Complete" || !base::equal_folded(row.cadence, text(expected.cadence())))
      continue;
    dispositions += (dispositions.empty() ? "" : ", ") +
                    (row.disposition.empty() ? std::string("none") : "\"" + row.disposition + "\"");
    bool fits = !expected.disposition().valid() ||
                base::equal_folded(row.disposition, text(expected.disposition()));
    left = left || fits;
  }
  if (left != negated) return std::string();
  std::string what = fmt::format("\"{}\" {} cadence \"{}\"", text(expected.id()),
                                 negated ? "left" : "has not left", text(expected.cadence()));
  if (!negated && !dispositions.empty())
    what = fmt::format("\"{}\" left cadence \"{}\" with disposition {}", text(expected.id()),
                       text(expected.cadence()), dispositions);
  return what;
}

Result<std::string> Scenario::expect_reminder(NodeId id, bool negated) {
  ast::ExpectReminder expected(*tree_, id);
  std::string person = runtime_->directory().user_named(text(expected.person()));
  int64_t found = 0;
  std::string others;
  Status looked = runtime_->store().read([&](StoreReader& reader) {
    return reader.visit_reminders("", [&](const ReminderRow& row) {
      bool about = !expected.about().valid() || row.record.ends_with("/" + text(expected.about()));
      if (row.state == "open" && row.person == person && about) {
        ++found;
      } else {
        others += fmt::format("{}one for {} about {} is {}", others.empty() ? "" : "; ", row.person,
                              row.record, row.state);
      }
      return true;
    });
  });
  if (!looked) return looked.error();
  if ((found > 0) != negated) return std::string();
  return negated ? fmt::format("\"{}\" has {}", text(expected.person()),
                               counted(found, "such reminder"))
                 : fmt::format("\"{}\" has no such reminder{}", text(expected.person()),
                               others.empty() ? "" : "; " + others);
}

Result<std::string> Scenario::expect_fault(NodeId id, bool negated) {
  ast::ExpectFault expected(*tree_, id);
  std::string part = text(expected.part());
  bool found = false;
  std::string seen;
  for (Fault& fault : faults_) {
    bool fits = part.empty() || base::contains_folded(fault.text, part);
    seen += (seen.empty() ? "" : "; ") + fault.text;
    bool counts = negated ? fits && !fault.expected : fits;
    found = found || counts;
    if (!negated && fits) fault.expected = true;
  }
  if (found != negated) return std::string();
  return negated        ? "there was a fault: " + seen
         : seen.empty() ? std::string("there was no fault")
                        : "there was another fault: " + seen;
}

Result<std::string> Scenario::expect_email(NodeId id, bool negated) {
  ast::ExpectEmail expected(*tree_, id);
  int64_t found = 0;
  std::string others;
  for (const Decision& decision : decisions_) {
    for (const EffectRecord& effect : decision.effects) {
      if (effect.op != "send_email") continue;
      bool to = effect.target == text(expected.id()) ||
                effect.target.ends_with("/" + text(expected.id()));
      bool using_it = !expected.template_name().valid() ||
                      base::equal_folded(effect.name, text(expected.template_name()));
      if (to && using_it && effect.outcome == "sent") ++found;
      others += fmt::format("{}\"{}\" to {}: {}", others.empty() ? "" : "; ", effect.name,
                            effect.target.empty() ? "nobody" : effect.target, effect.outcome);
    }
  }
  if ((found > 0) != negated) return std::string();
  return negated ? fmt::format("{} to \"{}\"", counted(found, "e-mail"), text(expected.id()))
                 : fmt::format("no such e-mail to \"{}\"{}", text(expected.id()),
                               others.empty() ? "; none was sent" : "; " + others);
}

Result<std::string> Scenario::expect_call(NodeId id, bool negated) {
  ast::ExpectCall expected(*tree_, id);
  int64_t found = 0;
  std::string others;
  for (const Decision& decision : decisions_) {
    for (const EffectRecord& effect : decision.effects) {
      bool call = effect.op == "call_service" && effect.outcome != "answered";
      if (!call) continue;
      if (base::equal_folded(effect.name, text(expected.service()))) ++found;
      others += (others.empty() ? "\"" : ", \"") + effect.name + "\"";
    }
  }
  if ((found > 0) != negated) return std::string();
  return negated
             ? fmt::format("service \"{}\" was called {}", text(expected.service()), times(found))
             : fmt::format("service \"{}\" was not called{}", text(expected.service()),
                           others.empty() ? "" : "; called: " + others);
}

}  // namespace ensue::engine
