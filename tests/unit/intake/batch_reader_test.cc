// However many threads read a batch, what comes out is the same.
#include "intake/batch_reader.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "support/programs.h"
#include "support/random.h"
#include "value/text.h"

namespace ensue::intake {
namespace {

std::string shown(const LineResult& result) {
  std::string out = fmt::format("{} {} {} {}", static_cast<int>(result.kind),
                                format_name(result.format), result.undated, result.reason);
  for (const types::Event& event : result.events) {
    out += fmt::format("\n  {} {} {} {} {}", base::to_hex(event.key), event.record,
                       types::change_kind_name(event.kind), event.at.ms, event.by);
    event.set.for_each([&](types::FieldId field, const Value& value) {
      out += fmt::format(" {}={}", field.index, value::json_text(value));
    });
  }
  return out + "\n";
}

std::string read_all(const engine::Program& program, const std::vector<std::string>& texts,
                     size_t threads) {
  std::vector<InputLine> lines;
  for (const std::string& text : texts) lines.push_back({text, lines.size() + 1});
  base::Workers workers(threads);
  Bounds bounds;
  BatchReader reader(program.schema(), bounds, "stream", false, lines, workers);
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) out += shown(reader.next());
  for (const auto& [name, times] : reader.counts().unknown_fields)
    out += fmt::format("{} {}\n", name, times);
  for (const auto& [name, times] : reader.counts().unknown_values)
    out += fmt::format("{} {}\n", name, times);
  return out + fmt::format("{} differences\n", reader.counts().diffs);
}

// Good lines, lines that cannot be read, fields and values that nobody knows.
std::vector<std::string> lines_of(testing::Random& random, size_t count, int64_t strange_names) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    std::string more;
    if (random.chance(50))
      more += fmt::format(R"(,"Foo{}__c":1)", random.between(1, strange_names));
    if (random.chance(20)) more += fmt::format(R"(,"Rating":"R{}")", random.between(1, 9));
    if (random.chance(3)) more += R"(,"NumberOfEmployees":"many")";
    if (random.chance(3)) more += ',';
    out.push_back(
        random.chance(10)
            ? R"({"action":"I","table":"leads","columns":[{"name":"id","value":"7"}]})"
            : fmt::format(
                  R"({{"entity":"Lead","ids":["00Q{}","00R{}"],"kind":"update","at":{},"set":{{"LastName":"N{}"{}}}}})",
                  i % 9, i % 7, i, i, more));
  }
  return out;
}

}  // namespace

TEST_CASE("a batch gives the same for any number of threads") {
  engine::ProgramPtr program = testing::program_of("");
  testing::Random random(20261121);
  for (size_t count : {0, 1, 31, 63, 64, 500, 4000}) {
    INFO(count << " lines");
    // With the larger number there are more names than are kept.
    for (int64_t names : {20, 5000}) {
      std::vector<std::string> lines = lines_of(random, count, names);
      std::string alone = read_all(*program, lines, 1);
      if (count == 4000) CHECK((alone.find("\nothers ") != std::string::npos) == (names == 5000));
      CHECK(read_all(*program, lines, 2) == alone);
      CHECK(read_all(*program, lines, 5) == alone);
    }
  }
}

TEST_CASE("lines of many megabytes are read in several steps") {
  engine::ProgramPtr program = testing::program_of("");
  testing::Random random(7);
  std::vector<std::string> lines = lines_of(random, 200, 5);
  for (size_t i = 0; i < lines.size(); i += 2) {
    lines[i] = fmt::format(
        R"({{"entity":"Lead","ids":["00Q1"],"kind":"update","at":1,"set":{{"Description":"{}"}}}})",
        std::string(100'000, 'x'));
  }
  CHECK(read_all(*program, lines, 3) == read_all(*program, lines, 1));
}

}  // namespace ensue::intake
