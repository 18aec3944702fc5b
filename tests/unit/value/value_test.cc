#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "ensue/value.h"
#include "support/values.h"
#include "value/compare.h"
#include "value/decimal.h"
#include "value/text.h"
#include "value/time_text.h"

namespace ensue::value {
namespace {

using namespace testing;  // NOLINT: the values of tests

Decimal dec(const char* text) { return *parse_decimal(text); }
Value plain_money(const char* text) { return Value::money(dec(text), {}); }
std::string shown(const std::optional<Decimal>& d) { return d ? decimal_text(*d) : "refused"; }

}  // namespace

TEST_CASE("a blank is one value, and there is no empty text or list") {
  CHECK(Value().is_blank());
  CHECK(Value::text("").is_blank());
  CHECK(Value::list({}).is_blank());
  CHECK(Value().truth() == false);
  CHECK(Value().as_text().empty());
}

TEST_CASE("parts of a text are texts as others, and outlive it") {
  std::string longest(UINT16_MAX, 'l');
  std::string bytes = "abc|" + longest + "|d";
  std::vector<Value> parts(3);
  parts[2] = Value::text("what was there before");
  {
    std::vector<Value::Part> rows = {{&parts[0], 0, 3},
                                     {&parts[1], 4, UINT16_MAX},
                                     {&parts[2], static_cast<uint32_t>(bytes.size() - 1), 1}};
    Value whole = Value::text_with_parts(bytes, rows);
    CHECK(whole.as_text() == bytes);
  }
  CHECK(parts[0].as_text() == "abc");
  CHECK(parts[1].as_text() == longest);
  CHECK(parts[2].as_text() == "d");
  CHECK(value::same_stored(parts[0], Value::text("abc")));
  Value copy = parts[1];
  parts.clear();
  CHECK(copy.as_text() == longest);
  CHECK(Value::text_with_parts("alone", {}).as_text() == "alone");
  CHECK(Value::text_with_parts("", {}).is_blank());
}

TEST_CASE("a text is known to be plain where it was said, and parts of a text are") {
  CHECK(Value::text("e", true).is_plain_text());
  CHECK_FALSE(Value::text("e").is_plain_text());
  CHECK_FALSE(Value::text("", true).is_plain_text());
  CHECK_FALSE(Value::number(Decimal{15, 1}).is_plain_text());
  Value part;
  Value::Part row{&part, 1, 1};
  Value whole = Value::text_with_parts("{a}", {&row, 1});
  CHECK_FALSE(whole.is_plain_text());
  CHECK(part.is_plain_text());
  Value copy = part;
  CHECK(copy.is_plain_text());
}

TEST_CASE("many values are copied and cleared as one by one") {
  std::string longest(256, 'l');
  std::vector<Value> kept(7);
  {
    std::vector<Value::Part> parts = {{&kept[0], 0, 2}, {&kept[2], 2, 2}, {&kept[5], 4, 2}};
    Value::text_with_parts("abcdef", parts);
    kept[1] = Value::number(int64_t{7});
    kept[3] = Value::text(longest);
    kept[6] = Value::list({Value::text("x"), kept[0]});
  }
  std::vector<Value> copies = Value::copies(kept);
  Value one = kept[5];
  Value::clear(kept);
  for (const Value& value : kept) CHECK(value.is_blank());
  REQUIRE(copies.size() == kept.size());
  CHECK(copies[0].as_text() == "ab");
  CHECK(copies[1].as_decimal().coefficient == 7);
  CHECK(copies[2].as_text() == "cd");
  CHECK(copies[3].as_text() == longest);
  CHECK(copies[4].is_blank());
  CHECK(copies[5].as_text() == "ef");
  Value::clear(copies);
  Value::clear(copies);
  CHECK(one.as_text() == "ef");
  Value::clear({});
  CHECK(Value::copies({}).empty());
}

TEST_CASE("a text stands in JSON as it is, but for what must be escaped, wherever it is") {
  for (size_t size = 0; size < 30; ++size) {
    for (size_t at = 0; at <= size; ++at) {
      for (const auto& [raw, escaped] : {std::pair<std::string, std::string>{"\"", "\\\""},
                                         {"\\", "\\\\"},
                                         {"\n", "\\n"},
                                         {std::string(1, '\0'), "\\u0000"},
                                         {"\x1F", "\\u001f"},
                                         {"\x20", "\x20"},
                                         {"\x7F", "\x7F"},
                                         {"\xC3\xA9", "\xC3\xA9"},
                                         {"\xFF", "\xEF\xBF\xBD"}}) {
        std::string before(at, 'a');
        std::string behind(size - at, '~');
        std::string out = "x";
        append_json_text(out, before + raw + behind);
        CHECK(out == "x\"" + before + escaped + behind + "\"");
      }
    }
  }
}

TEST_CASE("values share their bodies and keep them alive") {
  Value a = t("a text that is longer than any small buffer");
  Value b = a;
  a = Value::number(int64_t{1});
  CHECK(b.as_text() == "a text that is longer than any small buffer");
  Value list = Value::list({b, t("x")});
  b = Value();
  CHECK(list.as_list()[0].as_text() == "a text that is longer than any small buffer");
  Value moved = std::move(list);
  CHECK(list.is_blank());
  CHECK(moved.as_list().size() == 2);
  Value& same = moved;
  moved = same;
  CHECK(moved.as_list().size() == 2);
}

TEST_CASE("decimals are read with their digits") {
  struct Row {
    const char* text;
    const char* shown;  // null: refused
  };
  auto row = GENERATE(
      Row{"0", "0"}, Row{"-12.50", "-12.50"}, Row{"1e3", "1000"}, Row{"1.5E-2", "0.015"},
      Row{"007", "7"}, Row{"999999999999999999", "999999999999999999"},
      Row{"9999999999999999999", nullptr}, Row{"0.000000000000000001", "0.000000000000000001"},
      Row{"0.0000000000000000001", nullptr}, Row{"", nullptr}, Row{"-", nullptr},
      Row{"1.", nullptr}, Row{".5", nullptr}, Row{"1e", nullptr}, Row{"1e99999999999", nullptr},
      Row{"0e999999", "0"}, Row{"NaN", nullptr}, Row{"1,5", nullptr}, Row{"+1", "1"},
      Row{"1000000000000000000e-1", "100000000000000000"});
  INFO(row.text);
  std::optional<Decimal> parsed = parse_decimal(row.text);
  CHECK(parsed.has_value() == (row.shown != nullptr));
  if (parsed && row.shown) CHECK(decimal_text(*parsed) == row.shown);
}

TEST_CASE("decimal arithmetic is exact or refused") {
  CHECK(shown(add_decimals(dec("0.1"), dec("0.2"))) == "0.3");
  CHECK(shown(subtract_decimals(dec("1"), dec("0.9"))) == "0.1");
  CHECK(shown(multiply_decimals(dec("1.10"), dec("3"))) == "3.30");
  CHECK(shown(add_decimals(dec("999999999999999999"), dec("1"))) == "refused");
  CHECK(shown(add_decimals(dec("999999999999999999"), dec("0.1"))) == "refused");
  CHECK(shown(multiply_decimals(dec("1000000000"), dec("1000000000"))) == "refused");
  CHECK(shown(multiply_decimals(dec("0.0000000001"), dec("0.0000000001"))) == "refused");
  CHECK(shown(divide_decimals(dec("1"), dec("0"))) == "refused");
  CHECK(shown(divide_decimals(dec("1"), dec("4"))) == "0.25");
  CHECK(shown(divide_decimals(dec("2"), dec("3"))) == "0.666666666666666667");
  CHECK(shown(divide_decimals(dec("-2"), dec("3"))) == "-0.666666666666666667");
  CHECK(shown(divide_decimals(dec("10"), dec("5"))) == "2");
}

TEST_CASE("rounding goes the way it is told") {
  struct Row {
    const char* value;
    int digits;
    const char* half_away;
    const char* down;
    const char* up;
  };
  auto row = GENERATE(Row{"2.5", 0, "3", "2", "3"}, Row{"-2.5", 0, "-3", "-3", "-2"},
                      Row{"2.449", 1, "2.4", "2.4", "2.5"}, Row{"2", 2, "2", "2", "2"},
                      Row{"0", 0, "0", "0", "0"});
  INFO(row.value);
  CHECK(shown(round_decimal(dec(row.value), row.digits, Rounding::kHalfAwayFromZero)) ==
        row.half_away);
  CHECK(shown(round_decimal(dec(row.value), row.digits, Rounding::kDown)) == row.down);
  CHECK(shown(round_decimal(dec(row.value), row.digits, Rounding::kUp)) == row.up);
}

TEST_CASE("decimals of different scales compare by amount") {
  const char* rising[] = {"-999999999999999999", "-1.5", "-1.49", "0", "0.000000000000000001", "1",
                          "999999999999999999"};
  for (size_t i = 0; i < std::size(rising); ++i) {
    for (size_t j = 0; j < std::size(rising); ++j) {
      INFO(rising[i] << " and " << rising[j]);
      CHECK((compare_decimals(dec(rising[i]), dec(rising[j])) <=> 0) == (i <=> j));
    }
  }
  CHECK(equal_decimals(dec("1.50"), dec("1.5")));
  CHECK(decimal_text(trimmed(dec("1.500"))) == "1.5");
  CHECK(decimal_text(trimmed(dec("100"))) == "100");
}

TEST_CASE("equality follows its table") {
  struct Row {
    Value a;
    Value b;
    Ordering ignoring_case;
  };
  Value hot_and_new = Value::list({t("Hot"), t("New")});
  auto row = GENERATE_COPY(values<Row>({
      {Value(), Value(), Ordering::kEqual},
      {Value(), t("a"), Ordering::kUnordered},
      {n("1.50"), n("1.5"), Ordering::kEqual},
      {n("20"), Value::percent(dec("20")), Ordering::kEqual},
      {usd("1"), eur("1"), Ordering::kFault},
      {usd("1"), plain_money("1"), Ordering::kEqual},
      {t("Hot"), t("hOT"), Ordering::kEqual},
      {hot_and_new, t("new"), Ordering::kEqual},
      {hot_and_new, t("old"), Ordering::kUnordered},
      {day("2026-01-01"), day("2026-01-01"), Ordering::kEqual},
      {day("2026-01-01"), Value::datetime({0}), Ordering::kUnordered},
      {Value::boolean(true), Value::boolean(false), Ordering::kUnordered},
  }));
  CHECK(compare_equal(row.a, row.b, TextCase::kIgnored) == row.ignoring_case);
  CHECK(compare_equal(t("Hot"), t("hot"), TextCase::kExact) == Ordering::kUnordered);
}

TEST_CASE("order follows its table") {
  CHECK(compare_order(Value(), n("1")) == Ordering::kUnordered);
  CHECK(compare_order(n("1"), Value()) == Ordering::kUnordered);
  CHECK(compare_order(n("1"), n("1.1")) == Ordering::kLess);
  CHECK(compare_order(usd("2"), usd("1")) == Ordering::kGreater);
  CHECK(compare_order(usd("2"), eur("1")) == Ordering::kFault);
  CHECK(compare_order(t("apple"), t("Banana")) == Ordering::kLess);
  CHECK(compare_order(day("2026-01-01"), day("2025-12-31")) == Ordering::kGreater);
  CHECK(compare_order(day("2026-01-01"), n("5")) == Ordering::kUnordered);
}

TEST_CASE("a stored value differs exactly") {
  CHECK_FALSE(same_stored(t("Hot"), t("hot")));
  CHECK(same_stored(n("1.0"), n("1")));
  CHECK_FALSE(same_stored(Value(), Value::boolean(false)));
  CHECK(same_stored(Value::list({t("a"), t("b")}), Value::list({t("a"), t("b")})));
  CHECK_FALSE(same_stored(Value::list({t("a"), t("b")}), Value::list({t("b"), t("a")})));
}

TEST_CASE("texts are tested ignoring case, or exactly; blanks never hold") {
  CHECK(test_text(t("Legal Counsel"), TextTest::kContains, t("LEGAL"), TextCase::kIgnored));
  CHECK_FALSE(test_text(t("Legal Counsel"), TextTest::kContains, t("LEGAL"), TextCase::kExact));
  CHECK(test_text(t("Legal"), TextTest::kStartsWith, t("Le"), TextCase::kExact));
  CHECK(test_text(t("Legal"), TextTest::kEndsWith, t("GAL"), TextCase::kIgnored));
  CHECK_FALSE(test_text(Value(), TextTest::kContains, t("a"), TextCase::kIgnored));
  CHECK_FALSE(test_text(t("a"), TextTest::kContains, Value(), TextCase::kIgnored));
  Value list = Value::list({t("Red"), t("Blue")});
  CHECK(test_text(list, TextTest::kContains, t("blue"), TextCase::kIgnored));
  CHECK_FALSE(test_text(list, TextTest::kContains, t("lu"), TextCase::kIgnored));
}

TEST_CASE("the total order is total") {
  std::vector<Value> all{Value(),
                         Value::boolean(false),
                         Value::boolean(true),
                         n("-1"),
                         n("2"),
                         t("a"),
                         t("A"),
                         t("b"),
                         day("2026-01-01"),
                         Value::datetime({5}),
                         Value::time({7}),
                         Value::list({t("a")}),
                         Value::list({t("a"), t("b")}),
                         Value::duration({3, DurationUnit::kDay, false})};
  for (const Value& a : all) {
    for (const Value& b : all) {
      int ab = total_order(a, b);
      int ba = total_order(b, a);
      CHECK((ab < 0) == (ba > 0));
      CHECK((&a == &b) == (ab == 0));
      for (const Value& c : all) {
        if (ab < 0 && total_order(b, c) < 0) CHECK(total_order(a, c) < 0);
      }
    }
  }
}

TEST_CASE("values are written for people and for machines") {
  struct Row {
    Value value;
    const char* plain;
    const char* source;
    const char* json;
  };
  auto row = GENERATE(values<Row>({
      {Value(), "", "blank", "null"},
      {Value::boolean(true), "true", "true", "true"},
      {n("1.50"), "1.50", "1.50", "1.50"},
      {Value::percent(dec("20")), "20%", "20%", "20"},
      {usd("10.5"), "10.5 USD", "10.5 USD", "\"10.5 USD\""},
      {t("a \"b\"\n\x01"), "a \"b\"\n\x01", nullptr, R"("a \"b\"\n\u0001")"},
      {day("2026-03-26"), "2026-03-26", "2026-03-26", "\"2026-03-26\""},
      {Value::datetime({1767621600250}), "2026-01-05T14:00:00.250Z", nullptr,
       "\"2026-01-05T14:00:00.250Z\""},
      {Value::time({9 * 3600'000}), "09:00", "09:00", "\"09:00\""},
      {Value::duration({1, DurationUnit::kDay, true}), "1 business day", "1 business day", nullptr},
      {Value::list({t("a"), t("b")}), "a; b", nullptr, R"(["a","b"])"},
  }));
  CHECK(plain_text(row.value) == row.plain);
  if (row.source) CHECK(source_text(row.value) == row.source);
  if (row.json) CHECK(json_text(row.value) == row.json);
}

TEST_CASE("dates that exist are read, others are not") {
  auto row = GENERATE(table<const char*, bool>({{"2026-03-26", true},
                                                {"2024-02-29", true},
                                                {"2026-02-29", false},
                                                {"1900-02-29", false},
                                                {"2000-02-29", true},
                                                {"2026-04-31", false},
                                                {"2026-13-01", false},
                                                {"2026-00-01", false},
                                                {"2026-01-00", false},
                                                {"0001-01-01", true},
                                                {"9999-12-31", true},
                                                {"0000-01-01", false},
                                                {"26-01-01", false},
                                                {"2026-1-1", false},
                                                {"2026-01-01x", false}}));
  INFO(std::get<0>(row));
  std::optional<Date> date = parse_date(std::get<0>(row));
  CHECK(date.has_value() == std::get<1>(row));
  if (date) CHECK(date_text(*date) == std::get<0>(row));
}

TEST_CASE("every day of 400 years has its own number") {
  int32_t number = parse_date("1800-01-01")->days;
  for (int32_t year = 1800; year < 2200; ++year) {
    for (int32_t month = 1; month <= 12; ++month) {
      for (int32_t d = 1; d <= days_in_month(year, month); ++d) {
        Date date = *date_of({year, month, d});
        if (date.days != number) FAIL("day " << year << "-" << month << "-" << d);
        CivilDate back = civil(date);
        if (back.year != year || back.month != month || back.day != d)
          FAIL("back " << year << "-" << month << "-" << d);
        ++number;
      }
    }
  }
  CHECK(weekday_of(*parse_date("2026-11-23")) == 0);  // a Monday
  CHECK(weekday_of(*parse_date("1969-12-28")) == 6);
}

TEST_CASE("months clamp to their last day") {
  CHECK(date_text(*add_months(*parse_date("2026-01-31"), 1)) == "2026-02-28");
  CHECK(date_text(*add_months(*parse_date("2024-02-29"), 12)) == "2025-02-28");
  CHECK(date_text(*add_months(*parse_date("2026-03-31"), -1)) == "2026-02-28");
  CHECK_FALSE(add_months(*parse_date("9999-12-01"), 1));
  CHECK_FALSE(add_months(*parse_date("2026-01-01"), INT64_MAX));
  CHECK_FALSE(add_days(*parse_date("0001-01-01"), -1));
  CHECK_FALSE(add_days(*parse_date("2026-01-01"), INT64_MIN));
}

TEST_CASE("times and date-times are read") {
  CHECK(parse_time("09:00")->ms == 9 * 3600'000);
  CHECK(parse_time("23:59:59.999")->ms == 86'399'999);
  CHECK_FALSE(parse_time("24:00"));
  CHECK_FALSE(parse_time("9:00"));
  auto instant = [](const char* iso) { return parse_datetime(iso)->instant().ms; };
  CHECK(instant("2026-01-05T14:00:00Z") == 1767621600000);
  CHECK(instant("2026-01-05T15:00+01:00") == 1767621600000);
  CHECK(instant("2026-01-05T09:00:00.5-0500") == 1767621600500);
  CHECK(instant("2026-01-05 14:00") == 1767621600000);
  CHECK_FALSE(parse_datetime("2026-01-05T25:00Z"));
  CHECK_FALSE(parse_datetime("2026-01-05"));
  CHECK_FALSE(parse_datetime("2026-01-05T14:00Zx"));
  CHECK_FALSE(parse_datetime("2026-01-05T14:00+99:00"));
  CHECK(instant_text({1767621600000}) == "2026-01-05T14:00:00Z");
  CHECK(instant_text({-1}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("durations read as people say them") {
  CHECK(duration_text({1, DurationUnit::kDay, false}) == "1 day");
  CHECK(duration_text({5, DurationUnit::kDay, true}) == "5 business days");
  CHECK(duration_text({30, DurationUnit::kMinute, false}) == "30 minutes");
}

}  // namespace ensue::value
