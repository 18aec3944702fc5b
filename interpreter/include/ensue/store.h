// Store: where records, runs, counters, reminders and cursors are kept.
//
// The host gives the engine a Store; shipped are one in memory and one on SQLite. All of a batch of
// events is written in one transaction, a closure of small verbs: after a crash at any instant
// either all of it is there or none (ENGINE section 2). Rows are plain data; what stands in their
// JSON texts is the engine's business. One contract test (tests/unit/adapters) holds for every
// store.
//
// A store is owned by one engine in one process; opening it a second time is refused with
// kStoreLocked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ensue/key.h"
#include "ensue/result.h"
#include "ensue/value.h"

namespace ensue {

// A record's copy. `body` is a JSON object of its fields by stored name, blanks left out.
struct RecordRow {
  std::string object;
  std::string id;
  std::string body;
  std::string last_change;  // JSON: the change that made this image, with the values before it
  bool deleted = false;
  // The lookups that are searched from the other end, by stored name: {`AccountId`, `001…`}.
  // Replaces the record's links.
  std::vector<std::pair<std::string, std::string>> links;
};
// The same on its way to a store, where it stands.
struct RecordView {
  std::string_view object;
  std::string_view id;
  std::string_view body;
  std::string_view last_change;
  bool deleted = false;
  std::span<const std::pair<std::string, std::string>> links;

  static RecordView of(const RecordRow& row) {
    return {row.object, row.id, row.body, row.last_change, row.deleted, row.links};
  }
  RecordRow row() const {
    return {std::string(object),      std::string(id), std::string(body),
            std::string(last_change), deleted,         {links.begin(), links.end()}};
  }
};

// One automation on one record, let through or refused. Never changed after it is written.
struct RunRow {
  int64_t seq = 0;  // given by the store: the order of decisions
  Key128 run;       // H(event | record | rule | ordinal)
  Key128 rule;
  Key128 event;
  Instant at;
  std::string automation;
  std::string author;
  std::string kind;    // action, flow
  std::string record;  // Lead/00Q1
  std::string user;
  // executed, reminded, suppressed, deferred, waiting, failed, cancelled. A run that waits has a
  // row for each of its parts: the first under its own key, the later ones under keys made of it.
  std::string status;
  std::string detail;  // JSON: effects, limit, fault, …
};

// Why an automation did not start on an event; kept only with `--verdicts all`.
struct VerdictRow {
  int64_t seq = 0;
  Key128 rule;
  Key128 event;
  Instant at;
  std::string automation;
  std::string record;
  std::string user;
  std::string verdict;  // JSON
};

struct ReminderRow {
  Key128 id;  // H(rule | record | person), so at most one is open for the three
  Key128 rule;
  Key128 event;  // of the match that offered or last refreshed it
  std::string automation;
  std::string author;
  std::string record;  // Lead/00Q1
  std::string person;
  std::string state;   // open, snoozed, run, ignored, expired
  std::string effect;  // one sentence: what it offers to do
  std::string change;  // JSON: the change of the record that matched
  Instant offered_at;
  std::optional<Instant> due_at;
  std::optional<Instant> expires_at;
  std::optional<Instant> snoozed_until;
};

struct TimerRow {
  Instant due;
  Key128 id;  // with the due time the key; firing order is due, then id
  // reminder_expiry, reminder_snooze, deferred, wait, answer, schedule
  std::string kind;
  std::string payload;  // JSON
};

// A counter of the ledger, for looking at.
struct CounterRow {
  std::string scope;    // user, org, automation, service
  std::string key;      // the user's id, `action "A" by "ana"`; empty for the org
  std::string counter;  // action executions
  std::string window;   // the local date of the day, or the length of a sliding window: `10 s`
  int64_t used = 0;
  int64_t max = 0;
};

// A counter, recounted from the charges kept behind it.
struct CounterProof {
  CounterRow counter;   // with every text empty: charges that belong to no counter
  int64_t charges = 0;  // kept for it, of all times
  // What `used` must be by them: all of a day's; of a sliding window those that were in it at the
  // last of them.
  int64_t counted = 0;
  int64_t instants_wrong = 0;  // at which a sliding window holds other units than were charged

