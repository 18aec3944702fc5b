// Tests: that they speak of things that exist.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {

struct Checker::TestState {
  Place place;  // locals: the columns of the table of cases
  std::map<std::string, types::ObjectId, base::FoldedLess> records;  // by id
  std::map<std::string, Span, base::FoldedLess> first_said;  // where a record was given or created
  bool started = false;                                      // something has happened
  bool clock_set = false;
};

void Checker::check_tests() {
  for_each_declaration(NodeKind::kTestDecl, [&](NodeId id) { check_test(id); });
}

void Checker::check_test(NodeId id) {
  ast::TestDecl decl(*tree_, id);
  size_t before = sink_.error_count();
  TestState state;
  state.place.me = false;
  state.place.why_not_me = "nothing runs here; name the user by id";
  if (decl.cases().valid()) {
    ast::CaseTable table(*tree_, decl.cases());
    for (NodeId column : tree_->items(table.columns())) {
      state.place.locals.push_back({text(column), Type::of(TypeKind::kAny), span(column)});
    }
    size_t columns = state.place.locals.size();
    for (NodeId row : tree_->items(table.rows())) {
      auto cells = tree_->children(row);
      if (cells.size() != columns) {
        report(DiagnosticKind::kCaseRow, span(row),
               {fmt::format("{}", cells.size()), fmt::format("{}", columns)});
      }
      for (NodeId cell : cells) infer(cell, Place{});
    }
  }
  for (NodeId statement : tree_->items(decl.statements())) check_test_statement(statement, state);
  if (sink_.error_count() == before) module_->tests.push_back({text(decl.name()), ref(id)});
}

// A sentence typed into the REPL: the records it may name are those of the session.
void Checker::check_session() {
  if (input_.session == nullptr) return;
  enter(input_.session->file);
  NodeId root = tree_->root();
  if (!root.valid() || tree_->is(root, NodeKind::kFile)) return;
  TestState state;
  state.place.me = false;
  state.place.why_not_me = "nothing runs here; name the user by id";
  for (const auto& [id, object] : input_.session->records)
    state.records.emplace(id, module_->schema.find_object(object));
  NodeKind kind = tree_->kind(root);
  bool statement = kind >= NodeKind::kClockStmt && kind <= NodeKind::kExpectStmt;
  if (statement) {
    check_test_statement(root, state);
    return;
  }
  types::ObjectId it = module_->schema.find_object(input_.session->it);
  if (it) state.place.it = module_->schema.record_type(it);
  state.place.why_not_changes = "no save is looked at here";
  infer(root, state.place);
}

types::ObjectId Checker::record_object(NodeId id, TestState& state) {
  auto found = state.records.find(text(id));
  return found == state.records.end() ? types::ObjectId() : found->second;
}

void Checker::check_known_record(NodeId id, TestState& state) {
  if (state.records.count(text(id)) != 0) return;
  std::vector<std::string> ids;
  for (const auto& [known, object] : state.records) ids.push_back(known);
  Finding& finding = report(DiagnosticKind::kUnknownRecord, span(id), {text(id)});
  auto meant = base::nearest(text(id), ids);
  finding.suggest_quoted(meant);
  constexpr size_t kShownMax = 8;
  if (meant || ids.empty() || ids.size() > kShownMax) return;
  std::string shown;
  for (const std::string& known : ids) shown += (shown.empty() ? "\"" : ", \"") + known + "\"";
  finding.note("its records are " + shown);
}

