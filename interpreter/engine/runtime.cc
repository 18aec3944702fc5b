#include "engine/runtime.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fold.h"
#include "base/key128.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

// Totals of decisions, counted at the end of a batch. Deferred ones are counted when they are
// numbered (Cascade::defer).
constexpr const char* kStatuses[] = {"executed", "reminded", "suppressed",
                                     "waiting",  "failed",   "cancelled"};

// A batch that ended the process this often is worked on line by line …
constexpr int64_t kAttemptsWhole = 2;
// … and a line that was at work this often when the process ended is parked.
constexpr int64_t kAttemptsMax = 5;

std::string link_list(const Program& program) {
  std::string out;
  for (const types::FieldRef& field : program.linked) {
    out += program.schema().object(field.object).name + "." +
           program.schema().field(field).stored_as + "\n";
  }
  return out;
}

}  // namespace

Runtime::Runtime(std::shared_ptr<Store> store, RuntimeOptions options)
    : store_(std::move(store)), options_(options), workers_(options.threads), book_(directory_) {}

// ---- Programs ---------------------------------------------------------------------------------

Status Runtime::use(ProgramPtr program) {
  program_ = std::move(program);
  flows_.armed = false;
  flows_.kept.clear();
  flows_.older.clear();
  book_.use(program_);
  ledger_ = std::make_unique<limits::Ledger>(program_->limits, program_->counter_zone,
                                             program_->day_starts_at);
  ready_ = false;
  return make_ready();
}

// What is not read whole may miss users, and their actions would be passed over: nothing is done
// before it is.
Status Runtime::make_ready() {
  if (ready_ && !users_stale_) return {};
  Status loaded = store_->read([&](StoreReader& reader) { return load_state(reader); });
  if (!loaded) return loaded;
  if (Status filled = fill_links(); !filled) return filled;
  rebuild_index();
  ready_ = true;
  users_stale_ = false;
  return {};
}

Status Runtime::load_state(StoreReader& reader) {
  directory_.clear();
  activations_.clear();
  const types::Schema& schema = program_->schema();
  RecordCodec codec(schema, program_->options.bounds);
  for (const char* object : {"User", "Queue"}) {
    types::ObjectId id = schema.find_object(object);
    Status status;
    Status visited = reader.visit_records(object, [&](const RecordRow& row) {
      Result<types::Record> record = codec.decode(id, row.id, row.body, row.deleted);
      if (!record) {
        status = record.error();
        return false;
      }
      directory_.update(schema, *record);
      return true;
    });
    if (!visited) return visited;
    if (!status) return status;
  }
  Status visited = reader.visit_activations([&](const ActivationRow& row) {
    activations_.put(row);
    return true;
  });
  if (!visited) return visited;
  Status looked = reader.visit_flow_runs("", [&](const FlowRunRow& row) {
    flows_.waiting = row.state != "failed";
    return !flows_.waiting;
  });
  if (!looked) return looked;
  Result<std::optional<std::string>> clock = reader.meta("clock");
  if (!clock) return clock.error();
  if (clock->has_value()) {
    if (auto at = value::parse_datetime(**clock)) now_ = std::max(now_, at->instant());
  }
  Result<std::optional<std::string>> day = reader.meta("last_day");
  if (!day) return day.error();
  std::optional<Date> last = day->has_value() ? value::parse_date(**day) : std::nullopt;
  if (last && (!open_day_.last() || *last > *open_day_.last())) open_day_ = limits::OpenDay(last);
  return {};
}

