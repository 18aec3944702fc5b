#include <boost/graph/dominator_tree.hpp>

#include "graph/internal/boost_graph.h"

namespace ensue::graph {

std::vector<NodeId> immediate_dominators(const FlowGraph& graph) {
  const BoostGraph& g = graph.impl().graph;
  size_t count = boost::num_vertices(g);
  std::vector<NodeId> out(count);
  if (count == 0) return out;
  const auto kNone = boost::graph_traits<BoostGraph>::null_vertex();
  std::vector<BoostGraph::vertex_descriptor> dominators(count, kNone);
  auto map = boost::make_iterator_property_map(dominators.begin(), boost::get(boost::vertex_index, g));
  boost::lengauer_tarjan_dominator_tree(g, boost::vertex(0, g), map);
  for (size_t i = 0; i < count; ++i) {
    if (dominators[i] != kNone) out[i] = NodeId(dominators[i]);
  }
  return out;
}

}  // namespace ensue::graph
