// From a checked automation to its flow graph. Conditions become one node a test, wired as they are
// decided: an `and` goes on at yes and leaves at no, an `or` the other way round.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "graph/flow_graph.h"

namespace ensue::graph {
namespace {

using check::Automation;
using syntax::NodeKind;
namespace ast = syntax::ast;
// The syntax kinds and the graph's own share a name; `Kind` is a graph node's.
using Kind = ::ensue::graph::NodeKind;

// An edge whose end is not known yet.
struct Open {
  NodeId from;
  std::string label;
};
using Opens = std::vector<Open>;

class GraphBuilder {
 public:
  GraphBuilder(const check::CheckedModule& module, const Automation& automation)
      : module_(module), automation_(automation), tree_(module.tree(automation.declaration.file)) {}

  FlowGraph build() {
    graph_.title = check::describe(automation_);
    NodeId start = graph_.add_node({Kind::kStart, trigger_label(), automation_.name_span});
    Opens next{{start, ""}};
    if (automation_.kind == check::AutomationKind::kAction) {
      next = question(next, person_label(), "somebody else's");
      next = question(next, "is it active for that person?", "no");
    }
    if (automation_.condition.valid()) {
      bool edits = (automation_.events & syntax::kOnEdited) != 0;
      if (edits && automation_.kind == check::AutomationKind::kAction)
        next = question(next, "did a field of the condition change?", "no");
      Branches branches = condition(automation_.condition.node, next);
      leave(branches.no);
      next = branches.yes;
      if (automation_.guard == check::GuardKind::kNewlyMeets)
        next = question(next, "was it false before the save?", "no");
    }
    if (automation_.kind == check::AutomationKind::kAction) {
      action_effect(next);
    } else {
      Opens after = block(ast::FlowDecl(tree_, automation_.declaration.node).body(), next);
      close(after, end_node("done"));
    }
    if (!nothing_.empty()) close(nothing_, end_node("nothing happens"));
    return std::move(graph_);
  }

 private:
  struct Branches {
    Opens yes;
    Opens no;
  };

