// Lowering of conditions and values into one Code. Private to lower/.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "check/checked_module.h"
#include "plan/plan.h"

namespace ensue::lower::internal {

using syntax::NodeId;

class ExprLowering {
 public:
  ExprLowering(const check::CheckedModule& module, source::FileId file, plan::Code& code);

  plan::ProgramRange condition(NodeId id);
  plan::ProgramRange value(NodeId id);
  // A value that is an instant: a date is the start of its day.
  plan::ProgramRange instant(NodeId id);
  // The program that pushes a local.
  plan::ProgramRange local(uint32_t slot, plan::SourceRange range);
  // The program that pushes a constant.
  plan::ProgramRange constant_value(Value value, plan::SourceRange range);
  // Whether a local is true.
  plan::ProgramRange truth_of_local(uint32_t slot, plan::SourceRange range);
  // Whether the columns hold what the cells of a row ask for; empty where every cell fits all.
  plan::ProgramRange row(std::span<const NodeId> columns, std::span<const NodeId> cells);
  // From here on `it` is the record in a slot, as in a routing table.
  void keep_it_in(uint32_t slot) { it_slot_ = slot; }
  // The program of a path.
  plan::ProgramRange path_value(const check::Path& from, plan::SourceRange range);
  // The program that pushes the record in hand itself.
  plan::ProgramRange record_in_hand(types::ObjectId object, plan::SourceRange range);
  // Compiles the conditions of `has`, which stand behind the programs that use them. Call once,
  // last.
  void finish();

 private:
  struct Pending {
    uint32_t relation;
    NodeId condition;
  };

  plan::ProgramRange program(NodeId id, bool as_condition);
  void emit_condition(NodeId id);
  void emit_value(NodeId id);
  void emit_joined(NodeId id, plan::Op jump);
  void emit_compare(NodeId id);
  void emit_one_of(NodeId id);
  void emit_between(NodeId id);
  void emit_changed(NodeId id);
  void emit_has(NodeId id);
  void emit_text(NodeId id);
  void emit_cell(NodeId column, NodeId cell);
  void emit_call(NodeId id);
  // A value compared with another: a date meets an instant as the start of its day.
  void emit_operand(NodeId id, bool as_instant);
  bool is_instant(NodeId id) const;
  bool is_date(NodeId id) const;
  bool mixes_dates(NodeId left, NodeId right) const;

  uint32_t step(plan::Op op, NodeId from, uint32_t a = 0, uint8_t flags = 0, uint16_t b = 0);
  void push(int count);
  plan::ProgramRange single(plan::Op op, uint32_t a, plan::SourceRange range);
  uint32_t constant(Value value);
  uint32_t path(const check::Path& from);
  const check::Fact& fact(NodeId id) const { return facts_.of(id); }

  const check::CheckedModule& module_;
  const syntax::Tree& tree_;
  const check::Facts& facts_;
  plan::Code& code_;
  int depth_ = 0;
  std::optional<uint32_t> it_slot_;
  std::vector<Pending> pending_;
  std::map<std::string, NodeId> numbered_;  // conditions of the guard at hand
};

}  // namespace ensue::lower::internal
