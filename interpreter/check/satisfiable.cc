#include "check/satisfiable.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "value/compare.h"
#include "value/decimal.h"

namespace ensue::check {
namespace {

using syntax::NodeKind;
namespace ast = syntax::ast;

constexpr size_t kAlternativesMax = 64;
constexpr size_t kTestsMax = 64;

struct Test {
  NodeId node;
  bool denied = false;
  const ConditionView* view = nullptr;  // of the file the test stands in
};
using Alternative = std::vector<Test>;

class Analysis {
 public:
  explicit Analysis(const ConditionView& view) : view_(view) {}

  // The alternatives of a condition; empty when there are too many.
  std::vector<Alternative> alternatives(NodeId id, bool denied) {
    const syntax::Tree& tree = view_.tree;
    switch (tree.kind(id)) {
      case NodeKind::kNot: return alternatives(ast::Not(tree, id).condition(), !denied);
      case NodeKind::kAnd:
        return denied ? either(tree.children(id), true) : both(tree.children(id), false);
      case NodeKind::kOr:
        return denied ? both(tree.children(id), true) : either(tree.children(id), false);
      case NodeKind::kNumberedCondition: {
        ast::NumberedCondition numbered(tree, id);
        numbered_.clear();
        for (NodeId item : tree.items(numbered.items()))
          numbered_[std::string(tree.text(item))] = item;
        return alternatives(numbered.logic(), denied);
      }
      case NodeKind::kLogicRef: {
        auto found = numbered_.find(std::string(tree.text(id)));
        if (found == numbered_.end()) return {{}};
        return alternatives(ast::NumberedItem(tree, found->second).condition(), denied);
      }
      default: return {{Test{id, denied, &view_}}};
    }
  }

  static std::optional<Contradiction> contradiction(const Alternative& tests) {
    for (const auto& [key, found] : by_field(tests)) {
      const auto& group = found;
      std::vector<Value> values = candidates(group);
      bool possible = std::any_of(values.begin(), values.end(), [&](const Value& v) {
        return std::all_of(group.begin(), group.end(), [&](const Test& t) { return holds(t, v); });
      });
      if (!possible) return witness(group, values);
    }
    return std::nullopt;
  }

  // Whether an alternative leaves room for a value of one field.
  static bool allows(const Alternative& tests, const std::string& field, const Value& value) {
    auto groups = by_field(tests);
    auto found = groups.find(field);
    if (found == groups.end()) return true;
    return std::all_of(found->second.begin(), found->second.end(),
                       [&](const Test& t) { return holds(t, value); });
  }

  static std::string key_of(types::FieldRef field) {
    return std::to_string(field.object.index) + "." + std::to_string(field.field.index) + "/";
  }

 private:
  static std::map<std::string, std::vector<Test>> by_field(const Alternative& tests) {
    std::map<std::string, std::vector<Test>> out;
    for (const Test& test : tests) {
      std::string key = subject(test);
      if (!key.empty()) out[key].push_back(test);
    }
    return out;
  }

  std::vector<Alternative> either(std::span<const NodeId> terms, bool denied) {
    std::vector<Alternative> out;
    for (NodeId term : terms) {
      for (Alternative& alternative : alternatives(term, denied))
        out.push_back(std::move(alternative));
      if (out.size() > kAlternativesMax) return too_many();
    }
    return out;
  }

  std::vector<Alternative> both(std::span<const NodeId> terms, bool denied) {
    std::vector<Alternative> out{{}};
    for (NodeId term : terms) {
      std::vector<Alternative> right = alternatives(term, denied);
      std::vector<Alternative> joined;
      for (const Alternative& a : out) {
        for (const Alternative& b : right) {
          Alternative sum = a;
          sum.insert(sum.end(), b.begin(), b.end());
          if (sum.size() > kTestsMax) return too_many();
          joined.push_back(std::move(sum));
        }
        if (joined.size() > kAlternativesMax) return too_many();
      }
      out = std::move(joined);
    }
    return out;
  }

  // One alternative without tests: it may hold, so nothing is claimed.
  static std::vector<Alternative> too_many() { return {{}}; }

  // ---- One test -------------------------------------------------------------------------------

