#include "workload_export.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iterator>

namespace ensue::bench {
namespace {

using Buffer = fmt::memory_buffer;

template <typename... Args>
void put(Buffer& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// No value of the workload needs an escape.
void put_value(Buffer& out, const Condition& test, uint32_t value) {
  switch (Workload::fields()[test.field].kind) {
    case FieldKind::kText: put(out, "\"{}\"", Workload::text(test.field, value)); break;
    case FieldKind::kDate: put(out, "\"{}\"", Workload::date(value)); break;
    case FieldKind::kNumber:
    case FieldKind::kBoolean: put(out, "{}", value); break;
  }
}

const char* operator_name(Condition::Kind kind) {
  switch (kind) {
    case Condition::Kind::kIs: return "is";
    case Condition::Kind::kOneOf: return "oneOf";
    case Condition::Kind::kAtLeast: return "atLeast";
    case Condition::Kind::kAtMost: return "atMost";
    case Condition::Kind::kStartsWith: return "startsWith";
    case Condition::Kind::kIsBlank: return "isBlank";
    case Condition::Kind::kTrue: return "isTrue";
  }
  return "";
}

void put_condition(Buffer& out, const Condition& condition) {
  auto list = [&](const auto& elements, const auto& put_one) {
    put(out, "[");
    for (size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) put(out, ",");
      put_one(elements[i]);
    }
    put(out, "]");
  };
  auto part = [&](const Condition& inner) { put_condition(out, inner); };
  auto value = [&](uint32_t inner) { put_value(out, condition, inner); };
  switch (condition.join) {
    case Condition::Join::kAnd:
      put(out, "{{\"and\":");
      list(condition.parts, part);
      break;
    case Condition::Join::kOr:
      put(out, "{{\"or\":");
      list(condition.parts, part);
      break;
    case Condition::Join::kNot:
      put(out, "{{\"not\":");
      part(condition.parts[0]);
      break;
    case Condition::Join::kTest:
      put(out, "{{\"field\":\"{}\",\"{}\":", Workload::fields()[condition.field].name,
          operator_name(condition.kind));
      if (condition.kind == Condition::Kind::kOneOf) {
        list(condition.values, value);
      } else if (condition.values.empty()) {
        put(out, "true");
      } else {
        value(condition.values[0]);
      }
      break;
  }
  put(out, "}}");
}

const char* type_name(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText: return "text";
    case FieldKind::kNumber: return "number";
    case FieldKind::kDate: return "date";
    case FieldKind::kBoolean: return "boolean";
  }
  return "";
}

// Line by line, so that half a million rules never stand in memory as text.
bool write_lines(const std::string& path, size_t count,
                 const std::function<void(Buffer&, size_t)>& line) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  bool good = file != nullptr;
  Buffer out;
  for (size_t i = 0; good && i < count; ++i) {
    out.clear();
    line(out, i);
    out.push_back('\n');
    good = std::fwrite(out.data(), 1, out.size(), file) == out.size();
  }
  if (file != nullptr && std::fclose(file) != 0) good = false;
  if (!good) fmt::print(stderr, "{}: cannot be written: {}\n", path, std::strerror(errno));
  return good;
}

}  // namespace

bool export_workload(const std::string& folder, bool owned, const std::vector<Rule>& rules,
                     const std::vector<Event>& events, const std::vector<Expected>& expected) {
  auto rule = [&](Buffer& out, size_t i) {
    put(out, "{{\"rule\":{},", i);
    if (owned) put(out, "\"owner\":\"{}\",", Workload::owner_name(static_cast<uint32_t>(i / 50)));
    bool created = (rules[i].events & plan::kCreated) != 0;
    bool edited = (rules[i].events & plan::kEdited) != 0;
    put(out, "\"on\":[{}{}{}],\"if\":", created ? "\"create\"" : "", created && edited ? "," : "",
        edited ? "\"update\"" : "");
    put_condition(out, rules[i].condition);
    put(out, "}}");
  };
  auto field = [&](Buffer& out, size_t) {
    put(out, "[");
    for (const FieldSpec& spec : Workload::fields())
      put(out, "{}{{\"name\":\"{}\",\"type\":\"{}\",\"read\":{}}}",
          &spec == Workload::fields().data() ? "" : ",\n ", spec.name, type_name(spec.kind),
          spec.in_rules);
    put(out, "]");
  };
  return write_lines(folder + "/fields.json", 1, field) &&
         write_lines(folder + "/rules.ndjson", rules.size(), rule) &&
         write_lines(folder + "/events.ndjson", events.size(),
                     [&](Buffer& out, size_t i) {
                       put(out, "{}", std::string_view(events[i].json.data(), events[i].size));
                     }) &&
         write_lines(folder + "/expected.txt", expected.size(), [&](Buffer& out, size_t i) {
           put(out, "{} {:016x}", expected[i].rules, expected[i].sum);
         });
}

}  // namespace ensue::bench
