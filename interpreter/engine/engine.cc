#include "ensue/engine.h"

#include <exception>
#include <iterator>

#include "engine/program.h"
#include "engine/runtime.h"

namespace ensue {

void BatchReport::add_counts(const BatchReport& later) {
  lines += later.lines;
  events += later.events;
  duplicates += later.duplicates;
  snapshots += later.snapshots;
  gaps += later.gaps;
  timers += later.timers;
  queries += later.queries;
  query_reads += later.query_reads;
  saves += later.saves;
  records_written += later.records_written;
  for (const auto& [status, count] : later.statuses) statuses[status] += count;
  for (const auto& [name, count] : later.unknown_fields) unknown_fields[name] += count;
  for (const auto& [name, count] : later.unknown_values) unknown_values[name] += count;
}

void BatchReport::add(BatchReport later) {
  add_counts(later);
  auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(decisions, later.decisions);
  append(dead_letters, later.dead_letters);
  append(notices, later.notices);
}

class Engine::Impl {
 public:
  Impl(std::shared_ptr<Store> store, EngineOptions given)
      : options(std::move(given)), runtime(std::move(store), runtime_options(options)) {}

  static engine::RuntimeOptions runtime_options(const EngineOptions& options) {
    engine::RuntimeOptions out;
    out.clock = options.clock;
    out.keep_all_verdicts = options.keep_all_verdicts;
    out.sink = options.sink;
    out.services = options.services;
    out.mail = options.mail;
    out.call_again_when_unknown = options.call_again_when_unknown;
    out.threads = options.threads;
    return out;
  }