  bool agrees() const {
    return counter.used == counted && counter.used <= counter.max && instants_wrong == 0;
  }
};

// One unit to be charged to one counter.
struct Charge {
  std::string scope;
  std::string key;
  std::string counter;
  std::string window;  // the local date of a day window; the length of a sliding one: `10 s`
  int64_t max = 0;
  int64_t window_ms = 0;  // of a sliding one, as long as `window` says; 0: a day
  Instant now;            // the engine's clock, which never goes back
};

struct ChargeResult {
  // The first charge that would go over its maximum; none: all were charged. Nothing is charged
  // when one refuses.
  std::optional<size_t> refused;
  std::vector<int64_t>
      used;  // by charge, after charging; when one refuses, as they are, up to that one
  std::optional<Instant> free_at;  // of a refused burst: when a unit leaves its window
};

struct DeadLetterRow {
  int64_t seq = 0;  // given by the store
  std::string source;
  uint64_t line = 0;
  Instant at;  // the engine's clock when it was read
  std::string reason;
  std::string text;  // the line as it came
};

// How far a source has been read.
struct CursorRow {
  std::string source;
  uint64_t line = 0;        // lines read
  uint64_t offset = 0;      // bytes read
  std::string fingerprint;  // of the bytes before the offset: is it still the same file?
};

// What is to leave the process, and how far it has come: a change of a record, a call of a service,
// an e-mail.
struct IntentRow {
  int64_t seq = 0;  // given by the store: the order of commits
  Key128 key;       // H(cause | record): the same for every attempt
  Instant at;
  std::string cause;   // action "A" by "ana"
  std::string record;  // ActionCadenceTracker/8HB…: intents of one record keep their order
  std::string channel = "record";  // sink_channel_name
  std::string name;                // of the service, of the e-mail's template
  Key128 run;                      // that waits for the answer; zero: none
  std::string request;             // what the sink gets
  // ready, claimed, done, unknown (parked: it may have happened), failed (parked: it has not),
  // dropped (by a person)
  std::string state;
  int64_t attempt = 0;  // calls begun
  int64_t epoch = 0;    // of the engine that claimed it last
  Instant due;          // not before
  std::string result;   // what the sink said last
  std::string answer;   // of a service: JSON; empty: blank

  bool settled() const { return state != "ready" && state != "claimed" && state != "unknown"; }
};

// The batch or line of a source that is being worked on, counted before the work begins, so that an
// event that ends the process is found out.
struct AttemptRow {
  std::string source;
  uint64_t line = 0;     // that is worked on alone; 0: the whole batch after the cursor
  int64_t count = 0;     // how often it was begun
  bool running = false;  // begun and not ended in good order
};

// A run that is not at its end: it waits, or it failed and is kept for a person.
struct FlowRunRow {
  int64_t seq = 0;  // given by the store: the order in which they first waited
  Key128 run;
  Key128 rule;
  std::string automation;
  std::string record;  // Lead/00Q1; empty: it has none in hand
  std::string user;
  // waiting (for a time or a condition), calling (a service), retrying (a call, later), asking (a
  // person), queued (behind another run), failed (for a person)
  std::string state;
  Instant since;               // of the state
  std::optional<Instant> due;  // of the timer that wakes it
  int64_t wakes = 0;           // how often it was woken
  std::string program;         // fingerprint of the program it began with
  std::string frame;           // where it stands; bytes of the engine's own
  std::string detail;          // for people: what it waits for, or its fault
};

struct ActivationRow {
  Key128 rule;
  std::string automation;
  std::string person;  // empty: for everybody
  bool active = true;
};

struct RunFilter {
  std::string automation;  // empty: any
  std::string record;
  std::string user;
  std::string status;
  std::optional<Instant> since;
  size_t count_max = SIZE_MAX;
  bool newest_first = false;
};

// Reading verbs. Inside a transaction they see its writes.
class StoreReader {
 public:
  virtual ~StoreReader() = default;
  virtual Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) = 0;
  // The ids of the records of `object` linked to `target` by `field`, sorted; at most `most` + 1 of
  // them.
  virtual Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                                  std::string_view target, size_t most) = 0;
  // Records of one object, or of all when it is empty, in order of object and id. The visitor
  // returns false to stop.
  virtual Status visit_records(std::string_view object,
                               const std::function<bool(const RecordRow&)>& visit) = 0;
  virtual Status visit_runs(const RunFilter& filter,
                            const std::function<bool(const RunRow&)>& visit) = 0;
  virtual Status visit_verdicts(std::string_view automation, std::string_view record,
                                const std::function<bool(const VerdictRow&)>& visit) = 0;
  virtual Status visit_counters(const std::function<bool(const CounterRow&)>& visit) = 0;
  // Recounts every counter, in order of scope, key, counter and window, all as of one moment. Reads
  // every charge once; keeps a number for each counter.
  virtual Status visit_proofs(const std::function<bool(const CounterProof&)>& visit) = 0;
  virtual Status visit_dead_letters(const std::function<bool(const DeadLetterRow&)>& visit) = 0;
  virtual Status visit_reminders(std::string_view state,
                                 const std::function<bool(const ReminderRow&)>& visit) = 0;
  // In order of automation and person.
  virtual Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) = 0;
  virtual Result<std::optional<ReminderRow>> reminder(const Key128& id) = 0;
  // Reminders about a record that are open or snoozed, in order of id.
  virtual Result<std::vector<ReminderRow>> reminders_about(std::string_view record) = 0;
  // Timers due at or before `now`, in order of due time and id.
  virtual Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) = 0;
  virtual Result<std::optional<Instant>> next_timer() = 0;
  // Of all that wait, whenever they are due; to be shown to people.
  virtual Result<uint64_t> timer_count() = 0;
  virtual Result<std::optional<CursorRow>> cursor(std::string_view source) = 0;
  virtual Result<std::optional<AttemptRow>> attempt(std::string_view source) = 0;
  // Intents of one state, or of all when it is empty, in order of seq.
  virtual Status visit_intents(std::string_view state,
                               const std::function<bool(const IntentRow&)>& visit) = 0;
  virtual Result<std::optional<IntentRow>> intent(const Key128& key) = 0;
  // Runs that wait, all but the failed ones, in order of seq, at most `most`: about a record; of an
  // automation, and, unless `record` is empty, about that record.
  virtual Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record, size_t most) = 0;
  virtual Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record,
                                                       size_t most) = 0;
  virtual Result<std::optional<FlowRunRow>> flow_run(const Key128& run) = 0;
  // Of one state, or of all when it is empty, in order of seq.
  virtual Status visit_flow_runs(std::string_view state,
                                 const std::function<bool(const FlowRunRow&)>& visit) = 0;
  // Sums kept across runs: `events`, `duplicates`, `executed`, … Zero when never counted.
  virtual Result<int64_t> total(std::string_view name) = 0;
  virtual Result<std::optional<std::string>> meta(std::string_view name) = 0;
};

