#include <fmt/format.h>

#include "base/markup.h"
#include "graph/flow_graph.h"
#include "graph/layout.h"

namespace ensue::graph {
namespace {

const char* css_class(NodeKind kind) {
  static constexpr const char* kClasses[] = {"start", "question", "test", "limit",
                                             "step",  "wait",     "end"};
  return kClasses[static_cast<size_t>(kind)];
}

constexpr const char* kStyle =
    "svg{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "rect{fill:#fff;stroke:#445;stroke-width:1.2}"
    ".start rect{fill:#e8f0fe;stroke:#3367d6}.question rect{fill:#f6f6f8;stroke:#889}"
    ".test rect{fill:#fff8e1;stroke:#b8860b}.limit "
    "rect{fill:#fdecea;stroke:#c5221f;stroke-dasharray:5 3}"
    ".wait rect{fill:#f3e8fd;stroke:#8430ce;stroke-dasharray:2 3}.step "
    "rect{fill:#e6f4ea;stroke:#188038}"
    ".end rect{fill:#eceff1;stroke:#607d8b}"
    "path{fill:none;stroke:#556;stroke-width:1.2}text{fill:#223;text-anchor:middle}"
    ".title{font-size:15px;font-weight:600;text-anchor:start}.way{fill:#445;font-size:11px;text-"
    "anchor:start;paint-order:stroke;stroke:#fff;stroke-width:4px}";

}  // namespace

std::string render_svg(const FlowGraph& graph) {
  Picture picture = lay_out(graph);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 "
      "0 {0:.0f} {1:.0f}\" "
      "role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n"
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
      "markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" "
      "style=\"fill:#556;stroke:none\"/></marker></defs>\n"
      "<rect x=\"0\" y=\"0\" width=\"100%\" height=\"100%\" style=\"fill:#fff;stroke:none\"/>\n"
      "<text class=\"title\" x=\"20\" y=\"26\">{2}</text>\n",
      picture.width, picture.height, base::escape_markup(graph.title), kStyle);
  std::vector<Edge> edges = graph.edges();
  for (size_t i = 0; i < edges.size(); ++i) {
    const Route& route = picture.routes[i];
    std::string path;
    for (const Point& point : route.points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", point.x, point.y);
    out += fmt::format("<path d=\"{}\" marker-end=\"url(#arrow)\"/>\n", path);
  }
  for (NodeId id(size_t{0}); id.index < graph.size(); ++id.index) {
    const Box& box = picture.boxes[id.index];
    const Node& node = graph.node(id);
    double radius =
        node.kind == NodeKind::kEnd || node.kind == NodeKind::kStart ? box.height / 2 : 5;
    out += fmt::format(
        "<g class=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "rx=\"{:.1f}\"/>",
        css_class(node.kind), box.x - box.width / 2, box.y, box.width, box.height,
        std::min(radius, 16.0));
    for (size_t line = 0; line < box.lines.size(); ++line) {
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", box.x,
                         box.y + 8 + 13 + 17 * static_cast<double>(line),
                         base::escape_markup(box.lines[line]));
    }
    out += "</g>\n";
  }
  for (size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].label.empty()) continue;
    const Route& route = picture.routes[i];
    out += fmt::format("<text class=\"way\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", route.label.x,
                       route.label.y, base::escape_markup(edges[i].label));
  }
  return out + "</svg>\n";
}

}  // namespace ensue::graph
