// The result of checking: trees, and beside them what every name and every value means.
//
// A CheckedModule is one loaded program: the library and all sources of a project together. It is
// immutable once built. What is known about a node of a tree stands in the Facts of its file, by
// NodeId; the tables below hold what facts point to. Later stages read declarations here and never
// look a name up again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fold.h"
#include "base/ids.h"
#include "ensue/options.h"
#include "ensue/value.h"
#include "source/source_file.h"
#include "syntax/ast.h"
#include "types/schema.h"
#include "types/signature.h"

namespace ensue::check {

using syntax::NodeId;

// ---- Expressions ------------------------------------------------------------------------------

// What a path starts from.
enum class PathBase : uint8_t {
  kIt,        // the record in hand
  kMe,        // the person the run is for
  kSearched,  // the record that a `where` or `has` looks at
  kLocal,     // a `let`, a loop, a parameter, or a column of a table of cases
};

// One step of a path: a field, known for each object the record before it may be of.
struct Hop {
  std::vector<types::FieldRef> fields;
};

struct Path {
  PathBase base = PathBase::kIt;
  uint32_t local = 0;                 // of kLocal: its number in the automation or test
  std::vector<types::ObjectId> from;  // the objects the base may be of
  std::vector<Hop> hops;              // none: the base itself
  std::vector<std::string> members;   // of what a service answered; then no hops
};

// `any Case of Account has (…)`: the children, the lookup that ties them to the parent, and the
// parent's path.
struct Relation {
  types::ObjectId child;
  types::FieldId lookup;
  Path parent;
};

enum class Binding : uint8_t { kNone, kConstant, kPath, kFunction, kRelation };

struct Fact {
  types::Type type;
  Binding binding = Binding::kNone;
  uint32_t index = 0;  // into the table that `binding` names; of kFunction: the FunctionId
};

// What is known about the nodes of one file.
struct Facts {
  std::vector<Fact> by_node;
  std::vector<Value> constants;
  std::vector<Path> paths;
  std::vector<Relation> relations;

  const Fact& of(NodeId id) const { return by_node[id.index]; }
};

struct CheckedFile {
  std::shared_ptr<const syntax::Tree> tree;
  Facts facts;
  bool library = false;
};

// A node of one of the files.
struct NodeRef {
  source::FileId file;
  NodeId node;
  bool valid() const { return node.valid(); }
};

// ---- Automations ------------------------------------------------------------------------------

enum class AutomationKind : uint8_t { kAction, kFlow, kSubflow, kScreenFlow };
enum class Scope : uint8_t { kOwn, kTeam, kEverybody };
enum class ActivationPolicy : uint8_t { kCreator, kAssigneesOn, kAssigneesOff };
enum class GuardKind : uint8_t { kNone, kMeets, kNewlyMeets };

enum class EffectKind : uint8_t { kAdd, kRemove, kPause, kResume, kChangeAssignee };

// One effect on cadences; the five actions of the CRM are this one type.
struct CadenceEffect {
  EffectKind kind = EffectKind::kAdd;
  NodeRef statement;
  NodeRef target;  // a path to a lead, contact or person account
  bool primary_contact =
      false;                // an opportunity's: its field, else the contact role marked primary
  std::string cadence;      // empty: all cadences
  std::string disposition;  // of kRemove
  NodeRef assignee;         // of kAdd (may be absent) and kChangeAssignee
  bool reminder = false;    // offered to a person, not done
  NodeRef person;           // of a reminder in a flow; an action reminds `me`
  std::optional<Duration> within;    // of a reminder: when it is due
  std::optional<Duration> expiring;  // of a reminder: when it goes away
};

// What an automation writes, for the graph of who triggers whom.
struct Write {
  types::ObjectId object;
  types::FieldId field;        // invalid: the record as a whole
  uint8_t event = 0;           // syntax::TriggerOp bits: created, edited, deleted
  std::optional<Value> value;  // when it is a constant
  source::Span span;
};

struct AutomationTag {};
using AutomationId = base::Id<AutomationTag>;

struct Automation {
  AutomationKind kind = AutomationKind::kAction;
  std::string name;
  std::string author;  // of an action; as written
  NodeRef declaration;
  source::Span name_span;
  std::optional<int64_t> priority;
  int64_t version = 0;
  bool draft = false;

