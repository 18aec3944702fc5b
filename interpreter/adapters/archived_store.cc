// A store and its archives, read as one. The store is read first and then the archives, so that a
// day that moves meanwhile is seen at least once; what stands in both is taken once.
#include <map>
#include <tuple>

#include "adapters/internal/store_paths.h"
#include "adapters/sqlite_store.h"
#include "adapters/store_care.h"
#include "value/time_text.h"

namespace ensue::adapters {
namespace {

// Days that a local date may be away from the date in UTC, and back again in another zone.
constexpr int kZoneDaysMax = 2;

class ArchiveReader final : public StoreReader {
 public:
  ArchiveReader(StoreReader& store, const std::string& path, const std::vector<std::string>& days)
      : store_(store), path_(path), days_(days) {}

  Result<std::optional<RecordRow>> record(std::string_view object, std::string_view id) override {
    return store_.record(object, id);
  }
  Result<std::vector<std::string>> linked(std::string_view object, std::string_view field,
                                          std::string_view target, size_t most) override {
    return store_.linked(object, field, target, most);
  }
  Status visit_records(std::string_view object,
                       const std::function<bool(const RecordRow&)>& visit) override {
    return store_.visit_records(object, visit);
  }

  Status visit_runs(const RunFilter& filter,
                    const std::function<bool(const RunRow&)>& visit) override {
    std::map<int64_t, RunRow> rows;
    auto keep = [&](const RunRow& row) {
      rows.try_emplace(row.seq, row);
      if (rows.size() > filter.count_max)
        rows.erase(filter.newest_first ? rows.begin() : std::prev(rows.end()));
      return true;
    };
    if (Status read = store_.visit_runs(filter, keep); !read) return read;
    for (auto day = days_.rbegin(); day != days_.rend(); ++day) {
      if (filter.since && ends_before(*day, *filter.since)) break;
      if (filter.newest_first && rows.size() >= filter.count_max && !rows.empty()) {
        Result<std::optional<std::string>> last = store_.meta("archive." + *day);
        if (!last) return last.error();
        // All of its runs are older than those found.
        if (last->has_value() && std::stoll("0" + **last) < rows.begin()->first) continue;
      }
      Status read =
          in_archive(*day, [&](StoreReader& archive) { return archive.visit_runs(filter, keep); });
      if (!read) return read;
    }
    if (filter.newest_first) {
      for (auto row = rows.rbegin(); row != rows.rend() && visit(row->second);) ++row;
    } else {
      for (auto row = rows.begin(); row != rows.end() && visit(row->second);) ++row;
    }
    return {};
  }

  Status visit_verdicts(std::string_view automation, std::string_view record_name,
                        const std::function<bool(const VerdictRow&)>& visit) override {
    std::map<int64_t, VerdictRow> rows;
    Status read = everywhere([&](StoreReader& reader) {
      return reader.visit_verdicts(automation, record_name, [&](const VerdictRow& row) {
        rows.try_emplace(row.seq, row);
        return true;
      });
    });
    if (!read) return read;
    for (const auto& [seq, row] : rows) {
      if (!visit(row)) break;
    }
    return {};
  }

  Status visit_counters(const std::function<bool(const CounterRow&)>& visit) override {
    std::map<std::tuple<std::string, std::string, std::string, std::string>, CounterRow> rows;
    Status read = everywhere([&](StoreReader& reader) {
      return reader.visit_counters([&](const CounterRow& row) {
        rows.try_emplace({row.scope, row.key, row.counter, row.window}, row);
        return true;
      });
    });
    if (!read) return read;
    for (const auto& [key, row] : rows) {
      if (!visit(row)) break;
    }
    return {};
  }

  // File by file: each can be recounted alone.
  Status visit_proofs(const std::function<bool(const CounterProof&)>& visit) override {
    bool more = true;
    return everywhere([&](StoreReader& reader) -> Status {
      if (!more) return {};
      return reader.visit_proofs([&](const CounterProof& proof) { return more = visit(proof); });
    });
  }

