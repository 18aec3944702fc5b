// The checker's insides: one Checker holds the module being built; the check_*.cc files define its
// parts. Private to check/.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check/check.h"

namespace ensue::check::internal {

using source::DiagnosticKind;
using source::FileId;
using source::Finding;
using source::Span;
using syntax::NodeKind;
using types::Type;
using types::TypeKind;
namespace ast = syntax::ast;

struct Local {
  std::string name;
  Type type;
  Span declared;
  // What a service answered, or a part of it: dots name members, whose types nobody knows.
  bool answer = false;
  bool fault = false;  // of `on fault as f`: its one member is a text, `Message`
};

// What a subflow takes and gives.
struct SubflowShape {
  std::vector<std::pair<std::string, Type>> takes;
  std::vector<std::pair<std::string, Type>> gives;
};

// What a name can mean at a place.
struct Place {
  Type it;                 // kError: there is no record in hand
  bool it_told = false;    // … which follows from a mistake that is reported already
  bool me = true;          // `me` may be used
  std::string why_not_me;  // when it may not
  bool changes = false;    // `changed` and `is new` may be used
  std::string why_not_changes;
  std::vector<Local> locals;
  std::vector<types::ObjectId> searched;  // the object of the innermost `where` or `has` is last
};

// A declaration that others refer to by its name in quotes.
struct Named {
  Span span;
  bool project = false;
};
using NamedTable = std::map<std::string, Named, base::FoldedLess>;

// Names that nothing is known by, and where each was named first.
using UnknownNames = std::map<std::string, Span, base::FoldedLess>;

// What is declared anywhere: complete before the bodies of automations are checked, and shared by
// those who check them.
struct Names {
  NamedTable actions;  // several authors may share one
  NamedTable flows;
  NamedTable subflows;
  NamedTable screen_flows;
  NamedTable cadences;
  NamedTable templates;
  NamedTable scripts;
  NamedTable calendars;
  NamedTable routings;
  NamedTable tests;
  std::map<std::string, SubflowShape, base::FoldedLess> subflow_shapes;
};

class Checker {
 public:
  Checker(const CheckInput& input, source::DiagnosticSink& sink);

  // ---- Stages, in order (stages.cc) -----------------------------------------------------------
  void declare_objects();
  void declare_fields();
  void declare_functions();
  void declare_names();
  void check_cadences();
  void check_calendars();
  void check_limits();
  void check_automations();
  void check_tests();
  void check_session();
  void check_authors();
  void report_unknown_cadences();

  std::shared_ptr<CheckedModule> take() { return module_; }

 private:
  // Checks bodies of the same module, beside others.
  Checker(const Checker& whole, source::DiagnosticSink& sink);

  // ---- The file at hand ------------------------------------------------------------------------
  void enter(FileId file);
  template <class Visit>
  void for_each_declaration(NodeKind kind, Visit visit) {
    for (size_t i = 0; i < module_->files.size(); ++i) {
      enter(FileId(i));
      for (NodeId id : declarations()) {
        if (tree_->kind(id) == kind) visit(id);
      }
    }
  }
  // Of the file at hand; a session's sentence is none.
  std::span<const NodeId> declarations() const {
    bool file = tree_->is(tree_->root(), NodeKind::kFile);
    return file ? tree_->children(tree_->root()) : std::span<const NodeId>();
  }
  Span span(NodeId id) const { return tree_->span(id); }
  std::string text(NodeId id) const {
    return id.valid() ? std::string(tree_->text(id)) : std::string();
  }
  NodeRef ref(NodeId id) const { return {file_, id}; }
  bool in_library() const { return module_->files[file_.index].library; }
  Finding& report(DiagnosticKind kind, Span at,
                  std::initializer_list<std::string_view> words = {}) {
    return sink_.report(kind, at, words);
  }
  // True when a declaration of this word and name stands in a part of the sources that could not be
  // parsed.
  bool broken(std::string_view word, std::string_view name) const;
  std::optional<int64_t> whole_number(NodeId id, int64_t least, int64_t most,
                                      std::string_view what);

