#include "match/residual.h"

#include <optional>

namespace ensue::match {
namespace {

using Kind = FormulaNode::Kind;

// Where a jump goes: an answer, or a label whose place is known when its code is written.
struct Target {
  enum class Kind : uint8_t { kAccept, kReject, kLabel } kind = Kind::kAccept;
  size_t label = 0;
};

class Writer {
 public:
  explicit Writer(const Formula& formula) : formula_(formula) {}

  std::optional<std::vector<uint64_t>> conjunction(const std::vector<uint32_t>& atoms,
                                                   const std::vector<uint32_t>& nodes) {
    size_t left = atoms.size() + nodes.size();
    auto next = [&] { return --left == 0 ? Target{Target::Kind::kAccept, 0} : new_label(); };
    for (uint32_t atom : atoms) {
      Target after = next();
      write_atom(formula_.atoms[atom], after, {Target::Kind::kReject, 0});
      place(after);
    }
    for (uint32_t node : nodes) {
      Target after = next();
      write(node, after, {Target::Kind::kReject, 0});
      place(after);
    }
    if (code_.size() > kResidualWordsMax) return std::nullopt;
    for (const Jump& jump : jumps_) {
      uint64_t to = jump.to.kind == Target::Kind::kAccept   ? kAccept
                    : jump.to.kind == Target::Kind::kReject ? kReject
                                                            : labels_[jump.to.label];
      code_[jump.at] |= to << jump.shift;
    }
    return std::move(code_);
  }

 private:
  struct Jump {
    size_t at;
    int shift;
    Target to;
  };

  Target new_label() {
    labels_.push_back(0);
    return {Target::Kind::kLabel, labels_.size() - 1};
  }
  void place(const Target& target) {
    if (target.kind == Target::Kind::kLabel) labels_[target.label] = code_.size();
  }

  void write(uint32_t at, Target holds, Target fails) {
    const FormulaNode& node = formula_.nodes[at];
    if (node.kind == Kind::kAtom) {
      write_atom(formula_.atoms[node.a], holds, fails);
      return;
    }
    Target middle = new_label();
    bool both = node.kind == Kind::kAnd;
    write(node.a, both ? middle : holds, both ? fails : middle);
    place(middle);
    write(node.b, holds, fails);
  }

  void write_atom(const Atom& atom, Target holds, Target fails) {
    if (atom.negated) std::swap(holds, fails);
    uint64_t operand = 0;
    ResidualOp op = ResidualOp::kShort;
    std::vector<uint64_t> words;
    switch (atom.kind) {
      case Atom::Kind::kIn:
        if (atom.low == atom.high && atom.low >= 0 && atom.low <= INT32_MAX) {
          operand = static_cast<uint64_t>(atom.low);
        } else {
          op = ResidualOp::kIn;
          words = {static_cast<uint64_t>(atom.low),
                   static_cast<uint64_t>(atom.high) - static_cast<uint64_t>(atom.low)};
        }
        break;
      case Atom::Kind::kOneOf: op = ResidualOp::kOneOf; break;
      case Atom::Kind::kText:
        op = ResidualOp::kText;
        operand = atom.text;
        break;
      case Atom::Kind::kChanged: op = ResidualOp::kChanged; break;
      case Atom::Kind::kNew: op = ResidualOp::kNew; break;
      case Atom::Kind::kTouched: op = ResidualOp::kTouched; break;
    }
    if (op == ResidualOp::kOneOf || op == ResidualOp::kTouched) {
      operand = atom.count;
      for (uint32_t i = 0; i < atom.count; ++i)
        words.push_back(static_cast<uint64_t>(formula_.keys[atom.first + i]));
    }
    jumps_.push_back({code_.size(), 16, holds});
    jumps_.push_back({code_.size(), 24, fails});
    code_.push_back(static_cast<uint64_t>(op) | static_cast<uint64_t>(atom.slot) << 8 |
                    operand << 32);
    code_.insert(code_.end(), words.begin(), words.end());
  }

  const Formula& formula_;
  std::vector<uint64_t> code_;
  std::vector<uint64_t> labels_;
  std::vector<Jump> jumps_;
};

}  // namespace

bool append_residual(const Formula& formula, const std::vector<uint32_t>& atoms,
                     const std::vector<uint32_t>& nodes, std::vector<uint64_t>& out) {
  auto code = Writer(formula).conjunction(atoms, nodes);
  if (!code) return false;
  out.insert(out.end(), code->begin(), code->end());
  return true;
}

}  // namespace ensue::match
