// The formatter works on tokens, not on nodes: every token and comment of the source is printed, in
// order, so nothing can be lost. The tree only decides which tokens start a line, how deep, and
// where a long line may be broken.
#include "syntax/printer.h"

#include <algorithm>
#include <string>
#include <vector>

namespace ensue::syntax {
namespace {

constexpr uint32_t kColumnsMax = 100;
constexpr uint32_t kIndent = 2;
constexpr uint32_t kContinuation = 4;  // of a broken line

struct TokenLayout {
  bool starts_line = false;
  uint32_t column = 0;        // of the line it starts, in blanks
  bool joins_before = false;  // no blank before it
  bool breaks_all = false;    // an `and` or `or`: a long line is broken before each of its level
  bool fills = false;         // after a comma: a long line is filled up to here
  bool starts_file_item = false;  // a declaration: a blank line stands before it
};

// Decides the layout of each token by walking the tree.
class Layout {
 public:
  explicit Layout(const Tree& tree) : tree_(tree) {
    for (uint32_t i = 0; i < tree.tokens().size(); ++i) {
      if (!tree.tokens()[i].trivia()) solid_.push_back(i);
    }
    rows_.resize(solid_.size());
  }

  std::vector<TokenLayout> run() {
    for (NodeId declaration : tree_.children(tree_.root())) {
      line(declaration, 0);
      rows_[first_token(declaration)].starts_file_item = true;
      declare(declaration);
    }
    spaces();
    return std::move(rows_);
  }

  const std::vector<uint32_t>& solid() const { return solid_; }

 private:
  const Token& token(size_t i) const { return tree_.tokens()[solid_[i]]; }
  std::string_view text(size_t i) const {
    return tree_.source_text().substr(token(i).begin, token(i).end - token(i).begin);
  }
  bool is_word(size_t i, std::string_view word) const {
    if (i >= solid_.size() || token(i).token_class != TokenClass::kWord ||
        text(i).size() != word.size())
      return false;
    for (size_t k = 0; k < word.size(); ++k) {
      char c = text(i)[k];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != word[k]) return false;
    }
    return true;
  }
  bool is_symbol(size_t i, char symbol) const {
    return i < solid_.size() && token(i).token_class == TokenClass::kSymbol &&
           text(i).size() == 1 && text(i)[0] == symbol;
  }

  // The index among solid tokens of the one that starts at or after a byte.
  size_t token_at(uint32_t byte) const {
    auto at = std::lower_bound(solid_.begin(), solid_.end(), byte, [&](uint32_t row, uint32_t b) {
      return tree_.tokens()[row].begin < b;
    });
    return static_cast<size_t>(at - solid_.begin());
  }
  size_t first_token(NodeId node) const { return token_at(tree_.node(node).begin); }
  size_t last_token(NodeId node) const { return token_at(tree_.node(node).end) - 1; }

  void line_at(size_t index, uint32_t column) {
    if (index >= rows_.size()) return;
    rows_[index].starts_line = true;
    rows_[index].column = column;
  }
  // The node, or the keywords right before it, starts a line.
  void line(NodeId node, uint32_t level, size_t words_before = 0) {
    if (node.valid()) line_at(first_token(node) - words_before, level * kIndent);
  }
  void end_line(NodeId node, uint32_t level) { line_at(last_token(node), level * kIndent); }
  void lines(NodeId list, uint32_t level) {
    for (NodeId item : tree_.items(list)) line(item, level);
  }

