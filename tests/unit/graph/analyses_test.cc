// The analyses on graphs made by hand: reachability, dominators, components, cycles.
#include <catch2/catch.hpp>
#include <sstream>

#include "graph/flow_graph.h"

namespace ensue::graph {
namespace {

// `0>1 1>2`: edges between nodes that are made as they are needed.
FlowGraph graph_of(size_t nodes, const std::string& edges) {
  FlowGraph out;
  for (size_t i = 0; i < nodes; ++i) out.add_node({NodeKind::kStep, "n" + std::to_string(i), {}});
  std::istringstream words(edges);
  size_t from = 0;
  size_t to = 0;
  char arrow = 0;
  while (words >> from >> arrow >> to) out.add_edge(NodeId(from), NodeId(to));
  return out;
}

std::string text(const std::vector<Edge>& way) {
  std::string out;
  for (const Edge& edge : way)
    out += std::to_string(edge.from.index) + ">" + std::to_string(edge.to.index) + " ";
  return out;
}

}  // namespace

TEST_CASE("nodes and edges keep the order they came in") {
  FlowGraph graph;
  NodeId a = graph.add_node({NodeKind::kStart, "a", {}});
  NodeId b = graph.add_node({NodeKind::kEnd, "b", {}});
  graph.add_edge(b, a, "back");
  graph.add_edge(a, b, "yes");
  graph.add_edge(a, b, "no");
  CHECK(graph.size() == 2);
  CHECK(graph.node(b).label == "b");
  REQUIRE(graph.edges().size() == 3);
  CHECK(graph.edges()[0].label == "back");
  REQUIRE(graph.edges_from(a).size() == 2);
  CHECK(graph.edges_from(a)[0].label == "yes");
  CHECK(graph.edges_from(a)[1].label == "no");
  FlowGraph moved = std::move(graph);
  CHECK(moved.size() == 2);
}

TEST_CASE("what can be reached from the first node") {
  FlowGraph graph = graph_of(6, "0>1 1>2 2>1 3>2 4>5 5>4");
  CHECK(reachable_nodes(graph) == std::vector<bool>{true, true, true, false, false, false});
  CHECK(reachable_nodes(graph_of(1, "")) == std::vector<bool>{true});
  CHECK(reachable_nodes(FlowGraph()).empty());
}

TEST_CASE("the node that every way passes last") {
  // A diamond with a tail, and a node that no way leads to.
  std::vector<NodeId> dominators = immediate_dominators(graph_of(6, "0>1 0>2 1>3 2>3 3>4"));
  REQUIRE(dominators.size() == 6);
  CHECK_FALSE(dominators[0].valid());
  CHECK(dominators[1].index == 0);
  CHECK(dominators[2].index == 0);
  CHECK(dominators[3].index == 0);
  CHECK(dominators[4].index == 3);
  CHECK_FALSE(dominators[5].valid());
  CHECK(immediate_dominators(FlowGraph()).empty());
}

TEST_CASE("components are numbered so that edges go upward") {
  FlowGraph graph = graph_of(7, "0>1 1>2 2>0 2>3 3>4 4>3 6>5");
  std::vector<uint32_t> component = components(graph);
  CHECK(component[0] == component[1]);
  CHECK(component[1] == component[2]);
  CHECK(component[3] == component[4]);
  CHECK(component[5] != component[6]);
  for (const Edge& edge : graph.edges())
    CHECK(component[edge.from.index] <= component[edge.to.index]);
  CHECK(components(FlowGraph()).empty());
}

TEST_CASE("each component with a cycle gives one way round, the shortest from its first node") {
  struct Row {
    const char* edges;
    std::vector<std::string> ways;
  };
  auto row = GENERATE(values<Row>({
      {"0>1 1>2 0>2", {}},
      {"0>0", {"0>0 "}},
      {"0>1 1>0", {"0>1 1>0 "}},
      {"0>1 1>2 2>3 3>0 1>0", {"0>1 1>0 "}},
      {"3>4 4>3 1>2 2>1", {"1>2 2>1 ", "3>4 4>3 "}},
      {"0>1 1>1", {"1>1 "}},
      {"2>1 1>0 0>2", {"0>2 2>1 1>0 "}},
  }));
  INFO(row.edges);
  std::vector<std::string> ways;
  for (const auto& way : cycles(graph_of(5, row.edges))) ways.push_back(text(way));
  CHECK(ways == row.ways);
}

TEST_CASE("a long chain does not exhaust the stack") {
  constexpr size_t kCount = 200'000;
  FlowGraph graph;
  for (size_t i = 0; i < kCount; ++i) graph.add_node({NodeKind::kStep, "", {}});
  for (size_t i = 0; i + 1 < kCount; ++i) graph.add_edge(NodeId(i), NodeId(i + 1));
  CHECK(reachable_nodes(graph).back());
  CHECK(components(graph).back() == kCount - 1);
  CHECK(cycles(graph).empty());
}

}  // namespace ensue::graph
