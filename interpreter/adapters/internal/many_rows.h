// Rows of one table, many by one statement: a statement for each is half as much work again for
// SQLite.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "adapters/internal/sqlite_statement.h"

namespace ensue::adapters {

class ManyRows {
 public:
  // The text of a statement is `before`, `row` as often as there are rows, and `after`. It should
  // say INSERT OR FAIL: what goes wrong ends the whole transaction, and SQLite keeps no journal to
  // take back the statement alone. With a DO UPDATE it keeps one all the same, of pages it touches.
  ManyRows(std::string_view before, std::string_view row, std::string_view after) {
    for (size_t way = 0; way < kTogether.size(); ++way) {
      texts_[way] = before;
      for (size_t i = 0; i < kTogether[way]; ++i)
        texts_[way].append(i == 0 ? "" : ", ").append(row);
      texts_[way] += after;
    }
  }

  // Puts `count` rows, in order. `bind(statement, place, i)` binds row `i` from the place after
  // `place` on, and gives the last place it has bound.
  template <class Bind>
  Status put(sqlite3* db, size_t count, Bind bind) {
    size_t row = 0;
    for (size_t way = 0; way < kTogether.size(); ++way) {
      while (count - row >= kTogether[way]) {
        Statement& statement = statements_[way].once(db, texts_[way].c_str());
        int place = 0;
        for (size_t last = row + kTogether[way]; row < last; ++row)
          place = bind(statement, place, row);
        if (Status done = statement.run(); !done) return done;
      }
    }
    return {};
  }

  void close() {
    for (Statement& statement : statements_) statement = Statement();
  }

 private:
  static constexpr std::array<size_t, 4> kTogether = {128, 32, 8, 1};  // the most first
  std::array<std::string, kTogether.size()> texts_;
  std::array<Statement, kTogether.size()> statements_;
};

}  // namespace ensue::adapters
