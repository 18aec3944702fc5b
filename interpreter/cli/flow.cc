// `ensue flow start`: a flow that is called, or a screen flow, which asks on the terminal or takes
// its answers from a file.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "base/fold.h"
#include "cli/store_flags.h"
#include "intake/event_reader.h"
#include "intake/json_tape.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

using Values = engine::Cascade::Values;

struct FlowFlags {
  StoreFlags store;
  std::vector<std::string> words;
  std::string person;
  std::string answers;
};

// A text as a value of a type: what a person types, and what a parameter holds.
Result<Value> typed(const engine::Program& program, const types::Type& type,
                    const std::string& name, const std::string& text) {
  if (text.empty()) return Value();
  bool bare = type.numeric() || type.is(types::TypeKind::kBoolean);
  std::string json = text;
  if (!bare) {
    json.clear();
    value::append_json_text(json, text);
  }
  intake::JsonTape tape({size_t{1} << 20, 4});
  Status parsed = tape.parse(json);
  Result<Value> out{ErrorCode::kInvalidArgument, ""};
  if (parsed) {
    out = intake::value_from_json(tape, intake::JsonTape::kRoot, program.schema(), type,
                                  program.options.bounds, false);
  }
  if (out) return out;
  return {ErrorCode::kInvalidArgument, fmt::format("{}: \"{}\" does not fit", name, text)};
}

// One object, or a list of them: one for each screen.
Result<std::vector<nlohmann::json>> read_answers(const std::string& path) {
  Result<std::string> text = read_file(path);
  if (!text) return text.error();
  auto json = nlohmann::json::parse(*text, nullptr, false);
  std::vector<nlohmann::json> out;
  if (json.is_object()) out.push_back(json);
  if (json.is_array()) out.assign(json.begin(), json.end());
  for (const nlohmann::json& row : out) {
    if (!row.is_object()) out.clear();
  }
  if (out.empty())
    return {ErrorCode::kInvalidArgument,
            path + ": an object of answers, or a list of them, is expected"};
  return out;
}

const plan::ScreenPlan* screen_named(const plan::UnitPlan& unit, const std::string& title) {
  for (const plan::ScreenPlan& screen : unit.body->screens) {
    if (screen.title == title) return &screen;
  }
  return nullptr;
}

// What is wrong with an answer, as the engine would say it once all are given; empty: nothing.
std::string complaint(const engine::Program& program, const plan::AskPlan& ask,
                      const Value& value) {
  if (value.is_blank())
    return ask.required && ask.default_value.is_blank()
               ? fmt::format("\"{}\" needs an answer", ask.label)
               : "";
  if (!ask.type.is(types::TypeKind::kPicklist)) return "";
  const types::Picklist& choices = program.schema().picklist(ask.type.picklist);
  if (choices.open || choices.find(value.as_text()) != nullptr) return "";
  return fmt::format("choose one of {}", fmt::join(choices.values, ", "));
}

// Each question until its answer fits; the input may end at any of them.
Result<Values> ask(const engine::Program& program, const plan::ScreenPlan& screen) {
  Values out;
  print(screen.title + "\n");
  for (const plan::AskPlan& ask : screen.asks) {
    std::string shown_default =
        ask.default_value.is_blank() ? "" : " [" + value::plain_text(ask.default_value) + "]";
    for (;;) {
      print(fmt::format("  {}{}: ", ask.label, shown_default));
      std::fflush(stdout);
      std::string line;
      if (!std::getline(std::cin, line))
        return {ErrorCode::kCancelled, "the input has ended; the flow waits for its answers"};
      Result<Value> value = typed(program, ask.type, ask.label, line);
      std::string wrong = value ? complaint(program, ask, *value) : value.error().message;
      if (wrong.empty()) {
        out.emplace_back(ask.name, std::move(*value));
        break;
      }
      print("  " + wrong + "\n");
    }
  }
  return out;
}

Result<Values> from_file(const engine::Program& program, const plan::ScreenPlan& screen,
                         const nlohmann::json& row) {
  Values out;
  for (const auto& [name, given] : row.items()) {
    types::Type type = types::Type::of(types::TypeKind::kText);
    for (const plan::AskPlan& ask : screen.asks) {
      if (base::equal_folded(ask.name, name)) type = ask.type;
    }
    std::string text = given.is_string() ? given.get<std::string>() : given.dump();
    Result<Value> value = typed(program, type, name, given.is_null() ? "" : text);
    if (!value) return value.error();
    out.emplace_back(name, std::move(*value));
  }
  return out;
}

