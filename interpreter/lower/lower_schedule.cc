#include "lower/lower_schedule.h"

#include <utility>

#include "base/check.h"
#include "value/decimal.h"

namespace ensue::lower {
namespace {

namespace ast = syntax::ast;
using syntax::NodeId;
using syntax::NodeKind;

constexpr uint8_t kWorkDays = 0b0011111;
constexpr uint8_t kAllDays = 0b1111111;

uint8_t weekday_bits(std::string_view word) {
  if (word == "weekday") return kWorkDays;
  if (word == "day") return kAllDays;
  constexpr std::string_view kNames[] = {"monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday"};
  for (int day = 0; day < 7; ++day) {
    if (word == kNames[day]) return static_cast<uint8_t>(1 << day);
  }
  ENSUE_CHECK(false);
}

class ScheduleLowering {
 public:
  ScheduleLowering(const check::CheckedFile& file, const calendar::Zone& org_zone)
      : file_(file), tree_(*file.tree), org_zone_(org_zone) {}

  std::optional<schedule::Schedule> lower(NodeId trigger) const {
    switch (tree_.kind(trigger)) {
      case NodeKind::kDailySchedule: {
        ast::DailySchedule row(tree_, trigger);
        schedule::Weekly rule{0, times(row.times())};
        for (NodeId day : tree_.items(row.days())) rule.weekdays |= weekday_bits(tree_.text(day));
        return finished(std::move(rule), row.zone(), row.catch_up());
      }
      case NodeKind::kMonthlySchedule: {
        ast::MonthlySchedule row(tree_, trigger);
        schedule::Monthly rule{{}, times(row.times())};
        for (NodeId day : tree_.items(row.days()))
          rule.days.push_back(static_cast<int32_t>(number(day)));
        return finished(std::move(rule), row.zone(), row.catch_up());
      }
      case NodeKind::kIntervalSchedule: {
        ast::IntervalSchedule row(tree_, trigger);
        int64_t count = row.count().valid() ? number(row.count()) : 1;
        auto unit = static_cast<DurationUnit>(row.op());
        if (unit >= DurationUnit::kDay)
          return finished(schedule::Periodic{count, unit}, row.zone(), row.catch_up());
        int64_t unit_ms = unit == DurationUnit::kHour     ? 3'600'000
                          : unit == DurationUnit::kMinute ? 60'000
                                                          : 1000;
        return finished(schedule::Elapsed{count * unit_ms}, row.zone(), row.catch_up());
      }
      case NodeKind::kOnceSchedule: {
        ast::OnceSchedule row(tree_, trigger);
        return finished(
            schedule::Once{constant(row.date()).as_date(), constant(row.time()).as_time()},
            row.zone(), row.catch_up());
      }
      default: return std::nullopt;
    }
  }

 private:
  const Value& constant(NodeId id) const {
    const check::Fact& fact = file_.facts.of(id);
    ENSUE_CHECK(fact.binding == check::Binding::kConstant);
    return file_.facts.constants[fact.index];
  }

  std::vector<TimeOfDay> times(NodeId list) const {
    std::vector<TimeOfDay> out;
    for (NodeId time : tree_.items(list)) out.push_back(constant(time).as_time());
    return out;
  }

  // A whole number, as the checker has seen.
  int64_t number(NodeId id) const {
    auto read = value::parse_decimal(tree_.text(id));
    ENSUE_CHECK(read && read->scale == 0);
    return read->coefficient;
  }

  template <typename Rule>
  schedule::Schedule finished(Rule rule, NodeId zone, NodeId catch_up) const {
    schedule::Schedule out{std::move(rule), org_zone_, schedule::CatchUp::kOnce};
    if (zone.valid()) out.zone = calendar::Zone::find(tree_.text(zone)).value();
    if (catch_up.valid()) {
      std::string_view word = tree_.text(catch_up);
      out.catch_up = word == "all"     ? schedule::CatchUp::kAll
                     : word == "never" ? schedule::CatchUp::kNever
                                       : schedule::CatchUp::kOnce;
    }
    return out;
  }

  const check::CheckedFile& file_;
  const syntax::Tree& tree_;
  const calendar::Zone& org_zone_;
};

}  // namespace

std::optional<schedule::Schedule> lower_schedule(const check::CheckedModule& module,
                                                 const check::Automation& automation,
                                                 const calendar::Zone& org_zone) {
  const check::CheckedFile& file = module.file(automation.declaration.file);
  if (!file.tree->is(automation.declaration.node, NodeKind::kFlowDecl)) return std::nullopt;
  ast::FlowDecl decl(*file.tree, automation.declaration.node);
  for (NodeId trigger : file.tree->items(decl.triggers())) {
    if (auto schedule = ScheduleLowering(file, org_zone).lower(trigger)) return schedule;
  }
  return std::nullopt;
}

}  // namespace ensue::lower
