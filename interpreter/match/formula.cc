#include "match/formula.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace ensue::match {
namespace {

using plan::Op;

// What stands on the stack of a condition, as far as it is understood.
struct Operand {
  enum class Kind : uint8_t { kOpaque, kSlot, kConstant, kCondition };
  Kind kind = Kind::kOpaque;
  bool may_fault = false;
  uint8_t slot = 0;
  const Value* constant = nullptr;
  uint32_t node = 0;  // of kCondition: of the raw tree
};

// The condition as it is written, before it is turned into what it needs.
struct Raw {
  enum class Kind : uint8_t { kUnknown, kTrue, kFalse, kAtom, kAnd, kOr, kNot };
  Kind kind = Kind::kUnknown;
  bool may_fault = false;
  uint32_t a = 0;
  uint32_t b = 0;
};

// `now` lies between the years 1500 and 8500, or the event is irregular: durations up to this do
// not leave the calendar.
constexpr int64_t kYears = 1000;
bool is_short(const Duration& duration) {
  constexpr int64_t kPerYear[] = {31'536'000, 525'600, 8'760, 365, 52, 12, 1};
  int64_t most = kYears * kPerYear[static_cast<size_t>(duration.unit)];
  return !duration.business && duration.amount <= most && duration.amount >= -most;
}

// A chain of `and` and `or` is read by recursion; a longer one is left to the evaluator.
constexpr size_t kJumpsMax = 1000;

class Reader {
 public:
  Reader(const Needs& needs, Names& names, Formula& out)
      : needs_(needs), names_(names), out_(out) {}

  // The raw tree's root.
  uint32_t read() {
    Operand whole = program(needs_.condition.begin, needs_.condition.end);
    return condition_of(whole);
  }
  const std::vector<Raw>& raw() const { return raw_; }

 private:
  uint32_t add(Raw::Kind kind, bool may_fault, uint32_t a = 0, uint32_t b = 0) {
    raw_.push_back({kind, may_fault, a, b});
    return static_cast<uint32_t>(raw_.size() - 1);
  }
  uint32_t unknown(bool may_fault) { return add(Raw::Kind::kUnknown, may_fault); }
  uint32_t decided(bool truth, bool may_fault) {
    return add(truth ? Raw::Kind::kTrue : Raw::Kind::kFalse, may_fault);
  }
  uint32_t atom(const Atom& atom, bool may_fault = false) {
    out_.atoms.push_back(atom);
    return add(Raw::Kind::kAtom, may_fault, static_cast<uint32_t>(out_.atoms.size() - 1));
  }
  uint32_t within(uint8_t slot, Key low, Key high, bool may_fault) {
    if (low > high) return decided(false, may_fault);
    Atom out;
    out.slot = slot;
    out.low = low;
    out.high = high;
    return atom(out, may_fault);
  }
  uint32_t negated(uint32_t node, bool negate) {
    return negate ? add(Raw::Kind::kNot, raw_[node].may_fault, node) : node;
  }
  uint32_t condition_of(const Operand& operand) {
    if (operand.kind == Operand::Kind::kCondition) return operand.node;
    return unknown(operand.may_fault);
  }

  Operand pop() {
    ENSUE_DCHECK(!stack_.empty());
    Operand out = stack_.back();
    stack_.pop_back();
    return out;
  }
  void push(Operand operand) { stack_.push_back(operand); }
  void push_opaque(bool may_fault) { push({Operand::Kind::kOpaque, may_fault, 0, nullptr, 0}); }
  void push_condition(uint32_t node) {
    push({Operand::Kind::kCondition, raw_[node].may_fault, 0, nullptr, node});
  }
  // Takes operands away; whether one of them may fault.
  bool drop(size_t count) {
    bool may_fault = false;
    for (size_t i = 0; i < count; ++i) may_fault |= pop().may_fault;
    return may_fault;
  }

