// Conditions that can never hold, or always do, and those of which nothing certain can be said.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support/programs.h"

namespace ensue::check {
namespace {

// The doubtful codes of a condition of a flow on leads: `W0701`, `W0702`, `W0708`, or nothing.
std::string doubts(const std::string& condition, const std::string& guard = "and meets") {
  engine::Loaded loaded =
      testing::load("flow \"F\"\n  when Lead is created or edited, after save\n  " + guard + " " +
                    condition + "\n  run as system\n  pause it in all cadences\nend\n");
  INFO(testing::shown(loaded));
  REQUIRE_FALSE(loaded.has_errors);
  std::string out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.code.starts_with("W07")) out += diagnostic.code;
  }
  return out;
}

}  // namespace

TEST_CASE("what excludes itself is never true") {
  auto condition =
      GENERATE(as<std::string>(), R"(Status is "Open" and Status is "Working")",
               R"(Status is "Open" and Status is not "open")", "Score > 5 and Score < 5",
               "Score >= 5 and Score < 5", "Score > 5 and Score = 5",
               "Score is between 7 and 9 and Score < 7", "Email is blank and Email is not blank",
               R"(Email is blank and Email is "a@b.c")",
               R"(Status is one of ("Open", "Working") and Status is "Qualified")",
               "ConvertedDate is before 2026-01-01 and ConvertedDate is after 2026-01-01",
               "DoNotCall is true and DoNotCall is false",
               R"((Status is "Open" or Status is "Working") and Status is "Qualified")",
               "not (Score > 5 or Score <= 5 or Score is blank)");
  INFO(condition);
  CHECK(doubts(condition) == "W0701");
}

TEST_CASE("what only nearly excludes itself may hold") {
  auto condition = GENERATE(
      as<std::string>(), "Score >= 5 and Score <= 5", "Score > 5 and Score < 5.1",
      R"(Status is "Open" or Status is "Working")", R"(Status is "Open" and Rating is "Hot")",
      R"(Status is one of ("Open", "Working") and Status is "Working")",
      R"(LastName contains "a" and LastName contains "b")",
      R"(Status is not "Open" and Status is not "Working")",
      "ConvertedDate is before 2026-01-02 and ConvertedDate is after 2025-12-31",
      "Score > 5 or Score < 3", R"(Status is "Open" and Status changed from "Working" to "Open")");
  INFO(condition);
  CHECK(doubts(condition) == "");
}

TEST_CASE("what every record fulfils is always true") {
  CHECK(doubts("Email is blank or Email is not blank") == "W0708");
  CHECK(doubts(R"(Status is "Open" or Status is not "Open")") == "W0708");
  CHECK(doubts("DoNotCall is true or DoNotCall is false") == "W0708");
  // A blank score is neither.
  CHECK(doubts("Score > 5 or Score <= 5") == "");
}

TEST_CASE("an `or` under `newly meets` hides the side that becomes true second") {
  CHECK(doubts(R"(Rating is "Hot" or Email is not blank)", "and newly meets") == "W0702");
  CHECK(doubts(R"(Rating is "Hot" or Email is not blank)", "and meets") == "");
  // Two stages of one field cannot hold together.
  CHECK(doubts(R"(Status is "Open" or Status is "Working")", "and newly meets") == "");
}

TEST_CASE("too many alternatives are not judged") {
  // Eight pairs make 256 alternatives, none of which can hold.
  std::string condition = R"(Status is "Open" and Status is "Working")";
  for (const char* field :
       {"LastName", "Company", "Email", "Phone", "Title", "City", "State", "Country"}) {
    condition += std::string(" and (") + field + " is \"a\" or " + field + " is \"b\")";
  }
  CHECK(doubts(condition) == "");
}

}  // namespace ensue::check
