#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "adapters/memory_store.h"
#include "engine/runtime.h"
#include "engine/test_runner.h"
#include "fuzz/look.h"
#include "fuzz/targets.h"
#include "value/time_text.h"

namespace ensue::fuzz {
namespace {

constexpr int64_t kLaterMs = 40 * value::kDayMs;

// Runs the lines as one batch, then forty days more; everything that came of it.
std::string run(const engine::ProgramPtr& program, const std::vector<std::string_view>& lines) {
  engine::RuntimeOptions options;
  options.keep_all_verdicts = true;
  engine::Runtime runtime(std::shared_ptr<Store>(adapters::make_memory_store()), options);
  Status used = runtime.use(program);
  require(bool(used), "a program that was loaded can be used");
  std::string out;
  auto tell = [&](const Result<BatchReport>& report) {
    require(bool(report), "a store in memory does not fail: " +
                              (report ? std::string() : report.error().message));
    for (const Decision& decision : report->decisions) {
      std::string json = decision.json();
      require(nlohmann::json::accept(json), "a decision is JSON");
      out += json + "\n";
    }
    for (const std::string& notice : report->notices) out += notice + "\n";
    for (const DeadLetterRow& letter : report->dead_letters) out += letter.reason + "\n";
  };
  engine::Runtime::Lines batch;
  batch.source = "crm";
  for (size_t i = 0; i < lines.size(); ++i) batch.lines.push_back({lines[i], i + 1});
  tell(runtime.submit(batch));
  tell(runtime.advance({runtime.now().ms + kLaterMs}));
  return out + look_at_everything(runtime.store()) + explain_everything(runtime);
}

}  // namespace

void fuzz_run(std::string_view bytes) {
  constexpr std::string_view kMark = "\n---\n";
  constexpr size_t kLinesMax = 40;
  size_t mark = std::min(bytes.find(kMark), bytes.size());
  engine::Loaded loaded = engine::load_program(
      {{{"input.ensue", std::string(bytes.substr(0, mark))}}, {}, nullptr, nullptr});
  if (loaded.has_errors) return;
  std::vector<std::string_view> lines;
  for (size_t at = mark + kMark.size(); at < bytes.size() && lines.size() < kLinesMax;) {
    size_t end = std::min(bytes.find('\n', at), bytes.size());
    lines.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  std::string once = run(loaded.program, lines);
  require(once == run(loaded.program, lines), "the same stream gives the same decisions");
  engine::TestOptions options;
  options.make_store = [] { return std::shared_ptr<Store>(adapters::make_memory_store()); };
  for (const engine::TestResult& result :
       engine::run_tests(loaded.program, *loaded.module, options))
    require(result.world.empty(), "a test meets no error of the world: " + result.world);
}

}  // namespace ensue::fuzz
