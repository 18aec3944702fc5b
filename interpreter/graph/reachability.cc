#include <boost/graph/breadth_first_search.hpp>

#include "graph/internal/boost_graph.h"

namespace ensue::graph {

std::vector<bool> reachable_nodes(const FlowGraph& graph) {
  const BoostGraph& g = graph.impl().graph;
  std::vector<bool> out(boost::num_vertices(g), false);
  if (out.empty()) return out;
  std::vector<boost::default_color_type> colors(out.size(), boost::white_color);
  boost::queue<BoostGraph::vertex_descriptor> queue;
  boost::breadth_first_visit(
      g, boost::vertex(0, g), queue, boost::default_bfs_visitor(),
      boost::make_iterator_property_map(colors.begin(), boost::get(boost::vertex_index, g)));
  for (size_t i = 0; i < out.size(); ++i) out[i] = colors[i] != boost::white_color;
  return out;
}

}  // namespace ensue::graph
