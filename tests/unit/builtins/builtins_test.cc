// The bodies of the library's functions: the usual case, the edge, a blank, a fault.
#include "builtins/builtins.h"

#include <catch2/catch.hpp>
#include <set>

#include "ensue/options.h"
#include "support/programs.h"
#include "support/values.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::builtins {
namespace {

using namespace testing;  // NOLINT: the values of tests
using Args = std::vector<Value>;

const Value kBlank;

// The result as an author would write it, or the fault.
std::string call(std::string_view name, const Args& args, const char* zone = "UTC") {
  Body body = find_body(name);
  REQUIRE(body != nullptr);
  calendar::Zone org = *calendar::Zone::find(zone);
  Result<Value> result = body(args, {org, Bounds().text_bytes_max});
  if (!result) {
    CHECK(result.error().code == ErrorCode::kFault);
    return "fault: " + result.error().message;
  }
  return value::source_text(*result);
}

struct Row {
  const char* name;
  Args args;
  const char* result;
};

void check(const Row& row) {
  std::string shown = row.name;
  for (const Value& arg : row.args) shown += " " + value::source_text(arg);
  INFO(shown);
  CHECK(call(row.name, row.args) == row.result);
}

}  // namespace

TEST_CASE("every declared function has a body, and every body a declaration") {
  engine::ProgramPtr program = testing::program_of("");
  std::set<std::string> declared;
  for (const std::string& name : program->functions().names()) declared.insert(name);
  std::set<std::string> bodies;
  for (std::string_view name : body_names()) bodies.emplace(name);
  CHECK(declared == bodies);
  CHECK(bodies.size() == body_names().size());
  CHECK(find_body("UPPER") == find_body("upper"));
  CHECK(find_body("uppercase") == nullptr);
}

TEST_CASE("a blank in, a blank out, where nothing else is said") {
  auto name =
      GENERATE(as<std::string>(), "upper", "lower", "trim", "domain", "text", "number", "abs",
               "floor", "ceiling", "year", "month", "day", "weekday", "hour", "date_of");
  INFO(name);
  CHECK(call(name, {kBlank}) == "blank");
}

TEST_CASE("texts are counted and cut by characters, not bytes") {
  for (const Row& row : {
           Row{"length", {t("Zoë")}, "3"},
           Row{"length", {t("日本語")}, "3"},
           Row{"length", {t("😀")}, "1"},
           Row{"length", {kBlank}, "0"},
           Row{"left", {t("Zoë"), n("3")}, "\"Zoë\""},
           Row{"left", {t("ëZ"), n("1")}, "\"ë\""},
           Row{"left", {t("Berlin"), n("6")}, "\"Berlin\""},
           Row{"left", {t("Berlin"), n("7")}, "\"Berlin\""},
           Row{"left", {t("Berlin"), n("0")}, "blank"},
           Row{"left", {t("Berlin"), n("-1")}, "blank"},
           Row{"left", {t("Berlin"), n("2.9")}, "\"Be\""},
           Row{"left", {t("Berlin"), n("999999999999999999")}, "\"Berlin\""},
           Row{"left", {t("Berlin"), kBlank}, "blank"},
           Row{"left", {kBlank, n("1")}, "blank"},
           Row{"right", {t("Zoë"), n("1")}, "\"ë\""},
           Row{"right", {t("Berlin"), n("6")}, "\"Berlin\""},
           Row{"right", {t("Berlin"), n("7")}, "\"Berlin\""},
           Row{"right", {t("Berlin"), n("0")}, "blank"},
           Row{"right", {t("Berlin"), n("-1")}, "blank"},
           Row{"right", {t("Berlin"), n("999999999999999999")}, "\"Berlin\""},
           Row{"right", {kBlank, n("1")}, "blank"},
       }) {
    check(row);
  }
}

