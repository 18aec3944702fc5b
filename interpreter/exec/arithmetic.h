// Arithmetic on values: what + - * / mean between numbers, percents and money (checked before by
// kind, done here exactly).
#pragma once

#include "ensue/result.h"
#include "ensue/value.h"
#include "plan/plan.h"

namespace ensue::exec {

// Blank with anything is blank. 20% of an amount is amount * 20%, that is, the percent counts as
// its hundredth; percents alone are added as percents. A fault: two currencies, division by zero,
// more than 18 digits.
Result<Value> calculate(plan::Op op, const Value& left, const Value& right);
Value negate(const Value& value);

}  // namespace ensue::exec
