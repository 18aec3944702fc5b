// `ensue graph`: pictures of automations, and of who starts whom.
#include "graph/flow_graph.h"

#include <fmt/format.h>

#include <fstream>

#include "base/fold.h"
#include "base/near_miss.h"
#include "cli/command.h"
#include "graph/trigger_graph.h"
#include "match/rule_index.h"

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

// What the rule index makes of the automations that records start: whom they are about, and what of
// their conditions finds them. What nothing finds is looked at on every event of those people.
std::string plan_text(const engine::Program& program) {
  match::RuleIndex index(program.units, program.schema(), program.options.bounds.run_steps_max,
                         [](const std::string&) { return std::string(); });
  std::vector<std::vector<std::string>> rows{{"object", "of the owner", "of a manager",
                                              "of everybody", "by a value", "by a range",
                                              "by a prefix", "one by one"}};
  for (const auto& [object, ways] : index.ways()) {
    std::vector<std::string> row{program.schema().object(object).name, grouped(ways.own),
                                 grouped(ways.team), grouped(ways.everybody)};
    for (size_t count : ways.by_way) row.push_back(grouped(count));
    rows.push_back(std::move(row));
  }
  return table(rows, {false, true, true, true, true, true, true, true});
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
