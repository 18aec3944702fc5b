// Files are parsed, checked and lowered side by side: what comes of them is the same for any number
// of threads.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "engine/program_cache.h"
#include "support/files.h"
#include "support/programs.h"

namespace ensue::testing {
namespace {

// Diagnostics, and the program where there is one, byte for byte.
std::pair<std::string, std::string> loaded_by(unsigned threads, engine::LoadInput input) {
  input.threads = threads;
  engine::Loaded loaded = engine::load_program(std::move(input));
  return {shown(loaded), loaded.program == nullptr ? "" : engine::encode_program(loaded)};
}

std::pair<std::string, std::string> same_by_all(const engine::LoadInput& input) {
  std::pair<std::string, std::string> one = loaded_by(1, input);
  for (unsigned threads : {2u, 3u, 8u}) {
    std::pair<std::string, std::string> more = loaded_by(threads, input);
    REQUIRE(more.first == one.first);
    REQUIRE(more.second == one.second);
  }
  return one;
}

size_t times(const std::string& text, const std::string& what) {
  size_t out = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

}  // namespace

TEST_CASE("any number of threads loads the same program") {
  engine::LoadInput input;
  for (int file = 0; file < 40; ++file) {
    std::string text;
    for (int i = 0; i < file % 7 * 8; ++i) {
      text += fmt::format(R"(
action "Rule {0}" by "u{1}@x.test"
  when Lead is created or edited
  for my records
  if Company is "Firm {0}" and NumberOfEmployees > {1} and not (Rating is "Hot")
  then add it to cadence "Nowhere {2}"
end
)",
                          i, file, i % 3);
    }
    if (file % 5 == 1) {
      text += fmt::format(R"(
flow "Told {0}"
  when changes arrive for Lead, Contact{1}
  log "told"
end
flow "Called {0}"
  when Lead is created
  run as the owner
  add it to cadence "Nowhere {2}"
end
subflow "Help {0}" takes n as number gives m as number
  give m to n + {0}
end
)",
                          file, file % 2 == 0 ? ", Account" : "", file % 4);
    }
    input.sources.push_back({fmt::format("file{}.ensue", file), text});
  }
  auto [diagnostics, program] = same_by_all(input);
  INFO(diagnostics);
  CHECK(!program.empty());
  // An unknown cadence is told where it is first named.
  CHECK(times(diagnostics, "W0703") == 4);
}

TEST_CASE("any number of threads finds the same mistakes") {
  for (const char* folder : {"tests/corpus", "tests/golden"}) {
    engine::LoadInput input;
    for (const auto& file : files_below(tree_dir() / folder, ".ensue"))
      input.sources.push_back({file.string(), read_text(file)});
    REQUIRE(input.sources.size() > 20);
    CHECK(same_by_all(input).first.size() > 10'000);
  }
}

}  // namespace ensue::testing
