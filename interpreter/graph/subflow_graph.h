// The subflow graph: which automation runs which subflow, and what follows from it.
#pragma once

#include <vector>

#include "check/checked_module.h"
#include "graph/flow_graph.h"
#include "source/diagnostic_sink.h"

namespace ensue::graph {

// One `run "…"` in the body of an automation.
struct SubflowCall {
  check::AutomationId from;
  check::AutomationId to;
  source::Span span;
};

struct SubflowGraph {
  FlowGraph graph;                 // a node for each automation of the module, in its order
  std::vector<SubflowCall> calls;  // in order of the graph's edges
};

SubflowGraph build_subflow_graph(const check::CheckedModule& module);

// Reports before-save flows that do more than set fields, themselves or through a subflow; subflows
// that run themselves; ways through a subflow on which it gives nothing; and what never starts.
void report_subflow_findings(const check::CheckedModule& module, const SubflowGraph& subflows,
                             source::DiagnosticSink& sink);

}  // namespace ensue::graph
