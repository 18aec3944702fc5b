// The frozen plan: automations as flat tables, ready to run.
//
// A UnitPlan is one automation. Its condition and the values of its effects are programs for a
// small stack machine: steps of eight bytes, constants in a pool, paths resolved to field numbers.
// A step names the bytes of the source it came from, so that an explanation can quote the author.
// Plans are immutable, shared by all threads, and know nothing of trees or parsers.
//
// What an automation does is a body: instructions that name programs, slots of locals and rows of
// the unit's tables. A frame (engine/frame.h) says where in it a run stands; it holds no pointers,
// so that it can be written down and read by another process.
//
// A program leaves one value on the stack. Jumps go forward only, so every program ends; verify.cc
// re-checks this and every other invariant before a plan may run.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/key128.h"
#include "calendar/business_time.h"
#include "ensue/value.h"
#include "plan/shared.h"
#include "schedule/schedule.h"
#include "types/schema.h"
#include "types/signature.h"

namespace ensue::plan {

enum class Op : uint8_t {
  // Values: push one.
  kConstant,       // a: constant
  kLocalDatetime,  // a: local date-time, read in the org's zone
  kNow,
  kToday,
  kPath,    // a: path
  kPerson,  // a: constant (the name); flags: 1 = a queue, 2 = compared: a name
            // nobody has stands for itself. The record's id, or blank
  // Calculation: pop operands, push the result.
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kNegate,
  kAgo,       // pops a duration; flags: 1 = from now, 2 = a date, not an instant
  kDayStart,  // a date becomes the instant its day starts
  kJoin,      // a: how many texts are joined
  kCall,      // a: function; b: how many arguments
  // Tests: pop operands, push a boolean.
  kCompare,  // flags: CompareFlags
  kIsBlank,  // flags: 1 = not
  kOneOf,    // a: how many items lie above the value; flags: 1 = not, 2 = exactly
  kBetween,  // flags: 1 = not
  kTruth,    // a boolean value as a condition
  kChanged,  // a: path of one hop from `it`; flags: 1 = from a value, 2 = to a value (the values
             // lie on the stack, from
             // below to)
  kIsNew,
  kHas,  // a: relation
  // Control.
  kNot,
  kAndJump,  // a: target; when the top is false, jump and keep it, else drop it
  kOrJump,   // a: target; when the top is true, jump and keep it, else drop it
};

enum CompareFlags : uint8_t {
  kCompareEqual,
  kCompareNotEqual,
  kCompareLess,
  kCompareLessOrEqual,
  kCompareGreater,
  kCompareGreaterOrEqual,
  kCompareContains,
  kCompareStartsWith,
  kCompareEndsWith,
  kCompareExactly = 16
};

struct Step {
  Op op = Op::kConstant;
  uint8_t flags = 0;
  uint16_t b = 0;
  uint32_t a = 0;
};
static_assert(sizeof(Step) == 8);

// How a step moves the stack. A jump that is not taken drops the top.
struct StackEffect {
  uint32_t pops = 0;
  uint32_t pushes = 0;
};
StackEffect stack_effect(const Step& step);

// Bytes of the unit's source file.
struct SourceRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

enum class PathBase : uint8_t { kIt, kMe, kSearched, kLocal };

struct HopPlan {
  std::vector<types::FieldRef> fields;  // for each object the record may be of
};

struct PathPlan {
  PathBase base = PathBase::kIt;
  uint32_t local = 0;
  std::vector<types::ObjectId> from;  // the objects the base may be of
  std::vector<HopPlan> hops;          // none: the base's own id
  std::vector<std::string> members;   // of what a service answered, or of a fault; then no hops
};

using PathPtr = std::shared_ptr<const PathPlan>;  // equal ones are one (share.h)

enum class Quantifier : uint8_t { kAny, kNo, kEach };

// steps[begin] to steps[end - 1].
struct ProgramRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool empty() const { return begin == end; }
};

struct RelationPlan {
  Quantifier quantifier = Quantifier::kAny;
  types::ObjectId child;
  types::FieldId lookup;
  uint32_t parent = 0;  // path
  ProgramRange condition;
};

struct LocalDatetime {
  Date date;
  TimeOfDay time;
};

// What few programs refer to.
struct RareRows {
  std::vector<RelationPlan> relations;
  std::vector<LocalDatetime> local_datetimes;
};

// Programs and what they refer to.
struct Code {
  std::vector<Step> steps;
  std::vector<SourceRange> ranges;  // by step
  std::vector<Value> constants;
  std::vector<PathPtr> paths;  // none is null
  Shared<RareRows> rare;
  uint32_t stack_max = 0;
};

