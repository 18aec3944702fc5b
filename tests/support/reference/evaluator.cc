#include "support/reference/evaluator.h"

#include <algorithm>

#include "support/reference/numbers.h"
#include "support/reference/texts.h"
#include "support/reference/values.h"
#include "syntax/ast.h"
#include "value/time_text.h"

namespace ensue::testing::reference {
namespace {

using syntax::NodeId;
using syntax::NodeKind;
using types::RecordPtr;
namespace ast = syntax::ast;

// One walk over one condition.
class Walk {
 public:
  Walk(const check::CheckedModule& module, source::FileId file, const Org& org, const World& world,
       const Save& save, bool after)
      : module_(module),
        tree_(module.tree(file)),
        org_(org),
        world_(world),
        save_(save),
        after_(after) {}

  bool truth(NodeId id) {
    switch (tree_.kind(id)) {
      case NodeKind::kAnd: {
        auto terms = tree_.children(id);
        return std::all_of(terms.begin(), terms.end(), [&](NodeId term) { return truth(term); });
      }
      case NodeKind::kOr: {
        auto terms = tree_.children(id);
        return std::any_of(terms.begin(), terms.end(), [&](NodeId term) { return truth(term); });
      }
      case NodeKind::kNot: return !truth(ast::Not(tree_, id).condition());
      case NodeKind::kNumberedCondition: {
        numbered_ = id;
        return truth(ast::NumberedCondition(tree_, id).logic());
      }
      case NodeKind::kLogicRef: return truth(item(tree_.text(id)));
      case NodeKind::kCompare: return compare(ast::Compare(tree_, id));
      case NodeKind::kIsBlank: {
        ast::IsBlank test(tree_, id);
        return value(test.left()).is_blank() != (test.op() == 1);
      }
      case NodeKind::kOneOf: {
        ast::OneOf test(tree_, id);
        auto items = tree_.items(test.items());
        Value left = subject(test.left(), items);
        bool found = std::any_of(items.begin(), items.end(),
                                 [&](NodeId one) { return is_value(left, one); });
        return found != (test.op() == 1);
      }
      case NodeKind::kBetween: {
        ast::Between test(tree_, id);
        const NodeId bounds[] = {test.low(), test.high()};
        Value left = subject(test.left(), bounds);
        std::optional<int> low = order(left, beside(left, test.low()), org_);
        std::optional<int> high = order(left, beside(left, test.high()), org_);
        return (low && high && *low >= 0 && *high <= 0) != (test.op() == 1);
      }
      case NodeKind::kChanged: return changed(ast::Changed(tree_, id));
      case NodeKind::kIsNew: return after_ && save_.created;
      case NodeKind::kQuantified: return quantified(ast::Quantified(tree_, id));
      default: return value(id).truth();
    }
  }

  Value value(NodeId id) {
    switch (tree_.kind(id)) {
      case NodeKind::kPath: return path(id);
      case NodeKind::kText: return text(id);
      case NodeKind::kNumber: return Value::number(written_number(tree_.text(id)));
      case NodeKind::kPercent: return Value::percent(written_number(tree_.text(id)));
      case NodeKind::kMoney: {
        std::string_view written = tree_.text(id);
        size_t space = written.find(' ');
        return Value::money(written_number(written.substr(0, space)),
                            Currency::of(written.substr(space + 1)));
      }
      case NodeKind::kDate: return Value::date(*value::parse_date(tree_.text(id)));
      case NodeKind::kTime: return Value::time(*value::parse_time(tree_.text(id)));
      case NodeKind::kDateTime: return date_time(ast::DateTime(tree_, id));
      case NodeKind::kBoolean: return Value::boolean(tree_.op(id) == 1);
      case NodeKind::kBlank: return Value();
      case NodeKind::kNow: return Value::datetime(save_.now);
      case NodeKind::kToday: return Value::date(org_.zone.date(save_.now));
      case NodeKind::kDuration: return Value::duration(duration(id));
      case NodeKind::kRelativeTime: return relative(id, Value::datetime(save_.now));
      case NodeKind::kNamedPerson: {
        std::string_view name = tree_.text(ast::NamedPerson(tree_, id).name());
        std::string known = person_named(module_.schema, world_, name, tree_.op(id) == 1);
        return Value::text(
            known.empty() ? name : known);  // somebody unknown is nobody's owner, and not blank
      }
      case NodeKind::kCall: return call(ast::Call(tree_, id));
      case NodeKind::kNegate: return negated(value(ast::Negate(tree_, id).value()));
      case NodeKind::kBinary: {
        ast::Binary binary(tree_, id);
        Value left = value(binary.left());
        Value right = value(binary.right());
        char op = static_cast<char>(binary.op());
        if (right.is(Value::Kind::kDuration))
          return moved(left, right.as_duration(), op == '-', org_);
        return calculated(op, left, right);
      }
      default: return Value::boolean(truth(id));
    }
  }