  Status visit_dead_letters(const std::function<bool(const DeadLetterRow&)>& visit) override {
    return store_.visit_dead_letters(visit);
  }
  Status visit_reminders(std::string_view state,
                         const std::function<bool(const ReminderRow&)>& visit) override {
    return store_.visit_reminders(state, visit);
  }
  Status visit_activations(const std::function<bool(const ActivationRow&)>& visit) override {
    return store_.visit_activations(visit);
  }
  Result<std::optional<ReminderRow>> reminder(const Key128& id) override {
    return store_.reminder(id);
  }
  Result<std::vector<ReminderRow>> reminders_about(std::string_view record_name) override {
    return store_.reminders_about(record_name);
  }
  Result<std::vector<TimerRow>> due_timers(Instant now, size_t most) override {
    return store_.due_timers(now, most);
  }
  Result<std::optional<Instant>> next_timer() override { return store_.next_timer(); }
  Result<uint64_t> timer_count() override { return store_.timer_count(); }
  Result<std::optional<CursorRow>> cursor(std::string_view source) override {
    return store_.cursor(source);
  }
  Result<std::optional<AttemptRow>> attempt(std::string_view source) override {
    return store_.attempt(source);
  }
  Status visit_intents(std::string_view state,
                       const std::function<bool(const IntentRow&)>& visit) override {
    return store_.visit_intents(state, visit);
  }
  Result<std::optional<IntentRow>> intent(const Key128& key) override { return store_.intent(key); }
  Result<std::vector<FlowRunRow>> flow_runs_about(std::string_view record_name,
                                                  size_t most) override {
    return store_.flow_runs_about(record_name, most);
  }
  Result<std::vector<FlowRunRow>> flow_runs_of(const Key128& rule, std::string_view record_name,
                                               size_t most) override {
    return store_.flow_runs_of(rule, record_name, most);
  }
  Result<std::optional<FlowRunRow>> flow_run(const Key128& run) override {
    return store_.flow_run(run);
  }
  Status visit_flow_runs(std::string_view state,
                         const std::function<bool(const FlowRunRow&)>& visit) override {
    return store_.visit_flow_runs(state, visit);
  }
  Result<int64_t> total(std::string_view name) override { return store_.total(name); }
  Result<std::optional<std::string>> meta(std::string_view name) override {
    return store_.meta(name);
  }

 private:
  static bool ends_before(const std::string& day, Instant since) {
    constexpr int64_t kDayMs = 86'400'000;
    std::optional<Date> date = value::parse_date(day);
    return date && (int64_t{date->days} + kZoneDaysMax) * kDayMs < since.ms;
  }

  Status in_archive(const std::string& day, const std::function<Status(StoreReader&)>& look) {
    auto archive = open_sqlite_store(archive_path(path_, day), StoreAccess::kLook);
    if (!archive) return archive.error();
    return (*archive)->read(look);
  }

  Status everywhere(const std::function<Status(StoreReader&)>& look) {
    if (Status read = look(store_); !read) return read;
    for (const std::string& day : days_) {
      if (Status read = in_archive(day, look); !read) return read;
    }
    return {};
  }

  StoreReader& store_;
  const std::string& path_;
  const std::vector<std::string>& days_;
};

class ArchivedStore final : public Store {
 public:
  ArchivedStore(std::unique_ptr<Store> store, std::string path)
      : store_(std::move(store)), path_(std::move(path)) {}

  Status commit(const std::function<Status(StoreTxn&)>& write) override {
    return store_->commit(write);
  }
  Status read(const std::function<Status(StoreReader&)>& look) override {
    return store_->read([&](StoreReader& reader) -> Status {
      // The reader's moment begins with its first question; the folder is listed after it.
      if (Result<int64_t> first = reader.total(""); !first) return first.error();
      Result<std::vector<std::string>> days = archived_days(path_);
      if (!days) return days.error();
      ArchiveReader all(reader, path_, *days);
      return look(all);
    });
  }

 private:
  std::unique_ptr<Store> store_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Store>> look_at_store(const std::string& path) {
  auto store = open_sqlite_store(path, StoreAccess::kLook);
  if (!store) return store.error();
  return std::unique_ptr<Store>(std::make_unique<ArchivedStore>(std::move(*store), path));
}

}  // namespace ensue::adapters