// The screen that waits for this person, when there is one.
Result<std::optional<FlowRunRow>> asking(engine::Runtime& runtime, const std::string& user) {
  std::optional<FlowRunRow> out;
  Status looked = runtime.store().read([&](StoreReader& reader) {
    return reader.visit_flow_runs("asking", [&](const FlowRunRow& row) {
      if (row.user == user) out = row;
      return true;
    });
  });
  if (!looked) return looked.error();
  return out;
}

int start(const FlowFlags& flags, const std::string& name, const std::vector<std::string>& given) {
  if (flags.person.empty()) {
    complain("say with --as USER who starts it");
    return kExitUsage;
  }
  OpenedRuntime opened =
      open_runtime(flags.store.store, flags.store.program, flags.store.output, true);
  if (opened.exit_code != kExitFine) return opened.exit_code;
  engine::Runtime& runtime = *opened.runtime;
  const engine::Program& program = runtime.program();
  const plan::UnitPlan* unit = program.find_flow(name, plan::UnitKind::kScreenFlow);
  if (unit == nullptr) unit = program.find_flow(name, plan::UnitKind::kFlow);
  Values arguments;
  for (const std::string& word : given) {
    size_t at = word.find('=');
    std::string key = word.substr(0, at);
    types::Type type = types::Type::of(types::TypeKind::kText);
    for (size_t i = 0; unit != nullptr && i < unit->body->takes.size(); ++i) {
      if (base::equal_folded(unit->body->takes[i].name, key)) type = unit->body->takes[i].type;
    }
    Result<Value> value = typed(program, type, key, word.substr(at + 1));
    if (!value) return fail(value.error());
    arguments.emplace_back(key, std::move(*value));
  }
  std::vector<nlohmann::json> rows;
  if (!flags.answers.empty()) {
    Result<std::vector<nlohmann::json>> read = read_answers(flags.answers);
    if (!read) return fail(read.error());
    rows = std::move(*read);
  } else if (::isatty(STDIN_FILENO) == 0 && unit != nullptr && !unit->body->screens.empty()) {
    complain("give the answers with --answers FILE, or start it on a terminal");
    return kExitUsage;
  }
  if (Status moved = catch_up(runtime, flags.store); !moved) return fail(moved.error());
  std::string user = runtime.directory().user_named(flags.person);
  Result<BatchReport> done = runtime.start_flow(name, arguments, flags.person);
  for (size_t screen_number = 0; done; ++screen_number) {
    for (const Decision& decision : done->decisions) print(decision.json() + "\n");
    Result<std::optional<FlowRunRow>> row = asking(runtime, user);
    if (!row) return fail(row.error());
    const plan::ScreenPlan* screen =
        row->has_value() && unit != nullptr ? screen_named(*unit, (*row)->detail) : nullptr;
    if (screen == nullptr) return kExitFine;
    if (!flags.answers.empty() && screen_number >= rows.size()) {
      complain(fmt::format("{} has no answers for the screen \"{}\"; the flow waits for them",
                           flags.answers, screen->title));
      return kExitWrong;
    }
    Result<Values> answers = flags.answers.empty()
                                 ? ask(program, *screen)
                                 : from_file(program, *screen, rows[screen_number]);
    if (!answers) return fail(answers.error());
    done = runtime.answer_screen(flags.person, *answers);
  }
  return fail(done.error());
}

int run_flow(const FlowFlags& flags) {
  if (flags.words.size() < 2 || flags.words[0] != "start") {
    complain("write: ensue flow start NAME [PARAMETER=VALUE…] [PATH…]");
    return kExitUsage;
  }
  FlowFlags copy = flags;
  std::vector<std::string> given;
  for (size_t i = 2; i < flags.words.size(); ++i) {
    bool argument = flags.words[i].find('=') != std::string::npos;
    (argument ? given : copy.store.program.paths).push_back(flags.words[i]);
  }
  return start(copy, flags.words[1], given);
}

}  // namespace

void add_flow(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<FlowFlags>();
  CLI::App* command = app.add_subcommand("flow", "Start a flow that is called, or a screen flow");
  command->add_option("WORDS", flags->words,
                      "start NAME PARAMETER=VALUE…, then PATH… when other automations than the "
                      "kept ones are meant");
  flags->store.add_to(*command, true);
  command->add_option("--as", flags->person, "Who starts it, and answers");
  command->add_option("--answers", flags->answers,
                      "A JSON file of answers by name: an object, or one for each screen");
  commands.push_back({command, [flags] { return run_flow(*flags); }});
}

}  // namespace ensue::cli