 private:
  NodeId item(std::string_view number) const {
    for (NodeId one : tree_.items(ast::NumberedCondition(tree_, numbered_).items())) {
      if (tree_.text(one) == number) return ast::NumberedItem(tree_, one).condition();
    }
    throw std::logic_error("no condition of that number");
  }

  static Decimal written_number(std::string_view text) {
    std::optional<Decimal> number = number_in(text);
    if (!number) throw std::logic_error("not a number: " + std::string(text));
    return *number;
  }

  // ---- Comparing ------------------------------------------------------------------------------

  // Both sides
  // of a comparison: `30 days ago` beside a date is a date.
  std::pair<Value, Value> sides(NodeId left_id, NodeId right_id) {
    Value left = value(left_id);
    Value right = value(right_id);
    if (right.is(Value::Kind::kDate) && counts_days(left_id)) left = relative(left_id, today());
    if (left.is(Value::Kind::kDate) && counts_days(right_id)) right = relative(right_id, today());
    return {left, right};
  }
  Value beside(const Value& left, NodeId right_id) {
    return left.is(Value::Kind::kDate) && counts_days(right_id) ? relative(right_id, today())
                                                                : value(right_id);
  }
  // Left of a list or of two bounds, `30 days ago` is a date when all the others are dates.
  Value subject(NodeId left_id, std::span<const NodeId> others) {
    if (!counts_days(left_id)) return value(left_id);
    bool dates = std::all_of(others.begin(), others.end(), [&](NodeId other) {
      Value met = counts_days(other) ? Value() : value(other);
      return met.is_blank() || met.is(Value::Kind::kDate);
    });
    return dates ? relative(left_id, today()) : value(left_id);
  }
  bool is(NodeId left_id, NodeId right_id, bool exactly) {
    auto [left, right] = sides(left_id, right_id);
    return equal(left, right, exactly, org_);
  }
  std::optional<int> ordered(NodeId left_id, NodeId right_id) {
    auto [left, right] = sides(left_id, right_id);
    return order(left, right, org_);
  }

  bool compare(ast::Compare test) {
    bool exactly = (test.op() & syntax::kExactly) != 0;
    switch (test.op() & ~syntax::kExactly) {
      case syntax::kIs:
      case syntax::kEqual: return is(test.left(), test.right(), exactly);
      case syntax::kIsNot:
      case syntax::kNotEqual: return !is(test.left(), test.right(), exactly);
      case syntax::kLess:
      case syntax::kIsBefore: return ordered(test.left(), test.right()).value_or(1) < 0;
      case syntax::kLessOrEqual: return ordered(test.left(), test.right()).value_or(1) <= 0;
      case syntax::kGreater:
      case syntax::kIsAfter: return ordered(test.left(), test.right()).value_or(-1) > 0;
      case syntax::kGreaterOrEqual: return ordered(test.left(), test.right()).value_or(-1) >= 0;
      default:
        return text_test(test.op() & ~syntax::kExactly, value(test.left()), value(test.right()),
                         exactly);
    }
  }

  bool text_test(int op, const Value& whole, const Value& part, bool exactly) const {
    if (whole.is_blank() || part.is_blank()) return false;
    if (whole.is(Value::Kind::kList))
      return op == syntax::kContains && equal(whole, part, exactly, org_);
    Letters text = letters_of(whole.as_text());
    Letters wanted = letters_of(part.as_text());
    if (!exactly) {
      text = small(text);
      wanted = small(wanted);
    }
    if (op == syntax::kContains) return text.find(wanted) != Letters::npos;
    return op == syntax::kStartsWith ? text.starts_with(wanted) : text.ends_with(wanted);
  }

  // ---- Changes --------------------------------------------------------------------------------
  bool changed(ast::Changed test) {
    auto names = tree_.children(test.left());
    types::FieldId field =
        field_called(module_.schema, save_.after->object, tree_.text(names.back()));
    const Value stored_before = save_.before ? save_.before->raw(field) : Value();
    if (!after_ || !stored_differs(stored_before, save_.after->raw(field))) return false;
    Value was = save_.before ? read(module_.schema, *save_.before, field, org_) : Value();
    Value now = read(module_.schema, *save_.after, field, org_);
    if (test.from().valid() && !is_value(was, test.from())) return false;
    return !test.to().valid() || is_value(now, test.to());
  }
  bool is_value(const Value& left, NodeId right_id) {
    return equal(left, beside(left, right_id), false, org_);
  }

