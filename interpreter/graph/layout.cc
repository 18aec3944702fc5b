#include "graph/layout.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ensue::graph {
namespace {

constexpr double kNarrow = 6.9;  // advance of a small 13 px sans-serif letter
constexpr double kWide = 8.8;    // of a capital, a digit or a sign
constexpr double kLine = 17.0;
constexpr double kPaddingX = 12.0;
constexpr double kPaddingY = 8.0;
constexpr double kGapX = 36.0;
constexpr double kGapY = 46.0;
constexpr double kMargin = 20.0;
constexpr size_t kLabelColumns = 34;

size_t letters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

double width_of(std::string_view text) {
  double out = 0;
  for (char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    bool small = (c >= 'a' && c <= 'z') || c == ' ' || c == '.' || c == ',';
    out += small ? kNarrow : kWide;
  }
  return out;
}

std::vector<std::string> wrapped(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    if (!line.empty() && letters(line) + 1 + letters(word) > kLabelColumns) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  if (!line.empty() || lines.empty()) lines.push_back(line);
  return lines;
}

// A node of the layered drawing: one of the graph's, or a bend of a long edge.
struct Item {
  double x = 0;
  double width = 0;
  size_t layer = 0;
  std::vector<size_t> up;  // neighbours in the layer above
  std::vector<size_t> down;
};

class Layering {
 public:
  explicit Layering(const FlowGraph& graph) : graph_(graph), edges_(graph.edges()) {}

  Picture run() {
    measure();
    break_cycles();
    assign_layers();
    add_bends();
    order_layers();
    place();
    return draw();
  }

 private:
  void measure() {
    for (NodeId id(size_t{0}); id.index < graph_.size(); ++id.index) {
      Box box;
      box.lines = wrapped(graph_.node(id).label);
      for (const std::string& line : box.lines) box.width = std::max(box.width, width_of(line));
      box.width += 2 * kPaddingX;
      box.height = static_cast<double>(box.lines.size()) * kLine + 2 * kPaddingY;
      picture_.boxes.push_back(std::move(box));
    }
  }

  // Edges that close a cycle are drawn upwards: for the layers they count the other way round.
  void break_cycles() {
    size_t count = graph_.size();
    std::vector<std::vector<size_t>> out(count);
    for (size_t i = 0; i < edges_.size(); ++i) out[edges_[i].from.index].push_back(i);
    reversed_.assign(edges_.size(), false);
    enum : char { kNew, kOpen, kDone };
    std::vector<char> state(count, kNew);
    for (size_t root = 0; root < count; ++root) {
      if (state[root] != kNew) continue;
      std::vector<std::pair<size_t, size_t>> stack{{root, 0}};  // node, next edge
      state[root] = kOpen;
      while (!stack.empty()) {
        auto& [node, next] = stack.back();
        if (next == out[node].size()) {
          state[node] = kDone;
          stack.pop_back();
          continue;
        }
        size_t edge = out[node][next++];
        size_t to = edges_[edge].to.index;
        if (state[to] == kOpen) reversed_[edge] = true;
        if (state[to] == kNew) {
          state[to] = kOpen;
          stack.emplace_back(to, 0);
        }
      }
    }
  }

  std::pair<size_t, size_t> downward(size_t edge) const {
    size_t from = edges_[edge].from.index;
    size_t to = edges_[edge].to.index;
    return reversed_[edge] ? std::pair(to, from) : std::pair(from, to);
  }

  void assign_layers() {
    size_t count = graph_.size();
    layer_.assign(count, 0);
    std::vector<size_t> waiting(count, 0);
    std::vector<std::vector<size_t>> down(count);
    for (size_t i = 0; i < edges_.size(); ++i) {
      auto [from, to] = downward(i);
      if (from == to) continue;
      down[from].push_back(to);
      ++waiting[to];
    }
    std::vector<size_t> ready;
    for (size_t i = 0; i < count; ++i) {
      if (waiting[i] == 0) ready.push_back(i);
    }
    for (size_t at = 0; at < ready.size(); ++at) {
      for (size_t to : down[ready[at]]) {
        layer_[to] = std::max(layer_[to], layer_[ready[at]] + 1);
        if (--waiting[to] == 0) ready.push_back(to);
      }
    }
  }

