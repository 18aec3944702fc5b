// The stages of checking, in order.
#include <array>

#include "check/internal/checker.h"

namespace ensue::check {
namespace {

using internal::Checker;

struct Stage {
  const char* name;
  void (Checker::*run)();
};

// Declarations come before what refers to them: objects before the fields that look up objects,
// names before bodies.
constexpr std::array kStages = {
    Stage{"objects", &Checker::declare_objects},
    Stage{"fields", &Checker::declare_fields},
    Stage{"functions", &Checker::declare_functions},
    Stage{"names", &Checker::declare_names},
    Stage{"calendars", &Checker::check_calendars},  // before durations that count in them
    Stage{"cadences", &Checker::check_cadences},    // before effects that name their steps
    Stage{"limits", &Checker::check_limits},
    Stage{"automations", &Checker::check_automations},
    Stage{"tests", &Checker::check_tests},
    Stage{"session", &Checker::check_session},
    Stage{"authors", &Checker::check_authors},  // counts what the stages before have accepted
    Stage{"unknown cadences", &Checker::report_unknown_cadences},
};

}  // namespace

std::shared_ptr<CheckedModule> check_program(const CheckInput& input,
                                             source::DiagnosticSink& sink) {
  Checker checker(input, sink);
  for (const Stage& stage : kStages) (checker.*stage.run)();
  return checker.take();
}

}  // namespace ensue::check
