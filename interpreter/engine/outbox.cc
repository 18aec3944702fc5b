#include "engine/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>

#include "base/key128.h"
#include "base/utf8.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::engine {
namespace {

constexpr size_t kResultBytesMax = 200;

// 1 s, 4 s, 16 s, … an hour.
int64_t backoff_ms(int64_t attempt) {
  constexpr int64_t kHour = 3'600'000;
  int64_t wait = 1000;
  for (int64_t i = 1; i < attempt && wait < kHour; ++i) wait *= 4;
  return std::min(wait, kHour);
}

Result<int64_t> read_epoch(StoreReader& reader) {
  Result<std::optional<std::string>> kept = reader.meta("epoch");
  if (!kept) return kept.error();
  if (!kept->has_value()) return int64_t{0};
  const std::string& text = **kept;
  int64_t epoch = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  bool sound =
      error == std::errc() && end == text.data() + text.size() && epoch >= 0 && epoch < INT64_MAX;
  if (!sound) return {ErrorCode::kStoreDamaged, "the epoch kept in the store cannot be read"};
  return epoch;
}

}  // namespace

std::string intent_request(const types::Schema& schema, const Change& change) {
  const types::Object& object = schema.object(change.after->object);
  std::string set;
  std::string nulled;
  change.changed.for_each([&](types::FieldId field) {
    const Value& value = change.after->raw(field);
    std::string& list = value.is_blank() ? nulled : set;
    if (!list.empty()) list += ',';
    value::append_json_text(list, object.field(field).stored_as);
    if (value.is_blank()) return;
    list += ':';
    value::append_json(list, value);
  });
  std::string out =
      "{\"id\":\"" + base::to_hex(change.event) + "\",\"entity\":\"" + object.name + "\",\"ids\":[";
  value::append_json_text(out, change.after->id);
  out += "],\"kind\":\"";
  out += change.is_new                     ? "create"
         : change.kind == plan::kDeleted   ? "delete"
         : change.kind == plan::kUndeleted ? "undelete"
                                           : "update";
  out += "\",\"at\":\"" + value::instant_text(change.at) + '"';
  if (!change.by.empty()) {
    out += ",\"by\":";
    value::append_json_text(out, change.by);
  }
  if (!set.empty()) out += ",\"set\":{" + set + '}';
  if (!nulled.empty()) out += ",\"nulled\":[" + nulled + ']';
  return out + '}';
}

Sink* OutboxSinks::of(std::string_view channel) const {
  return channel == sink_channel_name(SinkChannel::kService) ? services
         : channel == sink_channel_name(SinkChannel::kEmail) ? mail
                                                             : records;
}

std::string OutboxSinks::without() const {
  std::string out;
  for (SinkChannel channel : {SinkChannel::kRecord, SinkChannel::kService, SinkChannel::kEmail}) {
    if (of(sink_channel_name(channel)) == nullptr)
      out += std::string(sink_channel_name(channel)) + ' ';
  }
  return out;
}

namespace {

SinkChannel channel_of(const IntentRow& row) {
  for (SinkChannel channel : {SinkChannel::kService, SinkChannel::kEmail}) {
    if (row.channel == sink_channel_name(channel)) return channel;
  }
  return SinkChannel::kRecord;
}

}  // namespace

Status put_answer(StoreTxn& txn, const IntentRow& row, Instant now) {
  bool settled = row.state == "done" || row.state == "failed" || row.state == "dropped";
  if (row.run.is_zero() || !settled) return {};
  // Not of the attempt: the order of waking is the same when a process ended during a call.
  Key128 id = base::hash_key({"answer", row.key.view()});
  return txn.put_timer({now, id, "answer", base::to_hex(row.run)});
}

bool Outbox::blind(const IntentRow& row) const {
  return sinks_.of(row.channel)->sink_class_of(channel_of(row), row.name) == SinkClass::kBlind &&
         !options_.call_again_when_unknown;
}

SinkAnswer call_sink(const OutboxSinks& sinks, const IntentRow& row, DeliveryReport& report) {
  try {
    // An earlier call, cut short or broken off, may have happened.
    Sink& sink = *sinks.of(row.channel);
    SinkClass sink_class = sink.sink_class_of(channel_of(row), row.name);
    if (row.attempt > 1 && sink_class == SinkClass::kAsked) {
      SinkAnswer happened = sink.ask(row.key);
      if (happened.kind != SinkAnswer::Kind::kAgain) return happened;
    }
    ++report.calls;
    return sink.call({row.key, row.record, row.request, row.attempt, channel_of(row), row.name});
  } catch (const std::exception& error) {
    return {SinkAnswer::Kind::kUnknown, error.what()};
  }
}

