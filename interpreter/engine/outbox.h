// The outbox: changes on their way out of the process, from the intent in the commit of a run to
// the note of what the sink said (DURABILITY section 3).
#pragma once

#include <string>

#include "engine/matching.h"
#include "ensue/engine.h"
#include "ensue/sink.h"

namespace ensue::engine {

// A change as the sink gets it: a line of the native form of events, whose id is the key.
std::string intent_request(const types::Schema& schema, const Change& change);

struct OutboxOptions {
  bool call_again_when_unknown = false;  // of blind sinks: at least once instead of at most once
  bool waits = true;                     // tries again after a growing while, not in the next run
  int64_t attempts_max = 10;
  size_t answer_bytes_max = Bounds().service_answer_bytes_max;
};

// Who takes what leaves the process; null: it waits in the store.
struct OutboxSinks {
  Sink* records = nullptr;
  Sink* services = nullptr;
  Sink* mail = nullptr;

  Sink* of(std::string_view channel) const;
  std::string without() const;  // the channels that have none
};

// Delivers the intents of one store. Used by the thread of the engine.
class Outbox {
 public:
  Outbox(Store& store, OutboxSinks sinks, OutboxOptions options)
      : store_(store), sinks_(sinks), options_(options) {}

  // Claims, calls and notes until nothing is due; `batch` intents in one commit. The first time it
  // takes over: the epoch is raised, and what an earlier engine left claimed is settled by the
  // sink's class. Errors: of the store; kStoreLocked when another engine has taken over since;
  // kStorageFull before any call when results would find no room.
  Result<DeliveryReport> deliver(Instant now, size_t batch);

  // The parts of `deliver`, for a host that calls the sinks on threads of its own: claims what is
  // due, at most `most`; and notes what was answered, each in a commit.
  Result<std::vector<IntentRow>> begin(Instant now, size_t most, DeliveryReport& report);
  Status end(std::vector<IntentRow> rows, const std::vector<SinkAnswer>& answers, Instant now,
             DeliveryReport& report);

  int64_t epoch() const { return epoch_; }

 private:
  Status take_over(Instant now, DeliveryReport& report);
  Result<std::vector<IntentRow>> claim(Instant now, size_t most);
  Status note(const std::vector<IntentRow>& rows, Instant now, DeliveryReport& report);
  bool blind(const IntentRow& row) const;
  // The row as it is after the answer, and counts it.
  IntentRow after_answer(IntentRow row, const SinkAnswer& answer, Instant now) const;
  // What is left claimed by a crash: to be called (keyed), to be asked and called (asked), or for a
  // person.
  IntentRow after_crash(IntentRow row, Instant now) const;

  Store& store_;
  OutboxSinks sinks_;
  OutboxOptions options_;
  int64_t epoch_ = 0;  // 0: not taken over yet
};

// Calls the sink of an intent; asks one of class kAsked first where an earlier call may have
// happened. From any thread, as far as the sinks allow it.
SinkAnswer call_sink(const OutboxSinks& sinks, const IntentRow& row, DeliveryReport& report);

// The run that waits for the answer goes on when the clock comes to it, which is at once. Nothing
// for intents that nobody waits for, or that are not settled.
Status put_answer(StoreTxn& txn, const IntentRow& row, Instant now);

// What a person says of a parked intent (`unknown` or `failed`).
enum class Settle : uint8_t {
  kRetry,  // call again
  kDone,   // it has happened
  kDrop,   // it has not, and shall not
};
// `key` is the intent's, or the beginning of it as listed, at least 6 digits. Errors: kNotFound,
// kInvalidArgument (several fit, or it is not parked). Gives the intent as it is now.
Result<IntentRow> settle_intent(Store& store, const std::string& key, Settle what, Instant now);

}  // namespace ensue::engine
