// Cycles. `topological_sort` only says that there is one; here the component is found and one way
// round it is walked, so that every step of the way can be shown.
#include <algorithm>
#include <boost/graph/strong_components.hpp>
#include <deque>
#include <map>

#include "graph/internal/boost_graph.h"

namespace ensue::graph {
namespace {

// The shortest way round from a node back to itself inside its component; breadth first, edges in
// order of insertion.
std::vector<Edge> way_round(const FlowGraph& graph, const std::vector<uint32_t>& component,
                            NodeId start) {
  std::map<NodeId, Edge> came_by;
  std::deque<NodeId> queue{start};
  while (!queue.empty()) {
    NodeId at = queue.front();
    queue.pop_front();
    for (const Edge& edge : graph.edges_from(at)) {
      if (component[edge.to.index] != component[start.index]) continue;
      if (edge.to == start) {
        std::vector<Edge> out{edge};
        for (NodeId back = at; back != start; back = came_by.at(back).from)
          out.push_back(came_by.at(back));
        std::reverse(out.begin(), out.end());
        return out;
      }
      if (came_by.emplace(edge.to, edge).second) queue.push_back(edge.to);
    }
  }
  return {};
}

}  // namespace

std::vector<uint32_t> components(const FlowGraph& graph) {
  const BoostGraph& g = graph.impl().graph;
  std::vector<uint32_t> out(boost::num_vertices(g));
  if (out.empty()) return out;
  uint32_t count = static_cast<uint32_t>(boost::strong_components(
      g, boost::make_iterator_property_map(out.begin(), boost::get(boost::vertex_index, g))));
  // The library numbers them in reverse topological order.
  for (uint32_t& component : out) component = count - 1 - component;
  return out;
}

std::vector<std::vector<Edge>> cycles(const FlowGraph& graph) {
  std::vector<uint32_t> component = components(graph);
  std::vector<std::vector<Edge>> out;
  std::vector<bool> seen(component.size(), false);
  for (size_t i = 0; i < component.size(); ++i) {
    if (seen[component[i]]) continue;
    seen[component[i]] = true;
    std::vector<Edge> way = way_round(graph, component, NodeId(i));
    if (!way.empty()) out.push_back(std::move(way));
  }
  return out;
}

}  // namespace ensue::graph