  EngineOptions options;
  engine::Runtime runtime;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() {
  // Left by an exception, the batch at hand counts as begun and not ended.
  if (std::uncaught_exceptions() == 0) (void)impl_->runtime.rest();
}

Result<std::unique_ptr<Engine>> Engine::open(std::shared_ptr<Store> store, EngineOptions options) {
  auto impl = std::make_unique<Impl>(std::move(store), std::move(options));
  // The library alone is a program: records can be taken in before any automation is.
  engine::Loaded loaded = engine::load_program({{}, impl->options.program});
  if (Status used = impl->runtime.use(loaded.program); !used) return used.error();
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

LoadReport Engine::load(std::vector<SourceText> sources) {
  LoadReport out;
  // Users may come after the automations: an author who is not there yet is no error, his actions
  // are for nobody until he is.
  engine::LoadInput input{std::move(sources), impl_->options.program};
  engine::Loaded loaded = engine::load_program(std::move(input));
  out.diagnostics = std::move(loaded.diagnostics);
  if (loaded.has_errors) return out;
  out.not_run = loaded.program->not_run;
  out.ok = impl_->runtime.use(loaded.program).has_value();
  return out;
}

Status Engine::use(std::shared_ptr<const engine::Program> program) {
  return impl_->runtime.use(std::move(program));
}

Result<BatchReport> Engine::submit(const std::string& source, const std::vector<InputLine>& lines,
                                   const std::optional<CursorRow>& cursor) {
  return impl_->runtime.submit({source, lines, cursor, std::nullopt, false});
}

std::vector<Result<BatchReport>> Engine::submit_group(const std::vector<Batch>& batches) {
  std::vector<engine::Runtime::Lines> group;
  for (const Batch& batch : batches)
    group.push_back(
        {batch.source, batch.lines, batch.cursor, std::nullopt, false, batch.needs_ids});
  return impl_->runtime.submit_group(group);
}

Result<DeliveryReport> Engine::deliver() { return impl_->runtime.deliver(); }

Result<std::vector<Delivery>> Engine::begin_delivery(size_t most) {
  DeliveryReport report;
  Result<std::vector<IntentRow>> rows = impl_->runtime.begin_delivery(most, report);
  if (!rows) return rows.error();
  std::vector<Delivery> out;
  for (IntentRow& row : *rows) out.push_back({std::move(row), {}, false});
  return out;
}

std::function<void(Delivery&)> Engine::caller() const {
  return [sinks = impl_->runtime.outbox_sinks()](Delivery& delivery) {
    DeliveryReport report;
    delivery.answer = engine::call_sink(sinks, delivery.intent, report);
    delivery.called = report.calls > 0;
  };
}

Result<DeliveryReport> Engine::end_delivery(const std::vector<Delivery>& answered) {
  DeliveryReport report;
  std::vector<IntentRow> rows;
  std::vector<SinkAnswer> answers;
  for (const Delivery& delivery : answered) {
    rows.push_back(delivery.intent);
    answers.push_back(delivery.answer);
    report.calls += delivery.called ? 1 : 0;
  }
  Status ended = impl_->runtime.end_delivery(std::move(rows), answers, report);
  if (!ended) return ended.error();
  return report;
}

Result<std::optional<Instant>> Engine::next_due() {
  std::optional<Instant> due;
  Status looked = impl_->runtime.store().read([&](StoreReader& reader) -> Status {
    Result<std::optional<Instant>> next = reader.next_timer();
    if (!next) return next.error();
    due = *next;
    return {};
  });
  if (!looked) return looked.error();
  return due;
}

Result<BatchReport> Engine::advance(Instant now) { return impl_->runtime.advance(now); }

Result<BatchReport> Engine::run_reminder(const std::string& id_or_record,
                                         const std::string& person) {
  return impl_->runtime.reminder(id_or_record, person,
                                 [](engine::Cascade& cascade, const ReminderRow& row) {
                                   return cascade.run_reminder(row, row.person);
                                 });
}

Result<BatchReport> Engine::ignore_reminder(const std::string& id_or_record,
                                            const std::string& person) {
  return impl_->runtime.reminder(id_or_record, person,
                                 [](engine::Cascade& cascade, const ReminderRow& row) {
                                   return cascade.ignore_reminder(row);
                                 });
}

Result<BatchReport> Engine::snooze_reminder(const std::string& id_or_record,
                                            const std::string& person,
                                            std::optional<Instant> until) {
  return impl_->runtime.reminder(id_or_record, person,
                                 [until](engine::Cascade& cascade, const ReminderRow& row) {
                                   return cascade.snooze_reminder(row, until);
                                 });
}

Result<BatchReport> Engine::start_flow(const std::string& flow, const NamedValues& arguments,
                                       const std::string& person) {
  return impl_->runtime.start_flow(flow, arguments, person);
}
Result<BatchReport> Engine::answer_screen(const std::string& person, const NamedValues& answers) {
  return impl_->runtime.answer_screen(person, answers);
}
Result<BatchReport> Engine::retry_run(const std::string& key) {
  return impl_->runtime.with_run(
      key, [](engine::Cascade& cascade, const FlowRunRow& row) { return cascade.retry(row); });
}
Result<BatchReport> Engine::fire_run(const std::string& key) {
  return impl_->runtime.with_run(
      key, [](engine::Cascade& cascade, const FlowRunRow& row) { return cascade.fire_now(row); });
}
Result<BatchReport> Engine::move_run(const std::string& key, Instant due) {
  return impl_->runtime.with_run(key, [due](engine::Cascade& cascade, const FlowRunRow& row) {
    return cascade.move_to(row, due);
  });
}
Result<BatchReport> Engine::cancel_run(const std::string& key) {
  return impl_->runtime.with_run(key, [](engine::Cascade& cascade, const FlowRunRow& row) {
    return cascade.end(row, "cancelled by a person");
  });
}

Status Engine::set_active(const std::string& automation, const std::string& author,
                          const std::string& person, bool active) {
  return impl_->runtime.set_active(automation, author, person, active);
}

Instant Engine::now() const { return impl_->runtime.now(); }
Store& Engine::store() { return impl_->runtime.store(); }

}  // namespace ensue