void Checker::check_test_statement(NodeId id, TestState& state) {
  auto add_record = [&](NodeId object_node, NodeId record, NodeId assignments) {
    types::ObjectId object = object_named(object_node);
    auto [first, fresh] = state.first_said.emplace(text(record), span(record));
    if (!state.records.emplace(text(record), object).second) {
      Finding& finding = report(DiagnosticKind::kRecordTwice, span(record), {text(record)});
      if (!fresh) finding.label(first->second, "the first one");
    }
    if (object) check_assignments(assignments, object, state.place, nullptr, syntax::kOnCreated);
  };
  NodeKind kind = tree_->kind(id);
  if (kind == NodeKind::kClockStmt) {
    if (state.started || state.clock_set) report(DiagnosticKind::kClockFirst, span(id));
    state.clock_set = true;
    infer(ast::ClockStmt(*tree_, id).at(), Place{});
    return;
  }
  if (kind != NodeKind::kGivenRecord && kind != NodeKind::kGivenService) state.started = true;
  switch (kind) {
    case NodeKind::kGivenRecord: {
      ast::GivenRecord given(*tree_, id);
      add_record(given.object(), given.id(), given.assignments());
      return;
    }
    case NodeKind::kWhenCreated: {
      ast::WhenCreated when(*tree_, id);
      add_record(when.object(), when.id(), when.assignments());
      return;
    }
    case NodeKind::kWhenSet: {
      ast::WhenSet when(*tree_, id);
      check_known_record(when.id(), state);
      if (types::ObjectId object = record_object(when.id(), state)) {
        check_assignments(when.assignments(), object, state.place, nullptr, syntax::kOnEdited);
      }
      return;
    }
    case NodeKind::kWhenDeleted:
      check_known_record(ast::WhenDeleted(*tree_, id).id(), state);
      return;
    case NodeKind::kWhenReminder: {
      ast::WhenReminder when(*tree_, id);
      check_known_record(when.person(), state);
      check_known_record(when.about(), state);
      read_duration(when.duration());
      if (when.until().valid()) infer(when.until(), Place{});
      return;
    }
    case NodeKind::kWhenActivates: {
      ast::WhenActivates when(*tree_, id);
      check_known_record(when.person(), state);
      if (names_->actions.count(text(when.action())) == 0 &&
          !broken("action", text(when.action()))) {
        report(DiagnosticKind::kUnknownAutomation, span(when.action()),
               {"action", text(when.action())})
            .suggest_quoted(base::nearest(text(when.action()), names_of(names_->actions)));
      }
      return;
    }
    case NodeKind::kWhenCadence: check_when_cadence(id, state); return;
    case NodeKind::kWhenEvent: return;
    case NodeKind::kGivenService: {
      ast::GivenService given(*tree_, id);
      if (given.answer().valid() && tree_->is(given.answer(), NodeKind::kList)) {
        for (NodeId row : tree_->items(given.answer()))
          infer(ast::Assignment(*tree_, row).value(), state.place);
      } else if (given.answer().valid()) {
        infer(given.answer(), state.place);
      }
      if (given.times().valid()) whole_number(given.times(), 1, 1'000'000, "the number of times");
      return;
    }
    case NodeKind::kWhenCalled: {
      ast::WhenCalled when(*tree_, id);
      check_flow_named(when.flow());
      for (NodeId row : tree_->items(when.assignments()))
        infer(ast::Assignment(*tree_, row).value(), state.place);
      return;
    }
    case NodeKind::kWhenAnswers: {
      ast::WhenAnswers when(*tree_, id);
      check_known_record(when.person(), state);
      for (NodeId row : tree_->items(when.answers()))
        infer(ast::Assignment(*tree_, row).value(), state.place);
      return;
    }
    case NodeKind::kAdvanceStmt: {
      ast::AdvanceStmt advance(*tree_, id);
      read_duration(advance.duration());
      if (advance.to().valid()) infer(advance.to(), Place{});
      return;
    }
    case NodeKind::kExpectStmt:
      check_expectation(ast::ExpectStmt(*tree_, id).expectation(), state);
      return;
    default: not_run_yet(id, "this sentence of a test"); return;
  }
}

void Checker::check_when_cadence(NodeId id, TestState& state) {
  ast::WhenCadence when(*tree_, id);
  check_known_record(when.person(), state);
  check_known_record(when.target(), state);
  cadence_scope(when.scope());
  if (when.assignee().valid()) check_person(when.assignee(), state.place);
}

