#include "cli/repl_session.h"

#include <fmt/format.h>

#include <sstream>

#include "adapters/memory_store.h"
#include "cli/command.h"
#include "engine/explain.h"
#include "source/render.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

using syntax::NodeKind;
namespace ast = syntax::ast;

constexpr const char* kHelp =
    "Type a declaration (action, cadence, limits, …), a sentence of a test, or an expression:\n"
    "  given User \"ana\" with Username to \"ana@x.test\"\n"
    "  given Lead \"l1\" with LastName to \"Roe\", Owner to \"ana\"\n"
    "  when \"l1\" set Status to \"Working\"\n"
    "  advance 3 days\n"
    "  expect \"l1\" in cadence \"Enterprise Outreach\"\n"
    "  Status            the value of a field of the record last touched\n"
    "A sentence may go over several lines; an empty line ends one that will not.\n"
    "  :list             what is declared\n"
    "  :records          the records there are\n"
    "  :clock            what time it is\n"
    "  :why [not] \"ACTION\" for Lead/l1\n"
    "  :load PATH…       more files; :reload reads them again\n"
    "  :reset            forget records, clock and what was typed\n"
    "  :quit             leave\n";

// The words of a command line; double quotes keep blanks together.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> out;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) out.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) out.push_back(word);
  return out;
}

bool is_declaration(NodeKind kind) {
  switch (kind) {
    case NodeKind::kObjectDecl:
    case NodeKind::kExtendDecl:
    case NodeKind::kFunctionDecl:
    case NodeKind::kActionDecl:
    case NodeKind::kFlowDecl:
    case NodeKind::kCadenceDecl:
    case NodeKind::kQuickCadenceDecl:
    case NodeKind::kTemplateDecl:
    case NodeKind::kScriptDecl:
    case NodeKind::kRoutingDecl:
    case NodeKind::kLimitsDecl:
    case NodeKind::kCalendarDecl:
    case NodeKind::kTestDecl: return true;
    default: return false;
  }
}

std::string line_of(const Decision& decision) {
  std::string out = fmt::format("  {} \"{}\" {} on {} for {}", decision.kind, decision.automation,
                                decision.status, decision.record, decision.user);
  for (const EffectRecord& effect : decision.effects) {
    out += fmt::format("\n    {}{}: {}", effect.op,
                       effect.cadence.empty() ? "" : " \"" + effect.cadence + "\"", effect.outcome);
  }
  if (decision.limit) {
    out += fmt::format("\n    {} of {} {} used, free again at {}", decision.limit->count,
                       decision.limit->max, decision.limit->counter,
                       value::instant_text(decision.limit->resets_at));
  }
  if (!decision.fault.empty()) out += "\n    " + decision.fault;
  return out + "\n";
}

}  // namespace

std::vector<SourceText> ReplSession::sources() const {
  std::vector<SourceText> out = files_;
  for (const Typed& typed : typed_)
    out.push_back({fmt::format("typed {} \"{}\"", typed.kind, typed.name), typed.text});
  return out;
}

engine::Loaded ReplSession::check(const engine::SessionText* session) const {
  engine::LoadInput input;
  input.sources = sources();
  input.options = options_;
  input.session = session;
  return engine::load_program(std::move(input));
}

ReplSession::Answer ReplSession::rejected(const engine::Loaded& loaded, bool incomplete) const {
  Answer out;
  out.failed = true;
  out.incomplete = incomplete;
  source::RenderOptions options;
  options.color = color_;
  out.text = source::render_text(loaded.diagnostics, *loaded.sources, options);
  return out;
}

Status ReplSession::start(engine::ProgramPtr program) {
  if (scenario_ == nullptr) {
    scenario_ =
        std::make_unique<engine::Scenario>(std::move(program), adapters::make_memory_store());
    return {};
  }
  return scenario_->use(std::move(program));
}

