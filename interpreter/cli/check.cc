// `ensue check`: parse, resolve, type, analyse.
#include <fmt/format.h>
#include <unistd.h>

#include <set>

#include "adapters/memory_store.h"
#include "cli/command.h"
#include "cli/line_reader.h"
#include "graph/trigger_graph.h"
#include "source/render.h"

namespace ensue::cli {
namespace {

struct CheckFlags {
  ProgramFlags program;
  OutputFlags output;
  std::vector<std::string> records;
  std::string dump;
  bool strict = false;
};

// The users, queues and cadences of files of records, typed by the project's own schema.
Result<check::KnownRecords> read_known(const std::vector<std::string>& files,
                                       const engine::Loaded& first) {
  check::KnownRecords out;
  const types::Schema& schema = first.module->schema;
  Bounds bounds = first.module->options.bounds;
  for (const std::string& file : files) {
    Result<LineReader> lines = LineReader::open(file, bounds.event_bytes_max);
    if (!lines) return lines.error();
    intake::EventReader reader(schema, bounds, file);
    for (;;) {
      auto line = lines->next();
      if (!line) return line.error();
      if (!line->has_value()) break;
      intake::LineResult result = reader.read(**line, lines->line_number());
      if (result.kind == intake::LineResult::Kind::kPoison) {
        return {ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: {}", file, lines->line_number(), result.reason)};
      }
      for (const types::Event& event : result.events) {
        const types::Object& object = schema.object(event.object);
        auto name_to = [&](check::NameSet& names, std::initializer_list<const char*> fields) {
          names.insert(event.record);
          for (const char* field : fields) {
            std::string_view name = event.set[object.find_stored(field)].as_text();
            if (!name.empty()) names.insert(std::string(name));
          }
        };
        if (object.name == "User") name_to(out.users, {"Username", "Email"});
        if (object.name == "Queue") name_to(out.queues, {"Name"});
        if (object.name == "ActionCadence") name_to(out.cadences, {"Name"});
      }
    }
  }
  return out;
}

std::string dump_text(const std::string& what, const engine::Loaded& loaded) {
  std::string out;
  if (what == "ast") {
    for (const check::CheckedFile& file : loaded.module->files) {
      if (file.library) continue;
      out += fmt::format("# {}\n{}", loaded.sources->file(file.tree->file()).name(),
                         syntax::dump_tree(*file.tree));
    }
  } else if (what == "types") {
    for (const check::CheckedFile& file : loaded.module->files) {
      if (file.library) continue;
      const std::string& name = loaded.sources->file(file.tree->file()).name();
      for (syntax::NodeId id(size_t{0}); id.index < file.tree->node_count(); ++id.index) {
        const check::Fact& fact = file.facts.of(id);
        if (fact.type.error() && fact.binding == check::Binding::kNone) continue;
        source::Position at =
            loaded.sources->file(file.tree->file()).position_of(file.tree->node(id).begin);
        out += fmt::format("{}:{}:{}: `{}` is {}\n", name, at.line, at.column,
                           file.tree->written(id), loaded.module->schema.type_name(fact.type));
      }
    }
  } else if (what == "graph") {
    for (const check::Automation& automation : loaded.module->automations) {
      out += graph::render_text(graph::build_graph(*loaded.module, automation));
    }
    out += graph::render_text(graph::build_trigger_graph(*loaded.module).graph);
  } else if (what == "plan" && loaded.program != nullptr) {
    for (const plan::UnitPtr& unit : loaded.program->units) {
      out += plan::dump(*unit, loaded.module->schema, loaded.module->functions);
    }
  }
  return out;
}

int run_check(const CheckFlags& flags) {
  if (auto problem = flags.program.problem()) {
    complain(*problem);
    return kExitUsage;
  }
  Result<std::vector<SourceText>> sources = read_sources(flags.program.paths);
  if (!sources) return fail(sources.error());
  engine::Loaded loaded = engine::load_program({*sources, flags.program.options(), nullptr});
  if (!flags.records.empty()) {
    Result<check::KnownRecords> known = read_known(flags.records, loaded);
    if (!known) return fail(known.error());
    loaded = engine::load_program({*sources, flags.program.options(), &*known});
  }
  if (!flags.dump.empty()) {
    if (loaded.has_errors) print_diagnostics(loaded, flags.output, true);
    print(dump_text(flags.dump, loaded));
    return loaded.has_errors ? kExitWrong : kExitFine;
  }
  print_diagnostics(loaded, flags.output, true);
  if (!flags.output.json()) {
    size_t automations = 0;
    for (const check::Automation& automation : loaded.module->automations) {
      automations += loaded.module->file(automation.declaration.file).library ? 0 : 1;
    }
    fmt::print(stderr, "{}: {} in {}\n", source::render_counts(loaded.diagnostics),
               counted(automations, "automation"), counted(sources->size(), "file"));
  }
  bool wrong = loaded.has_errors || (flags.strict && loaded.has_warnings);
  return wrong ? kExitWrong : kExitFine;
}

}  // namespace

void add_check(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* command = app.add_subcommand("check", "Check automations without running them");
  flags->program.add_to(*command, true);
  command->add_option("--records", flags->records,
                      "Records that names of users, queues and cadences are looked up in");
  command->add_option("--dump", flags->dump, "Print a stage instead: ast, types, graph or plan")
      ->check(CLI::IsMember({"ast", "types", "graph", "plan"}));
  command->add_flag("--strict", flags->strict, "Warnings are errors");
  flags->output.add_to(*command);
  commands.push_back({command, [flags] { return run_check(*flags); }});
}

}  // namespace ensue::cli
