// The ANTLR driver: bytes to tokens to parse tree, then to our tree.
//
// A file is parsed as a whole first, with the cheap SLL prediction and no recovery. Only when that
// fails is it cut into chunks, at each declaration word (or `word "name"`) in column 1, and each
// chunk parsed alone, so that one mistake costs one declaration. A correct file is never cut: line
// breaks mean nothing in it.
#include "syntax/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ensue/currency.h"
#include "syntax/internal/lexical_check.h"
#include "syntax/internal/parser_run.h"
#include "syntax/internal/tell_error.h"

namespace ensue::syntax {
namespace {

using grammar::EnsueLexer;
using internal::AntlrToken;
using internal::Builder;
using internal::ErrorReporter;
using internal::LexicalCheck;
using internal::ParserRun;
using internal::TokenStreamData;
using internal::TooDeep;
using Kind = source::DiagnosticKind;

// ---- Tokens -----------------------------------------------------------------------------------

// Byte offsets of code points; the identity for ASCII sources.
class Offsets {
 public:
  explicit Offsets(std::string_view text) {
    bool ascii = std::none_of(text.begin(), text.end(),
                              [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (ascii) return;
    for (size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
        bytes_.push_back(static_cast<uint32_t>(i));
    }
    bytes_.push_back(static_cast<uint32_t>(text.size()));
  }
  uint32_t byte(size_t code_point) const {
    return bytes_.empty() ? static_cast<uint32_t>(code_point) : bytes_[code_point];
  }

 private:
  std::vector<uint32_t> bytes_;
};

TokenClass class_of(size_t type) {
  switch (type) {
    case EnsueLexer::BLANKS:
    case EnsueLexer::BYTE_ORDER_MARK: return TokenClass::kBlanks;
    case EnsueLexer::COMMENT: return TokenClass::kComment;
    case EnsueLexer::IDENT:
    case EnsueLexer::QNAME: return TokenClass::kName;
    case EnsueLexer::STRING: return TokenClass::kString;
    case EnsueLexer::TEXTBLOCK: return TokenClass::kTextBlock;
    case EnsueLexer::NUMBER:
    case EnsueLexer::MONEY:
    case EnsueLexer::DATE:
    case EnsueLexer::DATETIME:
    case EnsueLexer::TIME: return TokenClass::kNumber;
    case EnsueLexer::OPEN_STRING:
    case EnsueLexer::SMART_QUOTE:
    case EnsueLexer::BAD: return TokenClass::kBad;
    default: return type >= EnsueLexer::LE ? TokenClass::kSymbol : TokenClass::kWord;
  }
}

// The words the lexer needs are those before LE; the symbols follow it.
static_assert(EnsueLexer::K_YES < EnsueLexer::LE && EnsueLexer::LE < EnsueLexer::BAR);

bool blanks_on_one_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; });
}

// Lexes `text` and joins numbers with the currency codes right after them.
TokenStreamData lex(std::string_view text, EnsueLexer& lexer, const Offsets& offsets,
                    uint32_t base) {
  TokenStreamData out;
  auto written = [&](const Token& row) { return text.substr(row.begin, row.end - row.begin); };
  auto joins_money = [&](const Token& code) {
    size_t count = out.table.size();
    bool after_number = count >= 2 && !out.types.empty() &&
                        out.types.back() == EnsueLexer::NUMBER && out.map.rows.back() == count - 2;
    return after_number && out.table.back().token_class == TokenClass::kBlanks &&
           blanks_on_one_line(written(out.table.back())) && is_currency_code(written(code));
  };
  for (;;) {
    std::unique_ptr<AntlrToken> token = lexer.nextToken();
    size_t type = token->getType();
    if (type == AntlrToken::EOF) break;
    Token row{class_of(type), base + offsets.byte(token->getStartIndex()),
              base + offsets.byte(token->getStopIndex() + 1)};
    if (joins_money(row)) {
      out.table.pop_back();
      out.table.back().end = row.end;
      out.types.back() = EnsueLexer::MONEY;
      continue;
    }
    if (!row.trivia()) {
      out.map.rows.push_back(static_cast<uint32_t>(out.table.size()));
      out.types.push_back(static_cast<uint16_t>(type));
    }
    out.table.push_back(row);
  }
  out.bad.assign(out.types.size(), false);
  return out;
}

// ---- A file -----------------------------------------------------------------------------------

bool starts_declaration(size_t type) {
  switch (type) {
    case EnsueLexer::K_OBJECT:
    case EnsueLexer::K_EXTEND:
    case EnsueLexer::K_FUNCTION:
    case EnsueLexer::K_ACTION:
    case EnsueLexer::K_FLOW:
    case EnsueLexer::K_SUBFLOW:
    case EnsueLexer::K_SCREEN:
    case EnsueLexer::K_CADENCE:
    case EnsueLexer::K_QUICK:
    case EnsueLexer::K_TEMPLATE:
    case EnsueLexer::K_SCRIPT:
    case EnsueLexer::K_ROUTING:
    case EnsueLexer::K_LIMITS:
    case EnsueLexer::K_CALENDAR:
    case EnsueLexer::K_TEST: return true;
    default: return false;
  }
}

class FileParser {
 public:
  FileParser(const source::SourceSet& sources, source::FileId file, const ParseBounds& bounds,
             source::DiagnosticSink& sink)
      : text_(sources.file(file).text()),
        file_(file),
        bounds_(bounds),
        sink_(sink),
        tree_(std::make_shared<Tree>(file, text_)) {}

