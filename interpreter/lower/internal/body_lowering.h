// Lowering of the statements of a flow into a Body. Private to lower/.
#pragma once

#include <string>
#include <vector>

#include "lower/internal/expr_lowering.h"
#include "plan/plan.h"

namespace ensue::lower::internal {

// Locals are numbered as the checker does it, by how many are in scope; what the body needs for
// itself (lists, what a finder found) lies behind them.
class BodyLowering {
 public:
  BodyLowering(const check::CheckedModule& module, const check::Automation& automation,
               ExprLowering& expressions, plan::UnitPlan& unit);

  // Of an action: its one effect. Of a flow: its trigger, parameters, statements and blocks.
  void action();
  void flow();

 private:
  void trigger(NodeId id);
  plan::ParameterPlan parameter(NodeId id);
  void block(NodeId list);
  void statement(NodeId id);
  void if_statement(NodeId id);
  void for_statement(NodeId id);
  void try_statement(NodeId id);
  void wait_statement(NodeId id);
  void show_statement(NodeId id);
  void run_subflow(NodeId id, uint32_t slot);
  void call_service(NodeId id, uint32_t slot);
  void cadence_effect(NodeId id);

  // The program of what stands right of `to` or `=`; what is found or given first goes to a slot.
  plan::ProgramRange source(NodeId id);
  uint32_t finder(NodeId id);
  // Where the condition compares a field with a value that is known before, only records of that
  // value need be looked at.
  void narrow(plan::FinderPlan& find, NodeId where);
  // Puts what stands there into a slot.
  void into(uint32_t slot, NodeId id);
  uint32_t write(NodeId assignments, types::ObjectId object);
  uint32_t program(plan::ProgramRange range);

  uint32_t emit(plan::Do op, NodeId from, uint32_t a = 0, uint32_t b = 0);
  void branch(NodeId from, const char* name);
  void land(uint32_t instruction);
  uint32_t here() const { return static_cast<uint32_t>(unit_.body->code.size()); }
  uint32_t declare();  // a local of the author's
  uint32_t hidden(uint32_t count = 1);
  void number_hidden();
  plan::SourceRange range(NodeId id) const { return {tree_.node(id).begin, tree_.node(id).end}; }
  std::optional<Duration> duration(NodeId id) const;
  std::string text(NodeId id) const {
    return id.valid() ? std::string(tree_.text(id)) : std::string();
  }
  const check::Fact& fact(NodeId id) const { return facts_.of(id); }
  types::ObjectId object_of(NodeId id) const;
  types::Type type_named(NodeId id) const;

  const check::CheckedModule& module_;
  const check::Automation& automation_;
  source::FileId file_;
  const syntax::Tree& tree_;
  const check::Facts& facts_;
  ExprLowering& expressions_;
  plan::UnitPlan& unit_;
  uint32_t locals_ = 0;  // in scope
  uint32_t locals_most_ = 0;
  uint32_t hidden_ = 0;
};

}  // namespace ensue::lower::internal
