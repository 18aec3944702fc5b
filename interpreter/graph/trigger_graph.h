// The trigger graph: which automation writes what another one's trigger reads.
#pragma once

#include <vector>

#include "check/checked_module.h"
#include "graph/flow_graph.h"
#include "source/diagnostic_sink.h"

namespace ensue::graph {

// One automation may start another by what it writes.
struct TriggerEdge {
  check::AutomationId from;
  check::AutomationId to;
  std::vector<check::Write> writes;  // what it writes that the other reads, in source order
};

struct TriggerGraph {
  std::vector<check::AutomationId> automations;  // by NodeId of `graph`
  std::vector<TriggerEdge> edges;                // in order of the graph's edges
  FlowGraph graph;                               // for the analyses and the pictures
};

TriggerGraph build_trigger_graph(const check::CheckedModule& module);

// Reports cycles, each as a path with its places, automations that write different values to one
// field on one event, and statements that are never reached.
void report_graph_findings(const check::CheckedModule& module, const TriggerGraph& triggers,
                           source::DiagnosticSink& sink);

}  // namespace ensue::graph
