// `ensue records` and `ensue targets`: the copy of the records, and who is in which cadence.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/fold.h"
#include "cli/store_flags.h"

namespace ensue::cli {
namespace {

using Json = nlohmann::ordered_json;

struct RecordsFlags {
  StoreFlags store;
  std::string which;
};

struct TargetsFlags {
  StoreFlags store;
  std::string cadence;
  std::string assignee;
  bool all = false;
};

Json parsed(const std::string& text) {
  Json out = Json::parse(text, nullptr, false);
  return out.is_object() ? out : Json::object();
}

std::string text_of(const Json& row, const char* name) {
  auto found = row.find(name);
  if (found == row.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// As a snapshot in the native form: what is printed can be read in again.
std::string snapshot_line(const RecordRow& row) {
  Json line{{"id", "r-" + row.object + "-" + row.id},
            {"entity", row.object},
            {"ids", {row.id}},
            {"kind", row.deleted ? "delete" : "snapshot"}};
  Json last = parsed(row.last_change);
  line["at"] = text_of(last, "at");
  if (!row.deleted) line["set"] = parsed(row.body);
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string title_of(const Json& body) {
  for (const char* name : {"Name", "Subject", "LastName", "CaseNumber", "OrderNumber", "Title"}) {
    std::string text = text_of(body, name);
    if (!text.empty()) return text;
  }
  return {};
}

int run_records(const RecordsFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  size_t slash = flags.which.find('/');
  std::string object = flags.which.substr(0, slash);
  std::string id = slash == std::string::npos ? "" : flags.which.substr(slash + 1);
  bool json = flags.store.output.json();
  std::map<std::string, std::pair<size_t, size_t>> counts;  // there, deleted
  std::vector<std::vector<std::string>> cells{{"id", "name", "owner"}};
  std::optional<RecordRow> one;
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_records("", [&](const RecordRow& row) {
      if (!object.empty() && !base::equal_folded(row.object, object)) return true;
      if (!id.empty() && row.id != id) return true;
      if (json) {
        print(snapshot_line(row));
        return true;
      }
      if (!id.empty()) {
        one = row;
        return false;
      }
      ++(row.deleted ? counts[row.object].second : counts[row.object].first);
      if (!object.empty()) {
        Json body = parsed(row.body);
        cells.push_back(
            {row.id + (row.deleted ? " (deleted)" : ""), title_of(body), text_of(body, "OwnerId")});
      }
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (json) return kExitFine;
  if (!id.empty()) {
    if (!one)
      return fail({ErrorCode::kNotFound, fmt::format("there is no record {}", flags.which)});
    std::vector<std::vector<std::string>> fields;
    Json body = parsed(one->body);
    for (const auto& [name, value] : body.items())
      fields.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
    Json last = parsed(one->last_change);
    print(fmt::format("{}/{}{}\n", one->object, one->id, one->deleted ? " (deleted)" : ""));
    print(table(fields));
    print(fmt::format("last change: {} at {}{}\n", text_of(last, "kind"), text_of(last, "at"),
                      last["before"].empty() ? "" : ", before it " + last["before"].dump()));
    return kExitFine;
  }
  if (!object.empty()) {
    if (cells.size() == 1) {
      print(fmt::format("no records of {}\n", object));
    } else {
      print(table(cells));
    }
    return kExitFine;
  }
  if (counts.empty()) {
    print("no records\n");
    return kExitFine;
  }
  std::vector<std::vector<std::string>> rows{{"object", "records", "deleted"}};
  for (const auto& [name, count] : counts)
    rows.push_back({name, grouped(count.first), count.second == 0 ? "" : grouped(count.second)});
  print(table(rows, {false, true, true}));
  return kExitFine;
}

int run_targets(const TargetsFlags& flags) {
  Result<std::shared_ptr<Store>> store = look_at(flags.store);
  if (!store) return fail(store.error());
  Result<std::string> assignee = person_option(**store, flags.assignee);
  if (!assignee) return fail(assignee.error());
  std::vector<std::vector<std::string>> cells{
      {"target", "cadence", "assignee", "state", "track", "step", "due", "disposition"}};
  Json out = Json::array();
  Status looked = (*store)->read([&](StoreReader& reader) {
    return reader.visit_records("ActionCadenceTracker", [&](const RecordRow& row) {
      Json body = parsed(row.body);
      std::string state = text_of(body, "State");
      bool open = state == "Active" || state == "Paused";
      if (row.deleted || (!flags.all && !open)) return true;
      if (!flags.cadence.empty() &&
          !base::equal_folded(text_of(body, "CadenceName"), flags.cadence))
        return true;
      if (!assignee->empty() && text_of(body, "OwnerId") != *assignee) return true;
      std::string target = text_of(body, "TargetType") + "/" + text_of(body, "TargetId");
      cells.push_back({target, text_of(body, "CadenceName"), text_of(body, "OwnerId"), state,
                       text_of(body, "CurrentTrack"), text_of(body, "CurrentStepTitle"),
                       text_of(body, "CurrentStepDueDate"),
                       text_of(body, "CompletionDisposition")});
      Json line{{"tracker", row.id}, {"target", target}};
      for (const auto& [name, value] : body.items()) line[name] = value;
      out.push_back(std::move(line));
      return true;
    });
  });
  if (!looked) return fail(looked.error());
  if (flags.store.output.json()) {
    print(out.dump() + "\n");
  } else if (cells.size() == 1) {
    print("no targets\n");
  } else {
    std::sort(cells.begin() + 1, cells.end());
    print(table(cells));
  }
  return kExitFine;
}

}  // namespace

void add_records(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<RecordsFlags>();
  CLI::App* command = app.add_subcommand("records", "Show a store's copy of the records");
  command->add_option(
      "WHICH", flags->which,
      "An object, as Lead, or one record, as Lead/00Q1; without it, how many there are");
  flags->store.add_to(*command, false);
  commands.push_back({command, [flags] { return run_records(*flags); }});
}

void add_targets(CLI::App& app, Commands& commands) {
  auto flags = std::make_shared<TargetsFlags>();
  CLI::App* command = app.add_subcommand("targets", "Show who is in which cadence");
  flags->store.add_to(*command, false);
  command->add_option("--cadence", flags->cadence, "Only this cadence");
  command->add_option("--assignee", flags->assignee, "Only this user's targets");
  command->add_flag("--all", flags->all, "Also those that have left");
  commands.push_back({command, [flags] { return run_targets(*flags); }});
}

}  // namespace ensue::cli