IntentRow Outbox::after_answer(IntentRow row, const SinkAnswer& answer, Instant now) const {
  row.result = base::excerpt(answer.text, kResultBytesMax);
  bool unknown = answer.kind == SinkAnswer::Kind::kUnknown;
  // A definite answer of a service, good or bad, goes to the flow.
  bool service = channel_of(row) == SinkChannel::kService;
  if (service && answer.body.size() > options_.answer_bytes_max) {
    row.state = "failed";
    row.result = fmt::format("the answer is longer than {} bytes", options_.answer_bytes_max);
    return row;
  }
  row.answer = answer.body;
  if (service && answer.kind == SinkAnswer::Kind::kAgain) {
    row.state = "failed";
    return row;
  }
  if (answer.kind == SinkAnswer::Kind::kDone) {
    row.state = "done";
  } else if (answer.kind == SinkAnswer::Kind::kRefused) {
    row.state = "failed";
  } else if (unknown && blind(row)) {
    row.state = "unknown";
  } else if (row.attempt >= options_.attempts_max) {
    // Of an unknown outcome nobody may say that it has not happened.
    row.state = unknown ? "unknown" : "failed";
  } else {
    row.state = "ready";
    row.due = {now.ms + backoff_ms(row.attempt)};
  }
  return row;
}

IntentRow Outbox::after_crash(IntentRow row, Instant now) const {
  // Without its sink nobody can say; it waits for one.
  bool parked = sinks_.of(row.channel) != nullptr && blind(row);
  row.state = parked ? "unknown" : "ready";
  row.due = now;
  row.result = "the engine ended during the call";
  return row;
}

Status Outbox::take_over(Instant now, DeliveryReport& report) {
  std::vector<IntentRow> left;
  int64_t mine = 0;
  Status taken = store_.commit([&](StoreTxn& txn) -> Status {
    left.clear();
    Result<int64_t> kept = read_epoch(txn);
    if (!kept) return kept.error();
    mine = *kept + 1;
    Status visited = txn.visit_intents("claimed", [&](const IntentRow& row) {
      left.push_back(row);
      return true;
    });
    if (!visited) return visited;
    if (!options_.waits) {
      // There is no clock to wait by: what was put off is tried once in each run.
      std::vector<IntentRow> waiting;
      visited = txn.visit_intents("ready", [&](const IntentRow& row) {
        if (row.due > now) waiting.push_back(row);
        return true;
      });
      if (!visited) return visited;
      for (IntentRow& row : waiting) {
        row.due = now;
        if (Result<bool> settled = txn.settle_intent(row); !settled) return settled.error();
      }
    }
    return txn.put_meta("epoch", std::to_string(mine));
  });
  if (!taken) return taken;
  for (IntentRow& row : left) row = after_crash(std::move(row), now);
  Status noted = store_.commit_results([&](StoreTxn& txn) -> Status {
    for (const IntentRow& row : left) {
      if (Result<bool> done = txn.finish_intent(row, row.epoch); !done) return done.error();
    }
    return {};
  });
  if (!noted) return noted;
  for (const IntentRow& row : left) {
    ++report.recovered;
    if (row.state == "unknown") ++report.unknown;
  }
  epoch_ = mine;
  return {};
}

Result<std::vector<IntentRow>> Outbox::claim(Instant now, size_t most) {
  std::vector<IntentRow> out;
  Status claimed = store_.commit([&](StoreTxn& txn) -> Status {
    Result<int64_t> kept = read_epoch(txn);
    if (!kept) return kept.error();
    if (*kept != epoch_) {
      return {ErrorCode::kStoreLocked, "another engine delivers for this store now"};
    }
    Result<std::vector<IntentRow>> rows = txn.claim_intents(now, epoch_, most, sinks_.without());
    if (!rows) return rows.error();
    out = std::move(*rows);
    return {};
  });
  if (!claimed) return claimed.error();
  return out;
}

