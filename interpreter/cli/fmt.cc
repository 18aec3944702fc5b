// `ensue fmt`: the one layout.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/command.h"
#include "source/render.h"
#include "syntax/parse.h"
#include "syntax/printer.h"

namespace ensue::cli {
namespace {

struct FmtFlags {
  std::vector<std::string> paths;
  OutputFlags output;
  bool check = false;
  bool from_stdin = false;
};

// The formatted text; empty after a syntax error, which has been told.
std::optional<std::string> formatted(const std::string& name, std::string text,
                                     const OutputFlags& output) {
  source::SourceSet sources;
  source::DiagnosticSink sink;
  source::FileId file = sources.add(name, std::move(text));
  syntax::ParsedFile parsed = syntax::parse_file(sources, file, {}, sink);
  if (!sink.has_errors()) return syntax::format_tree(*parsed.tree);
  auto diagnostics = sink.diagnostics(sources);
  if (output.json()) {
    print(source::render_json(diagnostics) + "\n");
  } else {
    source::RenderOptions options;
    options.color = output.colored(2);
    fmt::print(stderr, "{}", source::render_text(diagnostics, sources, options));
  }
  return std::nullopt;
}

// Writes beside the file and renames, so that a full disk or a crash leaves the old text. A link
// stays one: its file changes.
Status replace_file(const std::string& name, const std::string& text) {
  std::error_code unknown;
  std::filesystem::path real = std::filesystem::canonical(name, unknown);
  std::string path = unknown ? name : real.string();
  std::string beside = path + ".new";
  {
    std::ofstream file(beside, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
      std::remove(beside.c_str());
      return {ErrorCode::kIo, fmt::format("cannot write {}", path)};
    }
  }
  std::error_code error;
  std::filesystem::permissions(beside, std::filesystem::status(path).permissions(), error);
  std::filesystem::rename(beside, path, error);
  if (error) return {ErrorCode::kIo, fmt::format("cannot write {}: {}", path, error.message())};
  return {};
}

int run_fmt(const FmtFlags& flags) {
  if (flags.from_stdin) {
    std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    auto out = formatted("standard input", text, flags.output);
    if (!out) return kExitWrong;
    if (flags.check) return *out == text ? kExitFine : kExitWrong;
    print(*out);
    return kExitFine;
  }
  if (flags.paths.empty()) {
    complain("name files or folders, or use --stdin");
    return kExitUsage;
  }
  Result<std::vector<SourceText>> sources = read_sources(flags.paths);
  if (!sources) return fail(sources.error());
  size_t changed = 0;
  bool wrong = false;
  for (const SourceText& source : *sources) {
    auto out = formatted(source.name, source.text, flags.output);
    if (!out) {
      wrong = true;
      continue;
    }
    if (*out == source.text) continue;
    ++changed;
    print(source.name + "\n");
    if (flags.check) continue;
    if (Status written = replace_file(source.name, *out); !written) return fail(written.error());
  }
  fmt::print(stderr, "{}: {} {}\n", counted(sources->size(), "file"), grouped(changed),
             flags.check ? "would change" : "changed");
  return wrong || (flags.check && changed > 0) ? kExitWrong : kExitFine;
}

}  // namespace

void add_fmt(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<FmtFlags>();
  CLI::App* command = app.add_subcommand("fmt", "Put files into the one layout");
  command->add_option("PATH", flags->paths, "Files, or folders read recursively for *.ensue");
  command->add_flag(
      "--check", flags->check,
      "Change nothing; list the files that would change, and exit 1 when there are any");
  command->add_flag("--stdin", flags->from_stdin, "Format standard input to standard output");
  flags->output.add_to(*command);
  commands.push_back({command, [flags] { return run_fmt(*flags); }});
}

}  // namespace ensue::cli