// A routing table is a unit of its own, which a flow runs like a subflow, with the record as its
// one parameter.
enum class UnitKind : uint8_t { kAction, kFlow, kSubflow, kScreenFlow, kRouting };
enum class Scope : uint8_t { kOwn, kTeam, kEverybody };
enum class Activation : uint8_t { kCreator, kAssigneesOn, kAssigneesOff };
enum class Guard : uint8_t { kNone, kMeets, kNewlyMeets };
enum class EffectKind : uint8_t { kAdd, kRemove, kPause, kResume, kChangeAssignee };
enum class RunAs : uint8_t { kSystem, kOwner, kUser };
enum class TriggerKind : uint8_t { kRecord, kChanges, kStep, kCadence, kSchedule, kCalled };
enum class Mode : uint8_t { kSingle, kRestart, kQueued, kParallel };

// As in output: add_to_cadence, remove_from_cadence, …
const char* effect_name(EffectKind kind);
const char* unit_kind_name(UnitKind kind);

// Whom an effect is offered to in place of being done, and for how long.
struct ReminderTerms {
  ProgramRange person;
  std::optional<Duration> within;
  std::optional<Duration> expiring;
};

struct EffectPlan {
  EffectKind kind = EffectKind::kAdd;
  bool primary_contact = false;
  bool reminder = false;
  SourceRange range;
  ProgramRange target;
  ProgramRange assignee;        // empty: the default
  Shared<std::string> cadence;  // empty: all cadences
  Shared<std::string> disposition;
  Shared<ReminderTerms> terms;  // of a reminder
};

// Kinds of change, one bit each; the same bits a trigger names.
enum ChangeBits : uint8_t { kCreated = 1, kEdited = 2, kDeleted = 4, kUndeleted = 8 };

// ---- Bodies -----------------------------------------------------------------------------------

enum class Do : uint8_t {
  // Control.
  kJump,    // to target
  kUnless,  // a: program; to target when it is false
  kEach,    // a: slot of a list, behind it the slot of a number; b: slot of the element; to target
            // when none is left
  kTry,     // a: try; its handler is at target
  kEndTry,
  kRun,     // a: run
  kStop,    // the end of the flow, or of the subflow
  kFault,   // a: program, the message
  kBranch,  // a: text; notes the branch for tests and explanations
  // Values.
  kLet,   // a: slot; b: program
  kFind,  // a: slot; b: finder
  kTurn,  // a: slot; b: text, a queue: the member whose turn it is
  // Records.
  kSet,          // a: write, of the record in hand
  kUpdate,       // a: write; b: program, the record
  kUpdateFound,  // a: write; b: finder, all of them
  kCreate,       // a: write; b: slot of the new record, or kNoSlot
  kDelete,       // a: program, the record; b: path it ends with
  // Waiting. Where it is over in time, the next instruction follows; else the one at target.
  kWaitFor,        // a: wait
  kWaitUntilTime,  // a: wait
  kWaitUntil,      // a: wait
  kShow,           // a: screen
  // The world.
  kCall,    // a: call
  kSend,    // a: mail
  kEffect,  // a: effect on cadences, or its reminder
  kLog,     // a: program
};
const char* do_name(Do what);
inline constexpr uint32_t kNoSlot = UINT32_MAX;

struct Instruction {
  Do op = Do::kStop;
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t target = 0;
  SourceRange range;
};

// `find all Lead where … ordered by …`; the children of a record; the records of a schedule.
struct FinderPlan {
  types::ObjectId object;
  bool all = false;
  bool descending = false;
  ProgramRange where;     // empty: every record. A bare field belongs to the record looked at
  ProgramRange order_by;  // empty: by id
  // Where the condition asks for it: only records whose lookup holds this value are looked at.
  types::FieldId lookup;
  ProgramRange parent;
  // The field is no lookup that the children are found by but one that the condition compares with
  // the value of `parent`, by `is`; the condition is still asked of each.
  bool narrows = false;
};

struct AssignPlan {
  types::FieldRef field;
  ProgramRange value;
};
struct WritePlan {
  types::ObjectId object;  // of kCreate and kUpdateFound; of the others what the fields belong to
  std::vector<types::ObjectId> objects;  // of kUpdate: what the record may be of
  std::vector<AssignPlan> assignments;
};
struct WaitPlan {
  std::optional<Duration> duration;  // of kWaitFor
  ProgramRange until;                // a datetime, or a condition
  std::optional<Duration> at_most;
};
struct TryPlan {
  uint32_t retries = 0;
  std::optional<Duration> starting;
  bool doubling = false;
  uint32_t fault_slot = kNoSlot;
};
struct RunPlan {
  base::Key128 rule;
  std::string subflow;
  std::vector<std::pair<uint32_t, ProgramRange>> arguments;  // by slot of the subflow
  uint32_t slot = kNoSlot;                                   // of what it gives
  uint32_t given = kNoSlot;                                  // slot of the subflow
};
struct CallPlan {
  std::string service;
  std::vector<std::pair<std::string, ProgramRange>> arguments;
  uint32_t slot = kNoSlot;  // of the answer
};
struct MailPlan {
  ProgramRange to;
  std::vector<types::ObjectId> objects;  // what the recipient may be of; none: an address
  std::string template_name;
};
struct AskPlan {
  std::string name;
  std::string label;
  bool required = false;
  Value default_value;
  types::Type type;
  uint32_t slot = 0;
};
struct ScreenPlan {
  std::string title;
  std::vector<AskPlan> asks;
};
struct ParameterPlan {
  std::string name;
  types::Type type;
  uint32_t slot = 0;
};

