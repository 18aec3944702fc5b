// Flow graphs: an automation as places where its run can be and ways between them.
//
// A façade over Boost.Graph, whose headers stay in the .cc files (they cost seconds of compile
// time). Nodes are dense ids in order of insertion, which is the author's order, so pictures and
// tables do not depend on addresses. Graphs are built once and not edited; an analysis is a free
// function that gives a table by NodeId.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "check/checked_module.h"
#include "source/span.h"

namespace ensue::graph {

enum class NodeKind : uint8_t { kStart, kQuestion, kTest, kLimit, kStep, kWait, kEnd };

struct Node {
  NodeKind kind = NodeKind::kStep;
  std::string label;  // in the author's words
  source::Span span;  // invalid for nodes that no text stands for
};

struct FlowNodeTag {};
using NodeId = base::Id<FlowNodeTag>;

struct Edge {
  NodeId from;
  NodeId to;
  std::string label;  // yes, no, fault, timeout, …; may be empty
};

class FlowGraph {
 public:
  FlowGraph();
  ~FlowGraph();
  FlowGraph(FlowGraph&&) noexcept;
  FlowGraph& operator=(FlowGraph&&) noexcept;

  NodeId add_node(Node node);
  void add_edge(NodeId from, NodeId to, std::string label = "");

  size_t size() const;
  const Node& node(NodeId id) const;
  std::vector<Edge> edges() const;                // in order of insertion
  std::vector<Edge> edges_from(NodeId id) const;  // in order of insertion
  std::string title;

  // The library's graph, for the analyses. Defined in internal/boost_graph.h.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// The graph of one automation: trigger, person, condition test by test, limit, effects or
// statements, ends. The first node is the start.
FlowGraph build_graph(const check::CheckedModule& module, const check::Automation& automation);

// A piece of source as a label: on one line, cut after some 80 bytes.
std::string one_line(std::string_view written);

// ---- Analyses ---------------------------------------------------------------------------------

// Whether a node can be reached from the first one. By NodeId.
std::vector<bool> reachable_nodes(const FlowGraph& graph);
// The node that every way from the first one passes last before this one; none for the first and
// for unreachable nodes. By NodeId.
std::vector<NodeId> immediate_dominators(const FlowGraph& graph);
// The strongly connected component of each node, numbered in topological order. By NodeId.
std::vector<uint32_t> components(const FlowGraph& graph);
// One cycle, as its edges in order, for each component that has one; in order of the smallest node.
std::vector<std::vector<Edge>> cycles(const FlowGraph& graph);

// ---- Pictures ---------------------------------------------------------------------------------

std::string render_dot(const FlowGraph& graph);
std::string render_mermaid(const FlowGraph& graph);
// A picture without scripts or outside fonts; the same bytes for the same graph.
std::string render_svg(const FlowGraph& graph);
// Nodes and edges, one a line (`check --dump=graph`).
std::string render_text(const FlowGraph& graph);

}  // namespace ensue::graph
