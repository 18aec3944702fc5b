#include "cli/run_report.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/markup.h"
#include "cli/command.h"
#include "ensue/version.h"
#include "value/time_text.h"

namespace ensue::cli {
namespace {

constexpr const char* kStatuses[] = {"executed", "reminded", "suppressed", "deferred", "failed"};
constexpr const char* kTotals[] = {"lines",      "events",       "duplicates", "snapshots",
                                   "gaps",       "dead letters", "executed",   "reminded",
                                   "suppressed", "deferred",     "failed"};

template <class Get>
std::string status_words(Get get) {
  uint64_t all = 0;
  std::string words;
  for (const char* name : kStatuses) {
    uint64_t count = get(name);
    all += count;
    bool always = std::string_view(name) == "executed";
    if (count == 0 && !always) continue;
    words += (words.empty() ? "" : ", ") + grouped(count) + " " + name;
    if (std::string_view(name) == "suppressed") words += " by a limit";
  }
  return grouped(all) + ": " + words;
}

std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "<p>None.</p>\n";
  std::string out = "<table>\n<tr>";
  for (const std::string& cell : head) out += "<th>" + base::escape_markup(cell) + "</th>";
  out += "</tr>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + base::escape_markup(cell) + "</td>";
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

}  // namespace

void RunSummary::add(const BatchReport& report, bool snapshots_only) {
  if (snapshots_only) {
    records += report.snapshots;
  } else {
    counts.lines += report.lines;
    counts.snapshots += report.snapshots;
  }
  counts.events += report.events;
  counts.duplicates += report.duplicates;
  counts.gaps += report.gaps;
  counts.timers += report.timers;
  for (const auto& [name, count] : report.statuses) counts.statuses[name] += count;
  dead_letter_count += report.dead_letters.size();
  for (const auto& [name, count] : report.unknown_fields) unknown_fields[name] += count;
  for (const auto& [name, count] : report.unknown_values) unknown_values[name] += count;
  constexpr size_t kNoticesMax = 5;
  for (const std::string& notice : report.notices) {
    ++notice_count;
    if (notices.size() < kNoticesMax) notices.push_back(notice);
  }
}

void RunSummary::add(const DeliveryReport& report) {
  if (!delivery) delivery.emplace();
  delivery->calls += report.calls;
  delivery->done += report.done;
  delivery->failed += report.failed;
  delivery->unknown += report.unknown;
  delivery->again += report.again;
  delivery->fenced += report.fenced;
  delivery->recovered += report.recovered;
}

Status RunSummary::read_totals(Store& store) {
  return store.read([&](StoreReader& reader) -> Status {
    for (const char* name : kTotals) {
      Result<int64_t> total = reader.total(name);
      if (!total) return total.error();
      totals[name] = *total;
    }
    return {};
  });
}

uint64_t RunSummary::status(const std::string& name) const {
  auto found = counts.statuses.find(name);
  return found == counts.statuses.end() ? 0 : found->second;
}

uint64_t RunSummary::decisions() const {
  uint64_t all = 0;
  for (const auto& [name, count] : counts.statuses) all += count;
  return all;
}

std::string RunSummary::text(bool with_store) const {
  std::vector<std::vector<std::string>> rows;
  if (records > 0) rows.push_back({"records", grouped(records) + " taken in"});
  if (last_line >= first_line || counts.lines > 0) {
    double rate = seconds > 0 ? static_cast<double>(counts.lines) / seconds : 0;
    std::string went_on = resumed ? fmt::format(", from line {} on", grouped(first_line)) : "";
    rows.push_back(
        {"read", fmt::format("{}{} in {:.2f} s, {} a second", counted(counts.lines, "line"),
                             went_on, seconds, grouped(static_cast<uint64_t>(rate)))});
  } else if (resumed) {
    rows.push_back({"read", "nothing new"});
  }
  std::string events = fmt::format("{}, {} dropped, {}", counted(counts.events, "new event"),
                                   counted(counts.duplicates, "duplicate"),
                                   counted(dead_letter_count, "dead letter"));
  if (counts.snapshots > 0) events += ", " + counted(counts.snapshots, "snapshot");
  if (counts.gaps > 0) events += ", " + counted(counts.gaps, "gap");
  rows.push_back({"events", events});
  rows.push_back({"decisions", status_words([&](const char* name) { return status(name); })});
  if (counts.timers > 0) rows.push_back({"timers", grouped(counts.timers) + " fired"});
  if (delivery) {
    std::string words = grouped(delivery->done) + " delivered";
    auto told = [&](uint64_t count, const char* what) {
      if (count > 0) words += fmt::format(", {} {}", grouped(count), what);
    };
    told(delivery->again, "to be tried again");
    told(delivery->failed, "refused");
    told(delivery->unknown, "of which nobody knows");
    told(delivery->recovered, "left by a run that broke off");
    rows.push_back({"outbox", words});
  }
  if (with_store) {
    auto total = [&](const char* name) { return static_cast<uint64_t>(totals.at(name)); };
    rows.push_back({"store", fmt::format("{}, {}, {}", counted(total("events"), "event"),
                                         counted(total("duplicates"), "duplicate"),
                                         counted(total("dead letters"), "dead letter"))});
    rows.push_back({"", status_words(total)});
  }
  std::string out = table(rows);
  auto list = [&](const char* title, const std::map<std::string, uint64_t>& names) {
    if (names.empty()) return;
    constexpr size_t kShownMax = 5;
    std::string words;
    size_t shown = 0;
    for (const auto& [name, count] : names) {
      if (++shown > kShownMax) break;
      words += fmt::format("{}{} ({})", words.empty() ? "" : ", ", name, grouped(count));
    }
    if (names.size() > kShownMax) words += fmt::format(" and {} more", names.size() - kShownMax);
    out += fmt::format("warning: {}: {}\n", title, words);
  };
  list("fields that no object has, ignored", unknown_fields);
  list("values that a closed picklist lacks, kept", unknown_values);
  for (const std::string& warning : warnings) out += "warning: " + warning + "\n";
  for (const std::string& notice : notices) out += "note: " + notice + "\n";
  if (notice_count > notices.size())
    out += fmt::format("note: and {} more\n", notice_count - notices.size());
  return out;
}

std::string RunSummary::json() const {
  nlohmann::ordered_json out{{"records", records},
                             {"lines", counts.lines},
                             {"events", counts.events},
                             {"duplicates", counts.duplicates},
                             {"snapshots", counts.snapshots},
                             {"gaps", counts.gaps},
                             {"dead_letters", dead_letter_count},
                             {"timers", counts.timers},
                             {"decisions", decisions()}};
  for (const char* name : kStatuses) out[name] = status(name);
  if (delivery) {
    out["delivery"] = {{"calls", delivery->calls},        {"done", delivery->done},
                       {"failed", delivery->failed},      {"unknown", delivery->unknown},
                       {"again", delivery->again},        {"fenced", delivery->fenced},
                       {"recovered", delivery->recovered}};
  }
  out["seconds"] = seconds;
  nlohmann::ordered_json store;
  for (const auto& [name, count] : totals) {
    std::string key = name;
    std::replace(key.begin(), key.end(), ' ', '_');
    store[key] = count;
  }
  out["store"] = store;
  out["unknown_fields"] = unknown_fields;
  out["unknown_values"] = unknown_values;
  out["warnings"] = warnings;
  out["notices"] = notices;
  return out.dump();
}

Status write_report(const std::string& path, engine::Runtime& runtime, const RunSummary& summary) {
  std::map<std::pair<std::string, std::string>, std::map<std::string, uint64_t>> by_automation;
  std::map<std::string, std::map<std::string, uint64_t>> by_user;
  std::vector<std::vector<std::string>> counters;
  std::vector<std::vector<std::string>> letters;
  Status looked = runtime.store().read([&](StoreReader& reader) -> Status {
    Status runs = reader.visit_runs({}, [&](const RunRow& row) {
      ++by_automation[{row.kind, row.automation}][row.status];
      ++by_user[row.user][row.status];
      return true;
    });
    if (!runs) return runs;
    Status limits = reader.visit_counters([&](const CounterRow& row) {
      if (row.used >= row.max)
        counters.push_back({row.scope, row.key, row.counter, row.window, std::to_string(row.used),
                            std::to_string(row.max)});
      return true;
    });
    if (!limits) return limits;
    return reader.visit_dead_letters([&](const DeadLetterRow& row) {
      constexpr size_t kShownMax = 200;
      if (letters.size() < kShownMax)
        letters.push_back(
            {std::to_string(row.seq), row.source, std::to_string(row.line), row.reason});
      return true;
    });
  });
  if (!looked) return looked;
  auto rows_of = [](const auto& groups, auto name) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, statuses] : groups) {
      std::vector<std::string> row{name(key)};
      for (const char* status : kStatuses) {
        auto found = statuses.find(status);
        row.push_back(found == statuses.end() ? "" : grouped(found->second));
      }
      rows.push_back(std::move(row));
    }
    return rows;
  };
  std::vector<std::string> head{"", "executed", "reminded", "suppressed", "deferred", "failed"};
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Ensue "
      "run</title>\n<style>\n"
      "body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: "
      "0 1rem; }\n"
      "table { border-collapse: collapse; }\nth, td { border-bottom: 1px solid #ccc; padding: "
      ".3rem .8rem .3rem 0; text-align: left; }\n"
      "td:nth-child(n+2) { font-variant-numeric: tabular-nums; }\npre { background: #f4f4f4; "
      "padding: 1rem; overflow-x: auto; }\n"
      "@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } pre { "
      "background: #222; } th, td { border-color: #444; } }\n"
      "</style>\n</head>\n<body>\n<h1>What happened</h1>\n";
  page += "<pre>" + base::escape_markup(summary.text(true)) + "</pre>\n";
  page += "<h2>By automation</h2>\n" + html_table(head, rows_of(by_automation, [](const auto& key) {
                                                    return key.first + " \"" + key.second + "\"";
                                                  }));
  page += "<h2>By user</h2>\n" +
          html_table(head, rows_of(by_user, [](const auto& key) { return key; }));
  page += "<h2>Limits reached</h2>\n" +
          html_table({"scope", "whose", "counter", "day", "used", "maximum"}, counters);
  page += "<h2>Dead letters</h2>\n" + html_table({"number", "source", "line", "reason"}, letters);
  page += fmt::format("<p>Ensue {}, clock at {}.</p>\n</body>\n</html>\n", kVersion,
                      value::instant_text(runtime.now()));
  std::ofstream file(path, std::ios::binary);
  file << page;
  file.close();
  if (!file) return {ErrorCode::kIo, fmt::format("cannot write {}", path)};
  return {};
}

}  // namespace ensue::cli
