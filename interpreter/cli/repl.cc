// `ensue repl`: the terminal around a session. Lines are edited with libedit; an input of several
// lines is one entry of the history, recalled as a whole.
#include <fmt/format.h>
#include <histedit.h>
#include <langinfo.h>
#include <signal.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "cli/command.h"
#include "cli/repl_session.h"
#include "ensue/version.h"

namespace ensue::cli {
namespace {

struct ReplFlags {
  ProgramFlags program;
  OutputFlags output;
};

// Input that does not come from a terminal: a script. Nothing is prompted; the exit code tells
// whether all of it held.
int run_script(ReplSession& session) {
  std::string input;
  std::string line;
  bool failed = false;
  bool more = true;
  while (more) {
    more = static_cast<bool>(std::getline(std::cin, line));
    if (more) input += line + "\n";
    bool ended = !more || line.empty();
    ReplSession::Answer answer = session.take(input, ended);
    if (answer.incomplete && !ended) continue;
    print(answer.text);
    failed = failed || answer.failed;
    input.clear();
    if (answer.quit) break;
  }
  return failed ? kExitWrong : kExitFine;
}

class Terminal {
 public:
  Terminal() : history_(history_init()), editor_(el_init("ensue", stdin, stdout, stderr)) {
    HistEvent event;
    constexpr int kEntriesMax = 1000;
    history(history_, &event, H_SETSIZE, kEntriesMax);
    history(history_, &event, H_SETUNIQUE, 1);
    if (const char* home = std::getenv("HOME")) {
      file_ = std::filesystem::path(home) / ".ensue_history";
      history(history_, &event, H_LOAD, file_.c_str());
    }
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &Terminal::prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_set(editor_, EL_SIGNAL, 0);
    el_source(editor_, nullptr);
  }
  ~Terminal() {
    HistEvent event;
    if (!file_.empty()) history(history_, &event, H_SAVE, file_.c_str());
    el_end(editor_);
    history_end(history_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // False at the end of the input (Ctrl-D). `interrupted`: Ctrl-C was pressed.
  bool read(bool continued, std::string& line, bool& interrupted) {
    continued_ = continued;
    int count = 0;
    errno = 0;
    const char* text = el_gets(editor_, &count);
    interrupted = text == nullptr && errno == EINTR;
    if (interrupted) {
      el_reset(editor_);
      return true;
    }
    if (text == nullptr || count <= 0) return false;
    line.assign(text, static_cast<size_t>(count));
    return true;
  }

  void remember(std::string input) {
    while (!input.empty() && (input.back() == '\n' || input.back() == ' ')) input.pop_back();
    if (input.empty()) return;
    HistEvent event;
    history(history_, &event, H_ENTER, input.c_str());
  }

 private:
  static const char* prompt(EditLine* editor) {
    Terminal* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    if (!self->continued_) return "ensue> ";
    return self->utf8_ ? "  … " : "  ... ";
  }

  // libedit reads bytes by the locale: what it cannot read it drops, and a prompt it cannot read
  // ends the process.
  bool utf8_ = std::string_view(nl_langinfo(CODESET)) == "UTF-8" ||
               std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  ::History* history_;
  EditLine* editor_;
  std::filesystem::path file_;
  bool continued_ = false;
};

void nothing(int) {}

int run_terminal(ReplSession& session) {
  struct sigaction action {};
  action.sa_handler = nothing;  // a Ctrl-C ends the line, not the program
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  Terminal terminal;
  std::string input;
  for (;;) {
    std::string line;
    bool interrupted = false;
    if (!terminal.read(!input.empty(), line, interrupted)) break;
    if (interrupted) {
      input.clear();
      print("\n");
      std::fflush(stdout);
      continue;
    }
    bool ended = !input.empty() && line == "\n";
    input += line;
    ReplSession::Answer answer = session.take(input, ended);
    if (answer.incomplete && !ended) continue;
    terminal.remember(input);
    input.clear();
    print(answer.text);
    std::fflush(stdout);
    if (answer.quit) return kExitFine;
  }
  print("\n");
  return kExitFine;
}

int run_repl(const ReplFlags& flags) {
  if (auto problem = flags.program.problem()) {
    complain(*problem);
    return kExitUsage;
  }
  bool terminal = ::isatty(STDIN_FILENO) != 0;
  ReplSession session(flags.program.options(), flags.output.colored(STDOUT_FILENO));
  ReplSession::Answer loaded = session.load(flags.program.paths);
  if (terminal) print(fmt::format("Ensue {}; :help tells what can be typed\n", kVersion));
  print(loaded.text);
  std::fflush(stdout);
  int code = terminal ? run_terminal(session) : run_script(session);
  return loaded.failed && !terminal ? kExitWrong : code;
}

}  // namespace

void add_repl(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<ReplFlags>();
  CLI::App* command = app.add_subcommand("repl", "Author automations against a live engine");
  flags->program.add_to(*command, false);
  flags->output.add_to(*command);
  commands.push_back({command, [flags] { return run_repl(*flags); }});
}

}  // namespace ensue::cli