  // ---- Declarations (declare.cc) --------------------------------------------------------------
  void declare_object(NodeId id, NodeId name, NodeId label, NodeId fields, bool extends);
  void declare_field(types::ObjectId object, NodeId id);
  Type field_type(NodeId id);
  Type named_type(NodeId id, bool records_allowed);
  types::ObjectId object_named(NodeId name);
  types::ObjectId object_named(std::string_view name, Span at, bool spoken = false);
  void declare_named(NamedTable& table, NodeId name, std::string_view what);

  // ---- Paths (resolve.cc) ---------------------------------------------------------------------
  Type resolve_path(NodeId id, const Place& place);
  // The type after the base of a path; `next` is the first name that is a hop.
  void need_record_in_hand(const Place& place, Span at);
  Type path_base(NodeId id, const Place& place, Path& path, size_t& next);
  Type hop(const Type& from, NodeId name, Path& path);
  Type field_hop(const Type& from, std::string_view name, Span at, Path& path);
  types::FieldId find_field(types::ObjectId object, std::string_view name) const;
  Finding& report_unknown_field(const std::vector<types::ObjectId>& objects, std::string_view name,
                                Span at);
  std::vector<types::ObjectId> objects_of(const Type& type) const;

  // ---- Words of messages (wording.cc) ---------------------------------------------------------
  // With its article: `a text`, `an id`, `an Opportunity`.
  std::string a_name_of(const Type& type) const;
  std::string picklist_name(types::PicklistId id) const;
  bool suggest_unquoted_value(Finding& finding, std::string_view name) const;

  // ---- Expressions (infer_expr.cc) ------------------------------------------------------------
  // The type of a value; `hint` is what it is compared with or stored in.
  Type infer(NodeId id, const Place& place, const Type* hint = nullptr);
  Type infer_node(NodeId id, const Place& place, const Type* hint);
  // Checks that a node is a condition.
  void infer_condition(NodeId id, const Place& place);
  Type infer_compare(NodeId id, const Place& place);
  Type infer_subject(NodeId left, std::span<const NodeId> others, const Place& place);
  Type infer_one_of(NodeId id, const Place& place);
  Type infer_between(NodeId id, const Place& place);
  Type infer_changed(NodeId id, const Place& place);
  Type infer_quantified(NodeId id, const Place& place);
  Type infer_binary(NodeId id, const Place& place);
  Type infer_relative(NodeId id, const Type* hint);
  Type infer_duration(NodeId id);
  Type infer_call(NodeId id, const Place& place);
  Type infer_person(NodeId id);
  Type infer_text(NodeId id, const Place& place, const Type* hint);
  Type infer_number(NodeId id, TypeKind kind);
  Type infer_money(NodeId id);
  Type infer_date(NodeId id);
  Type infer_datetime(NodeId id);
  Type infer_time(NodeId id);
  void infer_numbered(NodeId id, const Place& place);
  // `what` names the picklist; empty: the field that has it.
  void check_picklist_value(const Type& type, std::string_view value, Span at,
                            std::string_view what = {});
  void check_comparable(const Type& left, const Type& right, NodeId right_node, NodeId left_node);
  Type constant(NodeId id, Value value, Type type);
  std::string name_of(const Type& type) const { return module_->schema.type_name(type); }
  // Whether a value may be stored in a field; `node` is the value.
  bool fits(const Type& field, const Type& value, NodeId node) const;
  // A zone of the IANA database, or a report.
  bool check_zone(NodeId quoted);
  std::optional<Duration> read_duration(NodeId id);
  void check_business(NodeId id);

