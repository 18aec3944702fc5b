// Sinks for tests: what they were given, and what they answer.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "base/key128.h"
#include "ensue/sink.h"

namespace ensue::testing {

// A service that records its calls. `effects` counts what happened in it by key: a keyed or asked
// one acts once for a key, a blind one each time.
class RecordingService final : public Sink {
 public:
  explicit RecordingService(SinkClass sink_class) : class_(sink_class) {}

  SinkClass sink_class() const override { return class_; }

  SinkAnswer call(const SinkCall& call) override {
    calls.push_back(call.key);
    records.emplace_back(call.record);
    SinkAnswer answer = answers ? answers(call) : SinkAnswer{};
    bool happened = answer.kind == SinkAnswer::Kind::kDone || happens_before_unknown;
    bool repeated = class_ == SinkClass::kKeyed && effects.count(call.key) != 0;
    if (happened && answer.kind != SinkAnswer::Kind::kRefused &&
        answer.kind != SinkAnswer::Kind::kAgain && !repeated)
      ++effects[call.key];
    if (dies) dies(call);
    return answer;
  }

  SinkAnswer ask(const Key128& key) override {
    ++asked;
    return {effects.count(key) != 0 ? SinkAnswer::Kind::kDone : SinkAnswer::Kind::kAgain, ""};
  }

  std::function<SinkAnswer(const SinkCall&)> answers;  // none: everything is done
  std::function<void(const SinkCall&)> dies;           // after the effect, before the answer
  bool happens_before_unknown = false;                 // a broken call had its effect
  std::vector<Key128> calls;
  std::vector<std::string> records;
  std::map<Key128, int> effects;
  int asked = 0;

 private:
  SinkClass class_;
};

}  // namespace ensue::testing
