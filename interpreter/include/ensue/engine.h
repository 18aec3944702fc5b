// Engine: load automations, submit events, look at what happened.
//
//   auto store = …;                                  // a Store of the host's, or of ensue/stores.h
//   auto engine = ensue::Engine::open(store, {});
//   auto report = (*engine)->load({{"leads.ensue", text}});
//   if (!report.ok) …         // report.diagnostics says why; the rules before stay in force
//   auto batch = (*engine)->submit("crm", lines);    // one commit
//
// An engine may be used by one thread at a time; two engines can live in one process, each with a
// store of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/diagnostic.h"
#include "ensue/host.h"
#include "ensue/options.h"
#include "ensue/result.h"
#include "ensue/sink.h"
#include "ensue/store.h"
#include "ensue/value.h"

namespace ensue {

namespace engine {
struct Program;
}

struct SourceText {
  std::string name;  // shown in diagnostics; usually a path
  std::string text;
};

struct EngineOptions {
  ProgramOptions program;
  // Null: the clock of the events, the latest `at` seen, which never goes back. Otherwise the
  // host's clock, which must outlive the engine.
  Clock* clock = nullptr;
  bool keep_all_verdicts = false;  // also why automations did not start, not only what ran
  // Null: what automations write stays in the store. Otherwise it goes to this sink too, which must
  // outlive the engine; `deliver` calls it.
  Sink* sink = nullptr;
  // Who answers `call service` and carries `send email`. Null: what is called or sent waits in the
  // store, as intents, until an engine with such a sink delivers it. Both must outlive the engine.
  Sink* services = nullptr;
  Sink* mail = nullptr;
  // Of a blind sink: call again when nobody knows whether a call happened (at least once), instead
  // of parking it for a person (at most once).
  bool call_again_when_unknown = false;
  // Threads that read lines and encode records of a large batch, the caller's own among them.
  // Decisions are made on the caller's alone, one after the other: limits are shared by everybody.
  // What comes out is the same for any number.
  size_t threads = 1;
};

struct LoadReport {
  bool ok = false;
  std::vector<Diagnostic> diagnostics;
  std::vector<std::string> not_run;  // automations that are checked but not run by this version
};

// One effect of one run, as in `run --output ndjson`.
struct EffectRecord {
  std::string op;                     // add_to_cadence, …
  std::string target;                 // Lead/00Q1; empty: no target
  std::string cadence;                // empty: all cadences
  std::vector<std::string> cadences;  // of all cadences: those that were touched
  std::string assignee;
  std::string disposition;
  std::string person;   // of a reminder
  std::string name;     // of call_service: the service; of send_email: the template
  std::string text;     // of log
  std::string outcome;  // added, already in cadence, …
};

struct LimitRecord {
  std::string scope;
  std::string key;
  std::string counter;
  int64_t count = 0;
  int64_t max = 0;
  Instant resets_at;
};

// One automation that matched one event: let through, refused, offered, put off or failed.
struct Decision {
  int64_t seq = 0;
  Instant at;
  std::string automation;
  std::string author;
  std::string kind;    // action, flow
  std::string record;  // Lead/00Q1
  std::string user;
  // executed, reminded, suppressed, deferred, waiting, failed, cancelled
  std::string status;
  // Of a run that has waited: which of its parts this is. The first one is 0, and the only one that
  // counts as a run.
  int64_t part = 0;
  std::vector<std::string> branches;  // yes, no, timeout, fault, gap, overflow, as they were taken
  std::vector<EffectRecord> effects;
  std::optional<LimitRecord> limit;
  std::string fault;
  std::string trace;  // of a failed flow: where, and the statements before, a line each

  // One line of compact JSON, without a line break; the form is in docs/formats.md.
  std::string json() const;
};

struct InputLine {
  std::string_view text;
  uint64_t number = 0;  // from 1, in its source
};

// Lines of one source, in order.
struct Batch {
  std::string source;
  std::vector<InputLine> lines;
  std::optional<CursorRow> cursor;  // of the source after them, kept with them
  // The numbers of its lines name nothing, as those of a request: an event without an identity of
  // its own becomes a dead letter, for nobody could tell it from a repeated one.
  bool needs_ids = false;
};

// What a batch did. Counts are of this batch.
struct BatchReport {
  uint64_t lines = 0;
  uint64_t events = 0;      // changes of single records, new ones
  uint64_t duplicates = 0;  // seen before
  uint64_t snapshots = 0;
  uint64_t gaps = 0;
  uint64_t timers = 0;  // fired
  // Of statements of flows: queries asked, and how many readings of the store they took; records
  // saved, and how many were written when the batch was.
  uint64_t queries = 0;
  uint64_t query_reads = 0;
  uint64_t saves = 0;
  uint64_t records_written = 0;
  std::map<std::string, uint64_t> statuses;  // of decisions
  std::vector<Decision> decisions;
  std::vector<DeadLetterRow> dead_letters;
  std::vector<std::string> notices;                // limits nearly reached, gaps
  std::map<std::string, uint64_t> unknown_fields;  // `Lead.Foo` → times
  std::map<std::string, uint64_t> unknown_values;  // `Lead.Status = Foo` → times