// A program may search lookups from the other end that no program before it did: their links are
// filled in once.
Status Runtime::fill_links() {
  std::string wanted = link_list(*program_);
  std::string known;
  Status looked = store_->read([&](StoreReader& reader) -> Status {
    Result<std::optional<std::string>> links = reader.meta("links");
    if (!links) return links.error();
    known = links->value_or("");
    return {};
  });
  if (!looked) return looked;
  if (known == wanted) return {};
  const types::Schema& schema = program_->schema();
  RecordCodec codec(schema, program_->options.bounds);
  return store_->commit([&](StoreTxn& txn) -> Status {
    std::map<types::ObjectId, std::vector<types::FieldId>> fields;
    for (const types::FieldRef& field : program_->linked) {
      std::string line =
          schema.object(field.object).name + "." + schema.field(field).stored_as + "\n";
      if (known.find(line) == std::string::npos) fields[field.object];
    }
    for (const types::FieldRef& field : program_->linked) {
      if (fields.count(field.object) != 0) fields[field.object].push_back(field.field);
    }
    for (const auto& [object, lookups] : fields) {
      std::vector<RecordRow> rows;
      Status visited = txn.visit_records(schema.object(object).name, [&](const RecordRow& row) {
        rows.push_back(row);
        return true;
      });
      if (!visited) return visited;
      for (RecordRow& row : rows) {
        Result<types::Record> record = codec.decode(object, row.id, row.body, row.deleted);
        if (!record) return record.error();
        for (types::FieldId lookup : lookups) {
          const types::Field& field = schema.object(object).field(lookup);
          std::string target = link_key(field, record->raw(lookup));
          if (!row.deleted && !target.empty())
            row.links.emplace_back(field.stored_as, std::move(target));
        }
        if (Status put = txn.put_record(row); !put) return put;
      }
    }
    return txn.put_meta("links", wanted);
  });
}

void Runtime::rebuild_index() {
  index_version_ = directory_.version();
  // In place: a cascade at work keeps its reference.
  index_ = match::RuleIndex(program_->units, program_->schema(),
                            program_->options.bounds.run_steps_max, user_of());
}

// Users have changed: the same automations may be about others.
void Runtime::resolve_authors() {
  if (index_version_ == directory_.version()) return;
  index_version_ = directory_.version();
  index_.resolve(user_of());
}

match::RuleIndex::UserOf Runtime::user_of() const {
  return [this](const std::string& author) { return directory_.user_named(author); };
}

// ---- Batches ----------------------------------------------------------------------------------

CascadeContext Runtime::context(StoreTxn& txn, BatchReport& report) {
  return {*program_,
          book_,
          directory_,
          activations_,
          index_,
          *ledger_,
          open_day_,
          txn,
          now_,
          report,
          options_.keep_all_verdicts,
          options_.sink != nullptr,
          options_.coverage,
          flows_};
}

// The host's clock, asked once in a commit, when the store is locked.
void Runtime::read_clock(BatchReport& report) {
  if (options_.clock == nullptr) return;
  Instant wall = options_.clock->now();
  std::optional<Instant> known = now_ == Instant{} ? std::nullopt : std::optional(now_);
  auto frozen = open_day_.watch(wall, options_.clock->elapsed_ms(), known,
                                [&](Instant at) { return ledger_->day_of(at); });
  if (frozen) report.notices.push_back(*frozen);
  now_ = std::max(now_, wall);
}

Result<BatchReport> Runtime::commit(
    const std::function<Status(Cascade&, StoreTxn&, BatchReport&)>& work) {
  return commit([&](StoreTxn& txn, BatchReport& report) -> Status {
    Cascade cascade(context(txn, report));
    return work(cascade, txn, report);
  });
}

Result<BatchReport> Runtime::commit(const std::function<Status(StoreTxn&, BatchReport&)>& work) {
  if (!ready_) {
    if (Status ready = make_ready(); !ready) return ready.error();
  }
  BatchReport report;
  Instant before = now_;
  FlowState flows_before = flows_;
  limits::OpenDay day_before = open_day_;
  bool users_changed = false;
  Status done = store_->commit([&](StoreTxn& txn) -> Status {
    // A store may run the closure again: what it left behind the first time goes first.
    report = {};
    now_ = before;
    flows_ = flows_before;
    book_.abandon();
    book_.begin(txn);
    open_day_ = day_before;
    if (users_stale_) {
      if (Status loaded = load_state(txn); !loaded) return loaded;
      rebuild_index();
      users_stale_ = false;
    }
    read_clock(report);
    Status worked = work(txn, report);
    // A record that could not be read is not one that is gone, whatever was made of it.
    if (book_.error()) return *book_.error();
    if (!worked) return worked;
    report.records_written = book_.changed_count();
    if (Status flushed = book_.flush(txn, workers_); !flushed) return flushed;
    if (Status counted = count(txn, report); !counted) return counted;
    if (now_ != before) {
      if (Status kept = txn.put_meta("clock", value::instant_text(now_)); !kept) return kept;
    }
    if (open_day_.last() != day_before.last()) {
      std::string day = value::date_text(*open_day_.last());
      if (Status kept = txn.put_meta("last_day", day); !kept) return kept;
    }
    users_changed = book_.users_changed();
    return {};
  });
  if (!done) {
    users_changed = users_changed || book_.users_changed();
    book_.abandon();
    now_ = before;
    flows_ = flows_before;
    open_day_ = day_before;
    // What the batch had told the directory is taken back by reading it again, before the next.
    if (users_changed) users_stale_ = true;
    return done.error();
  }
  book_.keep();
  resolve_authors();
  return report;
}

