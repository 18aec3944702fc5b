#include "workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace ensue::bench {
namespace {

constexpr uint32_t kOwnerField = 0;
// Values of numbers and dates: 0 to 9999, most of them small.
constexpr uint32_t kNumbers = 10'000;

double share_below(uint32_t value) { return std::sqrt(static_cast<double>(value) / kNumbers); }

}  // namespace

const std::vector<FieldSpec>& Workload::fields() {
  using K = FieldKind;
  static const std::vector<FieldSpec> kFields = {
      {"OwnerId", K::kText, 0, 0, false},
      {"Company", K::kText, 20'000, 0, true},
      {"PostalCode", K::kText, 5'000, 25, true},
      {"City", K::kText, 1'000, 20, true},
      {"Street", K::kText, 20'000, 40, false},
      {"State", K::kText, 60, 30, true},
      {"Country", K::kText, 50, 10, true},
      {"Industry", K::kText, 32, 25, true},
      {"LeadSource", K::kText, 12, 10, true},
      {"Rating", K::kText, 3, 30, true},
      {"Status", K::kText, 6, 0, true},
      {"Title", K::kText, 400, 35, true},
      {"FirstName", K::kText, 1'500, 10, false},
      {"LastName", K::kText, 5'000, 0, true},
      {"Email", K::kText, 0, 20, false},
      {"Phone", K::kText, 0, 40, false},
      {"MobilePhone", K::kText, 0, 70, false},
      {"Website", K::kText, 20'000, 50, false},
      {"Description", K::kText, 0, 60, false},
      {"Department", K::kText, 40, 60, true},
      {"ProductInterest", K::kText, 25, 50, true},
      {"Campaign", K::kText, 300, 60, true},
      {"Region", K::kText, 8, 20, true},
      {"Segment", K::kText, 5, 20, true},
      {"Language", K::kText, 20, 40, true},
      {"SalesTerritory", K::kText, 50, 30, true},
      {"CleanStatus", K::kText, 7, 30, true},
      {"NumberOfEmployees", K::kNumber, 0, 40, true},
      {"AnnualRevenue", K::kNumber, 0, 50, true},
      {"Score", K::kNumber, 0, 30, true},
      {"LastActivityDate", K::kDate, 0, 50, true},
      {"DoNotCall", K::kBoolean, 2, 0, true},
      {"IsConverted", K::kBoolean, 2, 0, true},
  };
  return kFields;
}

Workload::Workload(uint64_t seed, bool owned, uint32_t users)
    : random_(seed), owned_(owned), users_(users) {
  lead_ = schema_.declare_object("Lead", {});
  types::Field id;
  id.name = id.stored_as = "Id";
  id.type = types::Type::of(types::TypeKind::kId);
  schema_.add_field(lead_, id);
  for (const FieldSpec& spec : fields()) {
    types::Field field;
    field.name = field.stored_as = spec.name;
    field.type = types::Type::of(spec.kind == FieldKind::kText     ? types::TypeKind::kText
                                 : spec.kind == FieldKind::kNumber ? types::TypeKind::kNumber
                                 : spec.kind == FieldKind::kDate   ? types::TypeKind::kDate
                                                                   : types::TypeKind::kBoolean);
    schema_.add_field(lead_, field);
    std::vector<double>& sums = cumulative_.emplace_back();
    double sum = 0;
    for (uint32_t i = 0; i < spec.values; ++i) sums.push_back(sum += 1.0 / (i + 1));
    for (double& value : sums) value /= sum;
  }
  // Rules whose share is too far from the mean wanted are left out.
  std::vector<double> shares;
  for (int i = 0; i < 20'000; ++i) shares.push_back(share(draw()));
  std::sort(shares.begin(), shares.end());
  auto mean = [&](double low, double high) {
    double sum = 0;
    size_t count = 0;
    for (double value : shares) {
      if (value < low || value > high) continue;
      sum += value;
      ++count;
    }
    return count == 0 ? 0 : sum / static_cast<double>(count);
  };
  bool cap = mean(0, 1) > target(owned_);
  double low = std::log(1e-9);
  double high = 0;
  for (int i = 0; i < 60; ++i) {
    double middle = (low + high) / 2;
    double at = std::exp(middle);
    bool above = (cap ? mean(0, at) : mean(at, 1)) > target(owned_);
    (above ? high : low) = middle;
  }
  (cap ? most_ : least_) = std::exp(low);
}

std::string Workload::owner_name(uint32_t user) { return fmt::format("0055g00000{:05}AAA", user); }

// The words are the field's, so that a text is not the number alone.
std::string Workload::text(uint32_t field, uint32_t rank) {
  static constexpr const char* kHeads[] = {"North", "Blue", "Grand", "Alpha", "Summit",
                                           "River", "Iron", "Vert",  "Monte", "Delta"};
  return fmt::format("{} {}-{}", kHeads[(rank * 7 + field) % 10], fields()[field].name[0], rank);
}

std::string Workload::date(uint32_t value) {
  uint32_t day = value * 336 / kNumbers;
  return fmt::format("2026-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
}

uint32_t Workload::rank(uint32_t field) {
  const std::vector<double>& sums = cumulative_[field];
  double at = static_cast<double>(random_() >> 11) / 9007199254740992.0;
  auto found = std::lower_bound(sums.begin(), sums.end(), at);
  return static_cast<uint32_t>(
      std::min<std::ptrdiff_t>(found - sums.begin(), static_cast<std::ptrdiff_t>(sums.size()) - 1));
}

double Workload::share_of_rank(uint32_t field, uint32_t rank) const {
  const std::vector<double>& sums = cumulative_[field];
  double share = rank == 0 ? sums[0] : sums[rank] - sums[rank - 1];
  return share * (100 - fields()[field].null_percent) / 100;
}

uint32_t Workload::number_value(uint32_t) {
  double at = static_cast<double>(random_() >> 11) / 9007199254740992.0;
  return static_cast<uint32_t>(at * at * kNumbers);
}

// A test of a field that the rule does not name yet.
Condition Workload::test(std::vector<bool>& used, bool keyed) {
  Condition out;
  do {
    out.field = static_cast<uint32_t>(below(fields().size()));
    // Records of one's own are told apart by what has few values; those of all by what has many.
    bool rare = fields()[out.field].values > 100;
    if (keyed && fields()[out.field].kind != FieldKind::kText) continue;
    if (owned_ && rare && chance(70)) continue;
    if (!owned_ && fields()[out.field].kind == FieldKind::kText && !rare && chance(40)) continue;
    if (fields()[out.field].in_rules && !used[out.field]) break;
  } while (true);
  used[out.field] = true;
  const FieldSpec& spec = fields()[out.field];
  if (spec.kind == FieldKind::kBoolean) {
    out.kind = Condition::Kind::kTrue;
  } else if (spec.kind != FieldKind::kText) {
    out.kind = chance(70) ? Condition::Kind::kAtLeast : Condition::Kind::kAtMost;
    out.values = {number_value(out.field)};
  } else if (!keyed && spec.null_percent > 0 && chance(4)) {
    out.kind = Condition::Kind::kIsBlank;
  } else if (chance(12)) {
    out.kind = Condition::Kind::kOneOf;
    size_t count = 2 + below(3);
    for (size_t i = 0; i < count; ++i) out.values.push_back(rank(out.field));
    std::sort(out.values.begin(), out.values.end());
    out.values.erase(std::unique(out.values.begin(), out.values.end()), out.values.end());
  } else if (!keyed && spec.values > 1'000 && chance(8)) {
    out.kind = Condition::Kind::kStartsWith;
    out.values = {rank(out.field)};
  } else {
    out.values = {rank(out.field)};
  }
  return out;
}

Condition Workload::draw() {
  std::vector<bool> used(fields().size());
  size_t tests = 1 + below(5);
  size_t form = below(100);
  // Each conjunction that may decide alone has an equality, as nearly all rules of people have.
  auto several = [&](Condition::Join join, size_t count) {
    Condition out;
    out.join = join;
    for (size_t i = 0; i < count; ++i) out.parts.push_back(test(used, i == 0));
    return out;
  };
  auto conjunction = [&](size_t count) {
    return count == 1 ? test(used, true) : several(Condition::Join::kAnd, count);
  };
  if (form < 60) return conjunction(tests);
  if (form < 80) {
    Condition out = several(Condition::Join::kAnd, std::max<size_t>(tests, 3) - 2);
    out.parts.push_back(several(Condition::Join::kOr, 2));
    return out;
  }
  if (form < 88) {
    Condition out;
    out.join = Condition::Join::kOr;
    out.parts.push_back(conjunction(1));
    out.parts.push_back(conjunction(std::max<size_t>(tests, 2) - 1));
    return out;
  }
  Condition out = several(Condition::Join::kAnd, std::max<size_t>(tests, 2) - 1);
  Condition turned;
  turned.join = Condition::Join::kNot;
  turned.parts.push_back(test(used, false));
  out.parts.push_back(std::move(turned));
  return out;
}

// Fields are independent, and a rule names each once.
double Workload::share(const Condition& condition) const {
  double out = 1;
  switch (condition.join) {
    case Condition::Join::kAnd:
      for (const Condition& part : condition.parts) out *= share(part);
      return out;
    case Condition::Join::kOr:
      for (const Condition& part : condition.parts) out *= 1 - share(part);
      return 1 - out;
    case Condition::Join::kNot: return 1 - share(condition.parts[0]);
    case Condition::Join::kTest: break;
  }
  const FieldSpec& spec = fields()[condition.field];
  double present = (100 - spec.null_percent) / 100.0;
  switch (condition.kind) {
    case Condition::Kind::kIs:
    case Condition::Kind::kOneOf:
      out = 0;
      for (uint32_t rank : condition.values) out += share_of_rank(condition.field, rank);
      return out;
    case Condition::Kind::kStartsWith: return share_of_rank(condition.field, condition.values[0]);
    case Condition::Kind::kIsBlank: return 1 - present;
    case Condition::Kind::kTrue: return 0.2;
    case Condition::Kind::kAtLeast: return present * (1 - share_below(condition.values[0]));
    case Condition::Kind::kAtMost: return present * share_below(condition.values[0] + 1);
  }
  return out;
}

Rule Workload::rule() {
  Rule out;
  do {
    out.condition = draw();
    out.share = share(out.condition);
  } while (out.share < least_ || out.share > most_);
  out.events = chance(20)   ? plan::kCreated
               : chance(25) ? plan::kEdited
                            : plan::kCreated | plan::kEdited;
  return out;
}

Event Workload::event(uint32_t number) {
  std::string json = fmt::format(
      R"({{"id":"e{}","entity":"Lead","ids":["00Q5g00000{:05}AAA"],"kind":"{}","at":"2026-03-29T09:30:00.000Z","by":"{}","set":{{)",
      number, number, chance(30) ? "create" : "update",
      owner_name(static_cast<uint32_t>(below(users_))));
  for (uint32_t field = 0; field < fields().size(); ++field) {
    const FieldSpec& spec = fields()[field];
    json += fmt::format("{}\"{}\":", field == 0 ? "" : ",", spec.name);
    if (field == kOwnerField) {
      json += fmt::format("\"{}\"", owner_name(static_cast<uint32_t>(below(users_))));
    } else if (spec.null_percent > 0 && chance(spec.null_percent)) {
      json += "null";
    } else if (spec.kind == FieldKind::kBoolean) {
      json += chance(20) ? "true" : "false";
    } else if (spec.kind == FieldKind::kNumber) {
      json += fmt::format("{}.50", number_value(field));
    } else if (spec.kind == FieldKind::kDate) {
      json += fmt::format("\"{}\"", date(number_value(field)));
    } else if (spec.values > 0) {
      json += fmt::format("\"{}\"", text(field, rank(field)));
    } else {
      json += fmt::format("\"{} {:08x} of record {}\"", spec.name, below(UINT32_MAX), number);
    }
  }
  json += "}}";
  Event out;
  out.size = static_cast<uint32_t>(json.size());
  out.json = std::move(json);
  out.json.resize(out.size + 64);  // simdjson reads past the end
  return out;
}

void Workload::write(const Condition& condition, plan::Code& code) const {
  auto step = [&](plan::Op op, uint32_t a = 0, uint8_t flags = 0) {
    code.steps.push_back({op, flags, 0, a});
    return code.steps.size() - 1;
  };
  auto constant = [&](Value value) {
    code.constants.push_back(std::move(value));
    step(plan::Op::kConstant, static_cast<uint32_t>(code.constants.size() - 1));
  };
  code.stack_max = 8;
  bool joined = condition.join == Condition::Join::kAnd || condition.join == Condition::Join::kOr;
  if (joined) {
    bool all = condition.join == Condition::Join::kAnd;
    std::vector<size_t> jumps;
    for (size_t i = 0; i < condition.parts.size(); ++i) {
      write(condition.parts[i], code);
      if (i + 1 < condition.parts.size())
        jumps.push_back(step(all ? plan::Op::kAndJump : plan::Op::kOrJump));
    }
    for (size_t jump : jumps) code.steps[jump].a = static_cast<uint32_t>(code.steps.size());
    return;
  }
  if (condition.join == Condition::Join::kNot) {
    write(condition.parts[0], code);
    step(plan::Op::kNot);
    return;
  }
  plan::PathPlan path;
  path.from = {lead_};
  path.hops.push_back({{types::FieldRef{lead_, field_id(condition.field)}}});
  code.paths.push_back(std::make_shared<const plan::PathPlan>(std::move(path)));
  step(plan::Op::kPath, static_cast<uint32_t>(code.paths.size() - 1));
  bool date = fields()[condition.field].kind == FieldKind::kDate;
  auto ordered = [&](uint32_t value) {
    constexpr int32_t kNewYear2026 = 20'454;  // days
    uint32_t day = value * 336 / kNumbers;
    static constexpr int32_t kMonths[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    if (date) {
      constant(Value::date({kNewYear2026 + kMonths[day / 28] + static_cast<int32_t>(day % 28)}));
    } else {
      constant(Value::number(Decimal{value, 0}));
    }
  };
  switch (condition.kind) {
    case Condition::Kind::kIs:
      constant(Value::text(text(condition.field, condition.values[0])));
      step(plan::Op::kCompare, 0, plan::kCompareEqual);
      break;
    case Condition::Kind::kOneOf:
      for (uint32_t rank : condition.values) constant(Value::text(text(condition.field, rank)));
      step(plan::Op::kOneOf, static_cast<uint32_t>(condition.values.size()));
      break;
    case Condition::Kind::kStartsWith:
      constant(Value::text(text(condition.field, condition.values[0])));
      step(plan::Op::kCompare, 0, plan::kCompareStartsWith);
      break;
    case Condition::Kind::kIsBlank: step(plan::Op::kIsBlank); break;
    case Condition::Kind::kTrue: step(plan::Op::kTruth); break;
    case Condition::Kind::kAtLeast:
    case Condition::Kind::kAtMost:
      ordered(condition.values[0]);
      step(plan::Op::kCompare, 0,
           condition.kind == Condition::Kind::kAtLeast ? plan::kCompareGreaterOrEqual
                                                       : plan::kCompareLessOrEqual);
      break;
  }
}

}  // namespace ensue::bench
