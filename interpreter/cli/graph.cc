// `ensue graph`: pictures of automations, and of who starts whom.
#include "graph/flow_graph.h"

#include <fmt/format.h>

#include <fstream>

#include "base/fold.h"
#include "base/near_miss.h"
#include "cli/command.h"
#include "graph/trigger_graph.h"

namespace ensue::cli {
namespace {

struct GraphFlags {
  ProgramFlags program;
  OutputFlags output;
  std::string automation;
  std::string file;
  bool dot = false;
  bool svg = false;
  bool mermaid = false;
  bool plan = false;
  bool triggers = false;
};

std::string render(const GraphFlags& flags, const graph::FlowGraph& graph) {
  if (flags.dot) return graph::render_dot(graph);
  if (flags.svg) return graph::render_svg(graph);
  if (flags.mermaid) return graph::render_mermaid(graph);
  return graph::render_text(graph);
}

// What the rule index makes of the automations: how many can be found by owner, and how many are
// looked at on every event.
std::string plan_text(const engine::Program& program) {
  std::map<std::string, std::array<size_t, 3>> by_object;
  for (const plan::UnitPtr& unit : program.units) {
    if (!unit->object) continue;  // called, or by a schedule
    ++by_object[program.schema().object(unit->object).name][static_cast<size_t>(unit->scope)];
  }
  std::vector<std::vector<std::string>> rows{
      {"object", "by owner", "by manager", "on every event"}};
  for (const auto& [object, counts] : by_object) {
    rows.push_back({object, grouped(counts[0]), grouped(counts[1]), grouped(counts[2])});
  }
  return table(rows, {false, true, true, true});
}

int run_graph(const GraphFlags& flags) {
  LoadedProgram loaded = load_or_complain(flags.program, flags.output, false);
  if (loaded.exit_code != kExitFine) return loaded.exit_code;
  const check::CheckedModule& module = *loaded.loaded.module;
  if (flags.plan) {
    print(plan_text(*loaded.loaded.program));
    return kExitFine;
  }
  std::vector<const check::Automation*> found;
  std::vector<std::string> names;
  for (const check::Automation& automation : module.automations) {
    names.push_back(automation.name);
    bool wanted = flags.automation.empty() || base::equal_folded(automation.name, flags.automation);
    if (wanted) found.push_back(&automation);
  }
  if (!flags.automation.empty() && found.empty()) {
    auto near = base::nearest(flags.automation, names);
    complain(fmt::format("there is no automation \"{}\"{}", flags.automation,
                         near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
    return kExitWrong;
  }
  std::string text;
  bool one = !flags.triggers && (found.size() == 1 || !flags.automation.empty());
  if (one) {
    for (const check::Automation* automation : found)
      text += render(flags, graph::build_graph(module, *automation));
  } else {
    text = render(flags, graph::build_trigger_graph(module).graph);
  }
  if (flags.file.empty()) {
    print(text);
    return kExitFine;
  }
  std::ofstream out(flags.file, std::ios::binary);
  out << text;
  out.close();
  if (!out) return fail({ErrorCode::kIo, fmt::format("cannot write {}", flags.file)});
  return kExitFine;
}

}  // namespace

void add_graph(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<GraphFlags>();
  CLI::App* command = app.add_subcommand("graph", "Draw an automation, or who starts whom");
  flags->program.add_to(*command, true);
  command->add_option("--automation", flags->automation,
                      "Draw this one; without it, the only one, or the trigger graph of all");
  command->add_flag("--triggers", flags->triggers,
                    "Draw the trigger graph: who writes what whose trigger reads");
  auto* dot = command->add_flag("--dot", flags->dot, "For Graphviz");
  auto* svg = command->add_flag("--svg", flags->svg, "A picture");
  auto* mermaid = command->add_flag("--mermaid", flags->mermaid, "For Markdown");
  dot->excludes(svg)->excludes(mermaid);
  svg->excludes(mermaid);
  command->add_flag("--plan", flags->plan, "Show how events find the automations they may start");
  command->add_option("-o,--out", flags->file, "Write to a file");
  commands.push_back({command, [flags] { return run_graph(*flags); }});
}

}  // namespace ensue::cli