  // The field a test is about, as a key; empty for tests that are not judged.
  static std::string subject(const Test& test) {
    const ConditionView& view = *test.view;
    const syntax::Tree& tree = view.tree;
    NodeId id = test.node;
    NodeId left;
    switch (tree.kind(id)) {
      case NodeKind::kCompare: {
        ast::Compare compare(tree, id);
        bool text_test = (compare.op() & ~syntax::kExactly) >= syntax::kContains;
        if (text_test || !is_constant(view, compare.right())) return {};
        left = compare.left();
        break;
      }
      case NodeKind::kIsBlank: left = ast::IsBlank(tree, id).left(); break;
      case NodeKind::kOneOf: {
        ast::OneOf one_of(tree, id);
        for (NodeId item : tree.items(one_of.items())) {
          if (!is_constant(view, item)) return {};
        }
        left = one_of.left();
        break;
      }
      case NodeKind::kBetween: {
        ast::Between between(tree, id);
        if (!is_constant(view, between.low()) || !is_constant(view, between.high())) return {};
        left = between.left();
        break;
      }
      case NodeKind::kChanged: {
        ast::Changed changed(tree, id);
        if (!changed.to().valid() || !is_constant(view, changed.to())) return {};
        left = changed.left();
        break;
      }
      case NodeKind::kPath: left = id; break;
      default: return {};
    }
    const Fact& fact = view.facts.of(left);
    if (fact.binding != Binding::kPath) return {};
    const Path& path = view.facts.paths[fact.index];
    if (path.base != PathBase::kIt || path.hops.empty()) return {};
    // A date meets an instant as the start of its day in a zone that is not known here.
    std::vector<Value> constants;
    if (left != id) collect(view, id, constants);
    bool date = subject_type(view, id).is(types::TypeKind::kDate);
    bool instant = subject_type(view, id).is(types::TypeKind::kDatetime);
    for (const Value& c : constants) {
      if ((date && c.is(Value::Kind::kDatetime)) || (instant && c.is(Value::Kind::kDate)))
        return {};
    }
    std::string key;
    for (const Hop& hop : path.hops) key += key_of(hop.fields[0]);
    return key;
  }

  static bool is_constant(const ConditionView& view, NodeId id) {
    return view.facts.of(id).binding == Binding::kConstant;
  }
  static const Value& constant(const ConditionView& view, NodeId id) {
    return view.facts.constants[view.facts.of(id).index];
  }

  static bool holds(const Test& test, const Value& v) { return truth(test, v) != test.denied; }

  static bool truth(const Test& test, const Value& v) {
    const ConditionView& view = *test.view;
    const syntax::Tree& tree = view.tree;
    switch (tree.kind(test.node)) {
      case NodeKind::kCompare: {
        ast::Compare compare(tree, test.node);
        return compared(compare.op(), v, constant(view, compare.right()), test.denied);
      }
      case NodeKind::kIsBlank: return v.is_blank() != (tree.op(test.node) == 1);
      case NodeKind::kOneOf: {
        auto items = tree.items(ast::OneOf(tree, test.node).items());
        bool found = std::any_of(items.begin(), items.end(),
                                 [&](NodeId item) { return equal(v, constant(view, item)); });
        return found != (tree.op(test.node) == 1);
      }
      case NodeKind::kBetween: {
        ast::Between between(tree, test.node);
        bool inside = compared(syntax::kGreaterOrEqual, v, constant(view, between.low()), false) &&
                      compared(syntax::kLessOrEqual, v, constant(view, between.high()), false);
        return inside != (tree.op(test.node) == 1);
      }
      case NodeKind::kChanged:
        // That the field changed says nothing about a value; denied, it may also not have changed.
        return test.denied ? false : equal(v, constant(view, ast::Changed(tree, test.node).to()));
      default: return v.truth();  // a boolean field alone
    }
  }

  static bool equal(const Value& a, const Value& b) {
    return value::compare_equal(a, b, value::TextCase::kIgnored) == value::Ordering::kEqual;
  }

