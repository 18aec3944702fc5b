#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/fold.h"
#include "base/utf8.h"
#include "intake/event_reader.h"
#include "value/decimal.h"
#include "value/time_text.h"

namespace ensue::intake {
namespace {

using types::TypeKind;

bool all_digits(std::string_view text) {
  size_t begin = !text.empty() && text[0] == '-' ? 1 : 0;
  return text.size() > begin &&
         text.find_first_not_of("0123456789", begin) == std::string_view::npos;
}

std::optional<int64_t> whole(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const char* kind_word(JsonKind kind) {
  static constexpr const char* kWords[] = {"null",   "a boolean", "a number",
                                           "a text", "a list",    "an object"};
  return kWords[static_cast<size_t>(kind)];
}

Result<Value> wrong(const JsonNode& node, const char* wanted) {
  std::string shown = node.kind == JsonKind::kString || node.kind == JsonKind::kNumber
                          ? fmt::format("\"{}\"", base::excerpt(node.text, 40))
                          : std::string(kind_word(node.kind));
  return {ErrorCode::kInvalidArgument, fmt::format("{} is not {}", shown, wanted)};
}

// Money may carry a currency of its own: "10 TRY".
Result<Value> number_from(const JsonNode& node, TypeKind kind) {
  bool textual = node.kind == JsonKind::kNumber || node.kind == JsonKind::kString;
  if (!textual) return wrong(node, "a number");
  if (node.text.empty()) return Value();
  std::string_view digits = node.text;
  Currency currency;
  bool coded = kind == TypeKind::kMoney && node.kind == JsonKind::kString && digits.size() > 4 &&
               digits[digits.size() - 4] == ' ';
  if (coded) {
    currency = Currency::of(digits.substr(digits.size() - 3));
    if (!currency.given()) return wrong(node, "an amount of money");
    digits.remove_suffix(4);
  }
  auto number = number_value(kind, digits);
  if (!number) return wrong(node, "a number of at most 18 digits");
  return currency.given() ? number->with_currency(currency) : *number;
}

Result<Value> boolean_from(const JsonNode& node) {
  if (node.kind == JsonKind::kBoolean) return Value::boolean(node.truth);
  bool yes = base::equal_folded(node.text, "true") || node.text == "1";
  bool no = base::equal_folded(node.text, "false") || node.text == "0";
  if ((node.kind == JsonKind::kString || node.kind == JsonKind::kNumber) && (yes || no))
    return Value::boolean(yes);
  return wrong(node, "true or false");
}

Result<Value> date_from(const JsonNode& node, bool database) {
  if (node.kind == JsonKind::kNumber) {
    auto number = whole(node.text);
    // Days since 1970, as databases send them; anything larger is an instant.
    constexpr int64_t kDaysMax = 3'000'000;
    bool days = number && database && *number<kDaysMax&& * number> - kDaysMax;
    if (days && (*number < value::kDateMin.days || *number > value::kDateMax.days))
      return wrong(node, "a date");
    if (days) return Value::date({static_cast<int32_t>(*number)});
  }
  if (node.kind == JsonKind::kString) {
    if (node.text.empty()) return Value();
    if (auto date = value::parse_date(node.text)) return Value::date(*date);
  }
  if (auto instant = instant_from_text(node.text, database)) {
    int64_t days = instant->ms / value::kDayMs - (instant->ms % value::kDayMs < 0 ? 1 : 0);
    return Value::date({static_cast<int32_t>(days)});
  }
  return wrong(node, "a date");
}

Result<Value> time_from(const JsonNode& node, bool database) {
  if (node.kind == JsonKind::kString) {
    if (node.text.empty()) return Value();
    if (auto time = value::parse_time(node.text)) return Value::time(*time);
  }
  if (node.kind == JsonKind::kNumber) {
    auto number = whole(node.text);
    if (number && database && *number >= value::kDayMs) *number /= 1000;  // microseconds
    if (number && *number >= 0 && *number < value::kDayMs)
      return Value::time({static_cast<int32_t>(*number)});
  }
  return wrong(node, "a time of day");
}

Result<Value> too_long(const char* what, size_t bytes, const Bounds& bounds) {
  return {ErrorCode::kBoundExceeded,
          fmt::format("{} of {} bytes; at most {} are kept", what, bytes, bounds.text_bytes_max)};
}

Result<Value> text_from(const JsonNode& node, const Bounds& bounds) {
  if (node.kind == JsonKind::kBoolean) return Value::text(node.truth ? "true" : "false");
  if (node.kind != JsonKind::kString && node.kind != JsonKind::kNumber)
    return wrong(node, "a text");
  if (node.text.size() > bounds.text_bytes_max) return too_long("a text", node.text.size(), bounds);
  return Value::text(node.text, node.plain);
}

// "A;B", or an array of texts.
Result<Value> multipicklist_from(const JsonTape& tape, uint32_t index, const Bounds& bounds) {
  const JsonNode& node = tape.node(index);
  std::vector<Value> items;
  if (node.kind == JsonKind::kArray) {
    std::optional<Error> error;
    size_t bytes = 0;  // as one text, with a `;` between two
    tape.for_each(index, [&](uint32_t child) { bytes += tape.node(child).text.size() + 1; });
    if (bytes > bounds.text_bytes_max + size_t{1}) return too_long("a list", bytes - 1, bounds);
    tape.for_each(index, [&](uint32_t child) {
      Result<Value> item = text_from(tape.node(child), bounds);
      if (!item) {
        error = item.error();
      } else if (!item->is_blank()) {
        items.push_back(*item);
      }
    });
    if (error) return *error;
    return Value::list(std::move(items));
  }
  if (node.kind != JsonKind::kString) return wrong(node, "a list of texts");
  if (node.text.size() > bounds.text_bytes_max) return too_long("a list", node.text.size(), bounds);
  for (size_t at = 0; at <= node.text.size();) {
    size_t end = std::min(node.text.find(';', at), node.text.size());
    std::string_view item = node.text.substr(at, end - at);
    size_t first = item.find_first_not_of(' ');
    if (first != std::string_view::npos)
      items.push_back(Value::text(item.substr(first, item.find_last_not_of(' ') - first + 1)));
    at = end + 1;
  }
  return Value::list(std::move(items));
}

}  // namespace

std::optional<Value> number_value(types::TypeKind kind, std::string_view digits) {
  if (kind != TypeKind::kNumber && kind != TypeKind::kPercent && kind != TypeKind::kMoney)
    return std::nullopt;
  auto number = value::parse_decimal(digits);
  if (!number) return std::nullopt;
  return kind == TypeKind::kPercent ? Value::percent(*number)
         : kind == TypeKind::kMoney ? Value::money(*number, {})
                                    : Value::number(*number);
}

std::optional<Instant> instant_from_text(std::string_view text, bool database) {
  if (all_digits(text)) {
    auto number = whole(text);
    if (!number) return std::nullopt;
    auto at_least = [&](int64_t size) { return *number >= size || *number <= -size; };
    if (database && at_least(100'000'000'000'000'000)) {
      *number /= 1'000'000;
    } else if (database && at_least(100'000'000'000'000)) {
      *number /= 1000;
    }
    Instant out{*number};
    return value::in_range(out) ? std::optional(out) : std::nullopt;
  }
  if (auto parsed = value::parse_datetime(text)) return parsed->instant();
  if (auto date = value::parse_date(text)) return Instant{date->days * value::kDayMs};
  return std::nullopt;
}

Result<Value> value_from_json(const JsonTape& tape, uint32_t index, const types::Schema&,
                              const types::Type& type, const Bounds& bounds, bool database) {
  const JsonNode& node = tape.node(index);
  if (node.kind == JsonKind::kNull) return Value();
  switch (type.kind) {
    case TypeKind::kNumber:
    case TypeKind::kPercent:
    case TypeKind::kMoney: return number_from(node, type.kind);
    case TypeKind::kBoolean: return boolean_from(node);
    case TypeKind::kDate: return date_from(node, database);
    case TypeKind::kTime: return time_from(node, database);
    case TypeKind::kDatetime: {
      bool textual = node.kind == JsonKind::kString || node.kind == JsonKind::kNumber;
      if (textual && node.text.empty()) return Value();
      auto instant = textual ? instant_from_text(node.text, database) : std::nullopt;
      return instant ? Result<Value>(Value::datetime(*instant)) : wrong(node, "a date and time");
    }
    case TypeKind::kMultipicklist: return multipicklist_from(tape, index, bounds);
    default: return text_from(node, bounds);
  }
}

}  // namespace ensue::intake
