// The syntax tree: one uniform node, kept in a vector and reached by NodeId.
//
// A node is 32 bytes: kind, a small operator, the byte range it covers, its children as a run of a
// second vector, and a view of its decoded text. Trees are flat so that a condition of a million
// terms is freed without recursion, and so that what later stages learn about a node (types,
// bindings) can stand in side tables indexed by NodeId. The typed views at the end give the
// children of each kind their names; kinds and slots are listed once, in ast_kinds.def.
//
// The tree keeps every token of its file, blanks and comments included: the concatenation of the
// tokens is the source.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "source/source_file.h"
#include "source/span.h"

namespace ensue::syntax {

enum class NodeKind : uint8_t {
#define ENSUE_SLOT(index, name)
#define ENSUE_NODE(kind, slots) k##kind,
#include "syntax/ast_kinds.def"
#undef ENSUE_NODE
#undef ENSUE_SLOT
};

const char* kind_name(NodeKind kind);
// The names of the slots of a kind, for dumps; empty when the children are a list.
std::span<const char* const> slot_names(NodeKind kind);

struct NodeTag {};
using NodeId = base::Id<NodeTag>;

// ---- Values of Node::op -----------------------------------------------------------------------
enum PicklistOp : uint8_t { kPicklistOpen = 1, kPicklistMulti = 2 };
enum FlowOp : uint8_t { kFlowPlain, kFlowSubflow, kFlowScreen };
enum TriggerOp : uint8_t {
  kOnCreated = 1,
  kOnEdited = 2,
  kOnDeleted = 4,
  kOnUndeleted = 8,
  kBeforeSave = 16,
  kAfterSave = 32
};
enum ScopeOp : uint8_t { kMyRecords, kTeamRecords };
enum ActivationOp : uint8_t { kByCreator, kByAssigneesOn, kByAssigneesOff };
enum GuardOp : uint8_t { kGuardIf, kGuardMeets, kGuardNewlyMeets };
enum RunAsOp : uint8_t { kRunAsSystem, kRunAsOwner, kRunAsUser };
enum ModeOp : uint8_t {
  kModeSingle,
  kModeRestart,
  kModeQueued,
  kModeParallel,
  kModePerRecord = 16
};
enum FinderOp : uint8_t { kFindAll = 1, kFindDescending = 2 };
enum CompareOp : uint8_t {
  kIs,
  kIsNot,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kEqual,
  kNotEqual,
  kIsBefore,
  kIsAfter,
  kContains,
  kStartsWith,
  kEndsWith,
  kExactly = 32
};
enum QuantifierOp : uint8_t { kQuantifyAny, kQuantifyNo, kQuantifyEach };
enum PathOp : uint8_t { kPathBare, kPathIt, kPathIts, kPathMe };
enum StepKindOp : uint8_t {
  kStepAutomatedEmail,
  kStepManualEmail,
  kStepCall,
  kStepConnectionRequest,
  kStepInmail,
  kStepCustom,
  kStepScreenFlow,
  kStepLink
};
enum LimitScopeOp : uint8_t { kEachUser, kWholeOrg, kOfFlow, kOfAction, kOfService };
enum ReminderOp : uint8_t { kReminderRuns, kReminderIgnores, kReminderSnoozes };
enum CadenceVerbOp : uint8_t {
  kVerbAdds,
  kVerbRemoves,
  kVerbPauses,
  kVerbResumes,
  kVerbChangesAssignee
};
enum OutcomeOp : uint8_t {
  kOutcomeStarted,
  kOutcomeRan,
  kOutcomeTook,
  kOutcomeSuppressed,
  kOutcomeSuppressedByUser,
  kOutcomeSuppressedByOrg,
  kOutcomeOfFlow = 16
};
enum UnitOp : uint8_t { kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear, kBusinessUnit = 16 };

struct Node {
  NodeKind kind = NodeKind::kList;
  uint8_t op = 0;
  uint32_t begin = 0;  // bytes
  uint32_t end = 0;
  uint32_t children_begin = 0;
  uint32_t child_count = 0;
  std::string_view text;
};

// What a token is to a reader of the tree; the lexer's own numbers stay in the parser's room.
enum class TokenClass : uint8_t {
  kBlanks,
  kComment,
  kWord,
  kName,
  kString,
  kTextBlock,
  kNumber,
  kSymbol,
  kBad
};

struct Token {
  TokenClass token_class = TokenClass::kBlanks;
  uint32_t begin = 0;
  uint32_t end = 0;
  bool trivia() const {
    return token_class == TokenClass::kBlanks || token_class == TokenClass::kComment;
  }
};

// The tree of one file. Immutable once built; views into it, and node texts, live as long as it and
// its SourceSet do.
class Tree {
 public:
  Tree(source::FileId file, std::string_view text) : file_(file), text_(text) {}