// Writing verbs. A verb that fails leaves the transaction to be rolled back: return its error from
// the closure.
class StoreTxn : public StoreReader {
 public:
  // True when the key was new; false when it has been admitted before, by this or an earlier
  // transaction.
  virtual Result<bool> admit(const Key128& event) = 0;
  // A key that may be admitted soon: where it would stand can be fetched meanwhile.
  virtual void expect(const Key128& event) const { (void)event; }
  virtual Status put_record(const RecordRow& row) = 0;
  // Several, in order: at less cost than one by one where the store knows how.
  virtual Status put_records(std::span<const RecordView> rows) {
    for (const RecordView& row : rows) {
      if (Status put = put_record(row.row()); !put) return put;
    }
    return {};
  }
  // Charges one unit to each counter, or none at all. `used <= max` holds for every counter in
  // every state a crash can leave.
  virtual Result<ChargeResult> charge(const Key128& run, const std::vector<Charge>& charges) = 0;
  // Gives the run its seq. False when a run of that key exists: nothing is written.
  virtual Result<bool> add_run(RunRow& row) = 0;
  virtual Status add_verdict(const VerdictRow& row) = 0;
  virtual Status put_reminder(const ReminderRow& row) = 0;
  virtual Status put_timer(const TimerRow& row) = 0;
  virtual Status remove_timer(Instant due, const Key128& id) = 0;
  virtual Status add_dead_letter(const DeadLetterRow& row) = 0;
  // kNotFound when there is none of that number.
  virtual Status remove_dead_letter(int64_t seq) = 0;
  virtual Status put_cursor(const CursorRow& row) = 0;
  virtual Status put_activation(const ActivationRow& row) = 0;
  virtual Status put_attempt(const AttemptRow& row) = 0;
  // False when an intent of that key exists: nothing is written.
  virtual Result<bool> add_intent(const IntentRow& row) = 0;
  // Claims ready intents that are due, at most one of a record and none behind an unsettled one, in
  // order of seq, leaving those of the channels that `without` names: their attempt is one more,
  // their epoch this. Gives them as they are now.
  virtual Result<std::vector<IntentRow>> claim_intents(Instant now, int64_t epoch, size_t most,
                                                       std::string_view without) = 0;
  // Writes the state, due time, result and answer of an intent that `epoch` has claimed. False when
  // it is not claimed by that epoch (any more): nothing is written.
  virtual Result<bool> finish_intent(const IntentRow& row, int64_t epoch) = 0;
  // The same for an intent that nobody has claimed: a person settles it.
  virtual Result<bool> settle_intent(const IntentRow& row) = 0;
  virtual Status add_total(std::string_view name, int64_t count) = 0;
  virtual Status put_meta(std::string_view name, std::string_view value) = 0;
  // The row is known by its run; a new one is given its seq.
  virtual Status put_flow_run(const FlowRunRow& row) = 0;
  virtual Status remove_flow_run(const Key128& run) = 0;
  // Savepoints, one inside the other: what was written since the last open one is taken back, or
  // stays. Those that are open when the closure returns stay.
  virtual Status savepoint() = 0;
  virtual Status rollback_savepoint() = 0;
  virtual Status release_savepoint() = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  // Runs `write` in one transaction. When it returns, with success, the writes are durable. When
  // `write` or the commit fails, nothing of it is kept, and the error is returned. Never nested.
  virtual Status commit(const std::function<Status(StoreTxn&)>& write) = 0;
  // Makes sure that the results of calls about to be made will find room on a full disk. Fails with
  // kStorageFull when they would not; then no call may be made.
  virtual Status reserve_results() { return {}; }
  // Commits results, in the reserved room when there is no other.
  virtual Status commit_results(const std::function<Status(StoreTxn&)>& write) {
    return commit(write);
  }
  // When nothing is queued: work that would make a commit wait, as a checkpoint. Never needed.
  virtual Status when_idle() { return {}; }
  // All that `look` reads is as of one moment, whatever is committed beside it.
  virtual Status read(const std::function<Status(StoreReader&)>& look) = 0;
};

}  // namespace ensue
