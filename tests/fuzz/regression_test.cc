// Every input that is kept runs through its target: the small corpus that fuzzing starts from, and
// what it found.
#include <catch2/catch.hpp>
#include <cstdio>
#include <set>

#include "fuzz/targets.h"
#include "support/files.h"

namespace ensue::fuzz {
namespace {

namespace fs = std::filesystem;

std::set<std::string> folders(const fs::path& dir) {
  std::set<std::string> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir))
    out.insert(entry.path().filename().string());
  return out;
}

TEST_CASE("every target of fuzzing has a corpus, and nothing else has") {
  std::set<std::string> names;
  for (const Target& target : targets()) names.insert(target.name);
  CHECK(folders(testing::tests_dir() / "fuzz" / "corpus") == names);
  for (const std::string& name : folders(testing::tests_dir() / "fuzz" / "regressions"))
    CHECK(names.count(name) == 1);
}

TEST_CASE("the inputs of fuzzing that are kept run through") {
  for (const Target& target : targets()) {
    size_t count = 0;
    for (const char* kind : {"corpus", "regressions"}) {
      fs::path dir = testing::tests_dir() / "fuzz" / kind / target.name;
      if (!fs::exists(dir)) continue;
      for (const fs::path& file : testing::files_below(dir, "")) {
        INFO(file);
        CHECK_NOTHROW(target.run(testing::read_text(file)));
        ++count;
      }
    }
    std::printf("%s: %zu inputs\n", target.name, count);
    CHECK(count > 0);
  }
}

}  // namespace
}  // namespace ensue::fuzz
