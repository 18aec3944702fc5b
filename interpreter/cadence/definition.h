// Cadences as they run: tracks of steps, each with a delay after the end of the one before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/business_time.h"
#include "ensue/value.h"

namespace ensue::cadence {

struct Step {
  std::string title;
  std::string kind;               // as the CRM names it: Call, Automated Email, …
  std::optional<Duration> delay;  // none: immediately
};

struct Track {
  std::string name;
  std::vector<Step> steps;
};

struct Definition {
  std::string name;
  std::string author;
  bool draft = false;
  std::vector<std::string> targets;  // objects; empty: any of the three
  std::vector<Track> tracks;
  std::shared_ptr<const calendar::BusinessCalendar> calendar;

  const Track* track(std::string_view name_wanted) const;
};

// When a step that may start at `from` is due: its delay later, and never on a weekend
// (sales-engagement 4.5: on by default); a time that falls on a Saturday or Sunday moves to the
// start of Monday.
Instant due_at(const Step& step, Instant from, const calendar::Zone& zone,
               const calendar::BusinessCalendar* calendar);

}  // namespace ensue::cadence