  uint64_t decision_count() const { return decisions.size(); }
  // Takes in what a later batch did; `add_counts` its counts alone.
  void add(BatchReport later);
  void add_counts(const BatchReport& later);
};

// What a delivery did: changes on their way to the sink.
struct DeliveryReport {
  uint64_t calls = 0;
  uint64_t done = 0;
  uint64_t failed = 0;     // parked: refused, or tried too often
  uint64_t unknown = 0;    // parked: nobody knows
  uint64_t again = 0;      // to be tried later
  uint64_t fenced = 0;     // results that came after another engine had taken over; not kept
  uint64_t recovered = 0;  // left behind by an engine that ended during its calls
};

// One thing on its way out, between its claim and the note of its answer.
struct Delivery {
  IntentRow intent;
  SinkAnswer answer;
  bool called = false;  // and not only asked for
};

class Engine {
 public:
  // Reads what the store knows: clock, users, activations.
  static Result<std::unique_ptr<Engine>> open(std::shared_ptr<Store> store, EngineOptions options);
  ~Engine();

  // Replaces the automations by those of `sources`. With errors nothing is replaced.
  LoadReport load(std::vector<SourceText> sources);
  // Puts a program in force that `engine::load_program` has checked, on whatever thread.
  Status use(std::shared_ptr<const engine::Program> program);

  // Works on lines of a stream, in order, in one commit. Poison lines become dead letters. `cursor`
  // is kept with the batch.
  Result<BatchReport> submit(const std::string& source, const std::vector<InputLine>& lines,
                             const std::optional<CursorRow>& cursor = std::nullopt);
  // Several batches in one commit, each with a report of its own. An error of the store is the
  // error of all.
  std::vector<Result<BatchReport>> submit_group(const std::vector<Batch>& batches);
  // Calls the sink for the changes that are to leave the process, until none is due. Each is
  // claimed in one commit and its result is kept in another. Errors: kInvalidArgument without a
  // sink; kStorageFull before any call when results would find no room; others of the store. A run
  // whose service has answered goes on with the next `submit` or `advance`.
  Result<DeliveryReport> deliver();
  // The same in parts, for a host with slow sinks: claims what is due, at most `most`, each of
  // another record; `caller` gives what calls the sink of one of them and keeps the answer, on any
  // thread, also when the engine is gone, as long as the sinks are there; then the answers are
  // noted. What was claimed and is never noted is settled by the next engine.
  Result<std::vector<Delivery>> begin_delivery(size_t most);
  std::function<void(Delivery&)> caller() const;
  Result<DeliveryReport> end_delivery(const std::vector<Delivery>& answered);
  // Moves the event clock forward and fires the timers that are due.
  Result<BatchReport> advance(Instant now);
  // When the next timer is due, of waits and of schedules; empty: none waits.
  Result<std::optional<Instant>> next_due();

  // What a person does with a reminder: its id as listed, or the record it is about.
  Result<BatchReport> run_reminder(const std::string& id_or_record, const std::string& person);
  Result<BatchReport> ignore_reminder(const std::string& id_or_record, const std::string& person);
  Result<BatchReport> snooze_reminder(const std::string& id_or_record, const std::string& person,
                                      std::optional<Instant> until);

  // Starts a flow that is called, or a screen flow, for `person` (a user's id, name or address;
  // empty: nobody). A screen flow waits for `answer_screen`, which is for what asks this person
  // last. Errors: kNotFound; kInvalidArgument (no such parameter, one is missing, a wrong answer).
  using NamedValues = std::vector<std::pair<std::string, Value>>;
  Result<BatchReport> start_flow(const std::string& flow, const NamedValues& arguments,
                                 const std::string& person);
  Result<BatchReport> answer_screen(const std::string& person, const NamedValues& answers);
  // What a person does with a run that waits or has failed, by its key or the beginning of it: does
  // again the part that failed, lets its time come, moves its time, ends it.
  Result<BatchReport> retry_run(const std::string& key);
  Result<BatchReport> fire_run(const std::string& key);
  Result<BatchReport> move_run(const std::string& key, Instant due);
  Result<BatchReport> cancel_run(const std::string& key);

  // Switches an action on or off, as `person` may (ENGINE: activation policies).
  Status set_active(const std::string& automation, const std::string& author,
                    const std::string& person, bool active);

  Instant now() const;
  Store& store();

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ensue