  // Steps begin to end - 1, which leave one value more on the stack: it is taken off.
  Operand program(uint32_t begin, uint32_t end) {
    for (uint32_t at = begin; at < end; ++at) {
      const plan::Step& step = needs_.code->steps[at];
      bool joins = step.op == Op::kAndJump || step.op == Op::kOrJump;
      if (!joins) {
        read_step(step);
        continue;
      }
      uint32_t left = condition_of(pop());
      uint32_t right = condition_of(program(at + 1, step.a));
      push_condition(add(step.op == Op::kAndJump ? Raw::Kind::kAnd : Raw::Kind::kOr,
                         raw_[left].may_fault || raw_[right].may_fault, left, right));
      at = step.a - 1;
    }
    return pop();
  }

  void read_step(const plan::Step& step) {
    switch (step.op) {
      case Op::kConstant:
        push({Operand::Kind::kConstant, false, 0, &needs_.code->constants[step.a], 0});
        break;
      case Op::kLocalDatetime:
      case Op::kNow:
      case Op::kToday:
      case Op::kPerson: push_opaque(false); break;
      case Op::kPath: push_path(*needs_.code->paths[step.a]); break;
      case Op::kNegate:
      case Op::kDayStart: push_opaque(drop(1)); break;
      case Op::kAgo: {
        Operand duration = pop();
        bool fine = duration.kind == Operand::Kind::kConstant &&
                    duration.constant->is(Value::Kind::kDuration) &&
                    is_short(duration.constant->as_duration());
        push_opaque(!fine);
        break;
      }
      case Op::kCompare: compare(step.flags); break;
      case Op::kIsBlank: {
        Operand left = pop();
        uint32_t node = left.kind == Operand::Kind::kSlot
                            ? within(left.slot, kBlankKey, kBlankKey, left.may_fault)
                            : unknown(left.may_fault);
        push_condition(negated(node, (step.flags & 1) != 0));
        break;
      }
      case Op::kOneOf: one_of(step); break;
      case Op::kBetween: between(step.flags); break;
      case Op::kTruth: truth(); break;
      case Op::kChanged: changed(step); break;
      case Op::kIsNew: {
        Atom is_new;
        is_new.kind = Atom::Kind::kNew;
        push_condition(atom(is_new));
        break;
      }
      case Op::kNot: {
        uint32_t node = condition_of(pop());
        push_condition(negated(node, true));
        break;
      }
      default: {  // arithmetic, functions, joined texts, `has`: may fault
        drop(plan::stack_effect(step).pops);
        push_opaque(true);
      }
    }
  }

  void push_path(const plan::PathPlan& path) {
    Operand out;
    if (path.base == plan::PathBase::kIt && path.members.empty() && path.hops.size() == 1) {
      for (const types::FieldRef& ref : path.hops[0].fields) {
        if (ref.object != needs_.object) continue;
        uint8_t slot = names_.slot(needs_.object, ref.field);
        if (slot == Layout::kNoSlot || slot_of(slot).kind == KeyKind::kNone) break;
        out.kind = Operand::Kind::kSlot;
        out.slot = slot;
        break;
      }
    }
    push(out);
  }

  const Slot& slot_of(uint8_t slot) const { return names_.layout(needs_.object).slots[slot]; }

  // Only money of two currencies cannot be compared.
  bool may_be_money(const Operand& operand) const {
    switch (operand.kind) {
      case Operand::Kind::kSlot: return slot_of(operand.slot).money;
      case Operand::Kind::kConstant:
        return operand.constant->is(Value::Kind::kMoney) && operand.constant->as_currency().given();
      case Operand::Kind::kCondition: return false;
      default: return true;
    }
  }
  bool may_clash(const Operand& left, const Operand& right) const {
    return left.may_fault || right.may_fault || (may_be_money(left) && may_be_money(right));
  }

  // The key of a constant compared with a slot; empty when the keys do not decide.
  std::optional<Key> key_of(uint8_t slot, const Value& value) {
    KeyKind kind = slot_of(slot).kind;
    if (value.is_blank()) return kBlankKey;
    if (kind == KeyKind::kText && value.is(Value::Kind::kText))
      return names_.text(needs_.object, slot, value.as_text());
    if (kind == KeyKind::kNumber && value.is_numeric())
      return exact_decimal_key(value.as_decimal());
    if (kind == KeyKind::kDate && value.is(Value::Kind::kDate)) return value.as_date().days;
    if (kind == KeyKind::kDatetime && value.is(Value::Kind::kDatetime))
      return value.as_instant().ms;
    if (kind == KeyKind::kTime && value.is(Value::Kind::kTime)) return value.as_time().ms;
    if (kind == KeyKind::kBoolean && value.is(Value::Kind::kBoolean)) return value.truth() ? 1 : 0;
    return std::nullopt;
  }

