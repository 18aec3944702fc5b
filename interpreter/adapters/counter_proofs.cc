#include "adapters/internal/counter_proofs.h"

#include <charconv>
#include <unordered_map>

#include "adapters/internal/connection.h"
#include "value/time_text.h"

namespace ensue::adapters {

std::optional<int64_t> window_length_ms(std::string_view window) {
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(window.data(), window.data() + window.size(), seconds);
  bool length =
      error == std::errc() && std::string_view(end, window.data() + window.size()) == " s";
  if (!length || seconds < 1 || seconds > INT64_MAX / 1000) return std::nullopt;
  return seconds * 1000;
}

void ChargeTally::hold(int64_t at, int64_t units, std::optional<int64_t> window_ms) {
  window_[at] += units;
  if (at < last_) return;
  last_ = at;
  if (window_ms && at >= INT64_MIN + *window_ms) left_to_ = at - *window_ms;
}

void ChargeTally::charge(int64_t at) {
  ++charges_;
  // Up to the version that kept units for a while, a refused charge took some away as well.
  if (window_.empty() || at <= left_to_ || at < window_.begin()->first) return;
  ++in_window_;
  --window_[at];
}

CounterProof ChargeTally::prove(CounterRow counter) const {
  CounterProof out;
  bool sliding = !value::parse_date(counter.window);
  out.counter = std::move(counter);
  out.charges = charges_;
  out.counted = sliding ? in_window_ : charges_;
  for (const auto& [at, units] : window_) out.instants_wrong += at > left_to_ && units != 0;
  return out;
}

Status visit_counter_proofs(sqlite3* db, const std::function<bool(const CounterProof&)>& visit) {
  std::unordered_map<int64_t, ChargeTally> tallies;
  Status held = each_row(
      db, "SELECT quota, at, n, coalesce(day, '') FROM burst LEFT JOIN quota ON quota.id = quota",
      [&](const Statement& row) {
        tallies[row.integer(0)].hold(row.integer(1), row.integer(2), window_length_ms(row.text(3)));
        return true;
      });
  if (!held) return held;
  Status charged = each_row(db, "SELECT quota, at FROM charge", [&](const Statement& row) {
    tallies[row.integer(0)].charge(row.integer(1));
    return true;
  });
  if (!charged) return charged;
  bool more = true;
  Status proved = each_row(
      db, "SELECT id, scope, key, counter, day, used, lim FROM quota ORDER BY 2, 3, 4, 5",
      [&](const Statement& row) {
        auto tally = tallies.extract(row.integer(0));
        CounterRow counter{row.text(1), row.text(2),    row.text(3),
                           row.text(4), row.integer(5), row.integer(6)};
        more = visit((tally.empty() ? ChargeTally() : tally.mapped()).prove(std::move(counter)));
        return more;
      });
  if (!proved || !more) return proved;
  CounterProof lost;
  for (const auto& [quota, tally] : tallies) {
    CounterProof proof = tally.prove({});
    lost.charges += proof.charges;
    lost.counted += proof.charges;
    lost.instants_wrong += proof.instants_wrong;
  }
  if (!lost.agrees()) (void)visit(lost);
  return {};
}

}  // namespace ensue::adapters