Status Outbox::note(const std::vector<IntentRow>& rows, Instant now, DeliveryReport& report) {
  std::vector<bool> kept;
  Status noted = store_.commit_results([&](StoreTxn& txn) -> Status {
    kept.clear();
    for (const IntentRow& row : rows) {
      Result<bool> done = txn.finish_intent(row, epoch_);
      if (!done) return done.error();
      kept.push_back(*done);
      if (!*done) continue;
      if (Status woken = put_answer(txn, row, now); !woken) return woken;
    }
    return {};
  });
  if (!noted) return noted;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& state = rows[i].state;
    ++(!kept[i]             ? report.fenced
       : state == "done"    ? report.done
       : state == "failed"  ? report.failed
       : state == "unknown" ? report.unknown
                            : report.again);
  }
  return {};
}

Result<std::vector<IntentRow>> Outbox::begin(Instant now, size_t most, DeliveryReport& report) {
  if (Status reserved = store_.reserve_results(); !reserved) return reserved.error();
  if (epoch_ == 0) {
    if (Status taken = take_over(now, report); !taken) return taken.error();
  }
  // No commit where nothing waits.
  bool ready = false;
  Status looked = store_.read([&](StoreReader& reader) {
    return reader.visit_intents("ready", [&](const IntentRow& row) {
      ready = row.due <= now && sinks_.of(row.channel) != nullptr;
      return !ready;
    });
  });
  if (!looked) return looked.error();
  if (!ready) return std::vector<IntentRow>();
  if (Status reserved = store_.reserve_results(); !reserved) return reserved.error();
  return claim(now, most);
}

Status Outbox::end(std::vector<IntentRow> rows, const std::vector<SinkAnswer>& answers, Instant now,
                   DeliveryReport& report) {
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = after_answer(std::move(rows[i]), answers[i], now);
  return note(rows, now, report);
}

Result<DeliveryReport> Outbox::deliver(Instant now, size_t batch) {
  DeliveryReport report;
  for (;;) {
    Result<std::vector<IntentRow>> rows = begin(now, batch, report);
    if (!rows) return rows.error();
    if (rows->empty()) return report;
    std::vector<SinkAnswer> answers;
    for (const IntentRow& row : *rows) answers.push_back(call_sink(sinks_, row, report));
    if (Status ended = end(std::move(*rows), answers, now, report); !ended) return ended.error();
  }
}

Result<IntentRow> settle_intent(Store& store, const std::string& key, Settle what, Instant now) {
  std::vector<IntentRow> found;
  Status done = store.commit([&](StoreTxn& txn) -> Status {
    found.clear();
    if (key.size() < 6) return {ErrorCode::kInvalidArgument, "give at least 6 digits of the key"};
    Status visited = txn.visit_intents("", [&](const IntentRow& row) {
      if (base::to_hex(row.key).starts_with(key)) found.push_back(row);
      return found.size() < 2;
    });
    if (!visited) return visited;
    if (found.empty()) return {ErrorCode::kNotFound, fmt::format("there is no delivery {}", key)};
    if (found.size() > 1)
      return {ErrorCode::kInvalidArgument, fmt::format("several deliveries begin with {}", key)};
    IntentRow& row = found[0];
    if (row.state != "unknown" && row.state != "failed") {
      return {ErrorCode::kInvalidArgument,
              fmt::format("delivery {} is not parked, it is {}", key, row.state)};
    }
    row.state = what == Settle::kRetry ? "ready" : what == Settle::kDone ? "done" : "dropped";
    row.due = now;
    row.result = what == Settle::kRetry  ? "to be called again, says a person"
                 : what == Settle::kDone ? "it has happened, says a person"
                                         : "dropped by a person";
    Result<bool> settled = txn.settle_intent(row);
    return settled ? put_answer(txn, row, now) : Status(settled.error());
  });
  if (!done) return done.error();
  return found[0];
}

}  // namespace ensue::engine

namespace ensue {

const char* sink_class_name(SinkClass sink_class) {
  static constexpr const char* kNames[] = {"keyed", "asked", "blind"};
  return kNames[static_cast<size_t>(sink_class)];
}

const char* sink_channel_name(SinkChannel channel) {
  static constexpr const char* kNames[] = {"record", "service", "email"};
  return kNames[static_cast<size_t>(channel)];
}

}  // namespace ensue
