// CLIPS inside a program: one environment with all rules (clips_rules.py writes them), one fact an
// event, asserted, run and retracted.
//
//   bench_clips WORKLOAD RULES OUTPUT SECONDS
#include <string>
#include <vector>

#include "peer.h"

extern "C" {
#include <clips/clips.h>
}

namespace {

using ensue::bench::PeerField;

// What the rules of the event at hand said. CLIPS finds a rule by each side of an `or`, so that
// each counts once.
std::vector<uint32_t>* found = nullptr;  // NOLINT: the call back of CLIPS has no argument of ours
std::vector<uint32_t> last_event;        // NOLINT: by rule
uint32_t event_number = 0;               // NOLINT

extern "C" int started(void* environment) {
  auto rule = static_cast<size_t>(EnvRtnLong(environment, 1));
  if (rule >= last_event.size()) last_event.resize(rule + 1);
  if (last_event[rule] != event_number) found->push_back(static_cast<uint32_t>(rule));
  last_event[rule] = event_number;
  return 0;
}

class Matcher {
 public:
  Matcher(const std::string& folder, const char* rules)
      : reader_(folder), environment_(CreateEnvironment()) {
    EnvDefineFunction2(environment_, "started", 'v', reinterpret_cast<int (*)(void*)>(started),
                       "started", "11i");
    // Each fact is alone: no need to look for its twin.
    EnvSetFactDuplication(environment_, 1);
    // Rules need not be printed again, which makes loading them faster.
    EnvSetConserveMemory(environment_, 1);
    loaded_ = EnvLoad(environment_, rules) == 1;
    EnvReset(environment_);
    event_ = EnvFindDeftemplate(environment_, "event");
    auto kept = [&](const char* name) {
      auto* symbol = static_cast<symbolHashNode*>(EnvAddSymbol(environment_, name));
      IncrementSymbolCount(symbol);
      return symbol;
    };
    nil_ = kept("nil");
    true_ = kept("TRUE");
    false_ = kept("FALSE");
    create_ = kept("create");
    update_ = kept("update");
  }

  bool loaded() const { return loaded_ && event_ != nullptr; }

  void match(simdjson::padded_string_view json, std::vector<uint32_t>& out) {
    found = &out;
    ++event_number;
    fact* made = EnvCreateFact(environment_, event_);
    field* values = made->theProposition.theFields;
    auto put = [&](int slot, unsigned short type, void* value) {
      values[slot].type = type;
      values[slot].value = value;
    };
    // Null is nil; of numbers and dates -1, below all of them.
    for (const PeerField& each : reader_.fields()) {
      if (!each.read) continue;
      bool ordered = each.type == PeerField::Type::kNumber || each.type == PeerField::Type::kDate;
      if (ordered) {
        put(each.slot, INTEGER, EnvAddLong(environment_, -1));
      } else {
        put(each.slot, SYMBOL, nil_);
      }
    }
    bool is_new = reader_.read(json, [&](const PeerField& read, simdjson::ondemand::value& value) {
      switch (read.type) {
        case PeerField::Type::kText:
          text_ = std::string_view(value);
          put(read.slot, STRING, EnvAddSymbol(environment_, text_.c_str()));
          break;
        case PeerField::Type::kNumber:
          put(read.slot, FLOAT, EnvAddDouble(environment_, double(value)));
          break;
        case PeerField::Type::kDate:
          put(read.slot, INTEGER,
              EnvAddLong(environment_,
                         ensue::bench::EventReader::date_number(std::string_view(value))));
          break;
        case PeerField::Type::kBoolean: put(read.slot, SYMBOL, bool(value) ? true_ : false_); break;
      }
    });
    put(reader_.slots(), SYMBOL, is_new ? create_ : update_);
    void* asserted = EnvAssert(environment_, made);
    EnvRun(environment_, -1);
    EnvRetract(environment_, asserted);
  }

 private:
  ensue::bench::EventReader reader_;
  void* environment_;
  bool loaded_ = false;
  void* event_ = nullptr;
  void* nil_ = nullptr;
  void* true_ = nullptr;
  void* false_ = nullptr;
  void* create_ = nullptr;
  void* update_ = nullptr;
  std::string text_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    fmt::print(stderr, "usage: bench_clips WORKLOAD RULES OUTPUT SECONDS\n");
    return 2;
  }
  Matcher matcher(words[1], words[2]);
  if (!matcher.loaded()) {
    fmt::print(stderr, "{}: CLIPS does not take the rules\n", words[2]);
    return 1;
  }
  return ensue::bench::run_peer("CLIPS", words[1], words[3], std::stod(words[4]),
                                [&](simdjson::padded_string_view json, std::vector<uint32_t>& out) {
                                  matcher.match(json, out);
                                });
}
