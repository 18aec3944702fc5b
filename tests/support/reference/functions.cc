// The functions of the library, by the sentences that describe them in stdlib/functions.ensue.
#include <algorithm>
#include <functional>
#include <map>

#include "support/reference/numbers.h"
#include "support/reference/texts.h"
#include "support/reference/values.h"
#include "value/time_text.h"

namespace ensue::testing::reference {
namespace {

using Kind = Value::Kind;
using Args = std::vector<Value>;
using Body = std::function<Value(const Args&, const Org&)>;

Value count(int64_t number) { return Value::number(number); }

Value like(const Value& model, std::optional<Decimal> number) {
  if (!number) throw Fault("more than 18 digits");
  if (model.is(Kind::kMoney)) return Value::money(*number, model.as_currency());
  if (model.is(Kind::kPercent)) return Value::percent(*number);
  return Value::number(*number);
}

// A count of characters: whole, not negative.
size_t whole(const Value& value) {
  if (!value.is_numeric()) return 0;
  Decimal floor = *rounded(value.as_decimal(), 0, Side::kDown);
  return floor.coefficient < 0 ? 0 : static_cast<size_t>(floor.coefficient);
}

Value trim(const Args& args, const Org&) {
  std::string text(args[0].as_text());
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  while (!text.empty() && blank(text.front())) text.erase(text.begin());
  return Value::text(text);
}

Value left(const Args& args, const Org&) {
  return Value::text(utf8_of(letters_of(args[0].as_text()).substr(0, whole(args[1]))));
}

Value right(const Args& args, const Org&) {
  Letters text = letters_of(args[0].as_text());
  size_t length = std::min(text.size(), whole(args[1]));
  return Value::text(utf8_of(text.substr(text.size() - length)));
}

Value replace(const Args& args, const Org&) {
  std::string text(args[0].as_text());
  std::string part(args[1].as_text());
  std::string new_part(args[2].as_text());
  std::string out;
  while (!text.empty()) {
    if (!part.empty() && text.starts_with(part)) {
      out += new_part;
      text.erase(0, part.size());
    } else {
      out += text[0];
      text.erase(0, 1);
    }
  }
  return Value::text(out);
}

Value domain(const Args& args, const Org&) {
  std::string text(args[0].as_text());
  size_t at = text.rfind('@');
  if (at == std::string::npos) return Value();
  return Value::text(utf8_of(small(letters_of(text.substr(at + 1)))));
}

Value number(const Args& args, const Org&) {
  if (args[0].is_numeric()) return Value::number(args[0].as_decimal());
  std::optional<Decimal> found = number_in(args[0].as_text());
  return found ? Value::number(*found) : Value();
}

Value round(const Args& args, const Org&) {
  int digits = 0;
  if (args[1].is_numeric()) {
    Decimal given = args[1].as_decimal();
    bool allowed = compared(given, *rounded(given, 0, Side::kDown)) == 0 &&
                   compared(given, {0, 0}) >= 0 && compared(given, {18, 0}) <= 0;
    if (!allowed) throw Fault("round takes 0 to 18 digits");
    digits = static_cast<int>(whole(args[1]));
  }
  return args[0].is_numeric() ? like(args[0], rounded(args[0].as_decimal(), digits, Side::kNearest))
                              : Value();
}

Value rounded_to_whole(const Args& args, Side side) {
  return args[0].is_numeric() ? like(args[0], rounded(args[0].as_decimal(), 0, side)) : Value();
}

Value chosen(const Args& args, const Org& org, int wanted) {
  if (args[0].is_blank()) return args[1];
  if (args[1].is_blank()) return args[0];
  std::optional<int> found = order(args[0], args[1], org);
  if (!found) throw Fault("these have no order");
  return *found == 0 || *found == wanted ? args[0] : args[1];
}

Value months_between(const Args& args, const Org& org) {
  std::optional<Date> first = as_day(args[0], org);
  std::optional<Date> second = as_day(args[1], org);
  if (!first || !second) return Value();
  bool backward = *second < *first;
  if (backward) std::swap(first, second);
  int64_t months = 0;
  for (;;) {
    std::optional<Date> next = value::add_months(*first, months + 1);
    if (!next || *next > *second) break;
    ++months;
  }
  return count(backward ? -months : months);
}

Value hours_between(const Args& args, const Org& org) {
  std::optional<Instant> first = as_moment(args[0], org);
  std::optional<Instant> second = as_moment(args[1], org);
  if (!first || !second) return Value();
  return count((second->ms - first->ms) / 3'600'000);
}

Body of_day(std::function<int64_t(Date)> part) {
  return [part](const Args& args, const Org& org) {
    std::optional<Date> day = as_day(args[0], org);
    return day ? count(part(*day)) : Value();
  };
}

const std::map<std::string, Body, std::less<>>& bodies() {
  static const std::map<std::string, Body, std::less<>> rows = {
      {"upper",
       [](const Args& a, const Org&) {
         return Value::text(utf8_of(capital(letters_of(a[0].as_text()))));
       }},
      {"lower", [](const Args& a,
                   const Org&) { return Value::text(utf8_of(small(letters_of(a[0].as_text())))); }},
      {"trim", trim},
      {"length",
       [](const Args& a, const Org&) {
         return count(static_cast<int64_t>(letters_of(a[0].as_text()).size()));
       }},
      {"left", left},
      {"right", right},
      {"replace", replace},
      {"domain", domain},
      {"text", [](const Args& a, const Org&) { return shown(a[0]); }},
      {"number", number},
      {"abs",
       [](const Args& a, const Org&) {
         if (!a[0].is_numeric()) return Value();
         Decimal d = a[0].as_decimal();
         return like(a[0], d.coefficient < 0 ? difference({0, 0}, d) : d);
       }},
      {"round", round},
      {"floor", [](const Args& a, const Org&) { return rounded_to_whole(a, Side::kDown); }},
      {"ceiling", [](const Args& a, const Org&) { return rounded_to_whole(a, Side::kUp); }},
      {"smaller", [](const Args& a, const Org& org) { return chosen(a, org, -1); }},
      {"larger", [](const Args& a, const Org& org) { return chosen(a, org, 1); }},
      {"days_between",
       [](const Args& a, const Org& org) {
         auto first = as_day(a[0], org);
         auto second = as_day(a[1], org);
         return first && second ? count(int64_t{second->days} - first->days) : Value();
       }},
      {"months_between", months_between},
      {"hours_between", hours_between},
      {"year", of_day([](Date d) { return value::civil(d).year; })},
      {"month", of_day([](Date d) { return value::civil(d).month; })},
      {"day", of_day([](Date d) { return value::civil(d).day; })},
      {"weekday", of_day([](Date d) { return value::weekday_of(d) + 1; })},
      {"hour",
       [](const Args& a, const Org& org) {
         auto moment = as_moment(a[0], org);
         return moment ? count(org.zone.local(*moment).time.ms / 3'600'000) : Value();
       }},
      {"date_of",
       [](const Args& a, const Org& org) {
         auto day = as_day(a[0], org);
         return day ? Value::date(*day) : Value();
       }},
      {"first_given", [](const Args& a, const Org&) { return a[0].is_blank() ? a[1] : a[0]; }},
  };
  return rows;
}

}  // namespace

Value call_function(std::string_view name, const std::vector<Value>& args, const Org& org) {
  auto found = bodies().find(utf8_of(small(letters_of(name))));
  if (found == bodies().end())
    throw std::logic_error("the reference has no function " + std::string(name));
  return found->second(args, org);
}

}  // namespace ensue::testing::reference
