#include "syntax/ast.h"

#include <fmt/format.h>

#include <vector>

namespace ensue::syntax {
namespace {

#define ENSUE_SLOT(index, name) #name,
#define ENSUE_NODE(kind, slots) constexpr const char* kSlots##kind[] = {slots nullptr};
#include "syntax/ast_kinds.def"
#undef ENSUE_NODE
#undef ENSUE_SLOT

struct KindRow {
  const char* name;
  const char* const* slots;
  size_t slot_count;
};

constexpr KindRow kKinds[] = {
#define ENSUE_NODE(kind, slots) {#kind, kSlots##kind, std::size(kSlots##kind) - 1},
#include "syntax/ast_kinds.def"
#undef ENSUE_NODE
};

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

const char* kind_name(NodeKind kind) { return kKinds[static_cast<size_t>(kind)].name; }

std::span<const char* const> slot_names(NodeKind kind) {
  const KindRow& row = kKinds[static_cast<size_t>(kind)];
  return {row.slots, row.slot_count};
}

NodeId Tree::add(NodeKind kind, uint8_t op, uint32_t begin, uint32_t end,
                 std::span<const NodeId> children, std::string_view text) {
  Node node{kind,
            op,
            begin,
            end,
            static_cast<uint32_t>(edges_.size()),
            static_cast<uint32_t>(children.size()),
            text};
  edges_.insert(edges_.end(), children.begin(), children.end());
  nodes_.push_back(node);
  return NodeId(nodes_.size() - 1);
}

std::string dump_tree(const Tree& tree) {
  struct Item {
    NodeId id;
    int depth;
    const char* slot;
  };
  std::string out;
  std::vector<Item> stack{{tree.root(), 0, nullptr}};
  while (!stack.empty()) {
    Item item = stack.back();
    stack.pop_back();
    out.append(static_cast<size_t>(item.depth) * 2, ' ');
    if (item.slot != nullptr) out += fmt::format("{}: ", item.slot);
    const Node& node = tree.node(item.id);
    out += kind_name(node.kind);
    if (node.op != 0) out += fmt::format(" op={}", node.op);
    if (!node.text.empty()) out += fmt::format(" \"{}\"", escaped(node.text));
    out += '\n';
    auto slots = slot_names(node.kind);
    auto children = tree.children(item.id);
    for (size_t i = children.size(); i-- > 0;) {
      if (!children[i].valid()) continue;
      stack.push_back({children[i], item.depth + 1, i < slots.size() ? slots[i] : nullptr});
    }
  }
  return out;
}

}  // namespace ensue::syntax
