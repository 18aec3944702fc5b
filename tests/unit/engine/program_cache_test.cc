#include "engine/program_cache.h"

#include <catch2/catch.hpp>

#include "source/render.h"
#include "support/files.h"
#include "support/programs.h"

namespace ensue::testing {
namespace {

constexpr const char* kProgram = R"(
extend Lead
  Score as number labelled "Points" default 5
end
object Visit
  Place as text required
end
cadence "C"
  targets Lead
  track main
    step "Call" immediately: call
end
calendar "Office" in "Europe/Paris"
  open Monday - Friday 09:00 - 17:00
  holidays 2026-12-25
end
template "Hello"
  subject "Hi {Recipient.LastName}"
  body "How are you?"
end
limits "Ours"
  each user: at most 90 action executions per day
end
action "A" by "ana@x.test" priority 3
  when Lead is created or edited
  for my records
  if Score >= 7 and City starts with "Par" and not (Rating is one of ("Hot", "Warm"))
  then add it to cadence "C"
end
flow "Weekly"
  every Monday at 08:00 in "Europe/Paris"
  over Lead where Status is "New"
  run as system
  let found = find first Visit where Place is "Here"
  wait 2 days
  try
    set Rating to "Hot"
    retry 2 times
  on fault as f
    log f.Message
  end
end)";

engine::LoadInput input_of(std::string text, ProgramOptions options = {}) {
  return {{{"test.ensue", std::move(text)}}, std::move(options), nullptr, nullptr};
}

std::string dumped(const engine::Program& program) {
  std::string out;
  for (const plan::UnitPtr& unit : program.units)
    out += plan::dump(*unit, program.schema(), program.functions());
  return out;
}

std::optional<engine::Loaded> read_back(std::string_view bytes, engine::LoadInput input) {
  return engine::decode_program(bytes, input);
}

// What is compiled of a text is what loading it gives, byte for byte.
void check_round_trip(const engine::LoadInput& input) {
  engine::Loaded loaded = engine::load_program(input);
  if (loaded.has_errors) return;
  std::string bytes = engine::encode_program(loaded);
  std::optional<engine::Loaded> again = read_back(bytes, input);
  REQUIRE(again.has_value());
  CHECK(again->module == nullptr);
  CHECK(dumped(*again->program) == dumped(*loaded.program));
  CHECK(engine::encode_program(*again) == bytes);
  CHECK(again->program->fingerprint == loaded.program->fingerprint);
  CHECK(again->program->linked == loaded.program->linked);
  CHECK(again->program->not_run == loaded.program->not_run);
  CHECK(again->has_warnings == loaded.has_warnings);
  CHECK(shown(*again) == shown(loaded));
}

}  // namespace

TEST_CASE("a compiled program is the program that was compiled") {
  check_round_trip(input_of(kProgram));
  ProgramOptions options;
  options.author = "ana@x.test";
  size_t count = 0;
  for (const char* folder : {"flows", "examples", "tests/corpus"}) {
    for (const auto& file : files_below(tree_dir() / folder, ".ensue")) {
      INFO(file);
      check_round_trip(input_of(read_text(file), options));
      ++count;
    }
  }
  CHECK(count > 100);
}

TEST_CASE("a compiled program decides as the one from the sources") {
  auto folder = tree_dir() / "examples" / "outreach";
  engine::LoadInput input;
  for (const auto& file : files_below(folder, ".ensue"))
    input.sources.push_back({file.filename().string(), read_text(file)});
  engine::Loaded loaded = engine::load_program(input);
  REQUIRE(loaded.program != nullptr);
  std::optional<engine::Loaded> again = read_back(engine::encode_program(loaded), input);
  REQUIRE(again.has_value());
  auto decided = [&](const engine::ProgramPtr& program) {
    Bench bench(program);
    std::string out;
    for (const char* name : {"records.ndjson", "events.ndjson"}) {
      std::string text = read_text(folder / name);
      out += decisions_text(bench.send(lines_of(text)));
    }
    return out;
  };
  std::string expected = decided(loaded.program);
  CHECK(!expected.empty());
  CHECK(decided(again->program) == expected);
}

TEST_CASE("a compiled program is refused where it does not fit") {
  engine::LoadInput input = input_of(kProgram);
  std::string bytes = engine::encode_program(engine::load_program(input));
  REQUIRE(read_back(bytes, input).has_value());

  SECTION("another source, another name, one more or one less") {
    engine::LoadInput other = input;
    other.sources[0].text.back() = ' ';
    CHECK_FALSE(read_back(bytes, other).has_value());
    other = input;
    other.sources[0].name = "other.ensue";
    CHECK_FALSE(read_back(bytes, other).has_value());
    other = input;
    other.sources.push_back({"more.ensue", ""});
    CHECK_FALSE(read_back(bytes, other).has_value());
    other.sources.clear();
    CHECK_FALSE(read_back(bytes, other).has_value());
  }
  SECTION("other options") {
    engine::LoadInput other = input;
    other.options.zone = "Europe/Paris";
    CHECK_FALSE(read_back(bytes, other).has_value());
    other = input;
    other.options.author = "bob@x.test";
    CHECK_FALSE(read_back(bytes, other).has_value());
    other = input;
    other.options.bounds.run_steps_max += 1;
    CHECK_FALSE(read_back(bytes, other).has_value());
  }
  SECTION("a byte that is another") {
    size_t step = bytes.size() / 500 + 1;  // all of the header, and five hundred of the rest
    for (size_t i = 0; i < bytes.size(); i += i < 100 ? 1 : step) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
      INFO("byte " << i);
      CHECK_FALSE(read_back(damaged, input).has_value());
    }
  }
  SECTION("an end that is missing") {
    size_t step = bytes.size() / 300 + 1;
    for (size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : step)
      CHECK_FALSE(read_back(std::string_view(bytes).substr(0, size), input).has_value());
    CHECK_FALSE(read_back(bytes + "x", input).has_value());
  }
}

TEST_CASE(
    "bytes that only look whole give a program that verifies, or none, and the sources back") {
  engine::LoadInput input = input_of(kProgram);
  std::string bytes = engine::encode_program(engine::load_program(input));
  size_t step = bytes.size() / 400 + 1;
  for (size_t i = 64; i < bytes.size(); i += step) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x81);
    engine::seal_again(damaged);
    engine::LoadInput given = input;
    std::optional<engine::Loaded> again = engine::decode_program(damaged, given);
    if (again) {
      for (const plan::UnitPtr& unit : again->program->units)
        CHECK(plan::verify(*unit, again->program->schema(), again->program->functions()).empty());
    } else {
      REQUIRE(given.sources.size() == 1);
      CHECK(given.sources[0].text == input.sources[0].text);
    }
  }
}

}  // namespace ensue::testing