  // A fault (two currencies) is neither true nor false: it is taken as possible either way.
  static bool compared(uint8_t op, const Value& v, const Value& c, bool denied) {
    using value::Ordering;
    op &= static_cast<uint8_t>(~syntax::kExactly);
    bool equality = op == syntax::kIs || op == syntax::kEqual || op == syntax::kIsNot ||
                    op == syntax::kNotEqual;
    Ordering order = equality ? value::compare_equal(v, c, value::TextCase::kIgnored)
                              : value::compare_order(v, c);
    if (order == Ordering::kFault) return !denied;
    switch (op) {
      case syntax::kIs:
      case syntax::kEqual: return order == Ordering::kEqual;
      case syntax::kIsNot:
      case syntax::kNotEqual: return order != Ordering::kEqual;
      case syntax::kLess:
      case syntax::kIsBefore: return order == Ordering::kLess;
      case syntax::kLessOrEqual: return order == Ordering::kLess || order == Ordering::kEqual;
      case syntax::kGreater:
      case syntax::kIsAfter: return order == Ordering::kGreater;
      default: return order == Ordering::kGreater || order == Ordering::kEqual;
    }
  }

  // ---- Values worth trying --------------------------------------------------------------------
  // Between two neighbouring constants every test of the judged kinds has one answer, so the
  // constants themselves, one value between each two, one beyond either end, blank, and one value
  // unlike all others stand for everything.
  static std::vector<Value> candidates(const std::vector<Test>& group) {
    const types::Schema& schema = group.front().view->module.schema;
    std::vector<Value> constants;
    types::Type type;
    for (const Test& test : group) {
      collect(*test.view, test.node, constants);
      type = subject_type(*test.view, test.node);
    }
    std::vector<Value> out{Value()};
    if (type.is(types::TypeKind::kBoolean)) return {Value::boolean(false), Value::boolean(true)};
    bool picklist = type.is(types::TypeKind::kPicklist);
    if (picklist) {
      for (const std::string& known : schema.picklist(type.picklist).values)
        out.push_back(Value::text(known));
    }
    std::sort(constants.begin(), constants.end(),
              [](const Value& a, const Value& b) { return value::total_order(a, b) < 0; });
    for (size_t i = 0; i < constants.size(); ++i) {
      const Value& c = constants[i];
      out.push_back(c);
      if (c.is_numeric()) {
        push_number(out, c, -1);
        push_number(out, c, 1);
        if (i + 1 < constants.size() && constants[i + 1].is_numeric())
          push_middle(out, c, constants[i + 1]);
      } else if (c.is(Value::Kind::kDate)) {
        out.push_back(Value::date({c.as_date().days - 1}));
        out.push_back(Value::date({c.as_date().days + 1}));
      } else if (c.is(Value::Kind::kDatetime)) {
        out.push_back(Value::datetime({c.as_instant().ms - 1}));
        out.push_back(Value::datetime({c.as_instant().ms + 1}));
      } else if (c.is(Value::Kind::kTime)) {
        out.push_back(Value::time({c.as_time().ms - 1}));
        out.push_back(Value::time({c.as_time().ms + 1}));
      } else if (c.is(Value::Kind::kText)) {
        out.push_back(Value::text(std::string(c.as_text()) + " "));  // just above it
      } else {
        out.push_back(c);
      }
    }
    bool only_blanks = std::all_of(constants.begin(), constants.end(),
                                   [](const Value& c) { return c.is_blank(); });
    if (only_blanks) out.push_back(some_value(type));
    bool open = !picklist || schema.picklist(type.picklist).open;
    if (open && (type.textual() || type.is(types::TypeKind::kRecord))) {
      out.push_back(Value::text("\x01"));              // below every constant
      out.push_back(Value::text("\xF4\x8F\xBF\xBF"));  // above every constant
    }
    return out;
  }

  // Any value of a type but blank.
  static Value some_value(const types::Type& type) {
    switch (type.kind) {
      case types::TypeKind::kNumber: return Value::number({0, 0});
      case types::TypeKind::kPercent: return Value::percent({0, 0});
      case types::TypeKind::kMoney: return Value::money({0, 0}, {});
      case types::TypeKind::kDate: return Value::date({0});
      case types::TypeKind::kDatetime: return Value::datetime({0});
      case types::TypeKind::kTime: return Value::time({0});
      case types::TypeKind::kMultipicklist: return Value::list({Value::text("\x01")});
      default: return Value::text("\x01");
    }
  }

  static void push_number(std::vector<Value>& out, const Value& c, int64_t delta) {
    if (auto sum = value::add_decimals(c.as_decimal(), {delta, 0}))
      out.push_back(Value::number(*sum));
  }
  static void push_middle(std::vector<Value>& out, const Value& a, const Value& b) {
    auto sum = value::add_decimals(a.as_decimal(), b.as_decimal());
    if (!sum) return;
    if (auto middle = value::divide_decimals(*sum, {2, 0})) out.push_back(Value::number(*middle));
  }

