#include "cadence/definition.h"

#include "base/fold.h"
#include "value/time_text.h"

namespace ensue::cadence {
namespace {

Instant past_weekend(Instant at, const calendar::Zone& zone) {
  Date date = zone.date(at);
  int32_t weekday = value::weekday_of(date);
  constexpr int32_t kSaturday = 5;
  if (weekday < kSaturday) return at;
  return zone.day_start({date.days + 7 - weekday});
}

}  // namespace

const Track* Definition::track(std::string_view name_wanted) const {
  for (const Track& row : tracks) {
    if (base::equal_folded(row.name, name_wanted)) return &row;
  }
  return nullptr;
}

Instant due_at(const Step& step, Instant from, const calendar::Zone& zone,
               const calendar::BusinessCalendar* calendar) {
  if (!step.delay) return past_weekend(from, zone);
  std::optional<Instant> at;
  if (step.delay->business && calendar != nullptr) {
    at = calendar::add_business(from, *step.delay, *calendar);
  } else {
    at = calendar::add(from, *step.delay, zone);
  }
  return past_weekend(at.value_or(from), zone);
}

}  // namespace ensue::cadence