  // ---- Declarations ---------------------------------------------------------------------------
  void declare(NodeId id) {
    switch (tree_.kind(id)) {
      case NodeKind::kObjectDecl: lines(ast::ObjectDecl(tree_, id).fields(), 1); break;
      case NodeKind::kExtendDecl: lines(ast::ExtendDecl(tree_, id).fields(), 1); break;
      case NodeKind::kFunctionDecl: {
        ast::FunctionDecl function(tree_, id);
        line(function.prose(), 1);
        for (NodeId example : tree_.items(function.examples())) line(example, 1, 1);
        break;
      }
      case NodeKind::kActionDecl: action(ast::ActionDecl(tree_, id)); break;
      case NodeKind::kFlowDecl: flow(ast::FlowDecl(tree_, id)); break;
      case NodeKind::kCadenceDecl: {
        ast::CadenceDecl cadence(tree_, id);
        line(cadence.targets(), 1, 1);
        line(cadence.exits(), 1, 2);
        for (NodeId track : tree_.items(cadence.tracks())) {
          line(track, 1);
          track_items(ast::Track(tree_, track).items(), 2);
        }
        break;
      }
      case NodeKind::kQuickCadenceDecl: {
        ast::QuickCadenceDecl cadence(tree_, id);
        line(cadence.targets(), 1, 1);
        line(cadence.exits(), 1, 2);
        line(cadence.step_kind(), 1);
        break;
      }
      case NodeKind::kTemplateDecl: {
        ast::TemplateDecl decl(tree_, id);
        line(decl.subject(), 1, 1);
        line(decl.body(), 1, 1);
        break;
      }
      case NodeKind::kScriptDecl: return;  // has no `end`
      case NodeKind::kRoutingDecl: {
        ast::RoutingDecl routing(tree_, id);
        line(routing.columns(), 1, 1);
        lines(routing.rows(), 1);
        line(routing.otherwise(), 1);
        break;
      }
      case NodeKind::kLimitsDecl: lines(ast::LimitsDecl(tree_, id).lines(), 1); break;
      case NodeKind::kCalendarDecl: {
        ast::CalendarDecl calendar(tree_, id);
        lines(calendar.lines(), 1);
        for (NodeId date : tree_.items(calendar.holidays())) {
          if (is_word(first_token(date) - 1, "holidays")) line(date, 1, 1);
        }
        break;
      }
      case NodeKind::kTestDecl: test(ast::TestDecl(tree_, id)); break;
      default: break;
    }
    end_line(id, 0);
  }

  void action(const ast::ActionDecl& decl) {
    line(decl.trigger(), 1);
    line(decl.scope(), 1);
    line(decl.activation(), 1);
    line(decl.guard(), 1);
    if (decl.guard().valid()) guard(ast::Guard(tree_, decl.guard()));
    if (!decl.body().valid()) return;
    line(decl.body(), 1, 1);  // with its `then`
    bool first = true;
    for (NodeId statement_id : tree_.items(decl.body())) {
      if (!first) line(statement_id, 1);
      first = false;
      statement(statement_id, 1);
    }
  }

  void guard(const ast::Guard& decl) {
    if (!tree_.is(decl.condition(), NodeKind::kNumberedCondition)) return;
    ast::NumberedCondition numbered(tree_, decl.condition());
    size_t words = first_token(decl.condition()) - first_token(decl.id);
    uint32_t column = kIndent;
    for (size_t i = 0; i < words; ++i)
      column += static_cast<uint32_t>(text(first_token(decl.id) + i).size()) + 1;
    bool first = true;
    for (NodeId item : tree_.items(numbered.items())) {
      if (!first) line_at(first_token(item), column);
      first = false;
    }
    line(numbered.logic(), 1, logic_words(numbered.logic()));
  }

  // `by logic` and any opening parentheses before the first number of the logic.
  size_t logic_words(NodeId logic) const {
    size_t at = first_token(logic);
    size_t words = 0;
    while (at - words > 0 && !is_word(at - words, "by")) ++words;
    return words;
  }

  void flow(const ast::FlowDecl& decl) {
    lines(decl.triggers(), 1);
    line(decl.guard(), 1);
    if (decl.guard().valid()) guard(ast::Guard(tree_, decl.guard()));
    line(decl.over(), 1);
    // `takes` and `gives` stay on the line of the name, as a signature does.
    line(decl.run_as(), 1);
    line(decl.mode(), 1);
    line(decl.run_again(), 1);
    block(decl.body(), 1);
    for (NodeId gap : tree_.items(decl.gap_blocks())) {
      line(gap, 1);
      block(ast::GapBlock(tree_, gap).body(), 2);
      end_line(gap, 1);
    }
  }

  void track_items(NodeId items, uint32_t level) {
    for (NodeId item : tree_.items(items)) {
      line(item, level);
      NodeId yes;
      NodeId no;
      if (tree_.is(item, NodeKind::kBranchDecl)) {
        yes = ast::BranchDecl(tree_, item).yes();
        no = ast::BranchDecl(tree_, item).no();
      } else if (tree_.is(item, NodeKind::kListenDecl)) {
        yes = ast::ListenDecl(tree_, item).yes();
        no = ast::ListenDecl(tree_, item).no();
      } else {
        continue;
      }
      yes_no_words(item, yes, no, level);
      track_items(yes, level + 1);
      track_items(no, level + 1);
      end_line(item, level);
    }
  }