  const Node& node(NodeId id) const { return nodes_[id.index]; }
  size_t node_count() const { return nodes_.size(); }
  source::FileId file() const { return file_; }
  std::string_view source_text() const { return text_; }
  NodeId root() const { return root_; }

  NodeKind kind(NodeId id) const { return node(id).kind; }
  uint8_t op(NodeId id) const { return node(id).op; }
  std::string_view text(NodeId id) const { return node(id).text; }
  source::Span span(NodeId id) const { return {file_, node(id).begin, node(id).end}; }
  // The source bytes of the node, as the author wrote them.
  std::string_view written(NodeId id) const {
    return text_.substr(node(id).begin, node(id).end - node(id).begin);
  }
  std::span<const NodeId> children(NodeId id) const {
    const Node& n = node(id);
    return std::span(edges_).subspan(n.children_begin, n.child_count);
  }
  NodeId child(NodeId id, uint32_t slot) const {
    const Node& n = node(id);
    return slot < n.child_count ? edges_[n.children_begin + slot] : NodeId();
  }
  // The children of a list that may be absent.
  std::span<const NodeId> items(NodeId list) const {
    return list.valid() ? children(list) : std::span<const NodeId>();
  }
  bool is(NodeId id, NodeKind k) const { return id.valid() && node(id).kind == k; }

  std::span<const Token> tokens() const { return tokens_; }

  // ---- Building -------------------------------------------------------------------------------
  NodeId add(NodeKind kind, uint8_t op, uint32_t begin, uint32_t end,
             std::span<const NodeId> children, std::string_view text = {});
  // Keeps a decoded text alive and gives its view.
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  void set_root(NodeId root) { root_ = root; }
  void set_tokens(std::vector<Token> tokens) { tokens_ = std::move(tokens); }
  // Marks the tokens inside the node's range as names, which the formatter leaves in their letter
  // case.
  void set_text(NodeId id, std::string_view text) { nodes_[id.index].text = text; }

 private:
  source::FileId file_;
  std::string_view text_;
  NodeId root_;
  std::vector<Node> nodes_;
  std::vector<NodeId> edges_;
  std::vector<Token> tokens_;
  std::deque<std::string> kept_;
};

// ---- Typed views ------------------------------------------------------------------------------
// `ast::ActionDecl action(tree, id); action.trigger()` is the child in that slot. A view is a
// pointer and an id; copy it.
namespace ast {

struct View {
  const Tree* tree;
  NodeId id;

  View(const Tree& t, NodeId node) : tree(&t), id(node) {}
  NodeId child(uint32_t slot) const { return tree->child(id, slot); }
  uint8_t op() const { return tree->op(id); }
  std::string_view text() const { return tree->text(id); }
  source::Span span() const { return tree->span(id); }
};

#define ENSUE_SLOT(index, name) \
  NodeId name() const { return child(index); }
#define ENSUE_NODE(Kind, slots)                        \
  struct Kind : View {                                 \
    Kind(const Tree& t, NodeId node) : View(t, node) { \
      ENSUE_DCHECK(t.kind(node) == NodeKind::k##Kind); \
    }                                                  \
    slots                                              \
  };
#include "syntax/ast_kinds.def"
#undef ENSUE_NODE
#undef ENSUE_SLOT

}  // namespace ast

// The tree as indented text, one node a line: kind, operator, text, slot names. For `check
// --dump=ast` and for tests that compare trees; positions are left out, so that two layouts of one
// program dump alike.
std::string dump_tree(const Tree& tree);

}  // namespace ensue::syntax
