// Sink: where what Ensue writes, calls and sends goes when it leaves the process.
//
// Every record that an automation changes is kept in the store's copy in the commit of the run, and
// where the host lends a sink, the same commit writes an intent: the change, under a key that is
// computed from event, rule and record, never drawn. A flow that calls a service or sends an e-mail
// writes an intent in the same way; the definite answer of a service, good or bad, goes on with the
// run as a new chain (LANGUAGE section 5). Delivery follows it: the intent is claimed in
// one commit, the sink is called with the key, the result is written in another, fenced by the
// epoch of the engine that claimed it (DURABILITY section 3). What a crash between the two leaves
// is settled by the class of the sink.
//
// Intents of one record are delivered one at a time, in the order of their commits. One whose
// outcome nobody knows holds back the later ones of its record until a person has settled it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ensue/key.h"
#include "ensue/value.h"

namespace ensue {

// What a sink can promise when the engine died between the call and the note of its result.
enum class SinkClass : uint8_t {
  kKeyed,  // takes the key and acts once for it, however often it is called: called again
  kAsked,  // can be asked whether the key has happened: asked before every call but the first
  kBlind,  // neither: parked as unknown for a person, or called again where the host says so
};
const char* sink_class_name(SinkClass sink_class);

// What is asked of a sink. One interface serves all that leaves the process; a host lends one sink
// for each channel, or the same for several.
enum class SinkChannel : uint8_t {
  kRecord,   // a change of a record, for the system that owns the records
  kService,  // `call service "erp.createOrder" with …`
  kEmail,    // `send email to … using template "…"`
};
// The stable name of a channel: record, service, email.
const char* sink_channel_name(SinkChannel channel);

struct SinkCall {
  // The same for every attempt: H(cause | record) of a change, H(run | statement | times round) of
  // a service call or an e-mail. `try … retry` calls again with the same key.
  Key128 key;
  // What it is about: Lead/00Q1. Empty when a flow has no record in hand (a schedule).
  std::string_view record;
  // Of kRecord: a line of the native form of events (docs/formats.md), whose `id` is the key in
  // hexadecimal digits, so that what a sink records can be read as a stream.
  // Of kService: the arguments as one JSON object, in the order they were written; blanks are
  // null, numbers keep their digits, dates and instants are ISO 8601 texts.
  // Of kEmail: {"id":"<key>","at":"2026-01-05T14:00:00Z","template":"Intro","from":"ana@x.test",
  // "from_name":"Ana Roe","to":"roe@x.test","to_name":"Jo Roe","subject":"…","body":"…"}; `from`
  // and `from_name` are missing when the run is for nobody (the system), the names when there are
  // none. `to` is never blank. Lines of `subject` and `body` end with \n.
  std::string_view request;
  int64_t attempt = 1;  // from 1
  SinkChannel channel = SinkChannel::kRecord;
  // Of kService: the service as written, erp.createOrder. Of kEmail: the template.
  std::string_view name{};
  // A call that has no answer after this time is to be broken off, and is kUnknown.
  int64_t timeout_ms = 30'000;
};

struct SinkAnswer {
  enum class Kind : uint8_t {
    kDone,     // it has happened
    kRefused,  // a definite no: it has not happened and will not
    kAgain,    // it has not happened, and may when it is tried later
    kUnknown,  // the call broke off: it may have happened
  };
  Kind kind = Kind::kDone;
  // For people: the reason of a no, which is the message of the fault a flow sees. Kept with the
  // intent, cut at 200 bytes.
  std::string text;
  // Of kService: the answer, one JSON value; empty: blank. A flow reads its members
  // (`let answer = call service …`, `answer.Number`). A body over 1 MiB, or one
  // that is no JSON, makes the call a definite no.
  std::string body{};
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual SinkClass sink_class() const = 0;
  // Where services differ: the class of one. Asked also of a call that an earlier process began.
  virtual SinkClass sink_class_of(SinkChannel channel, std::string_view name) const {
    (void)channel;
    (void)name;
    return sink_class();
  }
  // May block, for `timeout_ms` at most. Exceptions count as kUnknown.
  virtual SinkAnswer call(const SinkCall& call) = 0;
  // Of kAsked: whether the key has happened. kDone: yes, with the body of the answer where the sink
  // still knows it; kAgain: no; kUnknown: it cannot say now.
  virtual SinkAnswer ask(const Key128& key) {
    (void)key;
    return {SinkAnswer::Kind::kUnknown, ""};
  }
};

}  // namespace ensue
