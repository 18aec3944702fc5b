// A loaded program: sources parsed, checked, drawn as graphs, lowered and verified. Immutable and
// shared; replacing the rules of an engine is replacing the pointer to this.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "builtins/builtins.h"
#include "cadence/definition.h"
#include "check/check.h"
#include "ensue/engine.h"
#include "limits/ledger.h"
#include "lower/lower.h"
#include "plan/plan.h"

namespace ensue::engine {

// A piece of a template: a text, or a merge field as `Recipient.Owner.Name`.
struct MailPart {
  std::string text;
  std::vector<std::string> names;
};
struct MailTemplate {
  std::vector<MailPart> subject;
  std::vector<MailPart> body;
};

// Where a file of the project declares or extends objects.
struct DeclaredObjects {
  source::FileId file;
  std::vector<plan::SourceRange> ranges;  // of the declarations, in order
};

// What running needs, and no trees: those stand in Loaded::module, for whoever looks at them.
struct Program {
  std::shared_ptr<const types::Schema> objects;
  std::shared_ptr<const types::FunctionTable> library;
  ProgramOptions options;
  std::shared_ptr<const source::SourceSet> texts;  // the library's files, then the project's
  size_t library_files = 0;
  size_t source_count = 0;  // files of the project, which follow those of the library
  std::vector<DeclaredObjects> declared_objects;
  std::vector<plan::UnitPtr> units;    // runnable ones, in the order they run
  std::vector<std::string> not_run;    // automations that this version checks but does not run
  std::vector<builtins::Body> bodies;  // by FunctionId
  std::vector<cadence::Definition> cadences;
  std::vector<limits::Rule> limits;
  calendar::Zone zone =
      calendar::Zone::utc();  // the org's: of `day starts at`, else of the options
  calendar::Zone counter_zone =
      calendar::Zone::utc();  // of the days of counters; the org's, except in a test
  TimeOfDay day_starts_at;
  bool day_declared = false;  // `day starts at` says where and when
  Currency currency;
  // Fields that records are searched by: lookups from the other end, and those that conditions of
  // searches compare with a value.
  std::set<types::FieldRef> linked;
  // Numbers of units at the places that the keys of their rules hash to, or at the next that was
  // free; kNoUnit: nothing.
  std::vector<uint32_t> unit_by_rule;
  static constexpr uint32_t kNoUnit = UINT32_MAX;
  std::unordered_map<std::string, uint32_t, base::FoldedHash, base::FoldedEqual> cadence_by_name;
  std::string fingerprint;  // of the project's sources and names
  std::map<std::string, MailTemplate, base::FoldedLess> templates;

  const types::Schema& schema() const { return *objects; }
  const types::FunctionTable& functions() const { return *library; }
  // The texts of the project, in order; a session's sentence is not among them.
  std::vector<const source::SourceFile*> sources() const;
  const cadence::Definition* find_cadence(std::string_view name) const;
  // The number of the unit of a rule, and the unit itself. O(1).
  std::optional<uint32_t> find_unit_number(const Key128& rule) const;
  const plan::UnitPlan* find_unit(const Key128& rule) const;
  // A flow or a screen flow by its name, ignoring case; null when there is none.
  const plan::UnitPlan* find_flow(std::string_view name, plan::UnitKind kind) const;
};
using ProgramPtr = std::shared_ptr<const Program>;

// A sentence to be checked together with a program.
struct SessionText {
  std::string text;
  std::map<std::string, std::string, base::FoldedLess>
      records;     // ids that may be named, and their objects
  std::string it;  // the object of the record in hand
};

struct LoadInput {
  std::vector<SourceText> sources;
  ProgramOptions options;
  const check::KnownRecords* known = nullptr;
  const SessionText* session = nullptr;
  // Threads that parse, check and lower; 0: as many as there are cores. What comes of it is the
  // same.
  unsigned threads = 0;
};

struct Loaded {
  ProgramPtr program;  // null when there are errors
  std::shared_ptr<const source::SourceSet> sources;
  // Trees and facts; also with errors, for dumps. Ten times what the program takes: who only runs
  // it lets go of them.
  std::shared_ptr<const check::CheckedModule> module;
  std::vector<Diagnostic> diagnostics;
  bool has_errors = false;
  bool has_warnings = false;
  check::NodeRef session;           // the sentence; invalid when there is none
  bool session_incomplete = false;  // it may go on
};

// The automations of an earlier program on the objects of the present one: what a run that began
// then goes on with. `sources` is what the store kept of it (stored_sources). kFault when they do
// not fit the objects any more.
Result<ProgramPtr> load_older_program(const Program& present, const std::string& sources);
std::string stored_sources(const Program& program);

// Fills the tables that find units and cadences by their names.
void index_names(Program& program);

// Parses, checks and lowers sources together with the library.
Loaded load_program(LoadInput input);

}  // namespace ensue::engine