  // ---- Automations (check_action.cc, check_flow.cc, check_condition.cc) -----------------------
  void check_bodies(FileId file);
  void check_action(NodeId id);
  void check_flow(NodeId id);
  void check_routing(NodeId id);
  // A cell of a row: what the column is compared with; what the output gets.
  void check_routing_test(NodeId column, NodeId cell, const Place& place);
  void check_routing_output(NodeId output, NodeId cell, Routing& routing, const Place& place);
  void check_route(NodeId id, Automation& automation, const Place& place);
  void check_interval(const ast::IntervalSchedule& schedule);
  Automation automation_head(NodeId id, NodeId name, NodeId attributes);
  void check_record_trigger(NodeId trigger, Automation& automation);
  void check_action_trigger(NodeId trigger, const Automation& automation);
  bool watchable(const Automation& automation) const;
  void check_guard(NodeId guard, Automation& automation, const Place& place);
  void collect_condition_fields(NodeId condition, Automation& automation);
  std::optional<CadenceEffect> check_cadence_effect(NodeId id, const Automation& automation,
                                                    const Place& place);
  void check_target(NodeId target, CadenceEffect& effect, const Automation& automation,
                    const Place& place);
  void check_person(NodeId id, const Place& place);
  std::string cadence_named(NodeId quoted);
  std::optional<std::string> cadence_scope(NodeId scope);
  void check_statements(NodeId body, Automation& automation, Place& place);
  // What stands right of `let x =`, `to` and `in`: a value, a finder, a subflow, a service.
  Type infer_source(NodeId id, const Place& place, Automation* automation,
                    const Type* hint = nullptr);
  Type infer_finder(NodeId id, const Place& place);
  Type check_run(NodeId id, const Place& place, Automation* automation);
  void check_arguments(NodeId list, const Place& place, Automation* automation);
  void add_local(NodeId name, Type type, Place& place);
  void collect_subflows();
  void check_statement(NodeId id, Automation& automation, Place& place);
  // Gives the fields that are assigned.
  std::set<types::FieldId> check_assignments(NodeId list, types::ObjectId object,
                                             const Place& place, Automation* automation,
                                             uint8_t event);
  void check_required_fields(types::ObjectId object, const std::set<types::FieldId>& given,
                             Span at);
  void collect_tracker_writes(const CadenceEffect& effect, Automation& automation);
  void refuse_statement_in_action(NodeId id);
  void not_run_yet(NodeId id, std::string_view what);
  void lint_condition(const Automation& automation, NodeId guard);

  // ---- Cadences, limits, calendars ------------------------------------------------------------
  void check_cadence(NodeId id);
  void check_quick_cadence(NodeId id);
  void check_targets(NodeId list, Cadence& cadence);
  void check_track(NodeId id, Cadence& cadence, std::vector<std::pair<std::string, Span>>& events);
  void check_track_items(NodeId items, Cadence& cadence, CadenceTrack& track, bool nested);
  CadenceStep check_step(NodeId id, const CadenceTrack& track);
  void check_step_kind(NodeId id, CadenceStep& step);
  void check_events(NodeId list, std::vector<std::string>& out,
                    std::vector<std::pair<std::string, Span>>& events);
  void report_unknown_event(NodeId quoted);
  void check_limits_decl(NodeId id, std::vector<Limit>& out);
  std::optional<Limit> check_limit_cap(NodeId scope, NodeId cap);
  void check_calendar(NodeId id);
  void check_open_line(NodeId id, Calendar& calendar, std::vector<Span>& hours);

  // ---- Tests (check_test.cc) ------------------------------------------------------------------
  struct TestState;
  void check_test(NodeId id);
  void check_test_statement(NodeId id, TestState& state);
  void check_when_cadence(NodeId id, TestState& state);
  void check_expectation(NodeId id, TestState& state);
  void check_expect_automation(NodeId id, TestState& state);
  void check_flow_named(NodeId quoted);
  types::ObjectId record_object(NodeId id, TestState& state);
  void check_known_record(NodeId id, TestState& state);

  const CheckInput& input_;
  source::DiagnosticSink& sink_;
  std::shared_ptr<CheckedModule> module_;
  FileId file_;
  const syntax::Tree* tree_ = nullptr;
  Facts* facts_ = nullptr;

  std::shared_ptr<Names> names_;
  std::vector<Automation> automations_;  // of the bodies that were checked
  UnknownNames unknown_cadences_;
  std::map<types::FieldRef, Span> project_fields_;
  NamedTable project_objects_;
  std::set<std::pair<size_t, size_t>> repeated_objects_;  // file and node of a second declaration
  const Type* value_hint_ = nullptr;  // what a bare name is compared with or stored in
};

std::string with_article(const std::string& noun);
std::vector<std::string> names_of(const NamedTable& table);
// `is`, `<`, `contains`: how a comparison is written.
const char* compare_word(uint8_t op);
// Whether values of the type come one before the other.
bool has_order(const Type& type);
// The suggestion for a value: a near miss, else one that begins alike (`Worked` for `Working`).
std::optional<std::string> nearest_value(std::string_view word,
                                         const std::vector<std::string>& values);

}  // namespace ensue::check::internal
