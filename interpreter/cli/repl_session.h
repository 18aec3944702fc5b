// What a REPL does with what is typed, apart from the terminal: declarations join the program,
// sentences of tests are carried out, expressions are answered. Its engine is the engine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/program.h"
#include "engine/scenario.h"

namespace ensue::cli {

class ReplSession {
 public:
  ReplSession(ProgramOptions options, bool color) : options_(std::move(options)), color_(color) {}

  struct Answer {
    std::string text;         // to be shown; ends with a line break when not empty
    bool incomplete = false;  // more lines could make the input whole
    bool failed = false;
    bool quit = false;
  };

  // Loads files and folders; the answer tells what was loaded, or what is wrong.
  Answer load(const std::vector<std::string>& paths);
  // One input, of one or several lines. With `last`, no more lines will come: an incomplete input
  // is an error.
  Answer take(const std::string& input, bool last);

 private:
  struct Typed {
    std::string kind;
    std::string name;
    std::string text;
  };

  Answer command(const std::string& line);
  Answer declare(const std::string& text, const std::string& kind, const std::string& name);
  Answer carry_out(const engine::Loaded& loaded);
  Answer answer_value(const engine::Loaded& loaded);
  Answer explain(const std::vector<std::string>& words);
  std::vector<SourceText> sources() const;
  engine::Loaded check(const engine::SessionText* session) const;
  Answer rejected(const engine::Loaded& loaded, bool incomplete) const;
  void remember(const engine::Loaded& loaded);
  std::string news();
  Status start(engine::ProgramPtr program);

  ProgramOptions options_;
  bool color_;
  std::vector<std::string> paths_;
  std::vector<SourceText> files_;
  std::vector<Typed> typed_;
  std::unique_ptr<engine::Scenario> scenario_;
  std::map<std::string, std::string, base::FoldedLess> records_;  // ids and their objects
  std::string it_;  // the record last given or changed
};

}  // namespace ensue::cli
