// Types of conditions and values.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "calendar/zone.h"
#include "check/internal/checker.h"
#include "ensue/currency.h"
#include "value/decimal.h"
#include "value/time_text.h"

namespace ensue::check::internal {
namespace {

bool compares_equality(uint8_t op) {
  op &= static_cast<uint8_t>(~syntax::kExactly);
  return op == syntax::kIs || op == syntax::kIsNot || op == syntax::kEqual ||
         op == syntax::kNotEqual;
}

DurationUnit unit_of(uint8_t op) { return static_cast<DurationUnit>(op & 15); }

bool is_time_unit(DurationUnit unit) { return unit <= DurationUnit::kHour; }

}  // namespace

const char* compare_word(uint8_t op) {
  switch (op & ~syntax::kExactly) {
    case syntax::kIs: return "is";
    case syntax::kIsNot: return "is not";
    case syntax::kLess: return "<";
    case syntax::kLessOrEqual: return "<=";
    case syntax::kGreater: return ">";
    case syntax::kGreaterOrEqual: return ">=";
    case syntax::kEqual: return "=";
    case syntax::kNotEqual: return "!=";
    case syntax::kIsBefore: return "is before";
    case syntax::kIsAfter: return "is after";
    case syntax::kContains: return "contains";
    case syntax::kStartsWith: return "starts with";
    default: return "ends with";
  }
}

bool has_order(const Type& type) {
  return type.error() || type.is(TypeKind::kBlank) || type.is(TypeKind::kAny) || type.numeric() ||
         type.temporal() || type.is(TypeKind::kTime) || type.textual();
}

Type Checker::infer(NodeId id, const Place& place, const Type* hint) {
  Type type = infer_node(id, place, hint);
  facts_->by_node[id.index].type = type;
  return type;
}

Type Checker::constant(NodeId id, Value value, Type type) {
  Fact& fact = facts_->by_node[id.index];
  fact.binding = Binding::kConstant;
  fact.index = static_cast<uint32_t>(facts_->constants.size());
  facts_->constants.push_back(std::move(value));
  return type;
}

Type Checker::infer_node(NodeId id, const Place& place, const Type* hint) {
  const Type boolean = Type::of(TypeKind::kBoolean);
  switch (tree_->kind(id)) {
    case NodeKind::kAnd:
    case NodeKind::kOr:
      for (NodeId term : tree_->children(id)) infer_condition(term, place);
      return boolean;
    case NodeKind::kNot: infer_condition(ast::Not(*tree_, id).condition(), place); return boolean;
    case NodeKind::kNumberedCondition: infer_numbered(id, place); return boolean;
    case NodeKind::kCompare: return infer_compare(id, place);
    case NodeKind::kIsBlank: infer(ast::IsBlank(*tree_, id).left(), place); return boolean;
    case NodeKind::kOneOf: return infer_one_of(id, place);
    case NodeKind::kBetween: return infer_between(id, place);
    case NodeKind::kChanged: return infer_changed(id, place);
    case NodeKind::kIsNew:
      if (!place.changes) {
        Finding& finding = report(DiagnosticKind::kChangedNotHere, span(id), {"is new"});
        if (!place.why_not_changes.empty()) finding.note(place.why_not_changes);
      }
      return boolean;
    case NodeKind::kQuantified: return infer_quantified(id, place);
    case NodeKind::kBinary: return infer_binary(id, place);
    case NodeKind::kNegate: {
      Type type = infer(ast::Negate(*tree_, id).value(), place, hint);
      if (!type.error() && !type.numeric()) {
        report(DiagnosticKind::kOperatorNotForType, span(id), {"-", a_name_of(type)});
        return Type::of(TypeKind::kError);
      }
      return type;
    }
    case NodeKind::kRelativeTime: return infer_relative(id, hint);
    case NodeKind::kDuration: return infer_duration(id);
    case NodeKind::kNow: return Type::of(TypeKind::kDatetime);
    case NodeKind::kToday: return Type::of(TypeKind::kDate);
    case NodeKind::kNamedPerson: return infer_person(id);
    case NodeKind::kCall: return infer_call(id, place);
    case NodeKind::kPath: {
      bool bare = tree_->op(id) == syntax::kPathBare && tree_->children(id).size() == 1;
      value_hint_ = bare ? hint : nullptr;
      Type type = resolve_path(id, place);
      value_hint_ = nullptr;
      return type;
    }
    case NodeKind::kNumber: return infer_number(id, TypeKind::kNumber);
    case NodeKind::kPercent: return infer_number(id, TypeKind::kPercent);
    case NodeKind::kMoney: return infer_money(id);
    case NodeKind::kText: return infer_text(id, place, hint);
    case NodeKind::kDate: return infer_date(id);
    case NodeKind::kDateTime: return infer_datetime(id);
    case NodeKind::kTime: return infer_time(id);
    case NodeKind::kBoolean: return constant(id, Value::boolean(tree_->op(id) == 1), boolean);
    case NodeKind::kBlank: return constant(id, Value(), Type::of(TypeKind::kBlank));
    default: return Type::of(TypeKind::kError);
  }
}

bool Checker::fits(const Type& field, const Type& value, NodeId node) const {
  if (!types::assignable(field, value)) return false;
  if (!field.is(TypeKind::kRecord)) return true;
  if (value.is(TypeKind::kRecord)) {
    std::vector<types::ObjectId> wanted = objects_of(field);
    std::vector<types::ObjectId> given = objects_of(value);
    // A person account is an account and a contact at once.
    types::ObjectId person = module_->schema.find_object("PersonAccount");
    bool is_person = std::find(given.begin(), given.end(), person) != given.end();
    if (is_person) {
      for (const char* name : {"Account", "Contact"})
        given.push_back(module_->schema.find_object(name));
    }
    return std::find_first_of(given.begin(), given.end(), wanted.begin(), wanted.end()) !=
           given.end();
  }
  // A text may be the id of a record, but not the text of another field.
  if (!value.textual() || value.is(TypeKind::kId) || !tree_->is(node, NodeKind::kPath)) return true;
  const Fact& fact = facts_->of(node);
  return fact.binding == Binding::kPath && facts_->paths[fact.index].hops.empty();
}

void Checker::infer_condition(NodeId id, const Place& place) {
  Type type = infer(id, place);
  if (type.error() || type.is(TypeKind::kBoolean) || type.is(TypeKind::kAny)) return;
  Finding& finding = report(DiagnosticKind::kNotACondition, span(id), {a_name_of(type)});
  if (tree_->is(id, NodeKind::kPath)) {
    finding.note(fmt::format("compare it, as in `{} is …` or `{} is not blank`", tree_->written(id),
                             tree_->written(id)));
  }
}

// ---- Conditions -------------------------------------------------------------------------------

void Checker::infer_numbered(NodeId id, const Place& place) {
  ast::NumberedCondition numbered(*tree_, id);
  std::map<std::string, NodeId> by_number;
  for (NodeId item : tree_->items(numbered.items())) {
    infer_condition(ast::NumberedItem(*tree_, item).condition(), place);
    facts_->by_node[item.index].type = Type::of(TypeKind::kBoolean);
    auto [known, fresh] = by_number.emplace(text(item), item);
    if (!fresh) {
      report(DiagnosticKind::kConditionNumberTwice, span(item), {text(item)})
          .label(span(known->second), "the first one");
    }
  }
  std::set<std::string> used;
  std::vector<NodeId> stack{numbered.logic()};
  while (!stack.empty()) {
    NodeId node = stack.back();
    stack.pop_back();
    if (tree_->is(node, NodeKind::kLogicRef)) {
      used.insert(text(node));
      if (by_number.count(text(node)) == 0)
        report(DiagnosticKind::kUnknownLogicNumber, span(node), {text(node)});
    }
    for (NodeId child : tree_->children(node)) stack.push_back(child);
  }
  for (const auto& [number, item] : by_number) {
    if (used.count(number) == 0) report(DiagnosticKind::kUnusedCondition, span(item), {number});
  }
}

void Checker::check_picklist_value(const Type& type, std::string_view value, Span at,
                                   std::string_view what) {
  const types::Picklist& picklist = module_->schema.picklist(type.picklist);
  if (value.empty() || picklist.find(value) != nullptr) return;
  std::string name = what.empty() ? picklist_name(type.picklist) : std::string(what);
  if (picklist.open) {
    std::optional<std::string> slip = base::nearest(value, picklist.values);
    if (slip) report(DiagnosticKind::kValueNearMiss, at, {value, name}).suggest_quoted(slip);
    return;
  }
  Finding& finding = report(DiagnosticKind::kUnknownValue, at, {value, name});
  if (auto meant = nearest_value(value, picklist.values)) {
    finding.suggest_quoted(meant);
    return;
  }
  std::string values;
  for (const std::string& known : picklist.values)
    values += (values.empty() ? "\"" : ", \"") + known + "\"";
  finding.note("its values are " + values);
}

void Checker::check_comparable(const Type& left, const Type& right, NodeId right_node,
                               NodeId left_node) {
  if (types::comparable(left, right)) return;
  if (right.is(TypeKind::kDuration) && left.temporal()) {
    report(DiagnosticKind::kDurationNotAnInstant, span(right_node), {"this"})
        .fix(span(right_node), std::string(tree_->written(right_node)) + " ago",
             "did you mean a point in time");
    return;
  }
  Finding& finding =
      report(DiagnosticKind::kCannotCompare, span(right_node), {a_name_of(left), a_name_of(right)});
  finding.label(span(left_node), fmt::format("this is {}", a_name_of(left)));
  bool quoted = tree_->is(right_node, NodeKind::kText) && tree_->children(right_node).empty();
  if (!quoted) return;
  std::string inside = text(right_node);
  bool date = left.temporal() && (value::parse_date(inside) || value::parse_datetime(inside));
  bool number = left.numeric() && value::parse_decimal(inside);
  bool truth = left.is(TypeKind::kBoolean) &&
               (base::equal_folded(inside, "true") || base::equal_folded(inside, "false"));
  if (date || number || truth) finding.fix(span(right_node), inside, "without the quotes");
}

Type Checker::infer_compare(NodeId id, const Place& place) {
  ast::Compare compare(*tree_, id);
  Type left = infer(compare.left(), place);
  uint8_t op = compare.op() & static_cast<uint8_t>(~syntax::kExactly);
  // What a picklist's value contains is a part of it, not one of the values.
  bool part_of_value = op >= syntax::kContains && left.is(TypeKind::kPicklist);
  Type right = infer(compare.right(), place, part_of_value ? nullptr : &left);
  // The literal on the left takes its meaning from the right: `"Web" is LeadSource`, `30 days ago
  // <= CloseDate`.
  auto literal = [&](NodeId node) {
    return tree_->is(node, NodeKind::kText) || tree_->is(node, NodeKind::kRelativeTime);
  };
  if (literal(compare.left()) && !literal(compare.right()))
    left = infer(compare.left(), place, &right);
  auto wrong = [&](const Type& type) -> Finding& {
    return report(DiagnosticKind::kOperatorNotForType, span(id),
                  {compare_word(op), a_name_of(type)});
  };
  if (op >= syntax::kContains) {
    bool fits = left.error() || left.textual() || left.is(TypeKind::kAny) ||
                left.is(TypeKind::kBlank) ||
                (left.is(TypeKind::kMultipicklist) && op == syntax::kContains);
    if (!fits) wrong(left);
    if (fits && !right.error() && !right.textual() && !right.is(TypeKind::kAny) &&
        !right.is(TypeKind::kBlank)) {
      report(DiagnosticKind::kCannotCompare, span(compare.right()),
             {a_name_of(left), a_name_of(right)});
    }
    return Type::of(TypeKind::kBoolean);
  }
  if (op == syntax::kIsBefore || op == syntax::kIsAfter) {
    bool timely = left.error() || left.temporal() || left.is(TypeKind::kTime) ||
                  left.is(TypeKind::kAny) || left.is(TypeKind::kBlank);
    if (!timely) {
      wrong(left).note(op == syntax::kIsBefore ? "for numbers write `<`" : "for numbers write `>`");
      return Type::of(TypeKind::kBoolean);
    }
  } else if (!compares_equality(op) && !has_order(left)) {
    wrong(left);
    return Type::of(TypeKind::kBoolean);
  }
  check_comparable(left, right, compare.right(), compare.left());
  return Type::of(TypeKind::kBoolean);
}

// What stands left of `is one of` and `is between`: `30 days ago` counts days there when all it
// meets are dates.
Type Checker::infer_subject(NodeId left, std::span<const NodeId> others, const Place& place) {
  if (!tree_->is(left, NodeKind::kRelativeTime)) return infer(left, place);
  const Type date = Type::of(TypeKind::kDate);
  bool dates = std::all_of(others.begin(), others.end(), [&](NodeId other) {
    Type type = infer(other, place, &date);
    return type.is(TypeKind::kDate) || type.is(TypeKind::kBlank);
  });
  return infer(left, place, dates ? &date : nullptr);
}

Type Checker::infer_one_of(NodeId id, const Place& place) {
  ast::OneOf one_of(*tree_, id);
  Type left = infer_subject(one_of.left(), tree_->items(one_of.items()), place);
  for (NodeId item : tree_->items(one_of.items())) {
    Type type = infer(item, place, &left);
    check_comparable(left, type, item, one_of.left());
  }
  return Type::of(TypeKind::kBoolean);
}

Type Checker::infer_between(NodeId id, const Place& place) {
  ast::Between between(*tree_, id);
  const NodeId bounds[] = {between.low(), between.high()};
  Type left = infer_subject(between.left(), bounds, place);
  if (!has_order(left))
    report(DiagnosticKind::kOperatorNotForType, span(id), {"is between", a_name_of(left)});
  for (NodeId bound : bounds) {
    Type type = infer(bound, place, &left);
    if (has_order(left)) check_comparable(left, type, bound, between.left());
  }
  return Type::of(TypeKind::kBoolean);
}

Type Checker::infer_changed(NodeId id, const Place& place) {
  ast::Changed changed(*tree_, id);
  Type left = infer(changed.left(), place);
  if (!place.changes) {
    Finding& finding = report(DiagnosticKind::kChangedNotHere, span(id), {"changed"});
    if (!place.why_not_changes.empty()) finding.note(place.why_not_changes);
  } else if (!left.error()) {
    const Fact& fact = facts_->of(changed.left());
    bool own = fact.binding == Binding::kPath && facts_->paths[fact.index].base == PathBase::kIt &&
               facts_->paths[fact.index].hops.size() == 1;
    if (!own) report(DiagnosticKind::kOnlyOwnFieldsChange, span(changed.left()));
  }
  for (NodeId bound : {changed.from(), changed.to()}) {
    if (!bound.valid()) continue;
    Type type = infer(bound, place, &left);
    check_comparable(left, type, bound, changed.left());
  }
  return Type::of(TypeKind::kBoolean);
}

Type Checker::infer_quantified(NodeId id, const Place& place) {
  ast::Quantified quantified(*tree_, id);
  const Type boolean = Type::of(TypeKind::kBoolean);
  Relation relation;
  Type parent = place.it;
  relation.parent.base = PathBase::kIt;
  if (quantified.path().valid()) {
    parent = infer(quantified.path(), place);
    const Fact& fact = facts_->of(quantified.path());
    if (fact.binding == Binding::kPath) relation.parent = facts_->paths[fact.index];
  } else if (!place.searched.empty()) {
    parent = module_->schema.record_type(place.searched.back());
    relation.parent.base = PathBase::kSearched;
    relation.parent.from = {place.searched.back()};
  } else {
    relation.parent.from = objects_of(parent);
    need_record_in_hand(place, span(id));
  }
  std::string child_name = text(quantified.object());
  std::vector<types::ObjectId> parents = objects_of(parent);
  types::FieldRef named;
  for (types::ObjectId object : parents) {
    if (types::FieldRef found = module_->schema.find_children(object, child_name); found.object)
      named = found;
  }
  types::ObjectId child =
      named.object ? named.object : object_named(child_name, span(quantified.object()), true);
  Place inner = place;
  if (child) {
    inner.searched.push_back(child);
    relation.child = child;
    relation.lookup = named.field;
    if (!named.object && !parents.empty()) {
      std::vector<types::FieldId> lookups;
      for (types::ObjectId object : parents) {
        for (types::FieldId field : module_->schema.lookups_to(child, object)) {
          if (std::find(lookups.begin(), lookups.end(), field) == lookups.end())
            lookups.push_back(field);
        }
      }
      std::string child_object = module_->schema.object(child).name;
      std::string parent_object = name_of(parent);
      if (lookups.empty()) {
        report(DiagnosticKind::kUnknownRelation, span(quantified.object()),
               {child_object, parent_object});
      } else if (lookups.size() > 1) {
        Finding& finding = report(DiagnosticKind::kAmbiguousRelation, span(quantified.object()),
                                  {child_object, parent_object});
        for (types::FieldId field : lookups) {
          const types::Field& row = module_->schema.object(child).field(field);
          if (!row.children.empty())
            finding.note(fmt::format("`{}` are those whose {} it is", row.children, row.name));
        }
      }
      if (!lookups.empty()) relation.lookup = lookups.front();
    }
  } else {
    return boolean;
  }
  infer_condition(quantified.condition(), inner);
  Fact& fact = facts_->by_node[id.index];
  fact.binding = Binding::kRelation;
  fact.index = static_cast<uint32_t>(facts_->relations.size());
  facts_->relations.push_back(std::move(relation));
  return boolean;
}

// ---- Values -----------------------------------------------------------------------------------

Type Checker::infer_text(NodeId id, const Place& place, const Type* hint) {
  auto parts = tree_->children(id);
  if (!parts.empty()) {
    for (NodeId part : parts) {
      if (tree_->is(part, NodeKind::kPath)) infer(part, place);
    }
    return Type::of(TypeKind::kText);
  }
  std::string_view written = tree_->text(id);
  bool picks =
      hint != nullptr && (hint->is(TypeKind::kPicklist) || hint->is(TypeKind::kMultipicklist));
  if (!picks) return constant(id, Value::text(written), Type::of(TypeKind::kText));
  check_picklist_value(*hint, written, span(id));
  const std::string* declared = module_->schema.picklist(hint->picklist).find(written);
  Type type = Type::of(TypeKind::kPicklist);
  type.picklist = hint->picklist;
  return constant(id, Value::text(declared != nullptr ? *declared : written), type);
}

Type Checker::infer_number(NodeId id, TypeKind kind) {
  auto number = value::parse_decimal(tree_->text(id));
  if (!number) {
    report(DiagnosticKind::kNumberTooLong, span(id), {tree_->written(id)});
    return Type::of(TypeKind::kError);
  }
  Value constant_value =
      kind == TypeKind::kPercent ? Value::percent(*number) : Value::number(*number);
  return constant(id, constant_value, Type::of(kind));
}

Type Checker::infer_money(NodeId id) {
  std::string_view written = tree_->text(id);
  auto number = value::parse_decimal(written.substr(0, written.size() - 4));
  if (!number) {
    report(DiagnosticKind::kNumberTooLong, span(id), {tree_->written(id)});
    return Type::of(TypeKind::kError);
  }
  Currency currency = Currency::of(written.substr(written.size() - 3));
  return constant(id, Value::money(*number, currency), Type::of(TypeKind::kMoney));
}

Type Checker::infer_date(NodeId id) {
  if (auto date = value::parse_date(tree_->text(id))) {
    return constant(id, Value::date(*date), Type::of(TypeKind::kDate));
  }
  report(DiagnosticKind::kImpossibleDate, span(id), {tree_->text(id)});
  return Type::of(TypeKind::kError);
}

Type Checker::infer_time(NodeId id) {
  if (auto time = value::parse_time(tree_->text(id))) {
    return constant(id, Value::time(*time), Type::of(TypeKind::kTime));
  }
  report(DiagnosticKind::kImpossibleDate, span(id), {tree_->text(id)});
  return Type::of(TypeKind::kError);
}

bool Checker::check_zone(NodeId quoted) {
  std::string name = text(quoted);
  if (calendar::Zone::find(name)) return true;
  report(DiagnosticKind::kUnknownZone, span(quoted), {name})
      .suggest_quoted(base::nearest(name, calendar::zone_names()));
  return false;
}

// A date-time without an offset is local to its zone; without a zone too, to the org's, which is
// known when it runs.
Type Checker::infer_datetime(NodeId id) {
  NodeId zone = ast::DateTime(*tree_, id).zone();
  auto parsed = value::parse_datetime(tree_->text(id));
  if (!parsed) {
    report(DiagnosticKind::kImpossibleDate, span(id), {tree_->text(id)});
    return Type::of(TypeKind::kError);
  }
  if (zone.valid() && !check_zone(zone)) return Type::of(TypeKind::kError);
  if (parsed->offset_ms)
    return constant(id, Value::datetime(parsed->instant()), Type::of(TypeKind::kDatetime));
  if (zone.valid()) {
    Instant at = calendar::Zone::find(text(zone))->instant(parsed->date, parsed->time);
    return constant(id, Value::datetime(at), Type::of(TypeKind::kDatetime));
  }
  return Type::of(TypeKind::kDatetime);
}

void Checker::check_business(NodeId id) {
  if ((tree_->op(id) & syntax::kBusinessUnit) == 0) return;
  DurationUnit unit = unit_of(tree_->op(id));
  if (unit >= DurationUnit::kMonth) {
    report(DiagnosticKind::kBusinessUnit, span(id), {value::unit_name(unit)});
  } else if (module_->calendar_for(file_) == nullptr) {
    Finding& finding = report(DiagnosticKind::kNoCalendar, span(id));
    if (module_->calendars.size() > 1)
      finding.note("the project has several calendars; one may stand in this file");
  }
}

std::optional<Duration> Checker::read_duration(NodeId id) {
  if (!id.valid()) return std::nullopt;
  check_business(id);
  auto number = value::parse_decimal(tree_->text(id));
  constexpr int64_t kAmountMax = 1'000'000'000;
  if (!number || number->scale != 0 || number->coefficient > kAmountMax) {
    report(DiagnosticKind::kWholeNumber, span(id),
           {"the length of time", "0", fmt::format("{}", kAmountMax)});
    return std::nullopt;
  }
  return Duration{number->coefficient, unit_of(tree_->op(id)),
                  (tree_->op(id) & syntax::kBusinessUnit) != 0};
}

Type Checker::infer_duration(NodeId id) {
  auto duration = read_duration(id);
  if (!duration) return Type::of(TypeKind::kError);
  return constant(id, Value::duration(*duration), Type::of(TypeKind::kDuration));
}

Type Checker::infer_relative(NodeId id, const Type* hint) {
  NodeId amount = ast::RelativeTime(*tree_, id).duration();
  if (infer(amount, Place{}).error()) return Type::of(TypeKind::kError);
  bool dates =
      hint != nullptr && hint->is(TypeKind::kDate) && !is_time_unit(unit_of(tree_->op(amount)));
  return Type::of(dates ? TypeKind::kDate : TypeKind::kDatetime);
}

Type Checker::infer_person(NodeId id) {
  bool queue = tree_->op(id) == 1;
  NodeId name = ast::NamedPerson(*tree_, id).name();
  if (input_.known != nullptr) {
    const NameSet& known = queue ? input_.known->queues : input_.known->users;
    if (known.count(text(name)) == 0) {
      std::vector<std::string> names(known.begin(), known.end());
      report(DiagnosticKind::kUnknownUser, span(name), {queue ? "queue" : "user", text(name)})
          .suggest_quoted(base::nearest(text(name), names));
    }
  }
  return module_->schema.record_type(module_->schema.find_object(queue ? "Queue" : "User"));
}

Type Checker::infer_call(NodeId id, const Place& place) {
  ast::Call call(*tree_, id);
  std::string name = text(call.name());
  types::FunctionId function = module_->functions.find(name);
  auto args = tree_->items(call.args());
  if (!function) {
    for (NodeId arg : args) infer(arg, place);
    report(DiagnosticKind::kUnknownFunction, span(call.name()), {name})
        .suggest(base::nearest(name, module_->functions.names()));
    return Type::of(TypeKind::kError);
  }
  const types::Signature& signature = module_->functions.row(function);
  size_t most = signature.parameters.size();
  size_t least = signature.required_count();
  if (args.size() < least || args.size() > most) {
    std::string wanted = least == most ? fmt::format("{} argument{}", most, most == 1 ? "" : "s")
                                       : fmt::format("{} to {} arguments", least, most);
    report(DiagnosticKind::kWrongArgumentCount, span(id),
           {signature.text(), wanted, fmt::format("{}", args.size())});
  }
  Type first = Type::of(TypeKind::kError);
  for (size_t i = 0; i < args.size(); ++i) {
    const Type* wanted = i < most ? &signature.parameters[i].type : nullptr;
    Type given = infer(args[i], place, wanted);
    if (i == 0) first = given;
    if (wanted == nullptr || given.error()) continue;
    bool amounts = wanted->is(TypeKind::kNumber) && given.numeric();
    bool texts = wanted->is(TypeKind::kText) && given.is(TypeKind::kRecord);
    if (amounts || texts || types::assignable(*wanted, given)) continue;
    Finding& finding = report(DiagnosticKind::kWrongArgument, span(args[i]),
                              {signature.text(), a_name_of(*wanted), a_name_of(given)});
    if (wanted->is(TypeKind::kText)) {
      finding.fix(span(args[i]), fmt::format("text({})", tree_->written(args[i])),
                  "turn it into a text");
    }
  }
  Fact& fact = facts_->by_node[id.index];
  fact.binding = Binding::kFunction;
  fact.index = function.index;
  // Functions of anything give back what they were given.
  return signature.result.is(TypeKind::kAny) ? first : signature.result;
}

Type Checker::infer_binary(NodeId id, const Place& place) {
  ast::Binary binary(*tree_, id);
  Type left = infer(binary.left(), place);
  Type right = infer(binary.right(), place);
  char op = static_cast<char>(binary.op());
  if (left.error() || right.error()) return Type::of(TypeKind::kError);
  bool additive = op == '+' || op == '-';
  if (left.temporal() && right.is(TypeKind::kDuration) && additive) {
    bool hours = tree_->is(binary.right(), NodeKind::kDuration) &&
                 is_time_unit(unit_of(tree_->op(binary.right())));
    bool business = tree_->is(binary.right(), NodeKind::kDuration) &&
                    (tree_->op(binary.right()) & syntax::kBusinessUnit) != 0;
    if (left.is(TypeKind::kDate) && hours && !business) {
      report(DiagnosticKind::kDurationUnit, span(binary.right()), {tree_->written(binary.right())});
      return Type::of(TypeKind::kError);
    }
    return left;
  }
  if (left.numeric() && right.numeric()) {
    bool money_left = left.is(TypeKind::kMoney);
    bool money_right = right.is(TypeKind::kMoney);
    if (op == '*' && money_left && money_right) {
      report(DiagnosticKind::kCannotCalculate, span(id), {"*", a_name_of(left), a_name_of(right)});
      return Type::of(TypeKind::kError);
    }
    if (op == '/') {
      if (money_right && !money_left) {
        report(DiagnosticKind::kCannotCalculate, span(id),
               {"/", a_name_of(left), a_name_of(right)});
        return Type::of(TypeKind::kError);
      }
      return Type::of(money_left && !money_right ? TypeKind::kMoney : TypeKind::kNumber);
    }
    if (money_left || money_right) return Type::of(TypeKind::kMoney);
    bool percents = additive && left.is(TypeKind::kPercent) && right.is(TypeKind::kPercent);
    return Type::of(percents ? TypeKind::kPercent : TypeKind::kNumber);
  }
  std::string word(1, op);
  Finding& finding =
      report(DiagnosticKind::kCannotCalculate, span(id), {word, a_name_of(left), a_name_of(right)});
  if (left.temporal() && right.temporal() && op == '-')
    finding.note("`days_between(first, second)` counts the days");
  if (left.textual() && op == '+')
    finding.note("texts are joined by interpolation, as in \"{FirstName} {LastName}\"");
  return Type::of(TypeKind::kError);
}

}  // namespace ensue::check::internal