  void add_bends() {
    size_t layer_count = 1;
    for (size_t i = 0; i < graph_.size(); ++i) {
      items_.push_back({0, picture_.boxes[i].width, layer_[i], {}, {}});
      layer_count = std::max(layer_count, layer_[i] + 1);
    }
    chains_.resize(edges_.size());
    for (size_t i = 0; i < edges_.size(); ++i) {
      auto [from, to] = downward(i);
      if (from == to) continue;
      size_t above = from;
      for (size_t layer = layer_[from] + 1; layer < layer_[to]; ++layer) {
        items_.push_back({0, 8, layer, {}, {}});
        size_t bend = items_.size() - 1;
        chains_[i].push_back(bend);
        connect(above, bend);
        above = bend;
      }
      connect(above, to);
    }
    layers_.resize(layer_count);
    for (size_t i = 0; i < items_.size(); ++i) layers_[items_[i].layer].push_back(i);
  }

  void connect(size_t above, size_t below) {
    items_[above].down.push_back(below);
    items_[below].up.push_back(above);
  }

  void order_layers() {
    std::vector<double> position(items_.size());
    auto number = [&](const std::vector<size_t>& layer) {
      for (size_t i = 0; i < layer.size(); ++i) position[layer[i]] = static_cast<double>(i);
    };
    for (const auto& layer : layers_) number(layer);
    auto sort_by = [&](std::vector<size_t>& layer, bool by_upper) {
      std::map<size_t, double> centre;
      for (size_t item : layer) {
        const auto& near = by_upper ? items_[item].up : items_[item].down;
        double sum = 0;
        for (size_t n : near) sum += position[n];
        centre[item] = near.empty() ? position[item] : sum / static_cast<double>(near.size());
      }
      std::stable_sort(layer.begin(), layer.end(),
                       [&](size_t a, size_t b) { return centre[a] < centre[b]; });
      number(layer);
    };
    constexpr int kSweeps = 8;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (size_t i = 1; i < layers_.size(); ++i) sort_by(layers_[i], true);
      for (size_t i = layers_.size() - 1; i-- > 0;) sort_by(layers_[i], false);
    }
    for (size_t i = 1; i < layers_.size(); ++i) sort_by(layers_[i], true);
  }

  // Pushes the items of a layer apart, keeping them as near to where they want to be as their order
  // allows.
  void settle(const std::vector<size_t>& layer, const std::vector<double>& wanted) {
    std::vector<double> left(layer.size());
    double edge = -1e18;
    for (size_t i = 0; i < layer.size(); ++i) {
      double half = items_[layer[i]].width / 2;
      left[i] = std::max(wanted[i], edge + half);
      edge = left[i] + half + kGapX;
    }
    std::vector<double> right(layer.size());
    edge = 1e18;
    for (size_t i = layer.size(); i-- > 0;) {
      double half = items_[layer[i]].width / 2;
      right[i] = std::min(wanted[i], edge - half);
      edge = right[i] - half - kGapX;
    }
    for (size_t i = 0; i < layer.size(); ++i) items_[layer[i]].x = (left[i] + right[i]) / 2;
    edge = -1e18;
    for (size_t item : layer) {
      double half = items_[item].width / 2;
      items_[item].x = std::max(items_[item].x, edge + half);
      edge = items_[item].x + half + kGapX;
    }
  }

  void place() {
    for (const auto& layer : layers_) {
      double x = 0;
      for (size_t item : layer) {
        items_[item].x = x + items_[item].width / 2;
        x += items_[item].width + kGapX;
      }
    }
    auto align = [&](const std::vector<size_t>& layer, bool to_upper) {
      std::vector<double> wanted;
      for (size_t item : layer) {
        const auto& near = to_upper ? items_[item].up : items_[item].down;
        double sum = 0;
        for (size_t n : near) sum += items_[n].x;
        wanted.push_back(near.empty() ? items_[item].x : sum / static_cast<double>(near.size()));
      }
      settle(layer, wanted);
    };
    constexpr int kRounds = 6;
    for (int round = 0; round < kRounds; ++round) {
      for (size_t i = 1; i < layers_.size(); ++i) align(layers_[i], true);
      for (size_t i = layers_.size() - 1; i-- > 0;) align(layers_[i], false);
    }
  }

