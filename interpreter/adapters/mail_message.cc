#include "adapters/mail_message.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/key128.h"
#include "value/time_text.h"

namespace ensue::adapters {
namespace {

constexpr size_t kLineMax = 76;  // of encoded text

// What an address may not hold: it stands in a command of SMTP and in a header.
bool is_address(const std::string& text) {
  size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size() || text.size() > 320)
    return false;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7F || c == '<' || c == '>' || c == ',' || c == ';') return false;
  }
  return true;
}

bool is_plain(std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x7F || (byte < ' ' && c != '\n' && c != '\t')) return false;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    size_t count = std::min<size_t>(3, bytes.size() - at);
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i) out += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

// The longest beginning of at most `most` bytes that does not cut a character of UTF-8.
size_t whole_characters(std::string_view text, size_t most) {
  if (text.size() <= most) return text.size();
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end == 0 ? most : end;
}

// A text of a header: as it is, or as encoded words (RFC 2047), folded.
std::string header_text(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = ' ';
  }
  constexpr size_t kPlainMax = 900;  // a line has at most 998 bytes
  if (is_plain(text) && text.size() <= kPlainMax && text.find("=?") == std::string::npos)
    return text;
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t size = whole_characters(rest, 42);
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(rest.substr(0, size)) + "?=";
    rest.remove_prefix(size);
  }
  return out;
}

// `Ana Roe <ana@x.test>`
std::string mailbox(const std::string& name, const std::string& address) {
  if (name.empty()) return address;
  std::string shown = header_text(name);
  if (shown == name) {
    std::string quoted = "\"";
    for (char c : name) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    shown = quoted + '"';
  }
  return shown + " <" + address + ">";
}

// `Mon, 05 Jan 2026 14:00:00 +0000`
std::string date_header(Instant at) {
  constexpr std::array kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t days = at.ms / value::kDayMs - (at.ms % value::kDayMs < 0 ? 1 : 0);
  Date date{static_cast<int32_t>(days)};
  auto seconds = static_cast<int>((at.ms - days * value::kDayMs) / 1000);
  value::CivilDate civil = value::civil(date);
  char out[64];
  std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d +0000",
                kDays[static_cast<size_t>(value::weekday_of(date))], civil.day,
                kMonths[static_cast<size_t>(civil.month - 1)], civil.year, seconds / 3600,
                seconds / 60 % 60, seconds % 60);
  return out;
}

bool has_long_line(std::string_view text) {
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '\n') continue;
    if (i - begin > 900) return true;
    begin = i + 1;
  }
  return false;
}

// The body with its header lines: as it is where that is safe, else in base 64.
std::string body_part(std::string_view body) {
  std::string out = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  if (is_plain(body) && !has_long_line(body)) {
    out += "Content-Transfer-Encoding: 7bit\r\n\r\n";
    for (char c : body) out += c == '\n' ? "\r\n" : std::string(1, c);
    return out.ends_with("\r\n") ? out : out + "\r\n";
  }
  out += "Content-Transfer-Encoding: base64\r\n\r\n";
  std::string lines;
  for (char c : body) lines += c == '\n' ? "\r\n" : std::string(1, c);
  std::string encoded = base64(lines);
  for (size_t at = 0; at < encoded.size(); at += kLineMax)
    out += encoded.substr(at, kLineMax) + "\r\n";
  return out;
}

}  // namespace

Result<MailMessage> mail_message(const SinkCall& call, const MailConfig& config) {
  auto request = nlohmann::json::parse(call.request, nullptr, false);
  if (!request.is_object()) return {ErrorCode::kInvalidArgument, "the mail cannot be read"};
  auto text = [&](const char* name) {
    auto found = request.find(name);
    return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  MailMessage out;
  out.from = text("from");
  out.to = text("to");
  std::string from_name = text("from_name");
  if (out.from.empty()) {
    out.from = config.from;
    from_name = config.from_name;
  }
  if (out.from.empty()) {
    return {ErrorCode::kInvalidArgument,
            "the mail is sent by nobody, and the configuration has no `from`"};
  }
  for (const std::string& address : {out.from, out.to}) {
    if (!is_address(address))
      return {ErrorCode::kInvalidArgument, "\"" + address + "\" is not an address"};
  }
  auto at = value::parse_datetime(text("at"));
  out.text = "From: " + mailbox(from_name, out.from) +
             "\r\nTo: " + mailbox(text("to_name"), out.to) +
             "\r\nSubject: " + header_text(text("subject")) +
             "\r\nDate: " + date_header(at ? at->instant() : Instant{}) + "\r\nMessage-ID: <" +
             base::to_hex(call.key) + out.from.substr(out.from.rfind('@')) + ">\r\n";
  out.text += body_part(text("body"));
  return out;
}

}  // namespace ensue::adapters