  // ---- Related records ------------------------------------------------------------------------
  bool quantified(ast::Quantified test) {
    RecordPtr parent = searched_ ? searched_ : in_hand();
    std::string parent_id = parent->id;
    std::vector<types::ObjectId> parents{parent->object};
    if (test.path().valid()) {
      parent_id = std::string(path(test.path()).as_text());
      parents = objects_at(test.path(), parent->object);
    }
    auto [child, lookup] = relation(parents, tree_.text(test.object()));
    size_t all = 0;
    size_t found = 0;
    for (const auto& [key, record] : world_.records) {
      bool related = key.first == child.index && !record->deleted && !parent_id.empty() &&
                     record->raw(lookup).as_text() == parent_id;
      if (!related) continue;
      ++all;
      RecordPtr outer = searched_;
      searched_ = record;
      if (truth(test.condition())) ++found;
      searched_ = outer;
    }
    switch (test.op()) {
      case syntax::kQuantifyAny: return found > 0;
      case syntax::kQuantifyNo: return found == 0;
      default: return found == all;
    }
  }

  // The children that a name means: those a lookup calls so, else the object of that name and its
  // lookup to the parent.
  std::pair<types::ObjectId, types::FieldId> relation(const std::vector<types::ObjectId>& parents,
                                                      std::string_view name) const {
    const types::Schema& schema = module_.schema;
    std::optional<std::pair<types::ObjectId, types::FieldId>> by_object;
    for (size_t o = 0; o < schema.object_count(); ++o) {
      const types::Object& object = schema.object(types::ObjectId(o));
      for (size_t f = 0; f < object.fields.size(); ++f) {
        const types::Field& field = object.fields[f];
        if (!field.type.is(types::TypeKind::kRecord)) continue;
        const auto& targets = schema.objects_of(field.type.objects);
        bool leads = std::any_of(targets.begin(), targets.end(), [&](types::ObjectId target) {
          return std::find(parents.begin(), parents.end(), target) != parents.end();
        });
        if (!leads) continue;
        if (same_letters(field.children, name, false))
          return {types::ObjectId(o), types::FieldId(f)};
        if (!by_object && same_letters(object.name, name, false))
          by_object = {types::ObjectId(o), types::FieldId(f)};
      }
    }
    if (!by_object) throw std::logic_error("no such relation: " + std::string(name));
    return *by_object;
  }

  // ---- Values ---------------------------------------------------------------------------------
  Value today() const { return Value::date(org_.zone.date(save_.now)); }

  Duration duration(NodeId id) const {
    Decimal amount = written_number(tree_.text(id));
    return {amount.coefficient, static_cast<DurationUnit>(tree_.op(id) & 15),
            (tree_.op(id) & syntax::kBusinessUnit) != 0};
  }
  // `30 days ago`, of days or longer.
  bool counts_days(NodeId id) const {
    return tree_.is(id, NodeKind::kRelativeTime) &&
           duration(ast::RelativeTime(tree_, id).duration()).unit >= DurationUnit::kDay;
  }
  Value relative(NodeId id, const Value& from) const {
    return moved(from, duration(ast::RelativeTime(tree_, id).duration()), tree_.op(id) != 1, org_);
  }

  Value date_time(ast::DateTime at) const {
    auto written = value::parse_datetime(at.text());
    if (written->offset_ms) return Value::datetime(written->instant());
    calendar::Zone zone =
        at.zone().valid() ? *calendar::Zone::find(tree_.text(at.zone())) : org_.zone;
    return Value::datetime(zone.instant(written->date, written->time));
  }

  Value text(NodeId id) {
    auto parts = tree_.children(id);
    if (parts.empty()) return Value::text(tree_.text(id));
    std::string out;
    for (NodeId part : parts)
      out += tree_.is(part, NodeKind::kPath) ? show(value(part)) : std::string(tree_.text(part));
    return Value::text(out);
  }

  Value call(ast::Call call) {
    std::string_view name = tree_.text(call.name());
    std::vector<Value> args;
    for (NodeId arg : tree_.items(call.args())) args.push_back(value(arg));
    if (same_letters(name, "round", false) && args.size() == 1) args.push_back(Value::number(0));
    return call_function(name, args, org_);
  }

  // ---- Paths ----------------------------------------------------------------------------------
  RecordPtr in_hand() const { return after_ ? save_.after : save_.before; }

  Value path(NodeId id) {
    RecordPtr record;
    std::string current;
    std::vector<types::ObjectId> objects;
    switch (tree_.op(id)) {
      case syntax::kPathMe:
        current = save_.me;
        objects = {module_.schema.find_object("User")};
        break;
      case syntax::kPathIt:
      case syntax::kPathIts: record = in_hand(); break;
      default: record = searched_ ? searched_ : in_hand();
    }
    if (record) current = record->id;
    Value out = Value::text(current);
    for (NodeId name : tree_.children(id)) {
      if (!record) record = anywhere(objects, out.as_text());
      types::FieldId field = record ? field_called(module_.schema, record->object, tree_.text(name))
                                    : types::FieldId();
      if (!field) return absent(id);
      out = read(module_.schema, *record, field, org_);
      objects = targets(record->object, field);
      record = nullptr;
    }
    return out;
  }