  uint32_t text_test(uint8_t slot, TextTest::Kind kind, bool exactly, const Value& part) {
    if (!part.is(Value::Kind::kText))
      return part.is_blank() ? decided(false, false) : unknown(false);
    Atom out;
    out.kind = Atom::Kind::kText;
    out.slot = slot;
    out.text = names_.text_test(needs_.object, {kind, exactly, slot, std::string(part.as_text())});
    return atom(out);
  }

  void compare(uint8_t flags) {
    Operand right = pop();
    Operand left = pop();
    bool exactly = (flags & plan::kCompareExactly) != 0;
    uint8_t op = flags & static_cast<uint8_t>(~plan::kCompareExactly);
    bool text = op >= plan::kCompareContains;
    if (!text && left.kind == Operand::Kind::kConstant && right.kind == Operand::Kind::kSlot) {
      constexpr uint8_t kMirrored[] = {plan::kCompareEqual,   plan::kCompareNotEqual,
                                       plan::kCompareGreater, plan::kCompareGreaterOrEqual,
                                       plan::kCompareLess,    plan::kCompareLessOrEqual};
      std::swap(left, right);
      op = kMirrored[op];
    }
    bool may_fault = text ? left.may_fault || right.may_fault : may_clash(left, right);
    bool understood =
        left.kind == Operand::Kind::kSlot && right.kind == Operand::Kind::kConstant && !may_fault;
    if (!understood) {
      push_condition(unknown(may_fault));
      return;
    }
    push_condition(text ? compare_text(left.slot, op, exactly, *right.constant)
                        : compare_key(left.slot, op, exactly, *right.constant));
  }

  uint32_t compare_text(uint8_t slot, uint8_t op, bool exactly, const Value& part) {
    if (slot_of(slot).kind != KeyKind::kText) return unknown(false);
    TextTest::Kind kind = op == plan::kCompareContains     ? TextTest::Kind::kContains
                          : op == plan::kCompareStartsWith ? TextTest::Kind::kStartsWith
                                                           : TextTest::Kind::kEndsWith;
    return text_test(slot, kind, exactly, part);
  }

  uint32_t compare_key(uint8_t slot, uint8_t op, bool exactly, const Value& constant) {
    std::optional<Key> key = key_of(slot, constant);
    if (!key) return unknown(false);
    bool equality = op <= plan::kCompareNotEqual;
    bool texts = slot_of(slot).kind == KeyKind::kText;
    if (equality) {
      uint32_t node = within(slot, *key, *key, false);
      if (exactly && texts && *key != kBlankKey) {
        uint32_t same = text_test(slot, TextTest::Kind::kEquals, true, constant);
        node = add(Raw::Kind::kAnd, false, node, same);
      }
      return negated(node, op == plan::kCompareNotEqual);
    }
    if (constant.is_blank()) return decided(false, false);
    if (texts || slot_of(slot).kind == KeyKind::kBoolean) return unknown(false);
    // Blank has no order: the lowest key is not below anything.
    switch (op) {
      case plan::kCompareLess: return within(slot, kBlankKey + 1, *key - 1, false);
      case plan::kCompareLessOrEqual: return within(slot, kBlankKey + 1, *key, false);
      case plan::kCompareGreater: return within(slot, *key + 1, kKeyMax, false);
      default: return within(slot, *key, kKeyMax, false);
    }
  }

