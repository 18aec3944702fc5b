// The schedule of a flow, from its tree.
#pragma once

#include <optional>

#include "check/checked_module.h"
#include "schedule/schedule.h"

namespace ensue::lower {

// Empty when the automation is not started by a schedule. `org_zone` is the zone of a schedule that
// names none. The module must have been checked without errors.
std::optional<schedule::Schedule> lower_schedule(const check::CheckedModule& module,
                                                 const check::Automation& automation,
                                                 const calendar::Zone& org_zone);

}  // namespace ensue::lower
