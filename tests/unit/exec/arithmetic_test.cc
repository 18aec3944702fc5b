#include "exec/arithmetic.h"

#include <catch2/catch.hpp>

#include "exec/evaluator.h"
#include "support/values.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::exec {
namespace {

using namespace testing;  // NOLINT: the values of tests
using plan::Op;

std::string shown(const Result<Value>& result) {
  if (result) return value::source_text(*result);
  CHECK(result.error().code == ErrorCode::kFault);
  return "fault: " + result.error().message;
}

const char* const kRange = "fault: a number leaves the range of 18 digits";
const char* const kCurrencies = "fault: two currencies cannot be calculated with each other";

std::string moved(const Value& when, Duration duration, bool subtract = false,
                  const calendar::BusinessCalendar* calendar = nullptr) {
  return shown(
      add_duration(when, duration, subtract, *calendar::Zone::find("Europe/Paris"), calendar));
}

}  // namespace

TEST_CASE("numbers, percents and money are calculated exactly") {
  struct Row {
    Value left;
    Op op;
    Value right;
    const char* result;
  };
  auto row = GENERATE(values<Row>({
      {n("0.1"), Op::kAdd, n("0.2"), "0.3"},
      {n("1"), Op::kSubtract, n("1.0"), "0.0"},
      {n("1.10"), Op::kMultiply, n("3"), "3.30"},
      {n("1"), Op::kDivide, n("4"), "0.25"},
      {n("1"), Op::kDivide, n("0"), "fault: division by zero"},
      {n("1"), Op::kDivide, percent("0"), "fault: division by zero"},
      {n("999999999999999999"), Op::kAdd, n("0"), "999999999999999999"},
      {n("999999999999999999"), Op::kAdd, n("1"), kRange},
      {n("-999999999999999999"), Op::kSubtract, n("1"), kRange},
      {n("1000000000"), Op::kMultiply, n("1000000000"), kRange},
      {usd("100"), Op::kMultiply, percent("20"), "20.0 USD"},
      {percent("20"), Op::kMultiply, usd("100"), "20.0 USD"},
      {percent("20"), Op::kAdd, percent("5"), "25%"},
      {percent("20"), Op::kSubtract, percent("25"), "-5%"},
      {n("1"), Op::kAdd, percent("20"), "1.2"},
      {usd("1.50"), Op::kAdd, usd("1"), "2.50 USD"},
      {usd("1"), Op::kAdd, eur("1"), kCurrencies},
      {usd("1"), Op::kDivide, eur("1"), kCurrencies},
      {usd("1"), Op::kAdd, n("2"), "3 USD"},
      {n("2"), Op::kSubtract, usd("1"), "1 USD"},
      {usd("6"), Op::kDivide, usd("4"), "1.5"},
      {usd("6"), Op::kDivide, n("4"), "1.5 USD"},
      {Value(), Op::kAdd, n("1"), "blank"},
      {n("1"), Op::kDivide, Value(), "blank"},
      {Value(), Op::kMultiply, Value(), "blank"},
  }));
  INFO(value::source_text(row.left) << " and " << value::source_text(row.right));
  CHECK(shown(calculate(row.op, row.left, row.right)) == row.result);
}

TEST_CASE("a sign is turned, and the kind is kept") {
  CHECK(value::source_text(negate(n("1.50"))) == "-1.50");
  CHECK(value::source_text(negate(percent("20"))) == "-20%");
  CHECK(value::source_text(negate(usd("-5"))) == "5 USD");
  CHECK(negate(Value()).is_blank());
}

TEST_CASE("a length of time moves a date or an instant by the calendar of the zone") {
  CHECK(moved(day("2026-01-31"), {1, DurationUnit::kMonth}) == "2026-02-28");
  CHECK(moved(day("2024-02-29"), {1, DurationUnit::kYear}) == "2025-02-28");
  CHECK(moved(day("2026-03-31"), {1, DurationUnit::kMonth}, true) == "2026-02-28");
  CHECK(moved(day("2026-01-01"), {2, DurationUnit::kWeek}) == "2026-01-15");
  // Noon of the day before the change is noon of the day after: 24 hours are not a day.
  CHECK(moved(instant("2026-03-28T11:00Z"), {1, DurationUnit::kDay}) == "2026-03-29T10:00:00Z");
  CHECK(moved(instant("2026-03-28T11:00Z"), {24, DurationUnit::kHour}) == "2026-03-29T11:00:00Z");
  CHECK(moved(Value(), {1, DurationUnit::kDay}) == "blank");
}

TEST_CASE("time ends with the years 1 and 9999") {
  CHECK(moved(day("9999-12-30"), {1, DurationUnit::kDay}) == "9999-12-31");
  CHECK(moved(day("9999-12-31"), {1, DurationUnit::kDay}).starts_with("fault: "));
  CHECK(moved(day("0001-01-02"), {1, DurationUnit::kDay}, true) == "0001-01-01");
  CHECK(moved(day("0001-01-01"), {1, DurationUnit::kDay}, true).starts_with("fault: "));
  CHECK(moved(instant("9999-12-31T23:59:59Z"), {1, DurationUnit::kHour}).starts_with("fault: "));
  CHECK(moved(day("2026-01-01"), {999'999'999'999, DurationUnit::kYear}).starts_with("fault: "));
}

TEST_CASE("business days count from a date over the open days alone") {
  calendar::BusinessCalendar office;
  office.name = "office";
  office.zone = *calendar::Zone::find("Europe/Paris");
  for (size_t i = 0; i < 5; ++i) office.week[i] = {{9 * 3'600'000, 17 * 3'600'000}};
  office.holidays = {*value::parse_date("2026-01-01")};
  CHECK(moved(day("2026-01-09"), {1, DurationUnit::kDay, true}, false, &office) == "2026-01-12");
  CHECK(moved(day("2025-12-31"), {1, DurationUnit::kDay, true}, false, &office) == "2026-01-02");
  CHECK(moved(day("2026-01-12"), {1, DurationUnit::kDay, true}, true, &office) == "2026-01-09");
}

}  // namespace ensue::exec