  void one_of(const plan::Step& step) {
    std::vector<Operand> items;
    for (uint32_t i = 0; i < step.a; ++i) items.push_back(pop());
    Operand left = pop();
    bool may_fault = left.may_fault;
    for (const Operand& item : items) may_fault |= may_clash(left, item);
    bool understood = left.kind == Operand::Kind::kSlot && !may_fault;
    std::vector<Key> keys;
    for (const Operand& item : items) {
      if (!understood) break;
      auto key =
          item.kind == Operand::Kind::kConstant ? key_of(left.slot, *item.constant) : std::nullopt;
      understood = key.has_value();
      if (understood) keys.push_back(*key);
    }
    if (!understood) {
      push_condition(unknown(may_fault));
      return;
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    Atom out;
    out.kind = Atom::Kind::kOneOf;
    out.slot = left.slot;
    out.first = static_cast<uint32_t>(out_.keys.size());
    out.count = static_cast<uint32_t>(keys.size());
    out_.keys.insert(out_.keys.end(), keys.begin(), keys.end());
    uint32_t node = keys.size() == 1 ? within(left.slot, keys[0], keys[0], false) : atom(out);
    push_condition(negated(node, (step.flags & 1) != 0));
  }

  void between(uint8_t flags) {
    Operand high = pop();
    Operand low = pop();
    Operand left = pop();
    bool may_fault = may_clash(left, low) || may_clash(left, high);
    bool understood = !may_fault && left.kind == Operand::Kind::kSlot &&
                      low.kind == Operand::Kind::kConstant && high.kind == Operand::Kind::kConstant;
    if (understood) {
      KeyKind kind = slot_of(left.slot).kind;
      auto from = key_of(left.slot, *low.constant);
      auto to = key_of(left.slot, *high.constant);
      understood = kind != KeyKind::kText && kind != KeyKind::kBoolean && from && to;
      if (understood) {
        bool blank = *from == kBlankKey || *to == kBlankKey;
        uint32_t node = blank ? decided(false, false) : within(left.slot, *from, *to, false);
        push_condition(negated(node, (flags & 1) != 0));
        return;
      }
    }
    push_condition(unknown(may_fault));
  }

  void truth() {
    Operand operand = pop();
    if (operand.kind == Operand::Kind::kCondition) {
      push(operand);
    } else if (operand.kind == Operand::Kind::kConstant) {
      push_condition(decided(operand.constant->truth(), false));
    } else if (operand.kind == Operand::Kind::kSlot &&
               slot_of(operand.slot).kind == KeyKind::kBoolean) {
      push_condition(within(operand.slot, 1, 1, false));
    } else {
      push_condition(unknown(operand.may_fault));
    }
  }

  // The value before the save has no key: `from` is left to the evaluator.
  void changed(const plan::Step& step) {
    bool from_given = (step.flags & 1) != 0;
    bool to_given = (step.flags & 2) != 0;
    Operand to = to_given ? pop() : Operand();
    Operand from = from_given ? pop() : Operand();
    const plan::PathPlan& path = *needs_.code->paths[step.a];
    Operand field;
    for (const types::FieldRef& ref : path.hops[0].fields) {
      if (ref.object != needs_.object) continue;
      field.slot = names_.slot(needs_.object, ref.field);
      if (field.slot != Layout::kNoSlot) field.kind = Operand::Kind::kSlot;
    }
    bool may_fault =
        (from_given &&
         (from.may_fault || field.kind != Operand::Kind::kSlot || may_clash(field, from))) ||
        (to_given && (to.may_fault || field.kind != Operand::Kind::kSlot || may_clash(field, to)));
    if (field.kind != Operand::Kind::kSlot || may_fault) {
      push_condition(unknown(may_fault));
      return;
    }
    Atom moved;
    moved.kind = Atom::Kind::kChanged;
    moved.slot = field.slot;
    uint32_t node = atom(moved);
    auto join = [&](uint32_t other) { node = add(Raw::Kind::kAnd, false, node, other); };
    if (from_given) join(unknown(false));
    if (to_given) {
      bool date = slot_of(field.slot).kind == KeyKind::kDate;  // compared as the start of its day
      auto key =
          to.kind == Operand::Kind::kConstant && !date && slot_of(field.slot).kind != KeyKind::kNone
              ? key_of(field.slot, *to.constant)
              : std::nullopt;
      join(key ? within(field.slot, *key, *key, false) : unknown(false));
    }
    push_condition(node);
  }

  const Needs& needs_;
  Names& names_;
  Formula& out_;
  std::vector<Raw> raw_;
  std::vector<Operand> stack_;
};

// Turns the raw tree into what it needs: `not` moves inwards, what may be true or fault becomes
// true.
class Weakener {
 public:
  Weakener(const std::vector<Raw>& raw, Formula& out) : raw_(raw), out_(out) {}