  // ---- Wiring ---------------------------------------------------------------------------------
  void close(const Opens& opens, NodeId to) {
    for (const Open& open : opens) graph_.add_edge(open.from, to, open.label);
  }
  void leave(const Opens& opens) { nothing_.insert(nothing_.end(), opens.begin(), opens.end()); }
  NodeId place(const Opens& opens, Node node) {
    NodeId id = graph_.add_node(std::move(node));
    close(opens, id);
    return id;
  }
  NodeId end_node(const char* label) { return graph_.add_node({Kind::kEnd, label, {}}); }
  static Opens joined(Opens a, const Opens& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  Opens question(const Opens& from, std::string label, const char* no) {
    NodeId id = place(from, {Kind::kQuestion, std::move(label), {}});
    leave({{id, no}});
    return {{id, "yes"}};
  }

  // ---- Labels ---------------------------------------------------------------------------------
  std::string written(syntax::NodeId id) const { return one_line(tree_.written(id)); }

  std::string trigger_label() const {
    if (automation_.kind == check::AutomationKind::kAction) {
      return written(ast::ActionDecl(tree_, automation_.declaration.node).trigger());
    }
    ast::FlowDecl flow(tree_, automation_.declaration.node);
    std::string out;
    for (syntax::NodeId trigger : tree_.items(flow.triggers()))
      out += (out.empty() ? "" : ", ") + written(trigger);
    if (flow.over().valid()) out += " " + written(flow.over());
    return out.empty() ? "called" : out;
  }

  std::string person_label() const {
    if (automation_.scope == check::Scope::kTeam)
      return fmt::format("is the owner in the team of {}?", automation_.author);
    return fmt::format("does it belong to {}?", automation_.author);
  }

  // ---- Conditions -----------------------------------------------------------------------------
  Branches condition(syntax::NodeId id, const Opens& from) {
    switch (tree_.kind(id)) {
      case NodeKind::kAnd: return joined_tests(tree_.children(id), from, true);
      case NodeKind::kOr: return joined_tests(tree_.children(id), from, false);
      case NodeKind::kNot: {
        Branches inner = condition(ast::Not(tree_, id).condition(), from);
        return {std::move(inner.no), std::move(inner.yes)};
      }
      case NodeKind::kNumberedCondition: {
        ast::NumberedCondition numbered(tree_, id);
        for (syntax::NodeId item : tree_.items(numbered.items())) {
          numbered_[std::string(tree_.text(item))] = ast::NumberedItem(tree_, item).condition();
        }
        return condition(numbered.logic(), from);
      }
      case NodeKind::kLogicRef: return condition(numbered_.at(std::string(tree_.text(id))), from);
      default: {
        NodeId test = place(from, {Kind::kTest, written(id), tree_.span(id)});
        return {{{test, "yes"}}, {{test, "no"}}};
      }
    }
  }

  Branches joined_tests(std::span<const syntax::NodeId> terms, const Opens& from, bool all) {
    Branches out;
    Opens next = from;
    for (size_t i = 0; i < terms.size(); ++i) {
      Branches term = condition(terms[i], next);
      Opens& decided = all ? term.no : term.yes;
      Opens& onward = all ? term.yes : term.no;
      (all ? out.no : out.yes) = joined(std::move(all ? out.no : out.yes), decided);
      next = std::move(onward);
    }
    (all ? out.yes : out.no) = std::move(next);
    return out;
  }

  // ---- Effects and statements -----------------------------------------------------------------
  void action_effect(const Opens& from) {
    if (automation_.effects.empty()) return;
    const check::CadenceEffect& effect = automation_.effects.front();
    Opens next = from;
    if (!effect.reminder) {
      NodeId limit = place(next, {Kind::kLimit, "is there room under the limits?", {}});
      leave({{limit, "no"}});
      next = {{limit, "yes"}};
    }
    NodeId done =
        place(next, {Kind::kStep, written(effect.statement.node), module_.span(effect.statement)});
    close({{done, ""}}, end_node(effect.reminder ? "offered" : "done"));
  }

  Opens block(syntax::NodeId body, Opens from) {
    for (syntax::NodeId statement_id : tree_.items(body)) from = statement(statement_id, from);
    return from;
  }

  Opens statement(syntax::NodeId id, const Opens& from) {
    switch (tree_.kind(id)) {
      case NodeKind::kIfStmt: {
        ast::IfStmt stmt(tree_, id);
        Branches branches = condition(stmt.condition(), from);
        Opens after = block(stmt.body(), branches.yes);
        Opens otherwise = branches.no;
        for (syntax::NodeId branch : tree_.items(stmt.else_ifs())) {
          Branches more = condition(ast::ElseIf(tree_, branch).condition(), otherwise);
          after = joined(std::move(after), block(ast::ElseIf(tree_, branch).body(), more.yes));
          otherwise = more.no;
        }
        return joined(std::move(after), block(stmt.else_body(), otherwise));
      }
      case NodeKind::kForStmt: {
        ast::ForStmt stmt(tree_, id);
        std::string label =
            fmt::format("for each {} in {}", tree_.text(stmt.name()), written(stmt.source()));
        NodeId head = place(from, {Kind::kTest, label, tree_.span(id)});
        close(block(stmt.body(), {{head, "next"}}), head);
        return {{head, "no more"}};
      }
      case NodeKind::kWaitStmt: {
        ast::WaitStmt stmt(tree_, id);
        std::string label = stmt.duration().valid() ? "wait " + written(stmt.duration())
                                                    : "wait until " + written(stmt.until());
        NodeId wait = place(from, {Kind::kWait, label, tree_.span(id)});
        Opens after{{wait, ""}};
        if (stmt.timeout_body().valid())
          after = joined(std::move(after), block(stmt.timeout_body(), {{wait, "timeout"}}));
        return after;
      }
      case NodeKind::kTryStmt: {
        ast::TryStmt stmt(tree_, id);
        NodeId head = place(from, {Kind::kStep, "try", tree_.span(id)});
        Opens after = block(stmt.body(), {{head, ""}});
        return joined(std::move(after), block(stmt.fault_body(), {{head, "fault"}}));
      }
      case NodeKind::kStopStmt: {
        NodeId stop = place(from, {Kind::kEnd, written(id), tree_.span(id)});
        (void)stop;
        return {};
      }
      default: {
        NodeId step = place(from, {Kind::kStep, written(id), tree_.span(id)});
        return {{step, ""}};
      }
    }
  }

  const check::CheckedModule& module_;
  const Automation& automation_;
  const syntax::Tree& tree_;
  FlowGraph graph_;
  Opens nothing_;
  std::map<std::string, syntax::NodeId> numbered_;
};

}  // namespace

FlowGraph build_graph(const check::CheckedModule& module, const Automation& automation) {
  return GraphBuilder(module, automation).build();
}

}  // namespace ensue::graph
