#include <fmt/format.h>

#include "graph/flow_graph.h"

namespace ensue::graph {
namespace {

const char* kind_word(NodeKind kind) {
  static constexpr const char* kWords[] = {"start", "question", "test", "limit",
                                           "step",  "wait",     "end"};
  return kWords[static_cast<size_t>(kind)];
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

const char* dot_shape(NodeKind kind) {
  switch (kind) {
    case NodeKind::kStart: return "shape=cds";
    case NodeKind::kQuestion:
    case NodeKind::kTest: return "shape=box, style=rounded";
    case NodeKind::kLimit: return "shape=box, style=\"rounded,dashed\"";
    case NodeKind::kWait: return "shape=box, style=\"rounded,dotted\"";
    case NodeKind::kEnd: return "shape=oval";
    default: return "shape=box";
  }
}

// Mermaid takes no quotation marks inside labels.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"') {
      out += "#quot;";
    } else if (c == '<') {
      out += "#lt;";
    } else if (c == '>') {
      out += "#gt;";
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

std::string render_text(const FlowGraph& graph) {
  std::string out = "graph " + quoted(graph.title) + "\n";
  for (NodeId id(size_t{0}); id.index < graph.size(); ++id.index) {
    out += fmt::format("  {} {} {}\n", id.index, kind_word(graph.node(id).kind),
                       quoted(graph.node(id).label));
  }
  for (const Edge& edge : graph.edges()) {
    out += fmt::format("  {} -> {}{}\n", edge.from.index, edge.to.index,
                       edge.label.empty() ? "" : " " + quoted(edge.label));
  }
  return out;
}

std::string render_dot(const FlowGraph& graph) {
  std::string out = "digraph " + quoted(graph.title) + " {\n  label=" + quoted(graph.title) +
                    ";\n  labelloc=t;\n  node [fontname=\"sans-serif\", fontsize=11];\n  edge "
                    "[fontname=\"sans-serif\", fontsize=10];\n";
  for (NodeId id(size_t{0}); id.index < graph.size(); ++id.index) {
    out += fmt::format("  n{} [label={}, {}];\n", id.index, quoted(graph.node(id).label),
                       dot_shape(graph.node(id).kind));
  }
  for (const Edge& edge : graph.edges()) {
    out += fmt::format("  n{} -> n{}{};\n", edge.from.index, edge.to.index,
                       edge.label.empty() ? "" : fmt::format(" [label={}]", quoted(edge.label)));
  }
  return out + "}\n";
}

std::string render_mermaid(const FlowGraph& graph) {
  std::string out = "---\ntitle: " + quoted(graph.title) + "\n---\nflowchart TD\n";
  for (NodeId id(size_t{0}); id.index < graph.size(); ++id.index) {
    const Node& node = graph.node(id);
    bool round = node.kind == NodeKind::kStart || node.kind == NodeKind::kEnd;
    bool test = node.kind == NodeKind::kTest || node.kind == NodeKind::kQuestion;
    out += fmt::format("  n{}{}\"{}\"{}\n", id.index,
                       round  ? "(["
                       : test ? "("
                              : "[",
                       mermaid_text(node.label),
                       round  ? "])"
                       : test ? ")"
                              : "]");
  }
  for (const Edge& edge : graph.edges()) {
    out += edge.label.empty() ? fmt::format("  n{} --> n{}\n", edge.from.index, edge.to.index)
                              : fmt::format("  n{} -->|\"{}\"| n{}\n", edge.from.index,
                                            mermaid_text(edge.label), edge.to.index);
  }
  return out;
}

}  // namespace ensue::graph
