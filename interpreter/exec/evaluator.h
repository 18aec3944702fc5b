// The evaluator: runs the programs of a plan on a record.
//
// A loop over immutable steps with an explicit stack. It reads records through a RecordSource and
// never writes; what it saw is told to a Trace when one is given. Results are a value, or an Error:
// kFault (two currencies compared, a number out of range) or kBoundExceeded (steps, rows). Not
// shared between threads; cheap to make.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "builtins/builtins.h"
#include "calendar/zone.h"
#include "ensue/options.h"
#include "ensue/result.h"
#include "plan/plan.h"
#include "types/record.h"

namespace ensue::exec {

// Where the evaluator reads records from: the engine's copy as it stands in the chain.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Null when there is none, or it is deleted.
  virtual types::RecordPtr find(types::ObjectId object, std::string_view id) = 0;
  // The ids of the records of `child` whose lookup holds `id`, in order of id, deleted ones left
  // out. An error when there are more than `most`.
  virtual Result<std::vector<std::string>> referring(types::ObjectId child, types::FieldId lookup,
                                                     std::string_view id, size_t most) = 0;
  // The id of a user by id, username or e-mail, or of a queue by id or name; empty when there is
  // none.
  virtual std::string person(std::string_view name, bool queue) = 0;
};

// What one test of a condition saw. `step` is the test's step; the values are those it compared.
struct TestSeen {
  uint32_t step = 0;
  bool result = false;
  Value left;
  Value right;
};

class Trace {
 public:
  virtual ~Trace() = default;
  virtual void test(const TestSeen& seen) = 0;
};

// What programs are run against.
struct Input {
  const types::Record* it = nullptr;      // the record in hand; may be null in tests
  const types::Record* before = nullptr;  // its image before the save; null on creation
  const types::FieldSet* changed = nullptr;
  bool is_new = false;
  bool before_save =
      false;  // evaluate as it stood before the save: nothing had changed, nothing was new
  const types::Record* searched =
      nullptr;          // the record that a bare name belongs to, in an expectation
  std::string_view me;  // a user's id; empty for the system
  std::span<const Value> locals;
  Instant now;
  uint64_t* steps = nullptr;  // of the run so far; counted on, and kept under `run_steps_max`
};

// What programs are run in: one for an engine, or for one test.
struct Environment {
  const types::Schema& schema;
  const types::FunctionTable& functions;
  std::span<const builtins::Body> bodies;  // by FunctionId
  RecordSource& records;
  calendar::Zone zone = calendar::Zone::utc();
  Currency currency;
  const Bounds& bounds;
};

// Runs one program. O(steps), plus the records that `has` looks at.
Result<Value> evaluate(const plan::Code& code, plan::ProgramRange program,
                       const calendar::BusinessCalendar* calendar, const Input& input,
                       const Environment& environment, Trace* trace = nullptr);

// The same for a condition: true or false. An empty program is true.
Result<bool> holds(const plan::Code& code, plan::ProgramRange program,
                   const calendar::BusinessCalendar* calendar, const Input& input,
                   const Environment& environment, Trace* trace = nullptr);

// The bodies of a table of functions, in its order. Null entries are functions without a body,
// which the library must not have.
std::vector<builtins::Body> bodies_of(const types::FunctionTable& functions);

// What a service answered is a JSON value: its objects are lists of this first text, and then a
// name and a value for each member. A fault is such an object too.
inline constexpr std::string_view kObjectMark = "\x01object";
// The member of that name, ignoring case; blank when there is none, or `of` is no object.
Value member_of(const Value& of, std::string_view name);

// A duration applied to a date or an instant, business durations in `calendar`. Blank in, blank
// out; kFault outside the years 1 to 9999.
Result<Value> add_duration(const Value& when, const Duration& duration, bool subtract,
                           const calendar::Zone& zone, const calendar::BusinessCalendar* calendar);

}  // namespace ensue::exec