  // The words `yes` and `no` of a branch start lines even when nothing follows them.
  void yes_no_words(NodeId item, NodeId yes, NodeId no, uint32_t level) {
    size_t last = last_token(item);
    size_t yes_at = yes.valid() ? first_token(yes) - 1 : first_token(item);
    while (yes_at < last && !is_word(yes_at, "yes")) ++yes_at;
    line_at(yes_at, level * kIndent);
    size_t no_at =
        no.valid() ? first_token(no) - 1 : (yes.valid() ? last_token(yes) + 1 : yes_at + 1);
    if (no_at < last && is_word(no_at, "no")) line_at(no_at, level * kIndent);
  }

  void test(const ast::TestDecl& decl) {
    if (decl.cases().valid()) {
      for (NodeId row : tree_.items(ast::CaseTable(tree_, decl.cases()).rows())) line(row, 1);
    }
    lines(decl.statements(), 1);
  }

  // ---- Statements -----------------------------------------------------------------------------
  void block(NodeId body, uint32_t level) {
    for (NodeId id : tree_.items(body)) {
      line(id, level);
      statement(id, level);
    }
  }

  void statement(NodeId id, uint32_t level) {
    switch (tree_.kind(id)) {
      case NodeKind::kIfStmt: {
        ast::IfStmt stmt(tree_, id);
        block(stmt.body(), level + 1);
        for (NodeId branch : tree_.items(stmt.else_ifs())) {
          line(branch, level);
          block(ast::ElseIf(tree_, branch).body(), level + 1);
        }
        line(stmt.else_body(), level);
        block(stmt.else_body(), level + 1);
        end_line(id, level);
        break;
      }
      case NodeKind::kForStmt:
        block(ast::ForStmt(tree_, id).body(), level + 1);
        end_line(id, level);
        break;
      case NodeKind::kWaitStmt: {
        ast::WaitStmt stmt(tree_, id);
        if (!stmt.timeout_body().valid()) break;
        line(stmt.timeout_body(), level + 1);
        block(stmt.timeout_body(), level + 2);
        end_line(id, level + 1);
        break;
      }
      case NodeKind::kTryStmt: {
        ast::TryStmt stmt(tree_, id);
        block(stmt.body(), level + 1);
        line(stmt.retry(), level);
        line(stmt.fault_body(), level);
        block(stmt.fault_body(), level + 1);
        end_line(id, level);
        break;
      }
      case NodeKind::kShowStmt:
        lines(ast::ShowStmt(tree_, id).items(), level + 1);
        end_line(id, level);
        break;
      default: break;
    }
  }

  // ---- Blanks and places to break -------------------------------------------------------------
  void spaces() {
    for (NodeId id(0); id.index < tree_.node_count(); ++id.index) {
      switch (tree_.kind(id)) {
        case NodeKind::kAnd:
        case NodeKind::kOr: {
          auto terms = tree_.children(id);
          for (size_t i = 1; i < terms.size(); ++i) breakable_word_before(terms[i]);
          break;
        }
        case NodeKind::kCall: {
          size_t open = last_token(ast::Call(tree_, id).name()) + 1;
          if (is_symbol(open, '(')) rows_[open].joins_before = true;
          break;
        }
        case NodeKind::kNegate:
        case NodeKind::kNumber:
        case NodeKind::kPercent: {
          size_t first = first_token(id);
          bool minus = is_symbol(first, '-') && tree_.node(id).begin == token(first).begin;
          if (minus) rows_[first + 1].joins_before = true;
          break;
        }
        default: break;
      }
    }
    for (size_t i = 0; i < rows_.size(); ++i) {
      bool closes = is_symbol(i, ',') || is_symbol(i, ')') || is_symbol(i, ':') ||
                    is_symbol(i, '.') || is_symbol(i, '%');
      bool after_open = i > 0 && (is_symbol(i - 1, '(') || is_symbol(i - 1, '.'));
      if (closes || after_open) rows_[i].joins_before = true;
      if (i > 0 && is_symbol(i - 1, ',')) rows_[i].fills = true;
    }
  }

