#include <antlr4-runtime.h>

#include <vector>

#include "syntax/internal/own_tables.h"

namespace ensue::syntax::internal {
namespace {

namespace atn = antlr4::atn;
namespace dfa = antlr4::dfa;

dfa::DFAState* learnt(const dfa::DFAState& state, size_t symbol) {
  auto found = state.edges.find(symbol);
  return found == state.edges.end() ? nullptr : found->second;
}

class LexerSimulator final : public atn::LexerATNSimulator {
 public:
  using LexerATNSimulator::LexerATNSimulator;
  dfa::DFAState* getExistingTargetState(dfa::DFAState* state, size_t symbol) override {
    return symbol <= MAX_DFA_EDGE ? learnt(*state, symbol - MIN_DFA_EDGE) : nullptr;
  }
};

class ParserSimulator final : public atn::ParserATNSimulator {
 public:
  using ParserATNSimulator::ParserATNSimulator;
  dfa::DFAState* getExistingTargetState(dfa::DFAState* state, size_t symbol) override {
    return learnt(*state, symbol);
  }
};

struct Tables {
  explicit Tables(const atn::ATN& grammar) {
    for (size_t i = 0; i < grammar.getNumberOfDecisions(); ++i)
      decisions.emplace_back(grammar.getDecisionState(i), i);
  }
  std::vector<dfa::DFA> decisions;
  atn::PredictionContextCache contexts;
};

// The reader owns what it is given.
template <class Simulator, class Reader>
void use_tables(Reader& reader, Tables& tables) {
  reader.setInterpreter(new Simulator(&reader, reader.getATN(), tables.decisions, tables.contexts));
}

}  // namespace

void use_own_tables(grammar::EnsueLexer& lexer) {
  thread_local Tables tables(lexer.getATN());
  use_tables<LexerSimulator>(lexer, tables);
}

void use_own_tables(grammar::EnsueParser& parser) {
  thread_local Tables tables(parser.getATN());
  use_tables<ParserSimulator>(parser, tables);
}

}  // namespace ensue::syntax::internal
