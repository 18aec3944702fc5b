// Matching side by side: from the bytes of an event to the numbers of the rules it starts.
//
//   bench_matching [--seed N] [--rounds N] [--events N] [--sizes N,N] [--only owned|all]
//                  [--json FILE] [--export FOLDER] [--profile SECONDS] [--profile-events N]
//
// Four sides share one intake (simdjson on demand, texts interned): it alone; the engine's index;
// an index made by hand for this workload; and looking at every rule of the object. The sides run
// in turn, round by round, on one thread; what is printed is the median of processor time an event.
// First all sides must find the same pairs of event and rule, and the evaluator of the language on
// the first events. What takes over 60 s to load, and what is measured for 20 s, stops there.
#include <fmt/format.h>
#include <malloc.h>
#include <simdjson.h>
#include <time.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "calendar/zone.h"
#include "exec/evaluator.h"
#include "handmade_index.h"
#include "match/predicate_index.h"
#include "measure.h"
#include "value/time_text.h"
#include "workload.h"
#include "workload_export.h"
#ifdef ENSUE_BENCH_CALLGRIND
#include <valgrind/callgrind.h>
#endif

// ---- Counting allocations ----------------------------------------------------------------------

namespace {
uint64_t allocations = 0;  // NOLINT: counted where every allocation passes
uint64_t live_bytes = 0;   // NOLINT
}  // namespace