  // The `and` or `or` that stands before a term, with any parentheses between.
  void breakable_word_before(NodeId term) {
    size_t at = first_token(term);
    while (at > 0 && !is_word(at, "and") && !is_word(at, "or")) --at;
    rows_[at].breaks_all = true;
  }

  const Tree& tree_;
  std::vector<uint32_t> solid_;  // rows of the token table that are not trivia
  std::vector<TokenLayout> rows_;
};

uint32_t width_of(std::string_view text) {
  return static_cast<uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// The names of days are proper names, the only keywords with a capital.
bool is_day_name(std::string_view word) {
  static constexpr std::string_view kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                               "friday", "saturday", "sunday"};
  return std::find(std::begin(kDays), std::end(kDays), word) != std::end(kDays);
}

class Printer {
 public:
  explicit Printer(const Tree& tree) : tree_(tree), layout_(tree) { rows_ = layout_.run(); }

  std::string print() {
    size_t count = rows_.size();
    for (size_t i = 0; i < count;) {
      size_t next = i + 1;
      while (next < count && !rows_[next].starts_line) ++next;
      leading_trivia(i);
      print_line(i, next);
      i = next;
    }
    trailing_trivia(count);
    return std::move(out_);
  }

 private:
  struct Comment {
    std::string_view text;
    uint32_t breaks_before = 0;  // line breaks between it and what stands before it
  };

  // The comments before a solid token, and the line breaks right before the token.
  struct Trivia {
    std::vector<Comment> comments;
    uint32_t breaks_after = 0;
  };

  std::string_view source(const Token& token) const {
    return tree_.source_text().substr(token.begin, token.end - token.begin);
  }

  Trivia trivia_before(size_t index) const {
    Trivia out;
    uint32_t first = index == 0 ? 0 : layout_.solid()[index - 1] + 1;
    uint32_t last = index < layout_.solid().size() ? layout_.solid()[index]
                                                   : static_cast<uint32_t>(tree_.tokens().size());
    uint32_t breaks = index == 0 ? 1 : 0;  // the start of the file is the start of a line
    for (uint32_t row = first; row < last; ++row) {
      const Token& token = tree_.tokens()[row];
      std::string_view text = source(token);
      if (token.token_class == TokenClass::kComment) {
        size_t end = text.find_last_not_of(" \t\r");
        out.comments.push_back({text.substr(0, end + 1), breaks});
        breaks = 0;
      } else {
        breaks += static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
      }
    }
    out.breaks_after = breaks;
    return out;
  }

  // What stands before a token that starts a line: a comment on the line before, blank lines,
  // comments of their own.
  void leading_trivia(size_t index) {
    Trivia trivia = trivia_before(index);
    uint32_t column = rows_[index].column;
    bool closes = text_of(index) == "end" &&
                  tree_.tokens()[layout_.solid()[index]].token_class == TokenClass::kWord;
    uint32_t comment_column = closes ? column + kIndent : column;
    bool separated = rows_[index].starts_file_item;
    bool first = true;
    for (const Comment& comment : trivia.comments) {
      if (comment.breaks_before == 0 && index > 0 && first) {
        out_ += "  ";
        out_ += comment.text;
      } else {
        new_line(comment.breaks_before >= 2 || (separated && index > 0), comment_column);
        separated = false;
        out_ += comment.text;
      }
      first = false;
    }
    bool blank = trivia.breaks_after >= 2 && !closes && !opens_body(index);
    if (rows_[index].starts_file_item) blank = index > 0 && (separated || trivia.breaks_after >= 2);
    new_line(blank, column);
  }

  // The first line of a block follows its head directly.
  bool opens_body(size_t index) const {
    return index > 0 && rows_[index].column > line_column_ && comments_empty(index);
  }
  bool comments_empty(size_t index) const { return trivia_before(index).comments.empty(); }

  void new_line(bool blank, uint32_t column) {
    if (!out_.empty()) {
      out_ += '\n';
      if (blank) out_ += '\n';
    }
    out_.append(column, ' ');
    at_column_ = column;
  }

  std::string text_of(size_t index) const {
    const Token& token = tree_.tokens()[layout_.solid()[index]];
    std::string text(source(token));
    if (token.token_class == TokenClass::kWord) {
      for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (is_day_name(text)) text[0] = static_cast<char>(text[0] - 32);
    }
    if (token.token_class == TokenClass::kNumber) {  // an amount: one blank before the currency
      std::string one_blank;
      for (char c : text) {
        bool blank = c == ' ' || c == '\t';
        if (!blank || one_blank.back() != ' ') one_blank += blank ? ' ' : c;
      }
      return one_blank;
    }
    return text;
  }

