#include "value/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/byte_words.h"
#include "base/utf8.h"
#include "value/decimal.h"
#include "value/time_text.h"

namespace ensue::value {
namespace {

// Bytes that stand in JSON as they are: ASCII but for control characters, quotes and backslashes.
bool plain(char c) { return c >= 0x20 && c != '"' && c != '\\'; }

using base::kWordBytes;

// Whether all of eight are plain: a byte below `n` borrows from its high bit in `word - n`.
bool all_plain(uint64_t word) {
  uint64_t below = (word - base::kWordOnes * 0x20) & ~word;
  uint64_t marks = base::marks_of(word, '"') | base::marks_of(word, '\\');
  return (((word | below) & base::kWordHighBits) | marks) == 0;
}

// Copies the plain bytes that `text` begins with; how many they are. Room for all of the text.
size_t copy_plain(std::string_view text, char* to) {
  size_t at = 0;
  auto copy_word = [&](size_t from) {
    std::memcpy(to + from, text.data() + from, kWordBytes);
    return all_plain(base::word_at(text.data() + from));
  };
  while (at + kWordBytes <= text.size() && copy_word(at)) at += kWordBytes;
  // The last word once more with what is left behind it.
  bool left = at < text.size() && at + kWordBytes > text.size() && text.size() >= kWordBytes;
  if (left && copy_word(text.size() - kWordBytes)) return text.size();
  for (; at < text.size() && plain(text[at]); ++at) to[at] = text[at];
  return at;
}

// How many bytes from `begin` on are plain.
size_t plain_run(std::string_view text, size_t begin) {
  size_t at = begin;
  while (at + kWordBytes <= text.size() && all_plain(base::word_at(text.data() + at)))
    at += kWordBytes;
  while (at < text.size() && plain(text[at])) ++at;
  return at - begin;
}

}  // namespace

std::string plain_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBlank: return {};
    case Value::Kind::kBoolean: return value.truth() ? "true" : "false";
    case Value::Kind::kNumber: return decimal_text(value.as_decimal());
    case Value::Kind::kPercent: return decimal_text(value.as_decimal()) + "%";
    case Value::Kind::kMoney: {
      std::string out = decimal_text(value.as_decimal());
      return value.as_currency().given() ? out + " " + value.as_currency().code() : out;
    }
    case Value::Kind::kText: return std::string(value.as_text());
    case Value::Kind::kDate: return date_text(value.as_date());
    case Value::Kind::kDatetime: return instant_text(value.as_instant());
    case Value::Kind::kTime: return time_text(value.as_time());
    case Value::Kind::kDuration: return duration_text(value.as_duration());
    case Value::Kind::kList: {
      std::string out;
      for (const Value& item : value.as_list()) {
        if (!out.empty()) out += "; ";
        out += plain_text(item);
      }
      return out;
    }
  }
  return {};
}

std::string source_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBlank: return "blank";
    case Value::Kind::kText: {
      std::string out = "\"";
      for (char c : value.as_text()) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
          out += "\\n";
        } else if (c == '\t') {
          out += "\\t";
        } else {
          out += c;
          if (c == '{') out += '{';
        }
      }
      return out + "\"";
    }
    case Value::Kind::kList: {
      std::string out = "(";
      for (const Value& item : value.as_list()) {
        if (out.size() > 1) out += ", ";
        out += source_text(item);
      }
      return out + ")";
    }
    default: return plain_text(value);
  }
}

void append_json_text(std::string& out, std::string_view text) {
  size_t begin = out.size();
  out.resize(begin + text.size() + 2);
  out[begin] = '"';
  size_t plain_bytes = copy_plain(text, out.data() + begin + 1);
  if (plain_bytes == text.size()) {  // as nearly all texts
    out.back() = '"';
    return;
  }
  out.resize(begin + 1 + plain_bytes);
  for (size_t at = plain_bytes; at < text.size(); ++at) {
    size_t plain = plain_run(text, at);
    out.append(text, at, plain);
    at += plain;
    if (at == text.size()) break;
    char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      size_t size = base::character_bytes(text.substr(at));
      out += size > 0 ? text.substr(at, size) : "\uFFFD";
      at += std::max<size_t>(size, 1) - 1;
      continue;
    }
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  out += '"';
}

void append_json(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBlank: out += "null"; break;
    case Value::Kind::kBoolean: out += value.truth() ? "true" : "false"; break;
    case Value::Kind::kText: append_json_text(out, value.as_text()); break;
    case Value::Kind::kNumber:
    case Value::Kind::kPercent: out += DecimalText(value.as_decimal()).view(); break;
    case Value::Kind::kMoney:
      if (value.as_currency().given()) {
        out += '"' + plain_text(value) + '"';
      } else {
        out += DecimalText(value.as_decimal()).view();
      }
      break;
    case Value::Kind::kList: {
      out += '[';
      bool first = true;
      for (const Value& item : value.as_list()) {
        if (!first) out += ',';
        first = false;
        append_json(out, item);
      }
      out += ']';
      break;
    }
    default: append_json_text(out, plain_text(value));
  }
}

std::string json_text(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace ensue::value