Status Runtime::count(StoreTxn& txn, const BatchReport& report) {
  auto add = [&](const char* name, uint64_t count) -> Status {
    return count == 0 ? Status() : txn.add_total(name, static_cast<int64_t>(count));
  };
  if (Status s = add("lines", report.lines); !s) return s;
  if (Status s = add("events", report.events); !s) return s;
  if (Status s = add("duplicates", report.duplicates); !s) return s;
  if (Status s = add("snapshots", report.snapshots); !s) return s;
  if (Status s = add("gaps", report.gaps); !s) return s;
  if (Status s = add("dead letters", report.dead_letters.size()); !s) return s;
  for (const char* status : kStatuses) {
    auto found = report.statuses.find(status);
    if (found == report.statuses.end()) continue;
    if (Status s = add(status, found->second); !s) return s;
  }
  return {};
}

Status Runtime::add_dead_letter(const Lines& input, const InputLine& line, std::string reason,
                                StoreTxn& txn, BatchReport& report) {
  if (!input.dead_letter) {
    std::string number = std::to_string(line.number);
    Result<bool> admitted =
        txn.admit(base::hash_key({"dead letter", input.source, number, line.text}));
    if (!admitted) return admitted.error();
    if (!*admitted) {
      ++report.duplicates;
      return {};
    }
  }
  DeadLetterRow letter{0,    input.source,      line.number,
                       now_, std::move(reason), std::string(line.text)};
  if (Status added = txn.add_dead_letter(letter); !added) return added;
  report.dead_letters.push_back(std::move(letter));
  return {};
}

Status Runtime::work_on(const Lines& input, std::span<const InputLine> lines, Cascade& cascade,
                        StoreTxn& txn, BatchReport& report) {
  if (input.dead_letter) {
    if (Status removed = txn.remove_dead_letter(*input.dead_letter); !removed) return removed;
  }
  intake::BatchReader reader(program_->schema(), program_->options.bounds, input.source,
                             input.needs_ids, lines, workers_);
  reader.tell_to([&](const types::Event& event) { txn.expect(event.key); });
  for (const InputLine& line : lines) {
    ++report.lines;
    intake::LineResult result = reader.next();
    switch (result.kind) {
      case intake::LineResult::Kind::kNothing: break;
      case intake::LineResult::Kind::kPoison: {
        Status added = add_dead_letter(input, line, result.reason, txn, report);
        if (!added) return added;
        break;
      }
      case intake::LineResult::Kind::kGap:
        ++report.gaps;
        report.notices.push_back(result.events.empty()
                                     ? fmt::format("line {}: changes of {} were lost at the source",
                                                   line.number, result.reason)
                                     : fmt::format("line {}: a change of {} was lost at the source",
                                                   line.number, result.events.front().record));
        if (Status told = changes_lost(input, line, result, cascade, txn); !told) return told;
        break;
      case intake::LineResult::Kind::kEvents:
        for (types::Event& event : result.events) {
          if (result.undated) event.at = now_;
          bool snapshot = input.snapshots || event.kind == types::ChangeKind::kSnapshot;
          if (input.snapshots && event.kind == types::ChangeKind::kDelete)
            continue;  // gone before the copy begins
          if (snapshot) {
            // A snapshot is known by what it says, so that a changed one is taken in and a
            // repeated one is not.
            event.kind = types::ChangeKind::kSnapshot;
            event.key = base::hash_key({"snapshot", event.key.view(), line.text});
          } else {
            open_day_.agree(event.at, now_, [&](Instant at) { return ledger_->day_of(at); });
            Status moved = cascade.advance(options_.clock == nullptr ? event.at : now_);
            if (!moved) return moved;
          }
          Result<bool> admitted = txn.admit(event.key);
          if (!admitted) return admitted.error();
          if (!*admitted) {
            if (!snapshot) ++report.duplicates;
            continue;
          }
          ++(snapshot ? report.snapshots : report.events);
          if (Status worked = cascade.external(std::move(event)); !worked) return worked;
          // A user who came or changed may be who an author's name means.
          resolve_authors();
        }
        break;
    }
  }
  for (const auto& [name, times] : reader.counts().unknown_fields)
    report.unknown_fields[name] += times;
  for (const auto& [name, times] : reader.counts().unknown_values)
    report.unknown_values[name] += times;
  return {};
}

