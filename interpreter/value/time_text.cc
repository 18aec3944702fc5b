#include "value/time_text.h"

#include <fmt/format.h>

#include <chrono>

namespace ensue::value {
namespace {

std::chrono::year_month_day to_chrono(Date date) {
  return std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(date.days)));
}

// Reads exactly `count` digits at `at`; -1 where there are none.
template <size_t count>
int digits(std::string_view text, size_t at) {
  if (at + count > text.size()) return -1;
  int out = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    out = out * 10 + (text[i] - '0');
  }
  return out;
}

// A time of day at the start of `text`; `at` moves past it.
std::optional<TimeOfDay> time_at(std::string_view text, size_t& at) {
  int hour = digits<2>(text, at);
  int minute = digits<2>(text, at + 3);
  if (hour < 0 || minute < 0 || text[at + 2] != ':' || hour > 23 || minute > 59)
    return std::nullopt;
  at += 5;
  int second = 0;
  int ms = 0;
  if (at < text.size() && text[at] == ':') {
    second = digits<2>(text, at + 1);
    if (second < 0 || second > 59) return std::nullopt;
    at += 3;
    if (at < text.size() && text[at] == '.') {
      int place = 100;
      size_t begin = ++at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, place /= 10)
        ms += (text[at] - '0') * place;
      if (at == begin) return std::nullopt;
    }
  }
  return TimeOfDay{((hour * 60 + minute) * 60 + second) * 1000 + ms};
}

}  // namespace

CivilDate civil(Date date) {
  auto ymd = to_chrono(date);
  return {static_cast<int>(ymd.year()), static_cast<int32_t>(static_cast<unsigned>(ymd.month())),
          static_cast<int32_t>(static_cast<unsigned>(ymd.day()))};
}

std::optional<Date> date_of(CivilDate c) {
  if (c.year < 1 || c.year > 9999 || c.month < 1 || c.day < 1) return std::nullopt;
  std::chrono::year_month_day ymd{std::chrono::year(c.year),
                                  std::chrono::month(static_cast<unsigned>(c.month)),
                                  std::chrono::day(static_cast<unsigned>(c.day))};
  if (!ymd.ok()) return std::nullopt;
  return Date{static_cast<int32_t>(std::chrono::sys_days(ymd).time_since_epoch().count())};
}

int32_t days_in_month(int32_t year, int32_t month) {
  std::chrono::year_month_day_last last{
      std::chrono::year(year),
      std::chrono::month_day_last(std::chrono::month(static_cast<unsigned>(month)))};
  return static_cast<int32_t>(static_cast<unsigned>(last.day()));
}

int32_t weekday_of(Date date) {
  // 1970-01-01 was a Thursday.
  int32_t day = (date.days + 3) % 7;
  return day < 0 ? day + 7 : day;
}

std::optional<Date> add_months(Date date, int64_t months) {
  if (months > 200'000 || months < -200'000) return std::nullopt;
  CivilDate c = civil(date);
  int64_t index = static_cast<int64_t>(c.year) * 12 + c.month - 1 + months;
  if (index < 12) return std::nullopt;
  c.year = static_cast<int32_t>(index / 12);
  c.month = static_cast<int32_t>(index % 12) + 1;
  if (c.year > 9999) return std::nullopt;
  c.day = std::min(c.day, days_in_month(c.year, c.month));
  return date_of(c);
}

std::optional<Date> add_days(Date date, int64_t days) {
  if (days > 4'000'000 || days < -4'000'000) return std::nullopt;
  Date out{static_cast<int32_t>(date.days + days)};
  if (out < kDateMin || out > kDateMax) return std::nullopt;
  return out;
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int year = digits<4>(text, 0);
  int month = digits<2>(text, 5);
  int day = digits<2>(text, 8);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  return date_of({year, month, day});
}

namespace {

// A number from 0 to 99, in two digits.
char* put_two(char* at, int64_t number) {
  *at++ = static_cast<char>('0' + number / 10);
  *at++ = static_cast<char>('0' + number % 10);
  return at;
}

// Ten characters; the year has four digits.
char* put_date(char* at, const CivilDate& date) {
  at = put_two(at, date.year / 100);
  at = put_two(at, date.year % 100);
  *at++ = '-';
  at = put_two(at, date.month);
  *at++ = '-';
  return put_two(at, date.day);
}

}  // namespace

