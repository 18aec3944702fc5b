#include "cli/store_flags.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "adapters/system_clock.h"
#include "base/fold.h"
#include "calendar/zone.h"
#include "value/time_text.h"

namespace ensue::cli {

void StoreFlags::add_to(CLI::App& app, bool acts) {
  app.add_option("--store", store, "The store, an SQLite file written by `ensue run --store`")
      ->required();
  if (acts) {
    app.add_option("--clock", clock,
                   "event: the time of the store's last event; wall: this machine's clock")
        ->check(CLI::IsMember({"event", "wall"}))
        ->capture_default_str();
  }
  output.add_to(app);
}

std::optional<Instant> instant_option(const std::string& text, const std::string& zone_name) {
  calendar::Zone zone = calendar::Zone::find(zone_name).value_or(calendar::Zone::utc());
  if (auto date = value::parse_date(text)) return zone.day_start(*date);
  auto parsed = value::parse_datetime(text);
  if (!parsed) return std::nullopt;
  if (parsed->offset_ms) return parsed->instant();
  return zone.instant(parsed->date, parsed->time);
}

Status catch_up(engine::Runtime& runtime, const StoreFlags& flags) {
  if (flags.clock != "wall") return {};
  Result<BatchReport> moved = runtime.advance(adapters::SystemClock().now());
  return moved ? Status() : moved.error();
}

Result<std::shared_ptr<Store>> look_at(const StoreFlags& flags) {
  return open_store(flags.store, false);
}

Result<std::string> person_option(Store& store, const std::string& name) {
  if (name.empty()) return name;
  // The order of engine::Directory::user_named: the id, then a username, then an e-mail address,
  // each the first by id.
  std::string by_id, by_username, by_email;
  Status looked = store.read([&](StoreReader& reader) {
    return reader.visit_records("User", [&](const RecordRow& row) {
      if (row.deleted) return true;
      if (row.id == name) by_id = row.id;
      nlohmann::json body = nlohmann::json::parse(row.body, nullptr, false);
      if (!body.is_object()) return true;
      for (auto [field, id] :
           {std::pair("Username", &by_username), std::pair("Email", &by_email)}) {
        auto found = body.find(field);
        bool same = found != body.end() && found->is_string() &&
                    base::equal_folded(found->get<std::string>(), name);
        if (same && (id->empty() || row.id < *id)) *id = row.id;
      }
      return true;
    });
  });
  if (!looked) return looked.error();
  for (const std::string* id : {&by_id, &by_username, &by_email}) {
    if (!id->empty()) return *id;
  }
  return name;
}

std::string shown(const std::optional<Instant>& instant) {
  return instant ? value::instant_text(*instant) : "";
}

std::string described(const CounterProof& proof) {
  const CounterRow& row = proof.counter;
  auto number = [](int64_t n) { return grouped(static_cast<uint64_t>(n)); };
  if (row.scope.empty())
    return counted(static_cast<uint64_t>(proof.charges), "charge") + " of no counter";
  std::string out = fmt::format("{}{}, {}, {}: {} used, {} charged, at most {}", row.scope,
                                row.key.empty() ? "" : " " + row.key, row.counter, row.window,
                                number(row.used), number(proof.counted), number(row.max));
  if (proof.instants_wrong > 0)
    out += fmt::format("; its window differs at {}",
                       counted(static_cast<uint64_t>(proof.instants_wrong), "instant"));
  return out;
}

}  // namespace ensue::cli