  static types::Type subject_type(const ConditionView& view, NodeId id) {
    NodeId left = view.tree.is(id, NodeKind::kPath) ? id : view.tree.child(id, 0);
    return view.facts.of(left).type;
  }

  static void collect(const ConditionView& view, NodeId id, std::vector<Value>& out) {
    for (NodeId child : view.tree.children(id)) {
      if (!child.valid()) continue;
      if (is_constant(view, child)) out.push_back(constant(view, child));
      if (view.tree.is(child, NodeKind::kList)) collect(view, child, out);
    }
  }

  // Two tests that show why: the first, and the first that refuses what the first allows.
  static Contradiction witness(const std::vector<Test>& group, const std::vector<Value>& values) {
    auto span = [](const Test& test) { return test.view->tree.span(test.node); };
    for (size_t i = 0; i < group.size(); ++i) {
      for (size_t j = i + 1; j < group.size(); ++j) {
        bool together = std::any_of(values.begin(), values.end(), [&](const Value& v) {
          return holds(group[i], v) && holds(group[j], v);
        });
        if (!together) return {span(group[i]), span(group[j])};
      }
    }
    return {span(group.front()), span(group.back())};
  }

  const ConditionView& view_;
  std::map<std::string, NodeId> numbered_;
};

}  // namespace

std::optional<Contradiction> find_contradiction(const ConditionView& view, NodeId condition,
                                                bool denied) {
  Analysis analysis(view);
  std::optional<Contradiction> first;
  for (const Alternative& alternative : analysis.alternatives(condition, denied)) {
    auto found = Analysis::contradiction(alternative);
    if (!found) return std::nullopt;
    if (!first) first = found;
  }
  return first;
}

bool may_hold_with(const ConditionView& view, NodeId condition, types::FieldRef field,
                   const Value& value) {
  Analysis analysis(view);
  std::vector<Alternative> alternatives = analysis.alternatives(condition, false);
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const Alternative& alternative) {
    return Analysis::allows(alternative, Analysis::key_of(field), value);
  });
}

bool may_hold_together(const CheckedModule& module, NodeRef a, NodeRef b) {
  if (!a.valid() || !b.valid()) return true;
  ConditionView view_a{module, module.tree(a.file), module.file(a.file).facts};
  ConditionView view_b{module, module.tree(b.file), module.file(b.file).facts};
  Analysis analysis_a(view_a);
  Analysis analysis_b(view_b);
  for (const Alternative& first : analysis_a.alternatives(a.node, false)) {
    for (const Alternative& second : analysis_b.alternatives(b.node, false)) {
      Alternative both = first;
      both.insert(both.end(), second.begin(), second.end());
      if (!Analysis::contradiction(both)) return true;
    }
  }
  return false;
}

std::optional<HiddenAlternative> find_hidden_alternative(const ConditionView& view,
                                                         NodeId condition) {
  const syntax::Tree& tree = view.tree;
  std::vector<NodeId> stack{condition};
  while (!stack.empty()) {
    NodeId node = stack.back();
    stack.pop_back();
    if (tree.is(node, NodeKind::kOr)) {
      auto terms = tree.children(node);
      for (size_t i = 0; i + 1 < terms.size(); ++i) {
        Analysis analysis(view);
        for (const Alternative& a : analysis.alternatives(terms[i], false)) {
          for (const Alternative& b : analysis.alternatives(terms[i + 1], false)) {
            Alternative sum = a;
            sum.insert(sum.end(), b.begin(), b.end());
            bool numbered = tree.is(terms[i], NodeKind::kLogicRef) ||
                            tree.is(terms[i + 1], NodeKind::kLogicRef);
            if (numbered || Analysis::contradiction(sum)) continue;
            return HiddenAlternative{tree.span(node), tree.span(terms[i]), tree.span(terms[i + 1])};
          }
        }
      }
    }
    if (tree.is(node, NodeKind::kAnd) || tree.is(node, NodeKind::kOr)) {
      for (NodeId term : tree.children(node)) stack.push_back(term);
    }
  }
  return std::nullopt;
}

}  // namespace ensue::check
