// Limits and business calendars.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"
#include "value/time_text.h"

namespace ensue::check::internal {
namespace {

const std::vector<std::string>& counters_of(LimitScope scope) {
  static const std::vector<std::string> kShared = {"action executions", "flow executions",
                                                   "automated emails"};
  static const std::vector<std::string> kAutomation = {"executions"};
  static const std::vector<std::string> kService = {"calls"};
  return scope == LimitScope::kAutomation ? kAutomation
         : scope == LimitScope::kService  ? kService
                                          : kShared;
}

// The counter's name as it is kept: small letters, plural.
std::string counter_name(std::string_view first, std::string_view second) {
  std::string out = base::fold_case(first);
  if (!second.empty()) out += " " + base::fold_case(second);
  if (!out.empty() && out.back() != 's') out += 's';
  return out;
}

bool same_counter(const Limit& a, const Limit& b) {
  return a.scope == b.scope && a.counter == b.counter && a.window_ms == b.window_ms &&
         a.kind == b.kind && base::equal_folded(a.name, b.name) &&
         base::equal_folded(a.author, b.author);
}

int weekday(std::string_view word) {
  static constexpr std::string_view kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                               "friday", "saturday", "sunday"};
  return static_cast<int>(std::find(std::begin(kDays), std::end(kDays), word) - std::begin(kDays));
}

}  // namespace

void Checker::check_limits() {
  std::vector<Limit> library;
  std::vector<Limit> project;
  for_each_declaration(NodeKind::kLimitsDecl,
                       [&](NodeId id) { check_limits_decl(id, in_library() ? library : project); });
  for (const Limit& limit : library) {
    bool replaced = std::any_of(project.begin(), project.end(),
                                [&](const Limit& own) { return same_counter(own, limit); });
    if (!replaced) module_->limits.push_back(limit);
  }
  module_->limits.insert(module_->limits.end(), project.begin(), project.end());
}

void Checker::check_limits_decl(NodeId id, std::vector<Limit>& out) {
  ast::LimitsDecl decl(*tree_, id);
  std::vector<Limit> found;
  int warn_percent = 80;
  std::optional<LimitPolicy> policy;
  NodeId policy_node;
  for (NodeId line : tree_->items(decl.lines())) {
    switch (tree_->kind(line)) {
      case NodeKind::kLimitLine: {
        ast::LimitLine row(*tree_, line);
        for (NodeId cap : tree_->items(row.caps())) {
          auto limit = check_limit_cap(row.scope(), cap);
          if (!limit) continue;
          auto known = std::find_if(out.begin(), out.end(),
                                    [&](const Limit& l) { return same_counter(l, *limit); });
          auto here = std::find_if(found.begin(), found.end(),
                                   [&](const Limit& l) { return same_counter(l, *limit); });
          bool twice = known != out.end() || here != found.end();
          if (twice) {
            report(DiagnosticKind::kLimitTwice, span(cap), {tree_->written(row.scope())})
                .label(here != found.end() ? here->span : known->span, "first said here");
          } else {
            found.push_back(*limit);
          }
        }
        break;
      }
      case NodeKind::kDayStarts: {
        ast::DayStarts row(*tree_, line);
        auto at = value::parse_time(text(row.time()));
        if (!at) {
          report(DiagnosticKind::kImpossibleDate, span(row.time()), {text(row.time())});
          break;
        }
        if (!check_zone(row.zone())) break;
        DayStart start{*at, text(row.zone()), span(line)};
        bool differs = module_->day_start && (module_->day_start->time != start.time ||
                                              module_->day_start->zone != start.zone);
        if (differs) {
          report(DiagnosticKind::kTwoDayStarts, span(line))
              .label(module_->day_start->span, "the other one");
        } else if (!module_->day_start) {
          module_->day_start = start;
        }
        break;
      }
      case NodeKind::kWarnAt:
        warn_percent = static_cast<int>(
            whole_number(ast::WarnAt(*tree_, line).percent(), 1, 100, "the percentage")
                .value_or(80));
        break;
      case NodeKind::kWhenReached: {
        policy_node = ast::WhenReached(*tree_, line).policy();
        static const std::vector<std::string> kPolicies = {"drop", "defer", "remind", "fail",
                                                           "pause"};
        for (size_t i = 0; i < kPolicies.size(); ++i) {
          if (base::equal_folded(kPolicies[i], text(policy_node)))
            policy = static_cast<LimitPolicy>(i);
        }
        if (!policy) {
          report(DiagnosticKind::kUnknownPolicy, span(policy_node), {text(policy_node)})
              .suggest(base::nearest(text(policy_node), kPolicies));
        }
        break;
      }
      default: break;
    }
  }
  for (Limit& limit : found) {
    limit.warn_percent = warn_percent;
    if (policy) limit.policy = *policy;
    if (limit.policy == LimitPolicy::kPause && limit.scope != LimitScope::kService) {
      report(DiagnosticKind::kUnknownPolicy, span(policy_node), {"pause"})
          .label(limit.span, "this limit is not a service's")
          .note("only a limit of a service can pause; write it in a `limits` of its own");
    }
    out.push_back(std::move(limit));
  }
}