ReplSession::Answer ReplSession::load(const std::vector<std::string>& paths) {
  Answer out;
  std::vector<std::string> all = paths_;
  all.insert(all.end(), paths.begin(), paths.end());
  Result<std::vector<SourceText>> files = read_sources(all);
  if (!files) {
    out.failed = true;
    out.text = files.error().message + "\n";
    return out;
  }
  std::vector<SourceText> before = std::move(files_);
  files_ = std::move(*files);
  engine::Loaded loaded = check(nullptr);
  if (loaded.has_errors) {
    // The files before stay in force; the first load of all leaves none.
    files_ = std::move(before);
    Answer wrong = rejected(loaded, false);
    if (scenario_ == nullptr) {
      engine::Loaded empty = check(nullptr);
      if (empty.program != nullptr) (void)start(empty.program);
    }
    return wrong;
  }
  paths_ = std::move(all);
  if (Status started = start(loaded.program); !started) {
    out.failed = true;
    out.text = started.error().message + "\n";
    return out;
  }
  source::RenderOptions options;
  options.color = color_;
  out.text = source::render_text(loaded.diagnostics, *loaded.sources, options);
  if (!files_.empty()) {
    out.text += fmt::format(
        "{} and {} loaded from {}\n", counted(loaded.program->units.size(), "automation"),
        counted(loaded.module->tests.size(), "test"), counted(files_.size(), "file"));
  }
  return out;
}

ReplSession::Answer ReplSession::take(const std::string& input, bool last) {
  Answer out;
  size_t begin = input.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return out;
  if (input[begin] == ':') return command(input.substr(begin));
  engine::SessionText session{input, records_, it_.empty() ? "" : records_[it_]};
  engine::Loaded loaded = check(&session);
  if (loaded.session_incomplete && !last) {
    out.incomplete = true;
    return out;
  }
  if (!loaded.session.valid()) return rejected(loaded, false);
  const syntax::Tree& tree = loaded.module->tree(loaded.session.file);
  NodeKind kind = tree.kind(loaded.session.node);
  if (is_declaration(kind)) {
    syntax::NodeId name = tree.child(loaded.session.node, 0);
    return declare(input, syntax::kind_name(kind), std::string(tree.text(name)));
  }
  if (loaded.has_errors) return rejected(loaded, false);
  bool statement = kind >= NodeKind::kClockStmt && kind <= NodeKind::kExpectStmt;
  return statement ? carry_out(loaded) : answer_value(loaded);
}

// A declaration of the same kind and name replaces the one typed before.
ReplSession::Answer ReplSession::declare(const std::string& text, const std::string& kind,
                                         const std::string& name) {
  std::vector<Typed> before = typed_;
  std::string word = kind.substr(0, kind.size() - 4);
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::erase_if(typed_, [&](const Typed& row) {
    return row.kind == word && base::equal_folded(row.name, name);
  });
  typed_.push_back({word, name, text});
  engine::Loaded loaded = check(nullptr);
  if (loaded.has_errors) {
    typed_ = std::move(before);
    return rejected(loaded, false);
  }
  Answer out;
  if (Status started = start(loaded.program); !started) {
    out.failed = true;
    out.text = started.error().message + "\n";
    return out;
  }
  // Warnings about what was typed now; those about the files were shown when they were loaded.
  std::vector<Diagnostic> mine;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.primary.place.file == fmt::format("typed {} \"{}\"", word, name))
      mine.push_back(diagnostic);
  }
  source::RenderOptions options;
  options.color = color_;
  out.text = source::render_text(mine, *loaded.sources, options) +
             fmt::format("{} \"{}\" is in force\n", word, name);
  return out;
}

void ReplSession::remember(const engine::Loaded& loaded) {
  const syntax::Tree& tree = loaded.module->tree(loaded.session.file);
  syntax::NodeId id = loaded.session.node;
  auto put = [&](syntax::NodeId object, syntax::NodeId record) {
    it_ = tree.text(record);
    records_[it_] =
        loaded.module->schema.object(loaded.module->schema.find_object(tree.text(object))).name;
  };
  if (tree.is(id, NodeKind::kGivenRecord))
    put(ast::GivenRecord(tree, id).object(), ast::GivenRecord(tree, id).id());
  if (tree.is(id, NodeKind::kWhenCreated))
    put(ast::WhenCreated(tree, id).object(), ast::WhenCreated(tree, id).id());
  if (tree.is(id, NodeKind::kWhenSet)) it_ = tree.text(ast::WhenSet(tree, id).id());
}