// The gap and overflow blocks of change-data flows; told twice, they run once.
Status Runtime::changes_lost(const Lines& input, const InputLine& line,
                             const intake::LineResult& result, Cascade& cascade, StoreTxn& txn) {
  auto lost = [&](types::ObjectId object, const std::string& record, const Key128& key) -> Status {
    Result<bool> admitted = txn.admit(key);
    if (!admitted) return admitted.error();
    return *admitted ? cascade.changes_lost(object, record, key) : Status();
  };
  for (const types::Event& event : result.events) {
    if (Status told = lost(event.object, event.record, event.key); !told) return told;
  }
  if (!result.events.empty()) return {};
  types::ObjectId object = program_->schema().find_object(result.reason);
  if (!object) return {};
  return lost(object, "",
              base::hash_key({"overflow", input.source, std::to_string(line.number), line.text}));
}

// ---- Attempts ---------------------------------------------------------------------------------

// The attempt a source stands at; the first time in this process it counts one more, durably.
Result<AttemptRow*> Runtime::begin(const std::string& source) {
  auto [at, fresh] = attempts_.try_emplace(source);
  if (!fresh) return &at->second;
  AttemptRow row{source, 0, 1, true};
  Status begun = store_->commit([&](StoreTxn& txn) -> Status {
    Result<std::optional<AttemptRow>> kept = txn.attempt(source);
    if (!kept) return kept.error();
    if (kept->has_value() && (*kept)->running) {
      row = **kept;
      ++row.count;
    }
    return txn.put_attempt(row);
  });
  if (!begun) {
    attempts_.erase(at);
    return begun.error();
  }
  at->second = row;
  return &at->second;
}

Status Runtime::rest() {
  if (attempts_.empty()) return {};
  Status rested = store_->commit([&](StoreTxn& txn) -> Status {
    for (const auto& [source, row] : attempts_) {
      if (Status put = txn.put_attempt({source, 0, 0, false}); !put) return put;
    }
    return {};
  });
  if (rested) attempts_.clear();
  return rested;
}

// Where the source stands after a batch: the next one counts as begun from here on.
Status Runtime::keep_place(const Lines& input, const AttemptRow* attempt, StoreTxn& txn) {
  AttemptRow next{input.source, 0, 1, true};
  if (attempt != nullptr && attempt->count != next.count) {
    if (Status put = txn.put_attempt(next); !put) return put;
  }
  return input.cursor ? txn.put_cursor(*input.cursor) : Status();
}

Result<BatchReport> Runtime::submit_whole(const Lines& input, AttemptRow* attempt) {
  Result<BatchReport> done =
      commit([&](Cascade& cascade, StoreTxn& txn, BatchReport& report) -> Status {
        Status worked = work_on(input, input.lines, cascade, txn, report);
        return worked ? keep_place(input, attempt, txn) : worked;
      });
  if (done && attempt != nullptr) *attempt = {input.source, 0, 1, true};
  return done;
}

std::vector<Result<BatchReport>> Runtime::submit_group(const std::vector<Lines>& group) {
  std::vector<AttemptRow*> attempts;
  bool together = true;
  for (const Lines& input : group) {
    attempts.push_back(nullptr);
    if (!input.cursor) continue;
    Result<AttemptRow*> attempt = begin(input.source);
    if (!attempt) return std::vector<Result<BatchReport>>(group.size(), attempt.error());
    attempts.back() = *attempt;
    together = together && (*attempt)->line == 0 && (*attempt)->count <= kAttemptsWhole;
  }
  std::vector<Result<BatchReport>> out;
  if (group.size() < 2 || !together) {
    for (const Lines& input : group) out.push_back(submit(input));
    return out;
  }
  std::vector<BatchReport> parts;
  Result<BatchReport> done = commit([&](StoreTxn& txn, BatchReport& report) -> Status {
    parts.clear();
    for (size_t i = 0; i < group.size(); ++i) {
      BatchReport& part = parts.emplace_back();
      Cascade cascade(context(txn, part));
      Status worked = work_on(group[i], group[i].lines, cascade, txn, part);
      if (worked) worked = keep_place(group[i], attempts[i], txn);
      if (!worked) return worked;
      report.add_counts(part);
      report.dead_letters.insert(report.dead_letters.end(), part.dead_letters.begin(),
                                 part.dead_letters.end());
    }
    return {};
  });
  if (!done) return std::vector<Result<BatchReport>>(group.size(), done.error());
  // What the commit as a whole had to say is told with its first batch.
  parts.front().notices.insert(parts.front().notices.begin(), done->notices.begin(),
                               done->notices.end());
  for (size_t i = 0; i < group.size(); ++i) {
    if (attempts[i] != nullptr) *attempts[i] = {group[i].source, 0, 1, true};
    out.emplace_back(std::move(parts[i]));
  }
  return out;
}