std::string date_text(Date date) {
  CivilDate c = civil(date);
  if (c.year < 0 || c.year > 9999) return fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
  char text[10];
  return std::string(text, put_date(text, c));
}

std::optional<TimeOfDay> parse_time(std::string_view text) {
  size_t at = 0;
  auto out = time_at(text, at);
  if (at < text.size() && text[at] == 'Z') ++at;  // Salesforce writes times of day in UTC
  return at == text.size() ? out : std::nullopt;
}

std::string time_text(TimeOfDay time) {
  int32_t seconds = time.ms / 1000;
  std::string out = fmt::format("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
  if (time.ms % 60'000 != 0) out += fmt::format(":{:02}", seconds % 60);
  if (time.ms % 1000 != 0) out += fmt::format(".{:03}", time.ms % 1000);
  return out;
}

Instant DateTimeText::instant() const {
  return {date.days * kDayMs + time.ms - offset_ms.value_or(0)};
}

std::optional<DateTimeText> parse_datetime(std::string_view text) {
  if (text.size() < 16 || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  auto date = parse_date(text.substr(0, 10));
  if (!date) return std::nullopt;
  size_t at = 11;
  auto time = time_at(text, at);
  if (!time) return std::nullopt;
  DateTimeText out{*date, *time, std::nullopt};
  if (at == text.size()) return out;
  if (text[at] == 'Z' || text[at] == 'z') {
    out.offset_ms = 0;
    return at + 1 == text.size() ? std::optional(out) : std::nullopt;
  }
  if (text[at] != '+' && text[at] != '-') return std::nullopt;
  int sign = text[at] == '-' ? -1 : 1;
  size_t minute_at = at + 3 < text.size() && text[at + 3] == ':' ? at + 4 : at + 3;
  int hours = digits<2>(text, at + 1);
  bool hours_only = at + 3 == text.size();  // `+00`, as PostgreSQL writes it
  int minutes = hours_only ? 0 : digits<2>(text, minute_at);
  bool whole = hours_only || minute_at + 2 == text.size();
  if (hours < 0 || minutes < 0 || hours > 18 || minutes > 59 || !whole) return std::nullopt;
  out.offset_ms = sign * (hours * 60 + minutes) * 60'000;
  if (!in_range(out.instant())) return std::nullopt;
  return out;
}

void append_instant_text(std::string& out, Instant instant) {
  if (!in_range(instant)) instant = instant.ms < 0 ? kInstantMin : kInstantMax;
  int64_t days = instant.ms / kDayMs;
  int64_t ms = instant.ms % kDayMs;
  if (ms < 0) {
    ms += kDayMs;
    --days;
  }
  char text[24];
  char* at = put_date(text, civil({static_cast<int32_t>(days)}));
  int64_t seconds = ms / 1000;
  *at++ = 'T';
  at = put_two(at, seconds / 3600);
  *at++ = ':';
  at = put_two(at, seconds / 60 % 60);
  *at++ = ':';
  at = put_two(at, seconds % 60);
  if (int64_t rest = ms % 1000; rest != 0) {
    *at++ = '.';
    *at++ = static_cast<char>('0' + rest / 100);
    at = put_two(at, rest % 100);
  }
  *at++ = 'Z';
  out.append(text, at);
}

std::string instant_text(Instant instant) {
  std::string out;
  append_instant_text(out, instant);
  return out;
}

bool in_range(Instant instant) { return kInstantMin <= instant && instant <= kInstantMax; }

const char* unit_name(DurationUnit unit) {
  static constexpr const char* kNames[] = {"second", "minute", "hour", "day",
                                           "week",   "month",  "year"};
  return kNames[static_cast<size_t>(unit)];
}

std::string duration_text(const Duration& duration) {
  return fmt::format("{}{} {}{}", duration.amount, duration.business ? " business" : "",
                     unit_name(duration.unit), duration.amount == 1 ? "" : "s");
}

}  // namespace ensue::value
