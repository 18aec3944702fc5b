// From checked trees to frozen plans.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "check/checked_module.h"
#include "plan/plan.h"

namespace ensue::lower {

using CalendarPtr = std::shared_ptr<const calendar::BusinessCalendar>;

// The calendars of a module, by the file that counts in them.
class Calendars {
 public:
  explicit Calendars(const check::CheckedModule& module);
  CalendarPtr for_file(source::FileId file) const;
  const std::map<std::string, CalendarPtr>& by_name() const { return by_name_; }

 private:
  const check::CheckedModule& module_;
  std::map<std::string, CalendarPtr> by_name_;
};

// The plan of a runnable automation. Never null; the module must have been checked without errors.
std::shared_ptr<plan::UnitPlan> lower_automation(const check::CheckedModule& module,
                                                 const check::Automation& automation,
                                                 const Calendars& calendars);

// The plan of a routing table. Never null; as above.
std::shared_ptr<plan::UnitPlan> lower_routing(const check::CheckedModule& module,
                                              const check::Routing& routing,
                                              const Calendars& calendars);

// A value or a condition that stands alone: in a test, in the REPL.
struct ExprPlan {
  plan::Code code;
  plan::ProgramRange program;
  CalendarPtr calendar;
};
ExprPlan lower_expression(const check::CheckedModule& module, check::NodeRef expr,
                          bool as_condition, const Calendars& calendars);

}  // namespace ensue::lower