// One commit a line, each counted before it is worked on. Lines before the one that was at work are
// done.
Result<BatchReport> Runtime::submit_alone(const Lines& input, AttemptRow& attempt) {
  BatchReport all;
  for (size_t i = 0; i < input.lines.size(); ++i) {
    const InputLine& line = input.lines[i];
    if (line.number < attempt.line) continue;
    if (line.number != attempt.line) {
      AttemptRow row{input.source, line.number, kAttemptsWhole + 1, true};
      Status counted = store_->commit([&](StoreTxn& txn) { return txn.put_attempt(row); });
      if (!counted) return counted.error();
      attempt = row;
    }
    bool park = attempt.count > kAttemptsMax;
    bool last = i + 1 == input.lines.size();
    AttemptRow next =
        last ? AttemptRow{input.source, 0, 1, true}
             : AttemptRow{input.source, input.lines[i + 1].number, kAttemptsWhole + 1, true};
    Result<BatchReport> done =
        commit([&](Cascade& cascade, StoreTxn& txn, BatchReport& report) -> Status {
          Status worked;
          if (park) {
            ++report.lines;
            std::string reason =
                fmt::format("the process ended {} times at work on it", kAttemptsMax);
            worked = add_dead_letter(input, line, std::move(reason), txn, report);
          } else {
            worked = work_on(input, std::span(&line, 1), cascade, txn, report);
          }
          if (!worked) return worked;
          if (Status put = txn.put_attempt(next); !put) return put;
          return last ? txn.put_cursor(*input.cursor) : Status();
        });
    if (!done) return done.error();
    attempt = next;
    all.add(std::move(*done));
  }
  return all;
}

Result<BatchReport> Runtime::submit(const Lines& input) {
  // What has no cursor is not read again by itself.
  if (!input.cursor || input.lines.empty()) return submit_whole(input, nullptr);
  Result<AttemptRow*> attempt = begin(input.source);
  if (!attempt) return attempt.error();
  AttemptRow& row = **attempt;
  bool alone = row.line != 0 || row.count > kAttemptsWhole;
  return alone ? submit_alone(input, row) : submit_whole(input, &row);
}

Status Runtime::open_outbox() {
  OutboxSinks sinks = outbox_sinks();
  if (sinks.records == nullptr && sinks.services == nullptr && sinks.mail == nullptr)
    return {ErrorCode::kInvalidArgument, "there is no sink to deliver to"};
  if (outbox_) return {};
  OutboxOptions options;
  options.call_again_when_unknown = options_.call_again_when_unknown;
  options.waits = options_.clock != nullptr;
  options.answer_bytes_max = program_->options.bounds.service_answer_bytes_max;
  outbox_.emplace(*store_, sinks, options);
  return {};
}

Instant Runtime::delivery_time() const {
  return options_.clock != nullptr ? std::max(now_, options_.clock->now()) : now_;
}

Result<DeliveryReport> Runtime::deliver() {
  if (Status opened = open_outbox(); !opened) return opened.error();
  constexpr size_t kBatch = 200;
  return outbox_->deliver(delivery_time(), kBatch);
}

Result<std::vector<IntentRow>> Runtime::begin_delivery(size_t most, DeliveryReport& report) {
  if (Status opened = open_outbox(); !opened) return opened.error();
  return outbox_->begin(delivery_time(), most, report);
}

Status Runtime::end_delivery(std::vector<IntentRow> rows, const std::vector<SinkAnswer>& answers,
                             DeliveryReport& report) {
  if (Status opened = open_outbox(); !opened) return opened.error();
  return outbox_->end(std::move(rows), answers, delivery_time(), report);
}

