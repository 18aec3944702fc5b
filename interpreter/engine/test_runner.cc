#include "engine/test_runner.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "base/fold.h"
#include "base/workers.h"
#include "value/text.h"

namespace ensue::engine {
namespace {

using syntax::NodeId;
namespace ast = syntax::ast;

struct Job {
  const check::TestRef* test = nullptr;
  std::vector<std::string> columns;
  std::vector<NodeId> cells;
  std::string name;
};

std::vector<Job> collect(const check::CheckedModule& module, const std::string& filter) {
  std::vector<Job> out;
  for (const check::TestRef& test : module.tests) {
    const syntax::Tree& tree = module.tree(test.declaration.file);
    ast::TestDecl decl(tree, test.declaration.node);
    if (!filter.empty() && !base::contains_folded(test.name, filter)) continue;
    if (!decl.cases().valid()) {
      out.push_back({&test, {}, {}, test.name});
      continue;
    }
    ast::CaseTable table(tree, decl.cases());
    std::vector<std::string> columns;
    for (NodeId column : tree.items(table.columns())) columns.emplace_back(tree.text(column));
    for (NodeId row : tree.items(table.rows())) {
      Job job{&test, columns, {}, test.name + " ("};
      for (NodeId cell : tree.children(row)) {
        if (!job.cells.empty()) job.name += " | ";
        job.name += tree.written(cell);
        job.cells.push_back(cell);
      }
      job.name += ")";
      out.push_back(std::move(job));
    }
  }
  return out;
}

TestResult run_one(const ProgramPtr& program, const check::CheckedModule& module, const Job& job,
                   const TestOptions& options, Coverage* coverage) {
  source::FileId file = job.test->declaration.file;
  const syntax::Tree& tree = module.tree(file);
  TestResult out;
  out.name = job.name;
  out.file = module.sources->file(file).name();
  out.line =
      module.sources->file(file).position_of(tree.node(job.test->declaration.node).begin).line;
  Scenario scenario(program, options.make_store(), coverage);
  std::vector<Value> values;
  for (NodeId cell : job.cells) {
    Result<Value> value = scenario.evaluate(module, {file, cell}, false);
    if (!value) {
      out.failure = Failure{tree.span(cell), value.error().message};
      return out;
    }
    values.push_back(std::move(*value));
  }
  scenario.set_columns(job.columns, std::move(values));
  for (NodeId statement :
       tree.items(ast::TestDecl(tree, job.test->declaration.node).statements())) {
    Result<std::optional<Failure>> done = scenario.carry_out(module, {file, statement});
    if (!done) {
      out.world = done.error().message;
      return out;
    }
    if (*done) {
      out.failure = **done;
      return out;
    }
  }
  std::vector<std::string> faults = scenario.unexpected_faults();
  if (!faults.empty()) {
    out.failure = Failure{tree.span(ast::TestDecl(tree, job.test->declaration.node).name()),
                          "the test ends with a fault it did not expect: " + faults[0]};
    return out;
  }
  out.passed = true;
  return out;
}

std::string place_of(const Program& program, const plan::UnitPlan& unit, plan::SourceRange range,
                     std::string& text) {
  const source::SourceFile* file = program.texts->find(*unit.file);
  if (file == nullptr) return *unit.file;
  source::Position at = file->position_of(range.begin);
  text = file->text().substr(range.begin, range.end - range.begin);
  return fmt::format("{}:{}:{}", *unit.file, at.line, at.column);
}

bool is_test(plan::Op op) { return (op >= plan::Op::kCompare && op <= plan::Op::kHas); }

}  // namespace

std::vector<TestResult> run_tests(const ProgramPtr& program, const check::CheckedModule& module,
                                  const TestOptions& options) {
  std::vector<Job> jobs = collect(module, options.filter);
  std::vector<TestResult> results(jobs.size());
  std::atomic<size_t> next{0};
  std::mutex merging;
  auto work = [&] {
    Coverage seen;
    for (size_t i = next++; i < jobs.size(); i = next++) {
      results[i] =
          run_one(program, module, jobs[i], options, options.coverage != nullptr ? &seen : nullptr);
    }
    if (options.coverage == nullptr) return;
    std::lock_guard lock(merging);
    options.coverage->merge(seen);
  };
  // Tests differ in length: each thread takes the next one, not a part of them.
  size_t threads = std::min<size_t>(options.threads, jobs.size());
  base::Workers(threads).split(threads, 1, [&](size_t, size_t, size_t) { work(); });
  return results;
}

CoverageReport report_coverage(const Program& program, const Coverage& coverage) {
  CoverageReport out;
  for (uint32_t number = 0; number < program.units.size(); ++number) {
    const plan::UnitPlan& unit = *program.units[number];
    // What runs inside of others is not started.
    bool called =
        unit.kind == plan::UnitKind::kSubflow || unit.kind == plan::UnitKind::kScreenFlow ||
        unit.kind == plan::UnitKind::kRouting ||
        (unit.kind == plan::UnitKind::kFlow && unit.trigger->kind == plan::TriggerKind::kCalled);
    if (called) continue;
    ++out.automations;
    std::string text;
    if (coverage.runs.count(number) != 0) {
      ++out.automations_run;
    } else {
      out.missing.push_back(fmt::format("{}: {} \"{}\" was never started",
                                        place_of(program, unit, unit.range, text),
                                        plan::unit_kind_name(unit.kind), unit.name));
    }
    for (uint32_t step = unit.condition.begin; step < unit.condition.end; ++step) {
      if (!is_test(unit.code.steps[step].op)) continue;
      auto found = coverage.tests.find({number, step});
      Coverage::Outcomes seen =
          found == coverage.tests.end() ? Coverage::Outcomes{} : found->second;
      out.outcomes += 2;
      out.outcomes_seen += (seen.was_true ? 1 : 0) + (seen.was_false ? 1 : 0);
      if (seen.was_true && seen.was_false) continue;
      std::string place = place_of(program, unit, unit.code.ranges[step], text);
      const char* missing = !seen.was_true && !seen.was_false ? "looked at"
                            : seen.was_true                   ? "false"
                                                              : "true";
      out.missing.push_back(fmt::format("{}: `{}` was never {}", place, text, missing));
    }
  }
  return out;
}

}  // namespace ensue::engine