struct Body {
  std::vector<Instruction> code;
  uint32_t slots = 0;
  std::vector<ParameterPlan> takes;
  std::vector<ParameterPlan> gives;
  std::vector<std::string> texts;
  std::vector<ProgramRange> programs;
  std::vector<FinderPlan> finders;
  std::vector<WritePlan> writes;
  std::vector<WaitPlan> waits;
  std::vector<TryPlan> tries;
  std::vector<RunPlan> runs;
  std::vector<CallPlan> calls;
  std::vector<MailPlan> mails;
  std::vector<ScreenPlan> screens;
};

// What starts a flow, beyond the object and the events of a record trigger, whom it runs as, and
// how its runs stand beside one another. Actions have the plain one.
struct TriggerPlan {
  TriggerKind kind = TriggerKind::kRecord;
  bool before_save = false;
  std::vector<types::ObjectId> objects;  // of kChanges
  std::string step;                      // of kStep; empty: any
  std::string cadence;                   // of kStep and kCadence; empty: any
  std::string outcome;                   // of kStep; empty: any
  bool ends = false;                     // of kStep and kCadence: completes, ends
  std::optional<schedule::Schedule> schedule;
  bool org_zone = false;         // of the schedule: the org's, not its own
  std::optional<uint32_t> over;  // finder of the records a schedule runs for
  uint32_t batch = 200;          // of them at once
  std::optional<uint32_t> gap;   // where the blocks begin in the body
  std::optional<uint32_t> overflow;
  RunAs run_as = RunAs::kSystem;
  std::string run_as_user;
  Mode mode = Mode::kParallel;
  bool per_record = false;  // of the mode: the runs on one record, not all of the flow
  std::optional<uint32_t> at_most;
};

inline constexpr uint32_t kNoPriority = UINT32_MAX;  // behind all others

// Half a million of them are kept: what most have alike or few have at all is Shared, and small
// fields stand together.
struct UnitPlan {
  base::Key128 rule;  // identity: kind, author, name (ENGINE section 8)
  std::string name;
  std::string author;
  Shared<std::string> file;  // of the source
  SourceRange range;         // of the name
  UnitKind kind = UnitKind::kAction;
  bool draft = false;
  uint8_t events = 0;  // ChangeBits
  Scope scope = Scope::kEverybody;
  Activation activation = Activation::kCreator;
  Guard guard = Guard::kNone;
  uint32_t priority = kNoPriority;
  uint32_t runs_per_record_max = 1;
  types::ObjectId object;  // of the record in hand; invalid: there is none
  Shared<TriggerPlan> trigger;
  SourceRange condition_range;
  ProgramRange condition;  // empty: always true
  std::vector<types::FieldId> watched;
  std::vector<EffectPlan> effects;
  Shared<Body> body;
  std::shared_ptr<const calendar::BusinessCalendar> calendar;  // null: no business durations
  Code code;
};
using UnitPtr = std::shared_ptr<const UnitPlan>;

base::Key128 rule_key(UnitKind kind, std::string_view author, std::string_view name);

// The one body of all actions: its effect, then the end.
const Shared<Body>& action_body();

// The bytes of an instruction. Those of an action's body stand with its effect.
SourceRange range_at(const UnitPlan& unit, uint32_t instruction);

// The order of automations on one event: before-save flows, actions, other flows; in each declared
// priority (none last), then name, then author, ignoring case. A total order.
bool runs_before(const UnitPlan& a, const UnitPlan& b);

// Re-checks every invariant of a unit. The text of the first one broken, or empty. A unit that
// verifies cannot fail for internal reasons.
std::string verify(const UnitPlan& unit, const types::Schema& schema,
                   const types::FunctionTable& functions);

// A readable listing (`check --dump=plan`).
std::string dump(const UnitPlan& unit, const types::Schema& schema,
                 const types::FunctionTable& functions);

}  // namespace ensue::plan