Result<BatchReport> Runtime::submit(const std::vector<types::Event>& events) {
  return commit([&](Cascade& cascade, StoreTxn& txn, BatchReport& report) -> Status {
    for (const types::Event& event : events) {
      bool snapshot = event.kind == types::ChangeKind::kSnapshot;
      if (!snapshot) {
        if (Status moved = cascade.advance(event.at); !moved) return moved;
      }
      Result<bool> admitted = txn.admit(event.key);
      if (!admitted) return admitted.error();
      if (!*admitted) {
        ++report.duplicates;
        continue;
      }
      ++(snapshot ? report.snapshots : report.events);
      if (Status worked = cascade.external(types::Event(event)); !worked) return worked;
      resolve_authors();
    }
    return {};
  });
}

Result<BatchReport> Runtime::advance(Instant now) {
  return commit([&](Cascade& cascade, StoreTxn&, BatchReport&) { return cascade.advance(now); });
}

Result<BatchReport> Runtime::in_cascade(const std::function<Status(Cascade&)>& work) {
  return commit([&](Cascade& cascade, StoreTxn&, BatchReport&) { return work(cascade); });
}

// ---- Flows ------------------------------------------------------------------------------------

Result<BatchReport> Runtime::start_flow(const std::string& flow, const Cascade::Values& arguments,
                                        const std::string& person) {
  if (Status ready = make_ready(); !ready) return ready.error();
  const plan::UnitPlan* unit = program_->find_flow(flow, plan::UnitKind::kScreenFlow);
  if (unit == nullptr) unit = program_->find_flow(flow, plan::UnitKind::kFlow);
  if (unit == nullptr) return {ErrorCode::kNotFound, fmt::format("there is no flow \"{}\"", flow)};
  if (unit->trigger->kind != plan::TriggerKind::kCalled)
    return {ErrorCode::kInvalidArgument,
            fmt::format("flow \"{}\" is not called: it has a trigger of its own", unit->name)};
  std::string user = person.empty() ? "" : directory_.user_named(person);
  if (user.empty() && !person.empty())
    return {ErrorCode::kNotFound, fmt::format("there is no user \"{}\"", person)};
  return in_cascade([&](Cascade& cascade) -> Status {
    Result<Key128> started = cascade.call_flow(*unit, arguments, user);
    return started ? Status() : Status(started.error());
  });
}

Result<BatchReport> Runtime::answer_screen(const std::string& person,
                                           const Cascade::Values& answers) {
  if (Status ready = make_ready(); !ready) return ready.error();
  std::string user = directory_.user_named(person);
  if (user.empty()) return {ErrorCode::kNotFound, fmt::format("there is no user \"{}\"", person)};
  std::optional<FlowRunRow> asking;
  Status looked = store_->read([&](StoreReader& reader) {
    return reader.visit_flow_runs("asking", [&](const FlowRunRow& row) {
      if (row.user.empty() || row.user == user) asking = row;
      return true;
    });
  });
  if (!looked) return looked.error();
  if (!asking) return {ErrorCode::kNotFound, fmt::format("no flow asks {} anything", person)};
  asking->user = user;
  return in_cascade([&](Cascade& cascade) { return cascade.answer(*asking, answers); });
}

Result<BatchReport> Runtime::with_run(
    const std::string& key, const std::function<Status(Cascade&, const FlowRunRow&)>& work) {
  if (key.size() < 6) return {ErrorCode::kInvalidArgument, "give at least 6 digits of the run"};
  std::vector<FlowRunRow> found;
  Status looked = store_->read([&](StoreReader& reader) {
    return reader.visit_flow_runs("", [&](const FlowRunRow& row) {
      if (base::to_hex(row.run).starts_with(key)) found.push_back(row);
      return found.size() < 2;
    });
  });
  if (!looked) return looked.error();
  if (found.empty())
    return {ErrorCode::kNotFound, fmt::format("no run {} waits or has failed", key)};
  if (found.size() > 1)
    return {ErrorCode::kInvalidArgument, fmt::format("several runs begin with {}", key)};
  return in_cascade([&](Cascade& cascade) { return work(cascade, found[0]); });
}

// ---- What people do ---------------------------------------------------------------------------