  // What has to hold for the node to be `truth`, or to fault.
  uint32_t need(uint32_t at, bool truth) {
    const Raw& node = raw_[at];
    switch (node.kind) {
      case Raw::Kind::kUnknown: return anything();
      case Raw::Kind::kTrue:
      case Raw::Kind::kFalse:
        if (node.may_fault) return anything();
        return add((node.kind == Raw::Kind::kTrue) == truth ? FormulaNode::Kind::kTrue
                                                            : FormulaNode::Kind::kFalse);
      case Raw::Kind::kAtom: {
        if (node.may_fault) return anything();
        if (truth) return add(FormulaNode::Kind::kAtom, node.a);
        Atom turned = out_.atoms[node.a];
        turned.negated = !turned.negated;
        out_.atoms.push_back(turned);
        return add(FormulaNode::Kind::kAtom, static_cast<uint32_t>(out_.atoms.size() - 1));
      }
      case Raw::Kind::kNot: return need(node.a, !truth);
      case Raw::Kind::kAnd:
      case Raw::Kind::kOr: break;
    }
    bool both = (node.kind == Raw::Kind::kAnd) == truth;
    uint32_t left = need(node.a, truth);
    if (both && raw_[node.a].may_fault) {
      // Where the left term faults, the right one is never asked.
      out_.exact = false;
      return left;
    }
    uint32_t right = need(node.b, truth);
    return join(left, right, both);
  }

 private:
  uint32_t add(FormulaNode::Kind kind, uint32_t a = 0, uint32_t b = 0) {
    out_.nodes.push_back({kind, a, b});
    return static_cast<uint32_t>(out_.nodes.size() - 1);
  }
  uint32_t anything() {
    out_.exact = false;
    return add(FormulaNode::Kind::kTrue);
  }
  uint32_t join(uint32_t left, uint32_t right, bool both) {
    FormulaNode::Kind wins = both ? FormulaNode::Kind::kFalse : FormulaNode::Kind::kTrue;
    FormulaNode::Kind loses = both ? FormulaNode::Kind::kTrue : FormulaNode::Kind::kFalse;
    for (auto [one, other] : {std::pair(left, right), std::pair(right, left)}) {
      if (out_.nodes[one].kind == wins) return one;
      if (out_.nodes[one].kind == loses) return other;
    }
    return add(both ? FormulaNode::Kind::kAnd : FormulaNode::Kind::kOr, left, right);
  }

