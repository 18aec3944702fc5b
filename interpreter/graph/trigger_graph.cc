#include "graph/trigger_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "check/satisfiable.h"
#include "graph/subflow_graph.h"
#include "value/compare.h"
#include "value/text.h"

namespace ensue::graph {
namespace {

using check::Automation;
using check::AutomationId;
using check::Write;

bool watches(const Automation& automation, types::FieldId field) {
  bool any_field =
      automation.kind != check::AutomationKind::kAction && !automation.condition.valid();
  return any_field || std::find(automation.watched.begin(), automation.watched.end(), field) !=
                          automation.watched.end();
}

// Whether a write may start an automation: the object and the event fit, a watched field is
// written, and the value written does not make the condition impossible.
bool may_start(const check::CheckedModule& module, const Write& write,
               const Automation& automation) {
  if (automation.object != write.object || (automation.events & write.event) == 0) return false;
  bool creates = write.event == syntax::kOnCreated && !write.field;
  if (creates || write.event == syntax::kOnDeleted) return !write.field;
  if (!write.field || !watches(automation, write.field)) return false;
  if (!write.value || !automation.condition.valid()) return true;
  const check::CheckedFile& file = module.file(automation.condition.file);
  check::ConditionView view{module, *file.tree, file.facts};
  return check::may_hold_with(view, automation.condition.node, {write.object, write.field},
                              *write.value);
}

std::string written_name(const check::CheckedModule& module, const Write& write) {
  const types::Object& object = module.schema.object(write.object);
  if (write.field) return object.name + "." + object.field(write.field).name;
  return (write.event == syntax::kOnDeleted ? "deletes " : "creates ") + object.name;
}

}  // namespace

TriggerGraph build_trigger_graph(const check::CheckedModule& module) {
  TriggerGraph out;
  out.graph.title = "who starts whom";
  // Only automations that write, and those that watch what is written, can have edges; find them by
  // object.
  std::map<types::ObjectId, std::vector<AutomationId>> watching;
  std::map<AutomationId, NodeId> nodes;
  for (const Automation& automation : module.automations) {
    AutomationId id = module.automations.id_of(automation);
    nodes[id] =
        out.graph.add_node({NodeKind::kStep, check::describe(automation), automation.name_span});
    out.automations.push_back(id);
    if (automation.object) watching[automation.object].push_back(id);
  }
  for (const Automation& from : module.automations) {
    AutomationId from_id = module.automations.id_of(from);
    std::map<AutomationId, std::vector<Write>> started;
    for (const Write& write : from.writes) {
      auto found = watching.find(write.object);
      if (found == watching.end()) continue;
      for (AutomationId to : found->second) {
        if (may_start(module, write, module.automations[to])) started[to].push_back(write);
      }
    }
    for (auto& [to, writes] : started) {
      std::string label;
      for (const Write& write : writes) {
        std::string name = written_name(module, write);
        if (label.find(name) == std::string::npos) label += (label.empty() ? "" : ", ") + name;
      }
      out.graph.add_edge(nodes[from_id], nodes[to], label);
      out.edges.push_back({from_id, to, std::move(writes)});
    }
  }
  return out;
}

namespace {

// The conditions that end a cycle when they are false.
std::string how_it_ends(const check::CheckedModule& module, const TriggerGraph& triggers,
                        const std::vector<Edge>& way) {
  std::string conditions;
  int64_t runs = 1;
  for (const Edge& edge : way) {
    const Automation& automation = module.automations[triggers.automations[edge.to.index]];
    runs = std::max(runs, automation.runs_per_record_max);
    if (!automation.condition.valid()) continue;
    std::string_view written =
        module.tree(automation.condition.file).written(automation.condition.node);
    conditions += fmt::format("{}`{}` of {}", conditions.empty() ? "" : ", or ", one_line(written),
                              check::describe(automation));
  }
  std::string bound = runs == 1 ? "each runs once per record in one chain of saves"
                                : fmt::format(
                                      "none runs more than {} times per record in one "
                                      "chain of saves",
                                      runs);
  if (conditions.empty()) return "no condition ends it; " + bound;
  return fmt::format("it ends when this is false: {}; and {}", conditions, bound);
}

void report_cycles(const check::CheckedModule& module, const TriggerGraph& triggers,
                   source::DiagnosticSink& sink) {
  for (const std::vector<Edge>& way : cycles(triggers.graph)) {
    const Automation& first = module.automations[triggers.automations[way.front().from.index]];
    source::Finding& finding = sink.report(source::DiagnosticKind::kTriggerCycle, first.name_span,
                                           {check::describe(first)});
    std::string path = check::describe(first);
    for (const Edge& edge : way) {
      AutomationId from = triggers.automations[edge.from.index];
      AutomationId to = triggers.automations[edge.to.index];
      auto found =
          std::find_if(triggers.edges.begin(), triggers.edges.end(),
                       [&](const TriggerEdge& row) { return row.from == from && row.to == to; });
      const Automation& next = module.automations[to];
      path += " → " + check::describe(next);
      if (found != triggers.edges.end() && !found->writes.empty()) {
        const Write& write = found->writes.front();
        finding.label(write.span, fmt::format("{} starts {}", written_name(module, write),
                                              check::describe(next)));
      }
    }
    finding.note("the way round: " + path);
    finding.note(how_it_ends(module, triggers, way));
  }
}

// Two automations started by the same event that give one field different constant values.
void report_conflicts(const check::CheckedModule& module, source::DiagnosticSink& sink) {
  struct Row {
    const Automation* automation;
    const Write* write;
  };
  std::map<types::FieldRef, std::vector<Row>> by_field;
  for (const Automation& automation : module.automations) {
    if (!automation.object || automation.draft) continue;
    for (const Write& write : automation.writes) {
      bool own = write.object == automation.object && write.field &&
                 write.event == syntax::kOnEdited && write.value;
      if (own) by_field[{write.object, write.field}].push_back({&automation, &write});
    }
  }
  for (const auto& [field, rows] : by_field) {
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = i + 1; j < rows.size(); ++j) {
        const Automation& a = *rows[i].automation;
        const Automation& b = *rows[j].automation;
        bool same_event = (a.events & b.events) != 0 && a.before_save == b.before_save && &a != &b;
        if (!same_event || value::same_stored(*rows[i].write->value, *rows[j].write->value))
          continue;
        if (!check::may_hold_together(module, a.condition, b.condition)) continue;
        sink.report(source::DiagnosticKind::kConflictingWrites, rows[j].write->span,
                    {check::describe(a), check::describe(b), module.schema.field(field).name})
            .label(rows[i].write->span,
                   fmt::format("here it becomes {}", value::source_text(*rows[i].write->value)))
            .here(fmt::format("here it becomes {}", value::source_text(*rows[j].write->value)));
      }
    }
  }
}

void report_unreachable(const check::CheckedModule& module, source::DiagnosticSink& sink) {
  for (const Automation& automation : module.automations) {
    if (automation.kind == check::AutomationKind::kAction)
      continue;  // a condition and an effect: nothing to skip
    FlowGraph graph = build_graph(module, automation);
    std::vector<bool> reachable = reachable_nodes(graph);
    for (size_t i = 0; i < reachable.size(); ++i) {
      const Node& node = graph.node(NodeId(i));
      if (reachable[i] || !node.span.valid()) continue;
      sink.report(source::DiagnosticKind::kUnreachable, node.span);
      break;  // what follows it is unreachable for the same reason
    }
  }
}

}  // namespace

void report_graph_findings(const check::CheckedModule& module, const TriggerGraph& triggers,
                           source::DiagnosticSink& sink) {
  report_cycles(module, triggers, sink);
  report_conflicts(module, sink);
  report_unreachable(module, sink);
  report_subflow_findings(module, build_subflow_graph(module), sink);
}

}  // namespace ensue::graph
