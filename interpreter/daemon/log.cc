#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "value/text.h"

namespace ensue::daemon {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// A value in a line of text: quoted where it would not be read as one word.
void append_word(std::string& out, std::string_view text) {
  bool plain = !text.empty();
  for (char c : text)
    plain = plain && static_cast<unsigned char>(c) > ' ' && c != '"' && c != '=' && c != 0x7F;
  if (plain) {
    out += text;
  } else {
    value::append_json_text(out, text);
  }
}

// Message texts may hold line breaks, as diagnostics do; control characters beside them are shown,
// not obeyed.
void append_message(std::string& out, std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\t') || byte == 0x7F) {
      out += '?';
    } else {
      out += c;
    }
  }
}

}  // namespace

class Log::Impl {
 public:
  Impl(LogFormat given, LogLevel least)
      : format(given), logger("ensue", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern(format == LogFormat::kJson
                           ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                       spdlog::pattern_time_type::utc);
    logger.set_level(level_of(least));
    logger.flush_on(spdlog::level::trace);
  }

  LogFormat format;
  spdlog::logger logger;
};

Log::Log(LogFormat format, LogLevel least) : impl_(std::make_unique<Impl>(format, least)) {}
Log::~Log() = default;
LogFormat Log::format() const { return impl_->format; }

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  std::string out;
  if (impl_->format == LogFormat::kJson) {
    out += "\"message\":";
    value::append_json_text(out, message);
    for (const auto& [name, text] : fields) {
      out += ',';
      value::append_json_text(out, name);
      out += ':';
      value::append_json_text(out, text);
    }
  } else {
    append_message(out, message);
    for (const auto& [name, text] : fields) {
      out += ' ';
      out += name;
      out += '=';
      append_word(out, text);
    }
  }
  // As a value, not as a format: braces in it mean nothing.
  impl_->logger.log(level_of(level), spdlog::string_view_t(out));
}

}  // namespace ensue::daemon
