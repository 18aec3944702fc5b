// Programs for tests: loading a text, running lines through it, and what came of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/program.h"
#include "engine/runtime.h"
#include "ensue/store.h"

namespace ensue::testing {

// Loads one text as the file `test.ensue`.
engine::Loaded load(std::string text, ProgramOptions options = {});
// The same, of a text that must be free of errors; fails the test otherwise, showing them.
engine::Loaded sound(std::string text, ProgramOptions options = {});
// The program of a text that must be free of errors; fails the test otherwise, showing them.
engine::ProgramPtr program_of(std::string text, ProgramOptions options = {});
// `E0202 3:6` for each diagnostic, in order.
std::vector<std::string> codes_of(const engine::Loaded& loaded);
// The diagnostics as `ensue check` shows them, without colours.
std::string shown(const engine::Loaded& loaded);

// A program at work on a store in memory.
class Bench {
 public:
  explicit Bench(engine::ProgramPtr program, engine::RuntimeOptions options = {});
  Bench(engine::ProgramPtr program, std::shared_ptr<Store> store,
        engine::RuntimeOptions options = {});

  // Sends lines of JSON as one batch. The report's texts are the caller's.
  BatchReport send(const std::vector<std::string>& lines);
  BatchReport send(const std::string& line) { return send(std::vector<std::string>{line}); }
  engine::Runtime& runtime() { return runtime_; }

 private:
  engine::Runtime runtime_;
  uint64_t lines_ = 0;
};

// The decisions of a batch, one line of JSON each.
std::string decisions_text(const BatchReport& report);

}  // namespace ensue::testing