std::optional<Limit> Checker::check_limit_cap(NodeId scope_node, NodeId cap_node) {
  ast::LimitScope scope(*tree_, scope_node);
  ast::LimitCap cap(*tree_, cap_node);
  Limit limit;
  limit.span = span(cap_node);
  limit.name = text(scope.name());
  limit.author = text(scope.author());
  std::string where;
  switch (scope.op()) {
    case syntax::kEachUser:
      limit.scope = LimitScope::kUser;
      where = "for a user";
      break;
    case syntax::kWholeOrg:
      limit.scope = LimitScope::kOrg;
      where = "for the org";
      break;
    case syntax::kOfService:
      limit.scope = LimitScope::kService;
      where = "for a service";
      break;
    default: {
      limit.scope = LimitScope::kAutomation;
      limit.kind =
          scope.op() == syntax::kOfAction ? AutomationKind::kAction : AutomationKind::kFlow;
      where = "for one automation";
      const NamedTable& table = scope.op() == syntax::kOfAction ? names_->actions : names_->flows;
      const char* word = scope.op() == syntax::kOfAction ? "action" : "flow";
      if (table.count(limit.name) == 0 && !broken(word, limit.name)) {
        report(DiagnosticKind::kUnknownAutomation, span(scope.name()), {word, limit.name})
            .suggest_quoted(base::nearest(limit.name, names_of(table)));
      }
    }
  }
  limit.counter = counter_name(text(cap.counter()), text(cap.counter_rest()));
  const std::vector<std::string>& counters = counters_of(limit.scope);
  if (std::find(counters.begin(), counters.end(), limit.counter) == counters.end()) {
    Span at = source::cover(span(cap.counter()),
                            span(cap.counter_rest().valid() ? cap.counter_rest() : cap.counter()));
    report(DiagnosticKind::kUnknownCounter, at,
           {tree_->source_text().substr(at.begin, at.end - at.begin), where})
        .suggest(counters.size() == 1 ? std::optional(counters[0])
                                      : base::nearest(limit.counter, counters));
    return std::nullopt;
  }
  auto max = whole_number(cap.count(), 0, 1'000'000'000'000, "the limit");
  int64_t count = 1;
  if (cap.window_count().valid())
    count = whole_number(cap.window_count(), 1, 86'400, "the length of time").value_or(1);
  switch (cap.op()) {
    case syntax::kSecond: limit.window_ms = count * 1000; break;
    case syntax::kMinute: limit.window_ms = count * 60'000; break;
    case syntax::kHour: limit.window_ms = count * 3'600'000; break;
    case syntax::kDay: break;
    default: report(DiagnosticKind::kLimitWindow, span(cap_node)); return std::nullopt;
  }
  limit.per_day = cap.op() == syntax::kDay;
  bool too_long = limit.window_ms > value::kDayMs || (limit.per_day && count != 1);
  if (too_long) {
    report(DiagnosticKind::kLimitWindow, span(cap_node));
    return std::nullopt;
  }
  if (!max) return std::nullopt;
  limit.max = *max;
  return limit;
}

// ---- Calendars --------------------------------------------------------------------------------

void Checker::check_calendars() {
  for_each_declaration(NodeKind::kCalendarDecl, [&](NodeId id) { check_calendar(id); });
}

void Checker::check_calendar(NodeId id) {
  ast::CalendarDecl decl(*tree_, id);
  Calendar calendar;
  calendar.name = text(decl.name());
  calendar.zone = text(decl.zone());
  calendar.span = span(decl.name());
  calendar.file = file_;
  check_zone(decl.zone());
  std::vector<Span> hours;
  for (NodeId line : tree_->items(decl.lines())) check_open_line(line, calendar, hours);
  if (tree_->items(decl.lines()).empty())
    report(DiagnosticKind::kMissingWord, span(decl.name()),
           {"`open Monday - Friday 09:00 - 17:00`"});
  for (NodeId node : tree_->items(decl.holidays())) {
    if (infer(node, Place{}).error()) continue;
    calendar.holidays.push_back(facts_->constants[facts_->of(node).index].as_date());
  }
  std::sort(calendar.holidays.begin(), calendar.holidays.end());
  module_->calendars.push_back(std::move(calendar));
}

void Checker::check_open_line(NodeId id, Calendar& calendar, std::vector<Span>& hours) {
  ast::OpenLine line(*tree_, id);
  std::vector<int> days;
  for (NodeId row : tree_->items(line.days())) {
    ast::Range range(*tree_, row);
    int from = weekday(text(range.from()));
    int to = range.to().valid() ? weekday(text(range.to())) : from;
    for (int day = from;; day = (day + 1) % 7) {
      days.push_back(day);
      if (day == to) break;
    }
  }
  for (NodeId row : tree_->items(line.hours())) {
    ast::Range range(*tree_, row);
    auto from = value::parse_time(text(range.from()));
    bool midnight = text(range.to()) == "24:00";
    auto to = midnight ? std::optional(TimeOfDay{static_cast<int32_t>(value::kDayMs)})
                       : value::parse_time(text(range.to()));
    if (!from || !to) {
      NodeId wrong = from ? range.to() : range.from();
      report(DiagnosticKind::kImpossibleDate, span(wrong), {text(wrong)});
      continue;
    }
    if (*to <= *from) {
      report(DiagnosticKind::kHoursBackward, span(row))
          .note(
              "hours past midnight are written on two days, as in `Friday 22:00 - 24:00` and "
              "`Saturday 00:00 - 02:00`");
      continue;
    }
    for (int day : days) {
      auto other = std::find_if(calendar.open.begin(), calendar.open.end(), [&](const OpenSpan& o) {
        return o.weekday == day && o.from_ms < to->ms && from->ms < o.to_ms;
      });
      if (other != calendar.open.end()) {
        report(DiagnosticKind::kHoursOverlap, span(row))
            .label(hours[static_cast<size_t>(other - calendar.open.begin())], "the others");
        break;
      }
      calendar.open.push_back({day, from->ms, to->ms});
      hours.push_back(span(row));
    }
  }
}

}  // namespace ensue::check::internal