  // A path that meets no record: a boolean is false even there, as it is never blank.
  Value absent(NodeId id) const {
    bool boolean = module_.fact({tree_.file(), id}).type.is(types::TypeKind::kBoolean);
    return boolean ? Value::boolean(false) : Value();
  }

  std::vector<types::ObjectId> targets(types::ObjectId object, types::FieldId field) const {
    const types::Type& type = module_.schema.object(object).fields[field.index].type;
    return type.is(types::TypeKind::kRecord) ? module_.schema.objects_of(type.objects)
                                             : std::vector<types::ObjectId>();
  }

  // The objects that a path to a record may end at.
  std::vector<types::ObjectId> objects_at(NodeId id, types::ObjectId start) const {
    std::vector<types::ObjectId> objects{start};
    if (tree_.op(id) == syntax::kPathMe) objects = {module_.schema.find_object("User")};
    if (tree_.op(id) == syntax::kPathIt || tree_.op(id) == syntax::kPathIts)
      objects = {save_.after->object};
    for (NodeId name : tree_.children(id)) {
      std::vector<types::ObjectId> next;
      for (types::ObjectId object : objects) {
        types::FieldId field = field_called(module_.schema, object, tree_.text(name));
        if (!field) continue;
        for (types::ObjectId target : targets(object, field)) next.push_back(target);
      }
      objects = next;
    }
    return objects;
  }

  RecordPtr anywhere(const std::vector<types::ObjectId>& objects, std::string_view id) const {
    for (types::ObjectId object : objects) {
      if (RecordPtr found = world_.find(object, id)) return found;
    }
    return nullptr;
  }

  const check::CheckedModule& module_;
  const syntax::Tree& tree_;
  const Org& org_;
  const World& world_;
  const Save& save_;
  bool after_;
  RecordPtr searched_;
  NodeId numbered_;
};

template <class Ask>
Answer answered(Ask ask) {
  try {
    return {ask(), std::nullopt};
  } catch (const Fault& fault) {
    return {false, fault.what()};
  }
}

}  // namespace

RecordPtr World::find(types::ObjectId object, std::string_view id) const {
  auto found = records.find({object.index, std::string(id)});
  return found == records.end() || found->second->deleted ? nullptr : found->second;
}

Evaluator::Evaluator(const check::CheckedModule& module, const Org& org, const World& world)
    : module_(module), org_(org), world_(world) {}

Answer Evaluator::after(check::NodeRef condition, const Save& save) const {
  if (!condition.valid()) return {true, std::nullopt};
  return answered([&] {
    return Walk(module_, condition.file, org_, world_, save, true).truth(condition.node);
  });
}

Answer Evaluator::before(check::NodeRef condition, const Save& save) const {
  if (save.before == nullptr || save.created) return {false, std::nullopt};
  if (!condition.valid()) return {true, std::nullopt};
  return answered([&] {
    return Walk(module_, condition.file, org_, world_, save, false).truth(condition.node);
  });
}

Answer Evaluator::starts(const check::Automation& automation, const Save& save,
                         const World& world_before) const {
  Answer now = after(automation.condition, save);
  if (now.fault || !now.holds || automation.guard != check::GuardKind::kNewlyMeets) return now;
  Answer then = Evaluator(module_, org_, world_before).before(automation.condition, save);
  return {!then.holds, std::nullopt};
}

types::FieldSet fields_changed(const types::Schema& schema, const types::Record* before,
                               const types::Record& after) {
  types::FieldSet out;
  for (size_t i = 0; i < schema.object(after.object).fields.size(); ++i) {
    types::FieldId field(i);
    if (stored_differs(before != nullptr ? before->raw(field) : Value(), after.raw(field)))
      out.add(field);
  }
  return out;
}

std::string person_named(const types::Schema& schema, const World& world, std::string_view name,
                         bool queue) {
  types::ObjectId object = schema.find_object(queue ? "Queue" : "User");
  if (world.find(object, name)) return std::string(name);
  for (const char* by : {queue ? "Name" : "Username", queue ? "Name" : "Email"}) {
    types::FieldId field = field_called(schema, object, by);
    for (const auto& [key, record] : world.records) {
      if (key.first != object.index || record->deleted || record->raw(field).is_blank()) continue;
      if (same_letters(record->raw(field).as_text(), name, false)) return record->id;
    }
  }
  return {};
}

}  // namespace ensue::testing::reference