  types::ObjectId object;  // that the record trigger watches; invalid without one
  uint8_t events = 0;      // syntax::TriggerOp bits
  bool before_save = false;
  syntax::RunAsOp run_as = syntax::kRunAsSystem;  // of a flow
  std::string run_as_user;
  int64_t runs_per_record_max = 1;  // in one chain of saves
  Scope scope = Scope::kEverybody;
  ActivationPolicy activation = ActivationPolicy::kCreator;
  GuardKind guard = GuardKind::kNone;
  NodeRef condition;  // invalid: always true
  std::vector<types::FieldId>
      watched;  // own fields named in the condition, and lookups that its paths start with
  std::vector<CadenceEffect> effects;
  std::vector<Write> writes;
  bool runnable = false;  // false: checked, but not run by this version
};

// ---- Cadences ---------------------------------------------------------------------------------

enum class StepKind : uint8_t {
  kAutomatedEmail,
  kManualEmail,
  kCall,
  kConnectionRequest,
  kInmail,
  kCustom,
  kScreenFlow,
  kLink
};
// As the CRM names it in ActionCadenceStepTracker.StepType.
const char* step_kind_name(StepKind kind);

struct CadenceStep {
  std::string title;
  source::Span title_span;  // invalid in a quick cadence, whose step has no name
  StepKind kind = StepKind::kCustom;
  std::optional<Duration> delay;  // none: immediately
  std::string argument;           // the template, script, prompt, flow or cadence
  std::string on_completion;
};

struct CadenceTrack {
  std::string name;  // main, positive, negative
  source::Span name_span;
  std::vector<std::string> entries;
  std::vector<CadenceStep>
      steps;  // in order; classic branches are flattened by their `yes` side first
};

struct Cadence {
  std::string name;
  std::string author;
  int64_t version = 0;
  bool draft = false;
  bool quick = false;
  std::vector<types::ObjectId> targets;  // empty: any of the three
  std::vector<std::string> exits;
  std::vector<CadenceTrack> tracks;
  source::Span name_span;

  const CadenceTrack* track(std::string_view name) const;
};

// ---- Limits and calendars ---------------------------------------------------------------------

enum class LimitScope : uint8_t { kUser, kOrg, kAutomation, kService };
enum class LimitPolicy : uint8_t { kDrop, kDefer, kRemind, kFail, kPause };

struct Limit {
  LimitScope scope = LimitScope::kUser;
  std::string name;                               // of an automation or a service
  AutomationKind kind = AutomationKind::kAction;  // of kAutomation
  std::string author;                             // of an action, when written
  std::string counter;                            // `action executions`, `automated emails`, …
  int64_t max = 0;
  bool per_day = true;
  int64_t window_ms = 0;  // of a burst
  LimitPolicy policy = LimitPolicy::kDrop;
  int warn_percent = 80;
  source::Span span;
};

struct DayStart {
  TimeOfDay time;
  std::string zone;
  source::Span span;
};

struct OpenSpan {
  int weekday = 0;  // 0 is Monday
  int32_t from_ms = 0;
  int32_t to_ms = 0;
};

struct Calendar {
  std::string name;
  std::string zone;
  std::vector<OpenSpan> open;
  std::vector<Date> holidays;
  source::Span span;
  source::FileId file;
};

// A table of rows that a flow hands a record to. Its cells are read from the tree.
struct Routing {
  std::string name;
  NodeRef declaration;
  source::Span name_span;
  types::ObjectId object;
  bool all_matches = false;            // else the first row that fits
  std::vector<CadenceEffect> effects;  // one for each cell that names a cadence
  std::vector<Write> writes;
};

struct TestRef {
  std::string name;
  NodeRef declaration;
};

// ---- The module -------------------------------------------------------------------------------

struct CheckedModule {
  std::shared_ptr<const source::SourceSet> sources;
  std::vector<CheckedFile> files;  // by FileId
  types::Schema schema;
  types::FunctionTable functions;
  base::Table<AutomationId, Automation> automations;  // in source order
  std::vector<Cadence> cadences;
  std::unordered_map<std::string, uint32_t, base::FoldedHash, base::FoldedEqual>
      cadence_index;          // by name
  std::vector<Limit> limits;  // the effective ones: a project's replace the library's
  std::optional<DayStart> day_start;
  std::vector<Calendar> calendars;
  std::vector<Routing> routings;
  std::vector<TestRef> tests;
  ProgramOptions options;

  const CheckedFile& file(source::FileId id) const { return files[id.index]; }
  const syntax::Tree& tree(source::FileId id) const { return *files[id.index].tree; }
  const Fact& fact(NodeRef ref) const { return files[ref.file.index].facts.of(ref.node); }
  source::Span span(NodeRef ref) const { return tree(ref.file).span(ref.node); }
  // As the author wrote it.
  std::string_view written(NodeRef ref) const { return tree(ref.file).written(ref.node); }
  const Cadence* find_cadence(std::string_view name) const;
  // The calendar that business durations of a file count in: the file's own, else the project's
  // only one.
  const Calendar* calendar_for(source::FileId file) const;
};

// `action "Hot leads" by "ana"`, `flow "Sweep"`: how messages name an automation.
std::string describe(const Automation& automation);
const char* automation_kind_name(AutomationKind kind);
const char* limit_scope_name(LimitScope scope);
const char* limit_policy_name(LimitPolicy policy);

}  // namespace ensue::check