std::string ReplSession::news() {
  std::string out;
  for (const Decision& decision : scenario_->take_news()) out += line_of(decision);
  return out;
}

ReplSession::Answer ReplSession::carry_out(const engine::Loaded& loaded) {
  Answer out;
  Result<std::optional<engine::Failure>> done =
      scenario_->carry_out(*loaded.module, loaded.session);
  if (!done) {
    out.failed = true;
    out.text = done.error().message + "\n";
    return out;
  }
  remember(loaded);
  out.text = news();
  if (*done) {
    out.failed = true;
    out.text += "  " + (*done)->message + "\n";
  } else if (out.text.empty()) {
    bool expects =
        loaded.module->tree(loaded.session.file).is(loaded.session.node, NodeKind::kExpectStmt);
    out.text = expects ? "  yes\n"
                       : fmt::format("  {}\n", value::instant_text(scenario_->runtime().now()));
  }
  return out;
}

ReplSession::Answer ReplSession::answer_value(const engine::Loaded& loaded) {
  Answer out;
  types::Type type = loaded.module->fact(loaded.session).type;
  bool condition =
      type.is(types::TypeKind::kBoolean) &&
      !loaded.module->tree(loaded.session.file).is(loaded.session.node, NodeKind::kPath);
  std::optional<std::pair<std::string, std::string>> it;
  if (!it_.empty()) it = {records_[it_], it_};
  Result<Value> value = scenario_->evaluate(*loaded.module, loaded.session, condition, it);
  if (!value) {
    out.failed = true;
    out.text = "  " + value.error().message + "\n";
    return out;
  }
  out.text = "  " + value::source_text(*value) + "\n";
  return out;
}

ReplSession::Answer ReplSession::explain(const std::vector<std::string>& words) {
  Answer out;
  size_t at = words.size() > 1 && words[1] == "not" ? 2 : 1;
  if (words.size() < at + 3 || words[at + 1] != "for") {
    out.failed = true;
    out.text = "write :why [not] \"AUTOMATION\" for Object/id\n";
    return out;
  }
  std::string record = words[at + 2];
  if (record.find('/') == std::string::npos && records_.count(record) != 0)
    record = records_[record] + "/" + record;
  Result<engine::Explanation> told =
      engine::explain(scenario_->runtime(), words[at], record, std::nullopt);
  out.failed = !told;
  out.text = told ? told->text() : told.error().message + "\n";
  return out;
}

ReplSession::Answer ReplSession::command(const std::string& line) {
  Answer out;
  std::vector<std::string> words = words_of(line.substr(0, line.find_last_not_of(" \t\r\n") + 1));
  const std::string& verb = words[0];
  if (verb == ":quit" || verb == ":q" || verb == ":exit") {
    out.quit = true;
  } else if (verb == ":help" || verb == ":h" || verb == ":?") {
    out.text = kHelp;
  } else if (verb == ":clock") {
    out.text = fmt::format("  {} ({})\n", value::instant_text(scenario_->runtime().now()),
                           scenario_->runtime().program().zone.name());
  } else if (verb == ":list") {
    for (const plan::UnitPtr& unit : scenario_->runtime().program().units) {
      out.text += fmt::format("  {} \"{}\"{}\n", plan::unit_kind_name(unit->kind), unit->name,
                              unit->author.empty() ? "" : " by \"" + unit->author + "\"");
    }
    for (const cadence::Definition& cadence : scenario_->runtime().program().cadences)
      out.text += fmt::format("  cadence \"{}\"\n", cadence.name);
    if (out.text.empty()) out.text = "  nothing yet\n";
  } else if (verb == ":records") {
    for (const auto& [id, object] : records_) out.text += fmt::format("  {} \"{}\"\n", object, id);
    if (out.text.empty()) out.text = "  none yet\n";
  } else if (verb == ":why") {
    return explain(words);
  } else if (verb == ":load") {
    return load({words.begin() + 1, words.end()});
  } else if (verb == ":reload") {
    return load({});
  } else if (verb == ":reset") {
    typed_.clear();
    records_.clear();
    it_.clear();
    scenario_.reset();
    return load({});
  } else {
    out.failed = true;
    out.text = fmt::format("there is no command {}; :help lists them\n", verb);
  }
  return out;
}

}  // namespace ensue::cli