// Not inlined: g++ 12 would take the malloc of one for a partner of the other's free.
[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  void* out = std::malloc(bytes);
  if (out == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(out);
  return out;
}
[[gnu::noinline]] void operator delete(void* place) noexcept {
  live_bytes -= malloc_usable_size(place);
  std::free(place);
}
void operator delete(void* place, size_t) noexcept { operator delete(place); }

namespace ensue::bench {
namespace {

// ---- Intake ------------------------------------------------------------------------------------

// Reads an event into the image of one snapshot. What no rule reads is skipped.
class Intake {
 public:
  Intake(const Workload& workload, const match::Snapshot& snapshot, uint32_t users)
      : layout_(snapshot.layout(workload.lead())), vocabulary_(snapshot.vocabulary()) {
    for (uint32_t i = 0; i < Workload::fields().size(); ++i) {
      const FieldSpec& spec = Workload::fields()[i];
      fields_.push_back({spec.name, spec.kind, layout_.find(workload.field_id(i))});
    }
    match::VocabularyWriter owners;
    for (uint32_t i = 0; i < users; ++i) owners.add(0, Workload::owner_name(i));
    owners_ = owners.publish();
  }

  // False when the event cannot be read. `owner` is the number of the record's
  // owner.
  bool read(const Event& event, match::EventImage& image, uint32_t& owner) {
    simdjson::padded_string_view json(event.json.data(), event.size, event.json.size());
    simdjson::ondemand::document document;
    if (parser_.iterate(json).get(document) != simdjson::SUCCESS) return false;
    simdjson::ondemand::object whole;
    if (document.get_object().get(whole) != simdjson::SUCCESS) return false;
    bool is_new = false;
    for (auto member : whole) {
      simdjson::ondemand::raw_json_string key;
      if (member.key().get(key) != simdjson::SUCCESS) return false;
      if (key == "kind") {
        std::string_view kind;
        if (member.value().get_string().get(kind) != simdjson::SUCCESS) return false;
        is_new = kind == "create";
      } else if (key == "set") {
        image.begin(layout_, is_new ? plan::kCreated : plan::kEdited, is_new);
        simdjson::ondemand::object set;
        if (member.value().get_object().get(set) != simdjson::SUCCESS) return false;
        if (!read_fields(set, image, owner)) return false;
      }
    }
    return true;
  }

 private:
  struct Field {
    std::string_view name;
    FieldKind kind;
    uint8_t slot;
  };

  // Fields mostly come in the order of the schema.
  const Field* find(std::string_view key, size_t& next) const {
    for (size_t i = 0; i < fields_.size(); ++i) {
      const Field& field = fields_[next];
      next = next + 1 == fields_.size() ? 0 : next + 1;
      if (field.name == key) return &field;
    }
    return nullptr;
  }

  bool read_fields(simdjson::ondemand::object& set, match::EventImage& image, uint32_t& owner) {
    size_t next = 0;
    for (auto member : set) {
      simdjson::ondemand::raw_json_string raw;
      if (member.key().get(raw) != simdjson::SUCCESS) return false;
      const char* name = raw.raw();
      size_t length = 0;
      const Field& expected = fields_[next];
      bool as_expected = std::memcmp(name, expected.name.data(), expected.name.size()) == 0 &&
                         name[expected.name.size()] == '"';
      const Field* field = &expected;
      if (as_expected) {
        next = next + 1 == fields_.size() ? 0 : next + 1;
      } else {
        while (name[length] != '"') ++length;
        field = find({name, length}, next);
      }
      if (field == nullptr) continue;
      bool owner_field = field == &fields_[0];
      if (field->slot == match::Layout::kNoSlot && !owner_field) continue;
      simdjson::ondemand::value value;
      if (member.value().get(value) != simdjson::SUCCESS) return false;
      std::string_view token = value.raw_json_token();
      if (token[0] == 'n') continue;
      switch (field->kind) {
        case FieldKind::kText: {
          std::string_view text;
          if (value.get_string().get(text) != simdjson::SUCCESS) return false;
          if (owner_field) {
            match::Key number = owners_.find(0, text, scratch_);
            owner = static_cast<uint32_t>(number - 1);
          } else {
            image.set_text(field->slot, layout_, vocabulary_, text);
          }
          break;
        }
        case FieldKind::kNumber: image.set_key(field->slot, number_key(token)); break;
        case FieldKind::kDate: image.set_key(field->slot, date_key(token.substr(1))); break;
        case FieldKind::kBoolean: image.set_key(field->slot, token[0] == 't' ? 1 : 0); break;
      }
    }
    return true;
  }

  static match::Key number_key(std::string_view token) {
    bool negative = token[0] == '-';
    int64_t coefficient = 0;
    int8_t scale = 0;
    bool point = false;
    for (size_t i = negative ? 1 : 0; i < token.size(); ++i) {
      char c = token[i];
      if (c == '.') {
        point = true;
      } else if (c >= '0' && c <= '9') {
        coefficient = coefficient * 10 + (c - '0');
        scale = static_cast<int8_t>(scale + (point ? 1 : 0));
      } else {
        break;
      }
    }
    return match::decimal_key({negative ? -coefficient : coefficient, scale});
  }

  // Days since 1970 of `YYYY-MM-DD`.
  static match::Key date_key(std::string_view text) {
    auto number = [&](size_t at, size_t digits) {
      int out = 0;
      for (size_t i = at; i < at + digits; ++i) out = out * 10 + (text[i] - '0');
      return out;
    };
    int year = number(0, 4);
    int month = number(5, 2);
    int day = number(8, 2);
    year -= month <= 2 ? 1 : 0;
    int era = year / 400;
    int of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146'097 + days - 719'468;
  }

  const match::Layout& layout_;
  const match::Vocabulary& vocabulary_;
  match::Vocabulary owners_;
  std::vector<Field> fields_;
  simdjson::ondemand::parser parser_;
  std::string scratch_;
};

// ---- The sides ---------------------------------------------------------------------------------

// All there is to one measurement: rules, events, and what is built from the
// rules.
struct Subject {
  Subject(uint64_t seed, bool is_owned, uint32_t rule_count, size_t event_count)
      : owned(is_owned),
        users(std::max<uint32_t>(1, rule_count / 50)),
        workload(seed, is_owned, users),
        index(workload.schema(), UINT64_MAX) {
    for (size_t i = 0; i < event_count; ++i)
      events.push_back(workload.event(static_cast<uint32_t>(i)));
    for (uint32_t i = 0; i < rule_count; ++i) rules.push_back(workload.rule());
  }

  match::PredicateIndex::RuleInput input(uint32_t number, plan::Code& code) const {
    match::PredicateIndex::RuleInput out;
    out.scope.object = workload.lead();
    if (owned) {
      out.scope.kind = match::ScopeKind::kOwn;
      out.scope.author = number / 50;
    }
    out.events = rules[number].events;
    workload.write(rules[number].condition, code);
    out.code = &code;
    out.condition = {0, static_cast<uint32_t>(code.steps.size())};
    return out;
  }

  bool owned;
  uint32_t users;
  Workload workload;
  std::vector<Rule> rules;
  std::vector<Event> events;
  match::PredicateIndex index;
  match::SnapshotPtr snapshot;
};

using Found = std::vector<uint32_t>;
using Match = std::function<void(match::EventImage&, uint32_t owner, Found&)>;

struct Side {
  const char* name;
  Match match;                    // none: intake alone
  double load_seconds = 0;        // from the rules to the first event
  std::vector<double> seconds{};  // an event, by round; none: too long to load
  uint64_t allocations = 0;       // of the last round
  size_t events = 0;              // of the last round
};

uint64_t pair_hash(uint64_t event, uint32_t rule) { return match::mixed(event + 1, rule + 1ull); }

// Looks at every rule of the object: its owner, its kinds, its code.
class Scan {
 public:
  Scan(const Subject& subject, const HandmadeRules& rules) : owned_(subject.owned), rules_(rules) {}
  void operator()(match::EventImage& image, uint32_t owner, Found& out) const {
    out.clear();
    for (uint32_t i = 0; i < rules_.rules.size(); ++i) {
      const HandmadeRules::Row& row = rules_.rules[i];
      if (owned_ && row.owner != owner) continue;
      if ((row.events & image.change()) == 0) continue;
      if (row.code == 0 || match::accepts(rules_.words.data() + row.code, image, rules_.tests))
        out.push_back(i);
    }
  }

 private:
  bool owned_;
  const HandmadeRules& rules_;
};

// Nothing is a record elsewhere in this workload.
class NoRecords final : public exec::RecordSource {
 public:
  types::RecordPtr find(types::ObjectId, std::string_view) override { return nullptr; }
  Result<std::vector<std::string>> referring(types::ObjectId, types::FieldId, std::string_view,
                                             size_t) override {
    return std::vector<std::string>();
  }
  std::string person(std::string_view, bool) override { return {}; }
};

// What the evaluator of the language finds, on records read by a parser of
// their own kind.
uint64_t judged(const Subject& subject, size_t events) {
  NoRecords records;
  types::FunctionTable functions;
  Bounds bounds;
  exec::Environment environment{subject.workload.schema(), functions, {},    records,
                                calendar::Zone::utc(),     {},        bounds};
  simdjson::dom::parser parser;
  std::unordered_map<std::string, uint32_t> owners;
  for (uint32_t i = 0; i < subject.users; ++i) owners[Workload::owner_name(i)] = i;
  uint64_t sum = 0;
  for (size_t e = 0; e < events; ++e) {
    const Event& event = subject.events[e];
    simdjson::dom::element document = parser.parse(event.json.data(), event.size);
    types::Record record;
    record.object = subject.workload.lead();
    uint32_t owner = UINT32_MAX;
    for (uint32_t f = 0; f < Workload::fields().size(); ++f) {
      const FieldSpec& spec = Workload::fields()[f];
      simdjson::dom::element value = document["set"][spec.name];
      if (value.is_null()) continue;
      Value field;
      if (spec.kind == FieldKind::kBoolean) {
        field = Value::boolean(value.get_bool());
      } else if (spec.kind == FieldKind::kNumber) {
        field = Value::number(Decimal{std::llround(value.get_double().value() * 100), 2});
      } else if (spec.kind == FieldKind::kDate) {
        field = Value::date(*value::parse_date(std::string_view(value)));
      } else {
        field = Value::text(std::string_view(value));
        if (f == 0) owner = owners.at(std::string(std::string_view(value)));
      }
      record.fields.set(types::FieldId(f + 1), std::move(field));
    }
    types::FieldSet changed;
    exec::Input input;
    input.it = &record;
    input.changed = &changed;
    input.is_new = std::string_view(document["kind"]) == "create";
    uint8_t kind = input.is_new ? plan::kCreated : plan::kEdited;
    for (uint32_t i = 0; i < subject.rules.size(); ++i) {
      if (subject.owned && i / 50 != owner) continue;
      if ((subject.rules[i].events & kind) == 0) continue;
      plan::Code code;
      subject.workload.write(subject.rules[i].condition, code);
      plan::ProgramRange whole{0, static_cast<uint32_t>(code.steps.size())};
      Result<bool> holds = exec::holds(code, whole, nullptr, input, environment);
      if (holds && *holds) sum += pair_hash(e, i);
    }
  }
  return sum;
}

// ---- Measuring ---------------------------------------------------------------------------------

struct Options {
  uint64_t seed = 20261121;
  size_t rounds = 5;
  size_t events = 20'000;
  std::vector<uint32_t> sizes = {1'000, 10'000, 100'000, 500'000};
  std::string only;
  double load_seconds = 60;    // of one side at one size
  double stop_seconds = 20;    // of measuring one side at one size
  double profile_seconds = 0;  // of the engine's index alone, for a profiler
  size_t profile_events = 0;   // the same, counted by callgrind
  std::string json;            // results are appended, one a line
  std::string folder;          // of the workload as files
};

// As many events as fit the side's time for a round; whole ones, from the
// first.
void measure(Side& side, const Subject& subject, Intake& intake, double seconds_max) {
  match::EventImage image;
  Found found;
  found.reserve(4096);
  uint64_t sum = 0;
  uint32_t owner = 0;
  // Buffers reach their size on the first events, uncounted.
  auto one = [&](const Event& event) {
    if (!intake.read(event, image, owner)) std::abort();
    if (side.match) {
      side.match(image, owner, found);
      sum += found.size();
    }
  };
  size_t warm = std::min<size_t>(side.name == std::string_view("linear scan") ? 3 : 500,
                                 subject.events.size());
  for (size_t i = 0; i < warm; ++i) one(subject.events[i]);
  uint64_t allocated = allocations;
  double begin = processor_seconds();
  size_t done = 0;
  double taken = 0;
  while (done < subject.events.size() && taken < seconds_max) {
    size_t end = std::min(done + 16, subject.events.size());
    for (; done < end; ++done) one(subject.events[done]);
    taken = processor_seconds() - begin;
  }
  side.allocations = allocations - allocated;
  side.events = done;
  side.seconds.push_back(taken / static_cast<double>(done));
  if (sum == UINT64_MAX) std::abort();  // the sum is used
}

// What a side finds on the first events: as many as asked, or as fit the time.
std::vector<Expected> found_by(const Match& match, const Subject& subject, Intake& intake,
                               size_t events, double seconds_max) {
  match::EventImage image;
  Found found;
  uint32_t owner = 0;
  std::vector<Expected> out;
  double end = processor_seconds() + seconds_max;
  for (size_t e = 0; e < events && (e == 0 || processor_seconds() < end); ++e) {
    if (!intake.read(subject.events[e], image, owner)) std::abort();
    match(image, owner, found);
    Expected& event = out.emplace_back();
    event.rules = found.size();
    for (uint32_t rule : found) event.sum += pair_hash(e, rule);
  }
  return out;
}

uint64_t checksum(const std::vector<Expected>& found, size_t events, size_t* pairs) {
  uint64_t sum = 0;
  *pairs = 0;
  for (size_t e = 0; e < events; ++e) {
    sum += found[e].sum;
    *pairs += found[e].rules;
  }
  return sum;
}

// Matches a number of events, of which alone callgrind counts the instructions.
void count_instructions(const Match& match, const Subject& subject, Intake& intake, size_t events) {
#ifdef ENSUE_BENCH_CALLGRIND
  // The first events bring the buffers to their size.
  found_by(match, subject, intake, std::min<size_t>(500, subject.events.size()), 1e9);
  match::EventImage image;
  Found found;
  found.reserve(4096);
  size_t pairs = 0;
  uint32_t owner = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (size_t e = 0; e < events; ++e) {
    if (!intake.read(subject.events[e % subject.events.size()], image, owner)) std::abort();
    match(image, owner, found);
    pairs += found.size();
  }
  CALLGRIND_TOGGLE_COLLECT;
  fmt::print("{} events, {} matches, simdjson {}\n", events, pairs,
             simdjson::get_active_implementation()->name());
#else
  (void)match, (void)subject, (void)intake, (void)events;
  fmt::print(stderr, "built without valgrind/callgrind.h: install valgrind, configure again\n");
  std::exit(2);
#endif
}

// Appends one result as a line of JSON; see bench/plot.py.
void note(const Options& options, const Subject& subject, std::string_view side,
          const std::string& members) {
  if (options.json.empty()) return;
  std::FILE* file = std::fopen(options.json.c_str(), "ab");
  if (file == nullptr) {
    fmt::print(stderr, "{}: cannot be written\n", options.json);
    std::exit(2);
  }
  fmt::print(file,
             R"({{"bench":"matching","owned":{},"rules":{},"side":"{}",{}}})"
             "\n",
             subject.owned, subject.rules.size(), side, members);
  std::fclose(file);
}

void run_size(const Options& options, bool owned, uint32_t size) {
  Subject subject(options.seed, owned, size, options.events);
  // How often values occur is measured on the first tenth of the events, for
  // both indexes.
  double begin = processor_seconds();
  uint64_t memory = live_bytes;
  for (uint32_t i = 0; i < size; ++i) {
    plan::Code code;
    subject.index.put(i, subject.input(i, code));
  }
  double put_seconds = processor_seconds() - begin;
  // The layout and the texts are known now; the first snapshot is what events
  // are observed with.
  {
    match::PredicateIndex& index = subject.index;
    match::SnapshotPtr bare = index.names();
    Intake intake(subject.workload, *bare, subject.users);
    match::EventImage image;
    uint32_t owner = 0;
    for (size_t e = 0; e < std::max<size_t>(2000, options.events / 10) && e < options.events; ++e) {
      if (!intake.read(subject.events[e], image, owner)) std::abort();
      index.statistics().observe(bare->layout(subject.workload.lead()), image);
    }
  }
  begin = processor_seconds();
  subject.snapshot = subject.index.publish();
  double build_seconds = processor_seconds() - begin;
  uint64_t index_memory = live_bytes - memory;
  for (uint32_t i = 0; i < size; ++i) {
    if (!subject.index.exact(i)) {
      fmt::print(stderr, "rule {} is not exact\n", i);
      std::exit(1);
    }
  }

  Intake intake(subject.workload, *subject.snapshot, subject.users);
  types::ObjectId lead = subject.workload.lead();
  Match by_index = [&](match::EventImage& image, uint32_t owner, Found& out) {
    subject.snapshot->match(lead, {&owner, 1}, {}, image, out);
  };
  if (options.profile_events > 0) {
    count_instructions(by_index, subject, intake, options.profile_events);
    return;
  }
  if (options.profile_seconds > 0) {
    Side alone{"ensue's index", by_index};
    double end = processor_seconds() + options.profile_seconds;
    while (processor_seconds() < end) measure(alone, subject, intake, 1);
    return;
  }
  begin = processor_seconds();
  std::vector<uint8_t> kinds;
  for (const Rule& rule : subject.rules) kinds.push_back(rule.events);
  HandmadeRules by_hand(subject.index, *subject.snapshot, subject.workload.lead(), kinds);
  HandmadeIndex handmade(by_hand, owned, [&](const HandmadeIndex& candidate) {
    match::EventImage image;
    Found found;
    uint32_t owner = 0;
    double from = processor_seconds();
    for (size_t e = 0; e < std::min<size_t>(4000, subject.events.size()); ++e) {
      if (!intake.read(subject.events[e], image, owner)) std::abort();
      candidate.match(image, owner, found);
    }
    return processor_seconds() - from;
  });
  double handmade_seconds = processor_seconds() - begin;
  Scan scan(subject, by_hand);
  std::vector<Side> sides = {
      {"parse and intern only", nullptr},
      {"ensue's index", by_index, put_seconds + build_seconds},
      {"index made by hand",
       [&](match::EventImage& image, uint32_t owner, Found& out) {
         handmade.match(image, owner, out);
       },
       handmade_seconds},
      {"linear scan",
       [&](match::EventImage& image, uint32_t owner, Found& out) {
         image.seal(by_hand.test_count);
         scan(image, owner, out);
       }},
  };
  // The scan is compared on what it can look at in a quarter of its time.
  std::vector<Expected> expected =
      found_by(by_index, subject, intake, options.events, options.stop_seconds);
  size_t compared = expected.size();
  std::vector<std::vector<Expected>> found;
  for (size_t i = sides.size() - 1; i > 1; --i) {
    found.push_back(found_by(sides[i].match, subject, intake, compared, options.stop_seconds / 4));
    compared = found.back().size();
  }
  size_t pairs = 0;
  uint64_t sum = checksum(expected, compared, &pairs);
  for (const std::vector<Expected>& other : found) {
    size_t other_pairs = 0;
    uint64_t other_sum = checksum(other, compared, &other_pairs);
    if (other_sum == sum && other_pairs == pairs) continue;
    fmt::print("{} rules: the sides find different pairs: {:016x} {:016x}\n", size, sum, other_sum);
    std::exit(1);
  }
  double mean = static_cast<double>(pairs) / static_cast<double>(compared);
  // The evaluator looks at every rule, so that it judges few events of many.
  size_t judged_events = std::min<size_t>(std::clamp<size_t>(2'000'000 / size, 10, 200), compared);
  size_t judged_pairs = 0;
  if (checksum(expected, judged_events, &judged_pairs) != judged(subject, judged_events)) {
    fmt::print("{} rules: the evaluator finds other pairs\n", size);
    std::exit(1);
  }
  fmt::print(
      "\n{}, {} rules of {} users: {} events compared, {:.2f} matches an event, checksum {:016x}, "
      "the same on all sides; the evaluator finds the same on {} events\n",
      owned ? "owned" : "org-wide", size, subject.users, compared, mean, sum, judged_events);
  if (!options.folder.empty() &&
      !export_workload(options.folder, owned, subject.rules, subject.events, expected))
    std::exit(2);
  for (size_t round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < sides.size(); ++i) {
      Side& side = sides[(i + round) % sides.size()];
      if (side.load_seconds > options.load_seconds) continue;
      measure(side, subject, intake, options.stop_seconds / static_cast<double>(options.rounds));
    }
  }
  double parse = median(sides[0].seconds);
  double unknown = std::numeric_limits<double>::quiet_NaN();
  double ceiling = sides[2].seconds.empty() ? unknown : median(sides[2].seconds);
  fmt::print("  {:<24} {:>12} {:>14} {:>12} {:>14}\n", "", "us an event", "us of matching",
             "to by hand", "allocations");
  for (const Side& side : sides) {
    if (side.seconds.empty()) {
      fmt::print("  {:<24} {:>12}   {:.0f} s to load\n", side.name, "–", side.load_seconds);
      note(options, subject, side.name,
           fmt::format(R"("us":null,"why":"{:.0f} s to load")", side.load_seconds));
      continue;
    }
    double at = median(side.seconds);
    double allocated = static_cast<double>(side.allocations) / static_cast<double>(side.events);
    fmt::print("  {:<24} {:>12.3f} {:>14.3f} {:>12.2f} {:>14.4f}\n", side.name, at * 1e6,
               (at - parse) * 1e6, at / ceiling, allocated);
    note(options, subject, side.name,
         fmt::format(
             R"("us":{:.4f},"events":{},"matches":{:.3f},"allocations":{:.4f},"load_s":{:.3f})",
             at * 1e6, side.events, mean, allocated, side.load_seconds));
  }
  // Rules replaced one by one, each visible at once.
  size_t changes = 200;
  begin = processor_seconds();
  for (size_t i = 0; i < changes; ++i) {
    auto number = static_cast<uint32_t>(match::mixed(i, size) % size);
    plan::Code code;
    subject.index.put(number, subject.input(number, code));
    subject.snapshot = subject.index.publish();
  }
  double change_seconds = (processor_seconds() - begin) / static_cast<double>(changes);
  fmt::print(
      "  built in {:.2f} s ({:.2f} s reading conditions); {} bytes a "
      "rule in all; by hand "
      "{:.2f} s; a rule replaced and published in {:.1f} us\n",
      put_seconds + build_seconds, put_seconds, index_memory / size, handmade_seconds,
      change_seconds * 1e6);
}

int run(const Options& options) {
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  fmt::print("matching: seed {}, {} rounds, {} events of {} fields\n", options.seed, options.rounds,
             options.events, Workload::fields().size());
  for (bool owned : {true, false}) {
    if (!options.only.empty() && (options.only == "owned") != owned) continue;
    for (uint32_t size : options.sizes) run_size(options, owned, size);
  }
  return 0;
}

}  // namespace
}  // namespace ensue::bench

int main(int count, char** words) {
  ensue::bench::Options options;
  CLI::App app("Matching, our index next to a scan and one made by hand", "bench_matching");
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--rounds", options.rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--events", options.events)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--sizes", options.sizes, "Numbers of rules")
      ->delimiter(',')
      ->check(CLI::Range(1, 500'000))
      ->capture_default_str();
  app.add_option("--only", options.only)->check(CLI::IsMember({"owned", "all"}));
  app.add_option("--json", options.json, "Append the results, one a line");
  app.add_option("--export", options.folder, "Write the last workload as files")
      ->check(CLI::ExistingDirectory);
  app.add_option("--profile-events", options.profile_events,
                 "Run the index alone on N events, for callgrind");
  app.add_option("--profile", options.profile_seconds, "Run the index alone, for a profiler");
  CLI11_PARSE(app, count, words);
  return ensue::bench::run(options);
}
