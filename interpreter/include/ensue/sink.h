// Sink: where what Ensue writes goes when it leaves the process.
//
// Every record that an automation changes is kept in the store's copy in the commit of the run, and
// where the host lends a sink, the same commit writes an intent: the change, under a key that is
// computed from event, rule and record, never drawn. Delivery follows it: the intent is claimed in
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

// One change of one record. `request` is a line of the native form of events (docs/formats.md), its
// `id` the key in hexadecimal digits, so that what a sink records can be read as a stream.
struct SinkCall {
  Key128 key;
  std::string_view record;  // Lead/00Q1
  std::string_view request;
  int64_t attempt = 1;  // from 1
};

struct SinkAnswer {
  enum class Kind : uint8_t {
    kDone,     // it has happened
    kRefused,  // a definite no: it has not happened and will not
    kAgain,    // it has not happened, and may when it is tried later
    kUnknown,  // the call broke off: it may have happened
  };
  Kind kind = Kind::kDone;
  std::string text;  // kept with the intent, cut at 200 bytes
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual SinkClass sink_class() const = 0;
  // May block. Exceptions count as kUnknown.
  virtual SinkAnswer call(const SinkCall& call) = 0;
  // Of kAsked: whether the key has happened. kDone: yes; kAgain: no; kUnknown: it cannot say now.
  virtual SinkAnswer ask(const Key128& key) {
    (void)key;
    return {SinkAnswer::Kind::kUnknown, ""};
  }
};

}  // namespace ensue
