#include <algorithm>

#include "base/fold.h"
#include "builtins/internal.h"
#include "value/decimal.h"
#include "value/text.h"

namespace ensue::builtins::internal {
namespace {

using Args = std::span<const Value>;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), starts_character);
}

// The byte where character `count` begins; the end when there are fewer.
size_t byte_of(std::string_view text, int64_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (starts_character(text[at]) && count-- == 0) break;
  }
  return at;
}

// A count given as a number: whole, not negative; other numbers are cut off.
int64_t whole(const Value& value) {
  if (!value.is_numeric()) return 0;
  auto rounded = value::round_decimal(value.as_decimal(), 0, value::Rounding::kDown);
  return rounded ? std::max<int64_t>(0, value::trimmed(*rounded).coefficient) : 0;
}

Result<Value> upper(Args args, const CallContext&) {
  return Value::text(base::to_upper(args[0].as_text()));
}
Result<Value> lower(Args args, const CallContext&) {
  return Value::text(base::fold_case(args[0].as_text()));
}

Result<Value> trim(Args args, const CallContext&) {
  std::string_view text = args[0].as_text();
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return Value();
  return Value::text(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

Result<Value> length(Args args, const CallContext&) {
  return Value::number(characters(args[0].as_text()));
}

Result<Value> left(Args args, const CallContext&) {
  std::string_view text = args[0].as_text();
  return Value::text(text.substr(0, byte_of(text, whole(args[1]))));
}

Result<Value> right(Args args, const CallContext&) {
  std::string_view text = args[0].as_text();
  return Value::text(
      text.substr(byte_of(text, std::max<int64_t>(0, characters(text) - whole(args[1])))));
}

Result<Value> replace(Args args, const CallContext& context) {
  std::string_view text = args[0].as_text();
  std::string_view part = args[1].as_text();
  if (part.empty()) return args[0];
  std::string out;
  for (size_t at = 0;;) {
    size_t found = text.find(part, at);
    out += text.substr(at, found == std::string_view::npos ? found : found - at);
    if (found == std::string_view::npos) break;
    out += args[2].as_text();
    if (out.size() > context.text_bytes_max) {
      return {ErrorCode::kBoundExceeded,
              "a text grows over " + std::to_string(context.text_bytes_max) + " bytes"};
    }
    at = found + part.size();
  }
  return Value::text(out);
}

Result<Value> domain(Args args, const CallContext&) {
  std::string_view text = args[0].as_text();
  size_t at = text.rfind('@');
  return at == std::string_view::npos ? Value() : Value::text(base::fold_case(text.substr(at + 1)));
}

Result<Value> text_of(Args args, const CallContext&) {
  return Value::text(value::plain_text(args[0]));
}

constexpr Row kRows[] = {
    {"upper", upper}, {"lower", lower},     {"trim", trim},     {"length", length}, {"left", left},
    {"right", right}, {"replace", replace}, {"domain", domain}, {"text", text_of},
};

}  // namespace

std::span<const Row> text_rows() { return kRows; }

}  // namespace ensue::builtins::internal