TEST_CASE("letters, blanks at the ends, parts and domains") {
  for (const Row& row : {
           Row{"upper", {t("zoë é1")}, "\"ZOË É1\""},
           Row{"lower", {t("ÀB-Ж")}, "\"àb-ж\""},
           Row{"trim", {t(" \t\r\n a b \n")}, "\"a b\""},
           Row{"trim", {t("   ")}, "blank"},
           Row{"trim", {t("a")}, "\"a\""},
           Row{"replace", {t("a-b-c"), t("-"), t("+")}, "\"a+b+c\""},
           Row{"replace", {t("aaa"), t("aa"), t("b")}, "\"ba\""},
           Row{"replace", {t("Aa"), t("a"), t("x")}, "\"Ax\""},
           Row{"replace", {t("a-b"), t("-"), kBlank}, "\"ab\""},
           Row{"replace", {t("---"), t("-"), kBlank}, "blank"},
           Row{"replace", {t("abc"), kBlank, t("x")}, "\"abc\""},
           Row{"replace", {t("abc"), t("z"), t("x")}, "\"abc\""},
           Row{"replace", {t("a"), t("a"), t("aa")}, "\"aa\""},
           Row{"replace", {kBlank, t("a"), t("b")}, "blank"},
           Row{"domain", {t("Ana@X.Test")}, "\"x.test\""},
           Row{"domain", {t("\"a@b\"@c.test")}, "\"c.test\""},
           Row{"domain", {t("ana")}, "blank"},
           Row{"domain", {t("ana@")}, "blank"},
           Row{"text", {n("1.50")}, "\"1.50\""},
           Row{"text", {Value::boolean(false)}, "\"false\""},
           Row{"text", {day("2026-03-28")}, "\"2026-03-28\""},
           Row{"text", {usd("12.50")}, "\"12.50 USD\""},
       }) {
    check(row);
  }
}

TEST_CASE("numbers") {
  for (const Row& row : {
           Row{"number", {t("12.50")}, "12.50"},
           Row{"number", {t("-1e2")}, "-100"},
           Row{"number", {t("a dozen")}, "blank"},
           Row{"number", {t("1234567890123456789")}, "blank"},
           Row{"number", {percent("20")}, "20"},
           Row{"number", {usd("5")}, "5"},
           Row{"number", {day("2026-01-01")}, "blank"},
           Row{"abs", {n("-2.50")}, "2.50"},
           Row{"abs", {n("0")}, "0"},
           Row{"abs", {n("-999999999999999999")}, "999999999999999999"},
           Row{"abs", {percent("-20")}, "20%"},
           Row{"abs", {usd("-5")}, "5 USD"},
           Row{"round", {n("2.5"), n("0")}, "3"},
           Row{"round", {n("-2.5"), n("0")}, "-3"},
           Row{"round", {n("2.4999"), n("0")}, "2"},
           Row{"round", {n("2.345"), n("2")}, "2.35"},
           Row{"round", {n("0.1"), n("18")}, "0.1"},
           Row{"round", {n("2.345"), n("1.0")}, "2.3"},
           Row{"round", {usd("2.345"), n("2")}, "2.35 USD"},
           Row{"round", {n("1"), n("19")}, "fault: round takes 0 to 18 digits after the point"},
           Row{"round", {n("1"), n("-1")}, "fault: round takes 0 to 18 digits after the point"},
           Row{"round", {n("1"), n("0.5")}, "fault: round takes 0 to 18 digits after the point"},
           Row{"round", {kBlank, n("2")}, "blank"},
           Row{"floor", {n("-1.5")}, "-2"},
           Row{"floor", {n("1.999")}, "1"},
           Row{"floor", {n("7")}, "7"},
           Row{"floor", {n("-0.1")}, "-1"},
           Row{"ceiling", {n("1.2")}, "2"},
           Row{"ceiling", {n("-1.9")}, "-1"},
           Row{"ceiling", {n("7.0")}, "7"},
           Row{"ceiling", {percent("0.1")}, "1%"},
       }) {
    check(row);
  }
}

TEST_CASE("the smaller, the larger and the first of two values") {
  for (const Row& row : {
           Row{"smaller", {n("3"), n("2")}, "2"},
           Row{"smaller", {n("2"), n("2.0")}, "2"},
           Row{"smaller", {kBlank, n("2")}, "2"},
           Row{"smaller", {n("2"), kBlank}, "2"},
           Row{"smaller", {kBlank, kBlank}, "blank"},
           Row{"smaller", {t("b"), t("A")}, "\"A\""},
           Row{"smaller", {day("2026-03-28"), instant("2026-03-28T00:00:00.001Z")}, "2026-03-28"},
           Row{"smaller",
               {instant("2026-03-27T23:59Z"), day("2026-03-28")},
               "2026-03-27T23:59:00Z"},
           Row{"larger", {n("3"), n("2")}, "3"},
           Row{"larger", {day("2026-01-02"), day("2026-01-01")}, "2026-01-02"},
           Row{"larger", {kBlank, t("x")}, "\"x\""},
           Row{"larger", {usd("1"), eur("2")}, "fault: two currencies cannot be compared"},
           Row{"smaller", {n("1"), t("x")}, "fault: these values have no order"},
           Row{"first_given", {kBlank, t("b")}, "\"b\""},
           Row{"first_given", {t("a"), t("b")}, "\"a\""},
           Row{"first_given", {kBlank, kBlank}, "blank"},
           Row{"first_given", {Value::boolean(false), Value::boolean(true)}, "false"},
       }) {
    check(row);
  }
}