  Picture draw() {
    double least = 1e18;
    double most = -1e18;
    for (const Item& item : items_) {
      least = std::min(least, item.x - item.width / 2);
      most = std::max(most, item.x + item.width / 2);
    }
    if (items_.empty()) least = most = 0;
    std::vector<double> top(layers_.size());
    std::vector<double> height(layers_.size(), 0);
    for (size_t i = 0; i < graph_.size(); ++i)
      height[layer_[i]] = std::max(height[layer_[i]], picture_.boxes[i].height);
    double y = kMargin + 28;  // below the title
    for (size_t i = 0; i < layers_.size(); ++i) {
      top[i] = y;
      y += height[i] + kGapY;
    }
    auto x_of = [&](size_t item) { return items_[item].x - least + kMargin; };
    for (size_t i = 0; i < graph_.size(); ++i) {
      Box& box = picture_.boxes[i];
      box.x = x_of(i);
      box.y = top[layer_[i]] + (height[layer_[i]] - box.height) / 2;
    }
    for (size_t i = 0; i < edges_.size(); ++i)
      picture_.routes.push_back(route(i, top, height, x_of));
    picture_.width =
        std::max(most - least, static_cast<double>(letters(graph_.title)) * 8.5) + 2 * kMargin;
    picture_.height = y - kGapY + kMargin;
    for (size_t i = 0; i < edges_.size(); ++i) {
      const Route& r = picture_.routes[i];
      for (const Point& point : r.points)
        picture_.width = std::max(picture_.width, point.x + kMargin);
      picture_.width = std::max(picture_.width, r.label.x + width_of(edges_[i].label) + kMargin);
    }
    return std::move(picture_);
  }

  template <class XOf>
  Route route(size_t edge, const std::vector<double>& top, const std::vector<double>& height,
              XOf x_of) const {
    Route out;
    auto [from, to] = downward(edge);
    const Box& a = picture_.boxes[from];
    const Box& b = picture_.boxes[to];
    if (from == to) {  // a loop on the right side
      double x = a.x + a.width / 2;
      double y = a.y + a.height / 2;
      out.points = {{x, y - 8}, {x + 22, y - 8}, {x + 22, y + 8}, {x, y + 8}};
      out.label = {x + 26, y + 4};
      return out;
    }
    out.points.push_back({exit_x(from, edge), a.y + a.height});
    for (size_t bend : chains_[edge]) {
      size_t layer = items_[bend].layer;
      out.points.push_back({x_of(bend), top[layer]});
      out.points.push_back({x_of(bend), top[layer] + height[layer]});
    }
    out.points.push_back({b.x, b.y});
    const Point& first = out.points[0];
    const Point& second = out.points[1];
    out.label = {first.x + (second.x - first.x) * 0.35 + 5,
                 first.y + (second.y - first.y) * 0.35 + 4};
    if (reversed_[edge]) std::reverse(out.points.begin(), out.points.end());
    return out;
  }

  // Edges leave a node side by side, in the order of where they go.
  double exit_x(size_t node, size_t edge) const {
    std::vector<std::pair<double, size_t>> leaving;
    for (size_t i = 0; i < edges_.size(); ++i) {
      auto [from, to] = downward(i);
      if (from != node || from == to) continue;
      size_t next = chains_[i].empty() ? to : chains_[i].front();
      leaving.emplace_back(items_[next].x, i);
    }
    std::sort(leaving.begin(), leaving.end());
    const Box& box = picture_.boxes[node];
    for (size_t i = 0; i < leaving.size(); ++i) {
      if (leaving[i].second != edge) continue;
      double part = static_cast<double>(i + 1) / static_cast<double>(leaving.size() + 1);
      return box.x - box.width / 2 + box.width * (leaving.size() == 1 ? 0.5 : part);
    }
    return box.x;
  }

  const FlowGraph& graph_;
  std::vector<Edge> edges_;
  std::vector<bool> reversed_;
  std::vector<size_t> layer_;
  std::vector<Item> items_;
  std::vector<std::vector<size_t>> layers_;
  std::vector<std::vector<size_t>> chains_;  // bends of each edge
  Picture picture_;
};

}  // namespace

Picture lay_out(const FlowGraph& graph) { return Layering(graph).run(); }

}  // namespace ensue::graph
