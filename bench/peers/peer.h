// What the peers inside a program of C++ share: the workload (bench/workload_export.h), the reading
// of events by simdjson as the other side does it, and the measuring, as in harness.mjs: `ready`
// when the rules are loaded, a line an event to the output, the result as JSON in the last line on
// standard output.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace ensue::bench {

inline double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A field that some rule reads, or that owns; others are skipped.
struct PeerField {
  std::string name;
  enum class Type : uint8_t { kText, kNumber, kDate, kBoolean } type = Type::kText;
  bool read = false;
  int slot = -1;  // counts the fields read, from 0: the owner's
};

class EventReader {
 public:
  explicit EventReader(const std::string& folder) {
    simdjson::dom::parser parser;
    for (simdjson::dom::element element : parser.load(folder + "/fields.json").get_array()) {
      PeerField& field = fields_.emplace_back();
      field.name = std::string_view(element["name"]);
      std::string_view type = element["type"];
      field.type = type == "number"    ? PeerField::Type::kNumber
                   : type == "date"    ? PeerField::Type::kDate
                   : type == "boolean" ? PeerField::Type::kBoolean
                                       : PeerField::Type::kText;
      field.read = bool(element["read"]) || field.name == "OwnerId";
      if (field.read) field.slot = slots_++;
    }
  }

  const std::vector<PeerField>& fields() const { return fields_; }
  int slots() const { return slots_; }

  // `set(field, value)` for each field that is read and not null; the value is of simdjson. True
  // for a record that is new.
  template <typename Set>
  bool read(simdjson::padded_string_view json, const Set& set) {
    bool is_new = false;
    size_t next = 0;
    simdjson::ondemand::document document = parser_.iterate(json);
    for (auto member : document.get_object()) {
      simdjson::ondemand::raw_json_string key = member.key();
      if (key == "kind") {
        is_new = std::string_view(member.value()) == "create";
      } else if (key == "set") {
        for (auto inner : member.value().get_object()) {
          simdjson::ondemand::raw_json_string name = inner.key();
          // Fields come in the order of the schema.
          while (!name.unsafe_is_equal(fields_[next].name)) next = (next + 1) % fields_.size();
          const PeerField& field = fields_[next];
          next = (next + 1) % fields_.size();
          if (!field.read) continue;
          simdjson::ondemand::value value = inner.value();
          if (!value.is_null()) set(field, value);
        }
      }
    }
    return is_new;
  }

  // 20260131 for "2026-01-31".
  static int64_t date_number(std::string_view text) {
    int64_t out = 0;
    for (char c : text)
      if (c != '-') out = out * 10 + (c - '0');
    return out;
  }

 private:
  std::vector<PeerField> fields_;
  int slots_ = 0;
  simdjson::ondemand::parser parser_;
};

// `match(json, found)` appends the rules that an event starts.
template <typename Match>
int run_peer(const char* name, const std::string& folder, const char* output, double seconds,
             const Match& match) {
  std::vector<simdjson::padded_string> events;
  std::ifstream file(folder + "/events.ndjson");
  for (std::string line; std::getline(file, line);) events.emplace_back(line);
  fmt::print("ready\n");
  std::fflush(stdout);

  double begin = process_seconds();
  std::vector<std::vector<uint32_t>> notes;
  std::vector<uint32_t> found;
  auto pass = [&](bool note) {
    double from = process_seconds();
    size_t done = 0;
    while (done < events.size() && (done == 0 || process_seconds() - begin < seconds)) {
      found.clear();
      match(simdjson::padded_string_view(events[done++]), found);
      if (note) notes.push_back(found);
    }
    return (process_seconds() - from) / static_cast<double>(done) * 1e6;
  };
  std::vector<double> passes = {pass(true)};
  // The first pass of a fast engine is its warm-up.
  while (process_seconds() - begin < 4 && notes.size() == events.size())
    passes.push_back(pass(false));
  if (passes.size() > 1) passes.erase(passes.begin());
  std::sort(passes.begin(), passes.end());

  std::ofstream out(output);
  for (const std::vector<uint32_t>& event : notes)
    out << fmt::format("{}\n", fmt::join(event, " "));
  fmt::print(R"({{"name":"{}","events":{},"passes":{},"us":{:.3f}}})"
             "\n",
             name, notes.size(), passes.size(), passes[passes.size() / 2]);
  return out.good() ? 0 : 1;
}

}  // namespace ensue::bench