  const std::vector<Raw>& raw_;
  Formula& out_;
};

bool atom_holds(const Formula& formula, const Atom& atom, EventImage& image, TextTests tests) {
  switch (atom.kind) {
    case Atom::Kind::kIn:
      return image.key(atom.slot) >= atom.low && image.key(atom.slot) <= atom.high;
    case Atom::Kind::kOneOf: {
      const Key* keys = formula.keys.data() + atom.first;
      return std::binary_search(keys, keys + atom.count, image.key(atom.slot));
    }
    case Atom::Kind::kText: return image.holds(atom.text, test_at(tests, atom.text));
    case Atom::Kind::kChanged: return image.changed(atom.slot);
    case Atom::Kind::kNew: return image.is_new();
    case Atom::Kind::kTouched:
      if (image.change() != plan::kEdited) return true;
      for (uint32_t i = 0; i < atom.count; ++i) {
        if ((image.changed_words()[i] & static_cast<uint64_t>(formula.keys[atom.first + i])) != 0)
          return true;
      }
      return false;
  }
  return true;
}

// Leaves only what the root reaches, so that a kept formula is small; the root comes last.
Formula compacted(const Formula& in, uint32_t root) {
  Formula out;
  out.exact = in.exact;
  auto copy = [&](auto&& self, uint32_t at) -> uint32_t {
    FormulaNode node = in.nodes[at];
    if (node.kind == FormulaNode::Kind::kAtom) {
      Atom atom = in.atoms[node.a];
      if (atom.has_keys()) {
        auto first = in.keys.begin() + atom.first;
        atom.first = static_cast<uint32_t>(out.keys.size());
        out.keys.insert(out.keys.end(), first, first + atom.count);
      }
      node.a = static_cast<uint32_t>(out.atoms.size());
      out.atoms.push_back(atom);
    } else if (node.kind == FormulaNode::Kind::kAnd || node.kind == FormulaNode::Kind::kOr) {
      node.a = self(self, node.a);
      node.b = self(self, node.b);
    }
    out.nodes.push_back(node);
    return static_cast<uint32_t>(out.nodes.size() - 1);
  };
  copy(copy, root);
  out.nodes.shrink_to_fit();
  out.atoms.shrink_to_fit();
  out.keys.shrink_to_fit();
  return out;
}

}  // namespace

bool Formula::holds(uint32_t at, EventImage& image, TextTests tests) const {
  const FormulaNode& node = nodes[at];
  switch (node.kind) {
    case FormulaNode::Kind::kTrue: return true;
    case FormulaNode::Kind::kFalse: return false;
    case FormulaNode::Kind::kAtom: {
      const Atom& atom = atoms[node.a];
      return atom_holds(*this, atom, image, tests) != atom.negated;
    }
    case FormulaNode::Kind::kAnd: return holds(node.a, image, tests) && holds(node.b, image, tests);
    case FormulaNode::Kind::kOr: return holds(node.a, image, tests) || holds(node.b, image, tests);
  }
  return true;
}

Formula formula_of(const Needs& needs, Names& names) {
  Formula draft;
  uint32_t root = 0;
  uint64_t steps = needs.condition.end - needs.condition.begin;
  size_t jumps = 0;
  for (uint32_t at = needs.condition.begin; at < needs.condition.end; ++at) {
    Op op = needs.code->steps[at].op;
    jumps += op == Op::kAndJump || op == Op::kOrJump ? 1 : 0;
  }
  if (needs.condition.empty() || steps > needs.steps_max || jumps > kJumpsMax) {
    draft.exact = needs.condition.empty();
    draft.nodes.push_back({FormulaNode::Kind::kTrue, 0, 0});
  } else {
    Reader reader(needs, names, draft);
    uint32_t raw = reader.read();
    root = Weakener(reader.raw(), draft).need(raw, true);
  }
  if (needs.watches) {
    Atom touched;
    touched.kind = Atom::Kind::kTouched;
    touched.first = static_cast<uint32_t>(draft.keys.size());
    touched.count = 0;
    std::array<uint64_t, 4> words{};
    bool all = true;  // a field without a slot may be the one that changed
    for (types::FieldId field : *needs.watched) {
      uint8_t slot = names.slot(needs.object, field);
      if (slot == Layout::kNoSlot) {
        all = false;
      } else {
        words[slot / 64] |= uint64_t{1} << (slot % 64);
        touched.count = std::max<uint32_t>(touched.count, slot / 64 + 1u);
      }
    }
    draft.exact = draft.exact && all;
    if (all) {
      for (uint32_t i = 0; i < touched.count; ++i) draft.keys.push_back(static_cast<Key>(words[i]));
      draft.atoms.push_back(touched);
      draft.nodes.push_back(
          {FormulaNode::Kind::kAtom, static_cast<uint32_t>(draft.atoms.size() - 1), 0});
      auto last = static_cast<uint32_t>(draft.nodes.size() - 1);
      if (draft.nodes[root].kind == FormulaNode::Kind::kTrue) {
        root = last;
      } else if (draft.nodes[root].kind != FormulaNode::Kind::kFalse) {
        draft.nodes.push_back({FormulaNode::Kind::kAnd, root, last});
        root = last + 1;
      }
    }
  }
  return compacted(draft, root);
}

}  // namespace ensue::match