Result<BatchReport> Runtime::reminder(
    const std::string& id_or_record, const std::string& person,
    const std::function<Status(Cascade&, const ReminderRow&)>& act) {
  if (Status ready = make_ready(); !ready) return ready.error();
  std::string user = directory_.user_named(person);
  if (user.empty()) return {ErrorCode::kNotFound, fmt::format("there is no user \"{}\"", person)};
  std::vector<ReminderRow> found;
  Status looked = store_->read([&](StoreReader& reader) -> Status {
    if (auto key = base::key_from_hex(id_or_record)) {
      Result<std::optional<ReminderRow>> row = reader.reminder(*key);
      if (!row) return row.error();
      if (row->has_value()) found.push_back(**row);
      return {};
    }
    // A shortened id as listed, or the record it is about.
    return reader.visit_reminders("", [&](const ReminderRow& row) {
      bool live = row.state == "open" || row.state == "snoozed";
      bool by_id = id_or_record.size() >= 6 && base::to_hex(row.id).starts_with(id_or_record);
      bool by_record = row.record == id_or_record || row.record.ends_with("/" + id_or_record);
      if (by_id || (by_record && live && row.person == user)) found.push_back(row);
      return true;
    });
  });
  if (!looked) return looked.error();
  if (found.empty())
    return {ErrorCode::kNotFound, fmt::format("{} has no reminder about {}", person, id_or_record)};
  if (found.size() > 1) {
    return {ErrorCode::kInvalidArgument,
            fmt::format("{} reminders fit {}; name one by its id", found.size(), id_or_record)};
  }
  if (found[0].person != user) {
    return {ErrorCode::kNotPermitted,
            fmt::format("the reminder is for {}, not for {}", found[0].person, user)};
  }
  return in_cascade([&](Cascade& cascade) { return act(cascade, found[0]); });
}

Status Runtime::set_active(const std::string& automation, const std::string& author,
                           const std::string& person, bool active) {
  if (Status ready = make_ready(); !ready) return ready;
  std::string user = directory_.user_named(person);
  if (user.empty()) return {ErrorCode::kNotFound, fmt::format("there is no user \"{}\"", person)};
  const plan::UnitPlan* found = nullptr;
  const plan::UnitPlan* own = nullptr;
  size_t count = 0;
  for (const plan::UnitPtr& unit : program_->units) {
    if (unit->kind != plan::UnitKind::kAction || !base::equal_folded(unit->name, automation))
      continue;
    if (!author.empty() && !base::equal_folded(unit->author, author)) continue;
    if (directory_.user_named(unit->author) == user) own = unit.get();
    found = unit.get();
    ++count;
  }
  if (found == nullptr)
    return {ErrorCode::kNotFound, fmt::format("there is no action \"{}\"", automation)};
  if (own != nullptr) found = own;
  if (count > 1 && own == nullptr) {
    return {ErrorCode::kInvalidArgument,
            fmt::format("{} actions are called \"{}\"; say whose is meant", count, automation)};
  }
  if (found->draft)
    return {ErrorCode::kNotPermitted,
            fmt::format("\"{}\" is a draft; it stays off until `draft` is taken out", found->name)};
  std::string creator = directory_.user_named(found->author);
  ActivationRow row{found->rule, found->name, user, active};
  if (found->activation == plan::Activation::kCreator) {
    if (user != creator) {
      return {ErrorCode::kNotPermitted,
              fmt::format("only its author, {}, switches \"{}\" on or off", found->author,
                          found->name)};
    }
    row.person.clear();
  } else {
    uint32_t levels = program_->options.bounds.manager_levels_max;
    bool assignee = found->scope == plan::Scope::kOwn ? user == creator
                                                      : directory_.is_below(user, creator, levels);
    if (!assignee) {
      return {ErrorCode::kNotPermitted,
              fmt::format("\"{}\" is not assigned to {}", found->name, person)};
    }
  }
  Status done = store_->commit([&](StoreTxn& txn) { return txn.put_activation(row); });
  if (done) activations_.put(row);
  return done;
}

Status Runtime::read(const std::function<Status(RecordBook&, Matcher&, StoreReader&)>& look) {
  if (Status ready = make_ready(); !ready) return ready;
  return store_->read([&](StoreReader& reader) -> Status {
    book_.begin(reader);
    Matcher matcher(*program_, book_, directory_, activations_, index_);
    Status status = look(book_, matcher, reader);
    book_.keep();
    return status;
  });
}

}  // namespace ensue::engine
