// The Boost.Graph type behind FlowGraph. Private to graph/.
#pragma once

#include <boost/graph/adjacency_list.hpp>

#include "graph/flow_graph.h"

namespace ensue::graph {

struct EdgeProperty {
  std::string label;
  uint32_t order = 0;  // of insertion
};

using BoostGraph =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Node, EdgeProperty>;

struct FlowGraph::Impl {
  BoostGraph graph;
  uint32_t edge_count = 0;
};

}  // namespace ensue::graph