  ParsedFile parse() {
    ParsedFile out;
    out.tree = tree_;
    std::vector<NodeId> declarations;
    if (readable()) {
      tokenize();
      if (LexicalCheck(text_, file_, bounds_, tokens_, sink_).run()) {
        declarations = parse_whole() ? std::move(declarations_) : parse_chunks(out.broken);
      }
    }
    finish(declarations);
    return out;
  }

  ParsedSession parse_session() {
    ParsedSession out;
    out.tree = tree_;
    if (!readable()) return out;
    tokenize();
    size_t count = tokens_.types.size();
    source::DiagnosticSink lexical;
    bool sound =
        LexicalCheck(text_, file_, bounds_, tokens_, lexical).run() && !lexical.has_errors();
    if (!sound) {
      out.incomplete = open_text_block();
      sink_.merge(std::move(lexical));
      return out;
    }
    if (count == 0) return out;
    ParserRun run(tokens_, 0, count, bounds_);
    try {
      auto* ctx = run.parser.sessionInput();
      Builder builder(*tree_, tokens_.table, tokens_.map, 0, sink_);
      tree_->set_root(builder.session(ctx));
      tree_->set_tokens(std::move(tokens_.table));
    } catch (const antlr4::ParseCancellationException&) {
      out.incomplete = !run.errors.error->token;
      ErrorReporter(text_, file_, tokens_, run, 0, count, true, true, bounds_, sink_)
          .report(*run.errors.error);
    } catch (const TooDeep&) {
      report_too_deep(0);
    }
    return out;
  }

 private:
  bool readable() {
    if (text_.size() > bounds_.source_bytes_max) {
      sink_.report(Kind::kSourceTooLarge, {file_, 0, 0},
                   {fmt::format("{}", text_.size()), fmt::format("{}", bounds_.source_bytes_max)});
      return false;
    }
    if (auto bad = source::first_invalid_utf8(text_)) {
      auto byte = static_cast<unsigned char>(text_[*bad]);
      auto at = static_cast<uint32_t>(*bad);
      auto& finding =
          sink_.report(Kind::kNotUtf8, {file_, at, at + 1}, {fmt::format("0x{:02X}", byte)});
      if (byte >= 0xA0) {
        std::string meant{static_cast<char>(0xC0 | byte >> 6),
                          static_cast<char>(0x80 | (byte & 0x3F))};
        finding.note(fmt::format("in Latin-1 this byte is `{}`; save the file as UTF-8", meant));
      }
      return false;
    }
    return true;
  }

  void tokenize() {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    uint32_t base = text_.substr(0, 3) == kByteOrderMark ? 3 : 0;
    std::string_view body = text_.substr(base);
    Offsets offsets(body);
    antlr4::ANTLRInputStream input{std::string(body)};
    EnsueLexer lexer(&input);
    internal::use_own_tables(lexer);
    lexer.removeErrorListeners();
    tokens_ = lex(text_, lexer, offsets, base);
    if (base > 0) {
      tokens_.table.insert(tokens_.table.begin(), Token{TokenClass::kBlanks, 0, base});
      for (uint32_t& row : tokens_.map.rows) ++row;
    }
  }

  bool parse_whole() {
    bool clean = std::none_of(tokens_.bad.begin(), tokens_.bad.end(), [](bool bad) { return bad; });
    if (!clean) return false;
    ParserRun run(tokens_, 0, tokens_.types.size(), bounds_);
    run.use_fast_prediction();
    try {
      auto* ctx = run.parser.file();
      Builder builder(*tree_, tokens_.table, tokens_.map, 0, sink_);
      for (auto* declaration : ctx->declaration())
        declarations_.push_back(builder.declaration(declaration));
      return true;
    } catch (const antlr4::ParseCancellationException&) {
      return false;
    } catch (const TooDeep&) {
      return false;  // found again, with its place, in the chunk that holds it
    }
  }