TEST_CASE("lengths of time between dates") {
  for (const Row& row : {
           Row{"days_between", {day("2026-03-28"), day("2026-03-30")}, "2"},
           Row{"days_between", {day("2026-03-30"), day("2026-03-28")}, "-2"},
           Row{"days_between", {day("2024-02-28"), day("2024-03-01")}, "2"},
           Row{"days_between", {day("0001-01-01"), day("9999-12-31")}, "3652058"},
           Row{"days_between", {kBlank, day("2026-03-28")}, "blank"},
           Row{"days_between", {day("2026-03-28"), kBlank}, "blank"},
           Row{"months_between", {day("2026-01-31"), day("2026-02-28")}, "1"},
           Row{"months_between", {day("2026-01-31"), day("2026-02-27")}, "0"},
           Row{"months_between", {day("2026-01-15"), day("2027-01-15")}, "12"},
           Row{"months_between", {day("2026-01-15"), day("2027-01-14")}, "11"},
           Row{"months_between", {day("2026-03-15"), day("2026-01-15")}, "-2"},
           Row{"months_between", {day("2026-01-15"), day("2026-01-15")}, "0"},
           Row{"months_between", {kBlank, day("2026-01-15")}, "blank"},
           Row{"hours_between",
               {instant("2026-01-01T00:00Z"), instant("2026-01-01T05:59:59Z")},
               "5"},
           Row{"hours_between", {instant("2026-01-01T06:00Z"), instant("2026-01-01T00:00Z")}, "-6"},
           Row{"hours_between", {instant("2026-01-01T00:00Z"), kBlank}, "blank"},
       }) {
    check(row);
  }
}

TEST_CASE("parts of dates") {
  for (const Row& row : {
           Row{"year", {day("2026-03-28")}, "2026"},
           Row{"year", {day("9999-12-31")}, "9999"},
           Row{"month", {day("2026-12-31")}, "12"},
           Row{"day", {day("2024-02-29")}, "29"},
           Row{"weekday", {day("2026-03-30")}, "1"},
           Row{"weekday", {day("2026-03-29")}, "7"},
           Row{"date_of", {day("2026-03-28")}, "2026-03-28"},
           Row{"hour", {instant("2026-03-28T00:00Z")}, "0"},
           Row{"hour", {instant("2026-03-28T23:59:59.999Z")}, "23"},
           Row{"hour", {day("2026-03-28")}, "0"},
       }) {
    check(row);
  }
}

TEST_CASE("an instant has the date and the hour of the org's zone") {
  Value late =
      instant("2026-03-29T00:59:59Z");  // 01:59:59 in Paris, the last second before the change
  Value later = instant("2026-03-29T01:00:00Z");
  CHECK(call("hour", {late}, "Europe/Paris") == "1");
  CHECK(call("hour", {later}, "Europe/Paris") == "3");
  Value evening = instant("2026-12-31T23:30:00Z");
  CHECK(call("date_of", {evening}, "Europe/Paris") == "2027-01-01");
  CHECK(call("year", {evening}, "Europe/Paris") == "2027");
  CHECK(call("weekday", {evening}, "Europe/Paris") == "5");
  CHECK(call("days_between", {evening, day("2027-01-01")}, "Europe/Paris") == "0");
  CHECK(call("days_between", {evening, day("2027-01-01")}, "UTC") == "1");
  // A date is the start of its day; the day of the change has 23 hours.
  CHECK(call("hours_between", {day("2026-03-29"), day("2026-03-30")}, "Europe/Paris") == "23");
  CHECK(call("hours_between", {day("2026-10-25"), day("2026-10-26")}, "Europe/Paris") == "25");
}

}  // namespace ensue::builtins
