#include "graph/flow_graph.h"

#include <algorithm>

#include "graph/internal/boost_graph.h"

namespace ensue::graph {

FlowGraph::FlowGraph() : impl_(std::make_unique<Impl>()) {}
FlowGraph::~FlowGraph() = default;
FlowGraph::FlowGraph(FlowGraph&&) noexcept = default;
FlowGraph& FlowGraph::operator=(FlowGraph&&) noexcept = default;

NodeId FlowGraph::add_node(Node node) {
  return NodeId(boost::add_vertex(std::move(node), impl_->graph));
}

void FlowGraph::add_edge(NodeId from, NodeId to, std::string label) {
  boost::add_edge(from.index, to.index, EdgeProperty{std::move(label), impl_->edge_count++},
                  impl_->graph);
}

size_t FlowGraph::size() const { return boost::num_vertices(impl_->graph); }

const Node& FlowGraph::node(NodeId id) const { return impl_->graph[id.index]; }

std::vector<Edge> FlowGraph::edges() const {
  std::vector<std::pair<uint32_t, Edge>> rows;
  for (auto [edge, end] = boost::edges(impl_->graph); edge != end; ++edge) {
    const EdgeProperty& property = impl_->graph[*edge];
    rows.push_back({property.order,
                    {NodeId(boost::source(*edge, impl_->graph)),
                     NodeId(boost::target(*edge, impl_->graph)), property.label}});
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Edge> out;
  for (auto& [order, edge] : rows) out.push_back(std::move(edge));
  return out;
}

std::vector<Edge> FlowGraph::edges_from(NodeId id) const {
  std::vector<Edge> out;
  for (auto [edge, end] = boost::out_edges(id.index, impl_->graph); edge != end; ++edge) {
    out.push_back({id, NodeId(boost::target(*edge, impl_->graph)), impl_->graph[*edge].label});
  }
  return out;
}

std::string one_line(std::string_view written) {
  constexpr size_t kLabelMax = 80;
  std::string out;
  bool blank = false;
  for (char c : written) {
    bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (space && (blank || out.empty())) continue;
    blank = space;
    out += space ? ' ' : c;
  }
  if (out.size() > kLabelMax) {
    size_t cut = kLabelMax;
    while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0) == 0x80) --cut;
    out = out.substr(0, cut) + "…";
  }
  return out;
}

}  // namespace ensue::graph
