#include "support/programs.h"

#include <catch2/catch.hpp>

#include "adapters/memory_store.h"
#include "source/render.h"

namespace ensue::testing {

engine::Loaded load(std::string text, ProgramOptions options) {
  return engine::load_program(
      {{{"test.ensue", std::move(text)}}, std::move(options), nullptr, nullptr});
}

engine::Loaded sound(std::string text, ProgramOptions options) {
  engine::Loaded loaded = load(std::move(text), std::move(options));
  INFO(shown(loaded));
  REQUIRE_FALSE(loaded.has_errors);
  return loaded;
}

engine::ProgramPtr program_of(std::string text, ProgramOptions options) {
  return sound(std::move(text), std::move(options)).program;
}

std::vector<std::string> codes_of(const engine::Loaded& loaded) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    const Place& place = diagnostic.primary.place;
    out.push_back(diagnostic.code + " " + std::to_string(place.line) + ":" +
                  std::to_string(place.column));
  }
  return out;
}

std::string shown(const engine::Loaded& loaded) {
  return source::render_text(loaded.diagnostics, *loaded.sources, {false, 0});
}

Bench::Bench(engine::ProgramPtr program, engine::RuntimeOptions options)
    : Bench(std::move(program), std::shared_ptr<Store>(adapters::make_memory_store()), options) {}

Bench::Bench(engine::ProgramPtr program, std::shared_ptr<Store> store,
             engine::RuntimeOptions options)
    : runtime_(std::move(store), options) {
  Status used = runtime_.use(std::move(program));
  REQUIRE(used);
}

BatchReport Bench::send(const std::vector<std::string>& lines) {
  engine::Runtime::Lines batch;
  batch.source = "test";
  for (const std::string& line : lines) batch.lines.push_back({line, ++lines_});
  Result<BatchReport> report = runtime_.submit(batch);
  if (!report) FAIL(report.error().message);
  return std::move(*report);
}

std::string decisions_text(const BatchReport& report) {
  std::string out;
  for (const Decision& decision : report.decisions) out += decision.json() + "\n";
  return out;
}

}  // namespace ensue::testing