void Checker::check_expectation(NodeId id, TestState& state) {
  auto check_count = [&](NodeId count) {
    if (!count.valid() || tree_->is(count, NodeKind::kNumber)) {
      if (count.valid()) whole_number(count, 0, 1'000'000, "the count");
      return;
    }
    // A column of the table of cases.
    bool column = std::any_of(
        state.place.locals.begin(), state.place.locals.end(),
        [&](const Local& local) { return base::equal_folded(local.name, text(count)); });
    std::vector<std::string> columns;
    for (const Local& local : state.place.locals) columns.push_back(local.name);
    if (!column) {
      report(DiagnosticKind::kUnknownReference, span(count), {"column", text(count)})
          .suggest(base::nearest(text(count), columns));
    }
  };
  switch (tree_->kind(id)) {
    case NodeKind::kExpectAutomation:
      check_expect_automation(id, state);
      check_count(ast::ExpectAutomation(*tree_, id).count());
      return;
    case NodeKind::kExpectCharged: {
      ast::ExpectCharged expect(*tree_, id);
      check_count(expect.count());
      check_known_record(expect.person(), state);
      return;
    }
    case NodeKind::kExpectHas: {
      ast::ExpectHas expect(*tree_, id);
      check_known_record(expect.id(), state);
      Place inside = state.place;
      if (types::ObjectId object = record_object(expect.id(), state)) {
        inside.searched.push_back(object);
        inside.it = module_->schema.record_type(object);
      }
      if (!inside.searched.empty()) infer_condition(expect.condition(), inside);
      return;
    }
    case NodeKind::kExpectRecords: {
      ast::ExpectRecords expect(*tree_, id);
      check_count(expect.count());
      types::ObjectId object =
          object_named(tree_->text(expect.object()), span(expect.object()), true);
      if (!object) return;
      Place inside = state.place;
      inside.searched.push_back(object);
      infer_condition(expect.condition(), inside);
      return;
    }
    case NodeKind::kExpectInCadence: {
      ast::ExpectInCadence expect(*tree_, id);
      check_known_record(expect.id(), state);
      std::string name = cadence_named(expect.cadence());
      const Cadence* cadence = module_->find_cadence(name);
      if (cadence != nullptr && expect.track().valid() &&
          cadence->track(text(expect.track())) == nullptr) {
        std::vector<std::string> tracks;
        for (const CadenceTrack& track : cadence->tracks) tracks.push_back(track.name);
        report(DiagnosticKind::kUnknownReference, span(expect.track()),
               {"track", text(expect.track())})
            .suggest(base::nearest(text(expect.track()), tracks));
      }
      if (cadence != nullptr && expect.step().valid()) {
        std::vector<std::string> steps;
        for (const CadenceTrack& track : cadence->tracks) {
          for (const CadenceStep& step : track.steps) steps.push_back(step.title);
        }
        bool known = std::any_of(steps.begin(), steps.end(), [&](const std::string& s) {
          return base::equal_folded(s, text(expect.step()));
        });
        if (!known) {
          report(DiagnosticKind::kUnknownReference, span(expect.step()),
                 {"step", text(expect.step())})
              .suggest_quoted(base::nearest(text(expect.step()), steps));
        }
      }
      if (expect.assignee().valid()) check_known_record(expect.assignee(), state);
      if (expect.due().valid()) infer(expect.due(), Place{});
      return;
    }
    case NodeKind::kExpectLeft: {
      ast::ExpectLeft expect(*tree_, id);
      check_known_record(expect.id(), state);
      cadence_named(expect.cadence());
      return;
    }
    case NodeKind::kExpectReminder: {
      ast::ExpectReminder expect(*tree_, id);
      check_known_record(expect.person(), state);
      if (expect.about().valid()) check_known_record(expect.about(), state);
      return;
    }
    case NodeKind::kExpectFault:
    case NodeKind::kExpectCall: return;
    case NodeKind::kExpectEmail: {
      ast::ExpectEmail expect(*tree_, id);
      if (text(expect.id()).find('@') == std::string::npos) check_known_record(expect.id(), state);
      NodeId name = expect.template_name();
      bool known = !name.valid() || names_->templates.count(text(name)) != 0 ||
                   broken("template", text(name));
      if (!known) {
        report(DiagnosticKind::kUnknownHere, span(name), {"template", text(name)})
            .suggest_quoted(base::nearest(text(name), names_of(names_->templates)));
      }
      return;
    }
    default: not_run_yet(id, "this expectation"); return;
  }
}

void Checker::check_expect_automation(NodeId id, TestState&) {
  ast::ExpectAutomation expect(*tree_, id);
  bool flow = (expect.op() & syntax::kOutcomeOfFlow) != 0;
  std::string name = text(expect.name());
  if (flow) {
    check_flow_named(expect.name());
  } else if (names_->actions.count(name) == 0 && !broken("action", name)) {
    report(DiagnosticKind::kUnknownAutomation, span(expect.name()), {"action", name})
        .suggest_quoted(base::nearest(name, names_of(names_->actions)));
  }
  if (expect.branch().valid()) {
    static const std::vector<std::string> kBranches = {"timeout",  "fault", "gap",
                                                       "overflow", "yes",   "no"};
    bool known = std::any_of(kBranches.begin(), kBranches.end(), [&](const std::string& b) {
      return base::equal_folded(b, text(expect.branch()));
    });
    if (!known) {
      report(DiagnosticKind::kUnknownBranch, span(expect.branch()), {text(expect.branch())})
          .suggest_quoted(base::nearest(text(expect.branch()), kBranches));
    }
  }
}

// A flow or a screen flow.
void Checker::check_flow_named(NodeId quoted) {
  std::string name = text(quoted);
  if (names_->flows.count(name) != 0 || names_->screen_flows.count(name) != 0 ||
      broken("flow", name))
    return;
  std::vector<std::string> names;
  for (const NamedTable* table : {&names_->flows, &names_->screen_flows}) {
    for (const auto& [known, where] : *table) names.push_back(known);
  }
  report(DiagnosticKind::kUnknownAutomation, span(quoted), {"flow", name})
      .suggest_quoted(base::nearest(name, names));
}

}  // namespace ensue::check::internal
