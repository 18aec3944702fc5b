#include "graph/subflow_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/fold.h"
#include "base/near_miss.h"

namespace ensue::graph {
namespace {

using check::Automation;
using check::AutomationId;
using check::AutomationKind;
using source::DiagnosticKind;
using SyntaxKind = syntax::NodeKind;
namespace ast = syntax::ast;

// `visit` is called for the node and all below it, in the author's order.
void walk(const syntax::Tree& tree, syntax::NodeId id,
          const std::function<void(syntax::NodeId)>& visit) {
  if (!id.valid()) return;
  visit(id);
  for (syntax::NodeId child : tree.children(id)) walk(tree, child, visit);
}

bool is_flow(const Automation& automation) { return automation.kind != AutomationKind::kAction; }

const syntax::Tree& tree_of(const check::CheckedModule& module, const Automation& automation) {
  return module.tree(automation.declaration.file);
}

ast::FlowDecl flow_of(const check::CheckedModule& module, const Automation& automation) {
  return {tree_of(module, automation), automation.declaration.node};
}

using NamedSubflows =
    std::unordered_map<std::string, AutomationId, base::FoldedHash, base::FoldedEqual>;

NamedSubflows subflows_by_name(const check::CheckedModule& module) {
  NamedSubflows out;
  for (const Automation& automation : module.automations) {
    if (automation.kind == AutomationKind::kSubflow)
      out.emplace(automation.name, module.automations.id_of(automation));
  }
  return out;
}

// ---- Before the save --------------------------------------------------------------------------

// What a statement does that cannot be done before a record is saved, in words; null for those that
// only look, decide and set.
const char* more_than_setting(SyntaxKind kind) {
  switch (kind) {
    case SyntaxKind::kCreateStmt: return "creates a record";
    case SyntaxKind::kUpdateStmt: return "updates a record; `set` changes the one being saved";
    case SyntaxKind::kDeleteStmt: return "deletes a record";
    case SyntaxKind::kWaitStmt: return "waits";
    case SyntaxKind::kTryStmt: return "tries again";
    case SyntaxKind::kCallStmt: return "calls a service";
    case SyntaxKind::kSendStmt: return "sends an e-mail";
    case SyntaxKind::kRouteStmt: return "routes a record";
    case SyntaxKind::kShowStmt: return "shows a screen";
    case SyntaxKind::kRemindStmt: return "reminds a person";
    case SyntaxKind::kAddEffect:
    case SyntaxKind::kRemoveEffect:
    case SyntaxKind::kPauseEffect:
    case SyntaxKind::kChangeEffect: return "changes who is in a cadence";
    default: return nullptr;
  }
}

struct Deed {
  source::Span span;
  const char* words = nullptr;
};

// The first statement of the body that does more than set.
Deed first_deed(const check::CheckedModule& module, const Automation& automation) {
  Deed out;
  const syntax::Tree& tree = tree_of(module, automation);
  walk(tree, flow_of(module, automation).body(), [&](syntax::NodeId id) {
    const char* words = more_than_setting(tree.kind(id));
    if (words != nullptr && out.words == nullptr) out = {tree.span(id), words};
  });
  return out;
}

// The calls on the shortest way from an automation to one whose own body does more than set.
std::vector<const SubflowCall*> way_to_deed(const check::CheckedModule& module,
                                            const SubflowGraph& subflows, AutomationId from) {
  std::map<AutomationId, const SubflowCall*> came_by;
  std::deque<AutomationId> queue{from};
  while (!queue.empty()) {
    AutomationId at = queue.front();
    queue.pop_front();
    if (at != from && first_deed(module, module.automations[at]).words != nullptr) {
      std::vector<const SubflowCall*> way;
      for (AutomationId back = at; back != from; back = came_by[back]->from)
        way.insert(way.begin(), came_by[back]);
      return way;
    }
    for (const SubflowCall& call : subflows.calls) {
      if (call.from == at && call.to != from && came_by.try_emplace(call.to, &call).second)
        queue.push_back(call.to);
    }
  }
  return {};
}

void report_before_save(const check::CheckedModule& module, const SubflowGraph& subflows,
                        source::DiagnosticSink& sink) {
  for (const Automation& automation : module.automations) {
    if (!is_flow(automation) || !automation.before_save) continue;
    Deed own = first_deed(module, automation);
    if (own.words != nullptr) {
      sink.report(DiagnosticKind::kBeforeSaveOnlySets, own.span, {check::describe(automation)})
          .here(fmt::format("this {}", own.words));
      continue;
    }
    auto way = way_to_deed(module, subflows, module.automations.id_of(automation));
    if (way.empty()) continue;
    const Automation& last = module.automations[way.back()->to];
    Deed deed = first_deed(module, last);
    source::Finding& finding = sink.report(DiagnosticKind::kBeforeSaveOnlySets, way.front()->span,
                                           {check::describe(automation)});
    finding.label(deed.span, fmt::format("{} {}", check::describe(last), deed.words));
    for (size_t i = 1; i < way.size(); ++i)
      finding.label(way[i]->span,
                    fmt::format("{} is run here", check::describe(module.automations[way[i]->to])));
  }
}

// ---- Subflows that run themselves -------------------------------------------------------------

void report_recursion(const check::CheckedModule& module, const SubflowGraph& subflows,
                      source::DiagnosticSink& sink) {
  for (const std::vector<Edge>& way : cycles(subflows.graph)) {
    const Automation& first = module.automations[AutomationId(way.front().from.index)];
    source::Finding& finding =
        sink.report(DiagnosticKind::kSubflowCycle, first.name_span, {check::describe(first)});
    std::string path = check::describe(first);
    for (const Edge& edge : way) {
      auto call =
          std::find_if(subflows.calls.begin(), subflows.calls.end(), [&](const SubflowCall& row) {
            return row.from.index == edge.from.index && row.to.index == edge.to.index;
          });
      std::string next = check::describe(module.automations[AutomationId(edge.to.index)]);
      finding.label(call->span, "runs " + next);
      path += " → " + next;
    }
    finding.note("the way round: " + path);
  }
}

// ---- Ways on which nothing is given -----------------------------------------------------------

// The edges from the first node to where the body ends, passing none of the nodes whose text is in
// `avoided`; empty when there is no such way.
std::vector<Edge> way_around(const FlowGraph& graph, const std::set<uint32_t>& avoided) {
  std::map<uint32_t, Edge> came_by;
  std::deque<NodeId> queue{NodeId(size_t{0})};
  while (!queue.empty()) {
    NodeId at = queue.front();
    queue.pop_front();
    const Node& node = graph.node(at);
    if (node.kind == NodeKind::kEnd && !node.span.valid()) {
      std::vector<Edge> way;
      for (NodeId back = at; back.index != 0; back = way.front().from)
        way.insert(way.begin(), came_by.at(back.index));
      return way;
    }
    for (const Edge& edge : graph.edges_from(at)) {
      const Node& next = graph.node(edge.to);
      bool gives = next.span.valid() && avoided.count(next.span.begin) != 0;
      if (!gives && edge.to.index != 0 && came_by.try_emplace(edge.to.index, edge).second)
        queue.push_back(edge.to);
    }
  }
  return {};
}

// The decisions of a way, in words.
std::string decisions(const FlowGraph& graph, const std::vector<Edge>& way) {
  std::string out;
  for (const Edge& edge : way) {
    if (edge.label.empty()) continue;
    const Node& node = graph.node(edge.from);
    bool test = node.kind == NodeKind::kTest && (edge.label == "yes" || edge.label == "no");
    out += out.empty() ? "" : ", then ";
    out += test ? fmt::format("`{}` is {}", node.label, edge.label == "yes" ? "true" : "false")
                : fmt::format("`{}`: {}", node.label, edge.label);
  }
  return out;
}

void report_nothing_given(const check::CheckedModule& module, source::DiagnosticSink& sink) {
  for (const Automation& automation : module.automations) {
    if (automation.kind != AutomationKind::kSubflow) continue;
    const syntax::Tree& tree = tree_of(module, automation);
    ast::FlowDecl decl = flow_of(module, automation);
    auto gives = tree.items(decl.gives());
    if (gives.empty()) continue;
    FlowGraph graph = build_graph(module, automation);
    for (syntax::NodeId given : gives) {
      std::string_view name = tree.text(ast::Param(tree, given).name());
      std::set<uint32_t> statements;  // where they begin
      walk(tree, decl.body(), [&](syntax::NodeId id) {
        if (!tree.is(id, SyntaxKind::kGiveStmt)) return;
        for (syntax::NodeId row : tree.items(ast::GiveStmt(tree, id).assignments())) {
          std::string_view path = tree.written(ast::Assignment(tree, row).path());
          if (base::FoldedEqual()(path, name)) statements.insert(tree.span(id).begin);
        }
      });
      std::vector<Edge> way = way_around(graph, statements);
      if (way.empty()) continue;
      source::Finding& finding = sink.report(DiagnosticKind::kGivesNothing, tree.span(given),
                                             {check::describe(automation), name});
      std::string words = decisions(graph, way);
      if (!words.empty()) finding.note("the way: " + words);
      if (statements.empty()) finding.note(fmt::format("no statement gives `{}`", name));
    }
  }
}

// ---- What never starts ------------------------------------------------------------------------

void report_unused_subflows(const check::CheckedModule& module, source::DiagnosticSink& sink) {
  if (subflows_by_name(module).empty()) return;
  std::unordered_map<std::string, bool, base::FoldedHash, base::FoldedEqual> run;
  for (const check::CheckedFile& file : module.files) {
    if (file.tree == nullptr) continue;
    walk(*file.tree, file.tree->root(), [&](syntax::NodeId id) {
      if (!file.tree->is(id, SyntaxKind::kRunStmt)) return;
      run.emplace(file.tree->text(ast::RunStmt(*file.tree, id).name()), true);
    });
  }
  for (const Automation& automation : module.automations) {
    if (automation.kind != AutomationKind::kSubflow || run.count(automation.name) != 0) continue;
    if (module.file(automation.declaration.file).library) continue;
    sink.report(DiagnosticKind::kNeverStarts, automation.name_span, {check::describe(automation)})
        .here("no automation runs it");
  }
}

// A step that its cadence does not have never starts and never completes. Cadences that are kept by
// the CRM may have any.
void report_missing_steps(const check::CheckedModule& module, source::DiagnosticSink& sink) {
  for (const Automation& automation : module.automations) {
    if (automation.kind != AutomationKind::kFlow) continue;
    const syntax::Tree& tree = tree_of(module, automation);
    for (syntax::NodeId id : tree.items(flow_of(module, automation).triggers())) {
      if (!tree.is(id, SyntaxKind::kStepTrigger)) continue;
      ast::StepTrigger trigger(tree, id);
      if (!trigger.step().valid() || !trigger.cadence().valid()) continue;
      auto found = module.cadence_index.find(std::string(tree.text(trigger.cadence())));
      if (found == module.cadence_index.end()) continue;
      const check::Cadence& cadence = module.cadences[found->second];
      std::string_view wanted = tree.text(trigger.step());
      std::vector<std::string> titles;
      for (const check::CadenceTrack& track : cadence.tracks)
        for (const check::CadenceStep& step : track.steps) titles.push_back(step.title);
      bool there = std::any_of(titles.begin(), titles.end(), [&](const std::string& title) {
        return base::FoldedEqual()(title, wanted);
      });
      if (there || cadence.quick) continue;
      sink.report(DiagnosticKind::kNeverStarts, tree.span(trigger.step()),
                  {check::describe(automation)})
          .here(fmt::format("cadence \"{}\" has no step \"{}\"", cadence.name, wanted))
          .label(cadence.name_span, "the cadence")
          .suggest_quoted(base::nearest(wanted, titles));
    }
  }
}

}  // namespace

SubflowGraph build_subflow_graph(const check::CheckedModule& module) {
  SubflowGraph out;
  out.graph.title = "who runs which subflow";
  for (const Automation& automation : module.automations)
    out.graph.add_node({NodeKind::kStep, check::describe(automation), automation.name_span});
  NamedSubflows named = subflows_by_name(module);
  for (const Automation& automation : module.automations) {
    if (!is_flow(automation)) continue;
    AutomationId from = module.automations.id_of(automation);
    const syntax::Tree& tree = tree_of(module, automation);
    walk(tree, automation.declaration.node, [&](syntax::NodeId id) {
      if (!tree.is(id, SyntaxKind::kRunStmt)) return;
      auto found = named.find(std::string(tree.text(ast::RunStmt(tree, id).name())));
      if (found == named.end()) return;
      out.graph.add_edge(NodeId(from.index), NodeId(found->second.index));
      out.calls.push_back({from, found->second, tree.span(id)});
    });
  }
  return out;
}

void report_subflow_findings(const check::CheckedModule& module, const SubflowGraph& subflows,
                             source::DiagnosticSink& sink) {
  report_before_save(module, subflows, sink);
  report_recursion(module, subflows, sink);
  report_nothing_given(module, sink);
  report_unused_subflows(module, sink);
  report_missing_steps(module, sink);
}

}  // namespace ensue::graph
