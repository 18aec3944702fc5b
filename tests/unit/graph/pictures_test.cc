// The forms of the pictures: what each writes for a node, an edge, and for characters that mean
// something in its own language.
#include <algorithm>
#include <catch2/catch.hpp>

#include "graph/flow_graph.h"
#include "graph/layout.h"
#include "support/files.h"

namespace ensue::graph {
namespace {

FlowGraph small() {
  FlowGraph out;
  out.title = "flow \"A & <B>\"";
  NodeId start = out.add_node({NodeKind::kStart, "when it starts", {}});
  NodeId test = out.add_node({NodeKind::kTest, "Score < 5 & Name is \"a\\b\"", {}});
  NodeId limit = out.add_node({NodeKind::kLimit, "room?", {}});
  NodeId wait = out.add_node({NodeKind::kWait, "two\nlines", {}});
  NodeId step = out.add_node({NodeKind::kStep, "do it", {}});
  NodeId end = out.add_node({NodeKind::kEnd, "done", {}});
  out.add_edge(start, test);
  out.add_edge(test, limit, "yes");
  out.add_edge(limit, wait);
  out.add_edge(wait, step, "\"soon\"");
  out.add_edge(step, end);
  out.add_edge(step, test, "again");
  return out;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

// Tags opened and closed in pairs, texts escaped: what an XML reader would insist on.
bool well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at)) {
    size_t end = svg.find('>', at);
    if (end == std::string::npos) return false;
    std::string tag = svg.substr(at + 1, end - at - 1);
    at = end;
    if (tag.ends_with("/")) continue;
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
      continue;
    }
    open.push_back(tag.substr(0, tag.find(' ')));
  }
  return open.empty();
}

}  // namespace

TEST_CASE("the text lists nodes and edges, one a line") {
  CHECK(render_text(small()) == R"(graph "flow \"A & <B>\""
  0 start "when it starts"
  1 test "Score < 5 & Name is \"a\\b\""
  2 limit "room?"
  3 wait "two lines"
  4 step "do it"
  5 end "done"
  0 -> 1
  1 -> 2 "yes"
  2 -> 3
  3 -> 4 "\"soon\""
  4 -> 5
  4 -> 1 "again"
)");
}

TEST_CASE("dot gives each node a shape, and quotes what is quoted") {
  std::string dot = render_dot(small());
  CHECK(dot.starts_with("digraph \"flow \\\"A & <B>\\\"\" {\n"));
  CHECK(dot.ends_with("}\n"));
  CHECK(count(dot, "  n0 [label=\"when it starts\", shape=cds];\n") == 1);
  CHECK(count(dot,
              "  n1 [label=\"Score < 5 & Name is \\\"a\\\\b\\\"\", shape=box, style=rounded];\n") ==
        1);
  CHECK(count(dot, "  n2 [label=\"room?\", shape=box, style=\"rounded,dashed\"];\n") == 1);
  CHECK(count(dot, "  n3 [label=\"two lines\", shape=box, style=\"rounded,dotted\"];\n") == 1);
  CHECK(count(dot, "  n5 [label=\"done\", shape=oval];\n") == 1);
  CHECK(count(dot, "  n3 -> n4 [label=\"\\\"soon\\\"\"];\n") == 1);
  CHECK(count(dot, "  n0 -> n1;\n") == 1);
  CHECK(count(dot, " -> ") == 6);
}

TEST_CASE("mermaid has a title in front, and no quotation marks inside labels") {
  std::string mermaid = render_mermaid(small());
  CHECK(mermaid.starts_with("---\ntitle: \"flow \\\"A & <B>\\\"\"\n---\nflowchart TD\n"));
  CHECK(count(mermaid, "  n0([\"when it starts\"])\n") == 1);
  CHECK(count(mermaid, "  n1(\"Score #lt; 5 & Name is #quot;a\\b#quot;\")\n") == 1);
  CHECK(count(mermaid, "  n4[\"do it\"]\n") == 1);
  CHECK(count(mermaid, "  n5([\"done\"])\n") == 1);
  CHECK(count(mermaid, "  n3 -->|\"#quot;soon#quot;\"| n4\n") == 1);
  CHECK(count(mermaid, "  n0 --> n1\n") == 1);
}

TEST_CASE("an SVG is one well-formed picture without scripts or outside sources") {
  std::string svg = render_svg(small());
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(well_formed(svg));
  CHECK(count(svg, "<g class=") == 6);
  CHECK(count(svg, "marker-end=") == 6);
  CHECK(count(svg, "<text class=\"way\"") == 3);
  CHECK(count(svg, "<title>flow &quot;A &amp; &lt;B&gt;&quot;</title>") == 1);
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "href") == 0);
  CHECK(count(svg, "http") == 1);
  CHECK(svg == render_svg(small()));
}

TEST_CASE("an empty graph is a picture too") {
  FlowGraph empty;
  CHECK(well_formed(render_svg(empty)));
  CHECK(render_text(empty) == "graph \"\"\n");
  CHECK(render_mermaid(empty).ends_with("flowchart TD\n"));
  CHECK(render_dot(empty).ends_with("}\n"));
}

TEST_CASE("boxes stand inside the picture, apart from each other, later ones lower") {
  FlowGraph graph = small();
  Picture picture = lay_out(graph);
  REQUIRE(picture.boxes.size() == graph.size());
  REQUIRE(picture.routes.size() == graph.edges().size());
  for (size_t i = 0; i < picture.boxes.size(); ++i) {
    const Box& a = picture.boxes[i];
    INFO(i);
    CHECK(a.x - a.width / 2 >= 0);
    CHECK(a.x + a.width / 2 <= picture.width);
    CHECK(a.y >= 0);
    CHECK(a.y + a.height <= picture.height);
    CHECK_FALSE(a.lines.empty());
    for (size_t j = i + 1; j < picture.boxes.size(); ++j) {
      const Box& b = picture.boxes[j];
      bool apart = a.x + a.width / 2 <= b.x - b.width / 2 ||
                   b.x + b.width / 2 <= a.x - a.width / 2 || a.y + a.height <= b.y ||
                   b.y + b.height <= a.y;
      CHECK(apart);
      CHECK(a.y < b.y);  // the graph is a chain, but for one edge back
    }
  }
  for (const Route& route : picture.routes) CHECK(route.points.size() >= 2);
}

TEST_CASE("the nodes of one layer stand beside each other") {
  FlowGraph graph;
  NodeId start = graph.add_node({NodeKind::kStart, "start", {}});
  constexpr size_t kMany = 40;
  for (size_t i = 0; i < kMany; ++i)
    graph.add_edge(start, graph.add_node({NodeKind::kStep, "a step of some length", {}}));
  Picture picture = lay_out(graph);
  std::vector<std::pair<double, double>> spans;
  for (size_t i = 1; i <= kMany; ++i) {
    const Box& box = picture.boxes[i];
    CHECK(box.y == picture.boxes[1].y);
    spans.emplace_back(box.x - box.width / 2, box.x + box.width / 2);
  }
  std::sort(spans.begin(), spans.end());
  for (size_t i = 1; i < spans.size(); ++i) CHECK(spans[i - 1].second <= spans[i].first);
}

}  // namespace ensue::graph
