// Where the nodes of a picture stand: layers from top to bottom, few crossings, edges through the
// gaps.
//
// The method is Sugiyama's: cycles are broken at back edges, nodes get the longest-path layer, long
// edges get a bend in each layer they cross, layers are ordered by the barycentre of their
// neighbours, and x is settled by averaging. Deterministic: ties keep the order of insertion.
#pragma once

#include <string>
#include <vector>

#include "graph/flow_graph.h"

namespace ensue::graph {

struct Box {
  double x = 0;  // centre
  double y = 0;  // top
  double width = 0;
  double height = 0;
  std::vector<std::string> lines;  // of the label
};

struct Point {
  double x = 0;
  double y = 0;
};

struct Route {
  std::vector<Point> points;  // from the first node's border to the last one's
  Point label;
};

struct Picture {
  double width = 0;
  double height = 0;
  std::vector<Box> boxes;     // by NodeId
  std::vector<Route> routes;  // by position in edges()
};

Picture lay_out(const FlowGraph& graph);

}  // namespace ensue::graph
