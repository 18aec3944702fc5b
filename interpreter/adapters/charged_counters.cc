#include "adapters/internal/charged_counters.h"

#include <sqlite3.h>

#include <algorithm>

#include "value/time_text.h"

namespace ensue::adapters {
namespace {

// More than these are forgotten after a commit.
constexpr size_t kKeptMax = 4000;
// So many units of a window have left it when their rows are taken away.
constexpr size_t kLeftMax = 32;

}  // namespace

Result<ChargedCounters::Row*> ChargedCounters::find(const Charge& charge) {
  KeyView key{charge.scope, charge.key, charge.counter, charge.window};
  auto at = states_.find(key);
  bool fresh = at == states_.end();
  if (fresh) {
    at = states_.emplace(Key{charge.scope, charge.key, charge.counter, charge.window}, State{})
             .first;
    if (Status done = read(*at, charge); !done) {
      states_.erase(at);
      return done.error();
    }
  }
  const State& state = at->second;
  if (marks_ > 0)
    journal_.push_back(
        {&*at, fresh, state.changed, state.used, state.max, state.gone_to, state.left, {}, {}});
  return &*at;
}

// The counter's row, which is made when there is none.
Status ChargedCounters::read(Row& row, const Charge& charge) {
  auto& [key, state] = row;
  auto bind_key = [&key = key](Statement& statement) -> Statement& {
    for (size_t i = 0; i < key.size(); ++i)
      statement.bind(static_cast<int>(i) + 1, std::string_view(key[i]));
    return statement;
  };
  Statement& find = find_.once(
      db_,
      "SELECT id, used, lim FROM quota WHERE scope = ? AND key = ? AND counter = ? AND day = ?");
  Status found = each(bind_key(find), [&state = state](Statement& kept) {
    state.id = kept.integer(0);
    state.used = kept.count(1);
    state.stored = {kept.integer(1), kept.integer(2)};
    return false;
  });
  if (!found) return found;
  if (state.id == 0) {
    Statement& add = add_.once(
        db_, "INSERT INTO quota (scope, key, counter, day, used, lim) VALUES (?, ?, ?, ?, 0, ?)");
    if (Status done = bind_key(add).bind(5, charge.max).run(); !done) return done;
    state.id = sqlite3_last_insert_rowid(db_);
  }
  if (charge.window_ms == 0) return {};
  constexpr int64_t kAtOnceMax = 10'000'000;
  bool sound = true;
  Statement& window = window_.once(db_, "SELECT at, n FROM burst WHERE quota = ? ORDER BY at");
  Status loaded = each(window.bind(1, state.id), [&, &state = state](Statement& kept) {
    int64_t count = kept.integer(1);
    bool later = state.charged.empty() || kept.integer(0) > state.charged.back();
    sound = count >= 0 && count <= kAtOnceMax && later && value::in_range(kept.instant(0));
    if (sound)
      state.charged.insert(state.charged.end(), static_cast<size_t>(count), kept.integer(0));
    return sound;
  });
  if (!loaded) return loaded;
  if (!sound) return {ErrorCode::kStoreDamaged, "a counter of the store cannot be read"};
  return {};
}

void ChargedCounters::change(Row& row) {
  if (row.second.changed) return;
  row.second.changed = true;
  changed_.push_back(&row);
}

void ChargedCounters::set_max(Row& row, int64_t max) {
  if (row.second.max == max) return;
  row.second.max = max;
  change(row);
}

// A unit into its window, out of which others go.
void ChargedCounters::enter(Row& row, const Charge& charge, Undo* undo) {
  State& state = row.second;
  int64_t gone_to = charge.now.ms - charge.window_ms;
  auto stay = std::upper_bound(state.charged.begin(), state.charged.end(), gone_to);
  if (undo != nullptr) undo->units_left.assign(state.charged.begin(), stay);
  state.left += static_cast<size_t>(stay - state.charged.begin());
  state.charged.erase(state.charged.begin(), stay);
  if (state.left >= kLeftMax) {
    state.gone_to = std::max(state.gone_to.value_or(gone_to), gone_to);
    state.left = 0;
  }
  int64_t now = charge.now.ms;
  state.charged.insert(std::upper_bound(state.charged.begin(), state.charged.end(), now), now);
  state.came.push_back(now);
  state.used = static_cast<int64_t>(state.charged.size());
  if (undo != nullptr) undo->entered = now;
}

Result<ChargeResult> ChargedCounters::charge(const Key128& run,
                                             const std::vector<Charge>& charges) {
  ChargeResult out;
  out.used.reserve(charges.size());
  std::vector<Row*> rows;
  rows.reserve(charges.size());
  size_t first_undo = journal_.size();
  for (size_t i = 0; i < charges.size(); ++i) {
    const Charge& charge = charges[i];
    Result<Row*> found = find(charge);
    if (!found) return found.error();
    State& state = (*found)->second;
    int64_t used = state.used;
    auto oldest = state.charged.end();  // of those in the window
    if (charge.window_ms > 0) {
      oldest = std::upper_bound(state.charged.begin(), state.charged.end(),
                                charge.now.ms - charge.window_ms);
      used = state.charged.end() - oldest;
    }
    // A maximum lowered below what is used blocks further charges and keeps what is used.
    set_max(**found, std::max(charge.max, state.used));
    out.used.push_back(used);
    if (used + 1 > charge.max) {
      out.refused = i;
      if (oldest != state.charged.end()) out.free_at = Instant{*oldest + charge.window_ms};
      return out;
    }
    rows.push_back(*found);
  }
  for (size_t i = 0; i < charges.size(); ++i) {
    if (charges[i].window_ms > 0) {
      enter(*rows[i], charges[i], marks_ > 0 ? &journal_[first_undo + i] : nullptr);
    } else {
      ++rows[i]->second.used;
    }
    out.used[i] = rows[i]->second.used;
    set_max(*rows[i], charges[i].max);
    change(*rows[i]);
  }
  for (size_t i = 0; i < charges.size(); ++i)
    charges_.push_back({run, rows[i]->second.id, charges[i].now});
  return out;
}

Status ChargedCounters::write_charges() {
  Status done = charge_puts_.put(db_, charges_.size(), [&](Statement& into, int place, size_t i) {
    const Unit& unit = charges_[i];
    into.bind(place + 1, unit.run).bind(place + 2, unit.quota).bind(place + 3, unit.at);
    return place + 3;
  });
  charges_.clear();
  return done;
}

Status ChargedCounters::write() {
  if (Status done = write_charges(); !done) return done;
  std::vector<Row*> rows = changed_;
  std::sort(rows.begin(), rows.end(),
            [](const Row* a, const Row* b) { return a->first < b->first; });
  for (Row* row : rows) {
    State& state = row->second;
    if (state.stored != std::pair(state.used, state.max)) {
      Statement& set = set_.once(db_, "UPDATE quota SET used = ?, lim = ? WHERE id = ?");
      Status done = set.bind(1, state.used).bind(2, state.max).bind(3, state.id).run();
      if (!done) return done;
      state.stored.reset();
    }
    if (Status done = write_window(state); !done) return done;
  }
  // A savepoint may take back what is written here: then it is written again.
  if (marks_ > 0) return {};
  for (Row* row : changed_) {
    row->second.stored = {row->second.used, row->second.max};
    row->second.changed = false;
    row->second.gone_to.reset();
    row->second.came.clear();
  }
  changed_.clear();
  return {};
}

Status ChargedCounters::write_window(State& state) {
  if (state.gone_to) {
    Statement& leave = window_leave_.once(db_, "DELETE FROM burst WHERE quota = ? AND at <= ?");
    if (Status done = leave.bind(1, state.id).bind(2, *state.gone_to).run(); !done) return done;
  }
  std::vector<int64_t> came = state.came;
  std::sort(came.begin(), came.end());
  came.erase(std::unique(came.begin(), came.end()), came.end());
  for (int64_t at : came) {
    auto [first, last] = std::equal_range(state.charged.begin(), state.charged.end(), at);
    if (first == last) continue;  // it has left again
    Statement& put = window_put_.once(
        db_,
        "INSERT INTO burst (quota, at, n) VALUES (?, ?, ?) ON CONFLICT (quota, at) "
        "DO UPDATE SET n = excluded.n");
    Status done = put.bind(1, state.id).bind(2, at).bind(3, std::distance(first, last)).run();
    if (!done) return done;
  }
  return {};
}

void ChargedCounters::committed() {
  journal_.clear();
  marks_ = 0;
  if (states_.size() > kKeptMax) forget();
}

void ChargedCounters::forget() {
  charges_.clear();
  changed_.clear();
  journal_.clear();
  marks_ = 0;
  states_.clear();
}

size_t ChargedCounters::mark() {
  ++marks_;
  return journal_.size();
}

void ChargedCounters::rollback(size_t mark) {
  charges_.clear();  // those before the mark were written before it
  for (; journal_.size() > mark; journal_.pop_back()) {
    const Undo& undo = journal_.back();
    State& state = undo.row->second;
    // The last of those that have changed: the others came before it.
    if (state.changed && !undo.changed) changed_.pop_back();
    if (undo.fresh) {
      states_.erase(undo.row->first);
      continue;
    }
    state.changed = undo.changed;
    state.used = undo.used;
    state.max = undo.max;
    state.gone_to = undo.gone_to;
    state.left = undo.left;
    if (undo.entered) {
      std::deque<int64_t>& units = state.charged;
      units.erase(std::lower_bound(units.begin(), units.end(), *undo.entered));
    }
    state.charged.insert(state.charged.begin(), undo.units_left.begin(), undo.units_left.end());
  }
}

void ChargedCounters::release() {
  if (--marks_ == 0) journal_.clear();
}

void ChargedCounters::close() {
  for (Statement* statement : {&find_, &add_, &set_, &window_, &window_leave_, &window_put_})
    *statement = Statement();
  charge_puts_.close();
}

}  // namespace ensue::adapters