  std::vector<NodeId> parse_chunks(std::vector<BrokenDeclaration>& broken) {
    constexpr size_t kBrokenMax = 1'000;  // beyond this a file is garbage; the rest is not read
    std::vector<NodeId> out;
    std::vector<size_t> starts = chunk_starts();
    for (size_t i = 0; i + 1 < starts.size() && broken.size() < kBrokenMax; ++i) {
      size_t first = starts[i];
      size_t last = starts[i + 1];
      NodeId declaration = parse_chunk(first, last);
      if (declaration.valid()) {
        out.push_back(declaration);
      } else {
        broken.push_back(broken_head(first, last));
      }
    }
    return out;
  }

  NodeId parse_chunk(size_t first, size_t last) {
    bool reported = std::any_of(tokens_.bad.begin() + static_cast<std::ptrdiff_t>(first),
                                tokens_.bad.begin() + static_cast<std::ptrdiff_t>(last),
                                [](bool bad) { return bad; });
    if (reported) return NodeId();
    ParserRun run(tokens_, first, last, bounds_);
    try {
      auto* ctx = run.parser.oneDeclaration();
      Builder builder(*tree_, tokens_.table, tokens_.map, first, sink_);
      return builder.declaration(ctx->declaration());
    } catch (const antlr4::ParseCancellationException&) {
      constexpr size_t kGuessedMax = 30;
      bool guesses = broken_count_++ < kGuessedMax;
      ErrorReporter(text_, file_, tokens_, run, first, last, false, guesses, bounds_, sink_)
          .report(*run.errors.error);
      return NodeId();
    } catch (const TooDeep&) {
      report_too_deep(first);
      return NodeId();
    }
  }

  // The first token of each chunk, and one past the last token.
  std::vector<size_t> chunk_starts() const {
    std::vector<size_t> starts;
    size_t count = tokens_.types.size();
    for (size_t i = 0; i < count; ++i) {
      uint32_t begin = tokens_.table[tokens_.map.rows[i]].begin;
      bool column_one = begin == 0 || text_[begin - 1] == '\n';
      size_t type = tokens_.types[i];
      bool named =
          type == EnsueLexer::IDENT && i + 1 < count && tokens_.types[i + 1] == EnsueLexer::STRING;
      if (i == 0 || (column_one && (starts_declaration(type) || named))) starts.push_back(i);
    }
    starts.push_back(count);
    return starts;
  }

  BrokenDeclaration broken_head(size_t first, size_t last) const {
    BrokenDeclaration out;
    auto written = [&](size_t i) {
      const Token& row = tokens_.table[tokens_.map.rows[i]];
      return std::string(text_.substr(row.begin, row.end - row.begin));
    };
    for (size_t i = first; i < last && i < first + 4; ++i) {
      size_t type = tokens_.types[i];
      if (type == EnsueLexer::STRING) {
        std::string quoted = written(i);
        out.name = quoted.substr(1, quoted.size() - 2);
        break;
      }
      if (i > first && type == EnsueLexer::IDENT) {
        out.name = written(i);
        break;
      }
      out.word += (out.word.empty() ? "" : " ") + written(i);
    }
    return out;
  }

  bool open_text_block() const {
    for (size_t i = 1; i < tokens_.types.size(); ++i) {
      bool open = tokens_.types[i] == EnsueLexer::OPEN_STRING;
      const Token& before = tokens_.table[tokens_.map.rows[i - 1]];
      if (open && before.end - before.begin == 2 &&
          before.end == tokens_.table[tokens_.map.rows[i]].begin)
        return true;
    }
    return false;
  }

  void report_too_deep(size_t first) {
    const Token& row = tokens_.table[tokens_.map.rows[first]];
    sink_.report(Kind::kNestedTooDeeply, {file_, row.begin, row.end},
                 {fmt::format("{} levels", bounds_.nesting_max)});
  }

  void finish(const std::vector<NodeId>& declarations) {
    auto size = static_cast<uint32_t>(text_.size());
    tree_->set_root(tree_->add(NodeKind::kFile, 0, 0, size, declarations));
    tree_->set_tokens(std::move(tokens_.table));
  }

  std::string_view text_;
  source::FileId file_;
  const ParseBounds& bounds_;
  source::DiagnosticSink& sink_;
  std::shared_ptr<Tree> tree_;
  TokenStreamData tokens_;
  std::vector<NodeId> declarations_;
  size_t broken_count_ = 0;
};

}  // namespace

ParsedFile parse_file(const source::SourceSet& sources, source::FileId file,
                      const ParseBounds& bounds, source::DiagnosticSink& sink) {
  return FileParser(sources, file, bounds, sink).parse();
}

ParsedSession parse_session(const source::SourceSet& sources, source::FileId file,
                            const ParseBounds& bounds, source::DiagnosticSink& sink) {
  return FileParser(sources, file, bounds, sink).parse_session();
}

}  // namespace ensue::syntax