  // ---- One line, broken where it is too long --------------------------------------------------
  void print_line(size_t first, size_t last) {
    line_column_ = rows_[first].column;
    // A comment inside a line ends it; what follows goes on one continuation deeper.
    size_t begin = first;
    bool continued = false;
    for (size_t i = first + 1; i <= last; ++i) {
      bool cut = i < last && !trivia_before(i).comments.empty();
      if (!cut && i < last) continue;
      print_piece(begin, i, continued ? line_column_ + kContinuation : line_column_);
      if (i == last) break;
      bool first_comment = true;
      for (const Comment& comment : trivia_before(i).comments) {
        if (first_comment) {
          out_ += "  ";
        } else {
          new_line(false, line_column_ + kContinuation);
        }
        out_ += comment.text;
        first_comment = false;
      }
      new_line(false, line_column_ + kContinuation);
      begin = i;
      continued = true;
    }
  }

  uint32_t flat_width(size_t first, size_t last) const {
    uint32_t width = 0;
    for (size_t i = first; i < last; ++i) {
      if (i > first && !rows_[i].joins_before) ++width;
      std::string text = text_of(i);
      size_t line_break = text.find('\n');
      if (line_break != std::string::npos) return width + width_of(text.substr(0, line_break));
      width += width_of(text);
    }
    return width;
  }

  // Prints tokens from the present column. What does not fit is broken before the outermost `and`s
  // and `or`s, and what still does not fit is filled up to the last comma before the edge.
  void print_piece(size_t first, size_t last, uint32_t column) {
    if (at_column_ + flat_width(first, last) <= kColumnsMax) {
      print_flat(first, last);
      return;
    }
    int depth = 0;
    int outermost = INT32_MAX;
    for (size_t i = first; i < last; ++i) {
      if (rows_[i].breaks_all && i > first) outermost = std::min(outermost, depth);
      depth += nesting(i);
    }
    if (outermost == INT32_MAX) {
      print_filled(first, last, column + kContinuation);
      return;
    }
    depth = 0;
    size_t begin = first;
    for (size_t i = first; i < last; ++i) {
      if (rows_[i].breaks_all && i > first && depth == outermost) {
        print_piece(begin, i, column + kContinuation);
        new_line(false, column + kContinuation);
        begin = i;
      }
      depth += nesting(i);
    }
    print_piece(begin, last, column + kContinuation);
  }

  void print_filled(size_t first, size_t last, uint32_t column) {
    for (size_t begin = first; begin < last;) {
      size_t end = begin + 1;
      while (end < last && !rows_[end].fills) ++end;
      bool fits = at_column_ + 1 + flat_width(begin, end) <= kColumnsMax;
      if (begin > first && !fits) {
        new_line(false, column);
      } else if (begin > first) {
        out_ += ' ';
        ++at_column_;
      }
      print_flat(begin, end);
      begin = end;
    }
  }

  int nesting(size_t i) const {
    std::string_view text = source(tree_.tokens()[layout_.solid()[i]]);
    return text == "(" ? 1 : text == ")" ? -1 : 0;
  }

  void print_flat(size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      if (i > first && !rows_[i].joins_before) {
        out_ += ' ';
        ++at_column_;
      }
      std::string text = text_of(i);
      out_ += text;
      at_column_ += width_of(text);
    }
  }

  void trailing_trivia(size_t count) {
    bool first = true;
    for (const Comment& comment : trivia_before(count).comments) {
      if (comment.breaks_before == 0 && count > 0 && first) {
        out_ += "  ";
      } else {
        new_line(comment.breaks_before >= 2, 0);
      }
      out_ += comment.text;
      first = false;
    }
    if (!out_.empty()) out_ += '\n';
  }

  const Tree& tree_;
  Layout layout_;
  std::vector<TokenLayout> rows_;
  std::string out_;
  uint32_t at_column_ = 0;
  uint32_t line_column_ = 0;
};

}  // namespace

std::string format_tree(const Tree& tree) { return Printer(tree).print(); }

}  // namespace ensue::syntax
