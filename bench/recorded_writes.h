// What the engine writes into a SQLite store, recorded from SQLite's own trace, and a bare loop of
// prepared statements that writes the same again: what a measurement of the engine is held against.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ensue::bench {

struct BoundValue {
  enum class Kind : uint8_t { kNull, kInteger, kText, kBlob } kind = Kind::kNull;
  int64_t integer = 0;
  std::string bytes;
};

struct Write {
  size_t statement = 0;
  std::vector<BoundValue> values;
};

// Every INSERT, UPDATE, DELETE, BEGIN and COMMIT, with its values.
struct Recording {
  std::vector<std::string> statements;  // text with `?`
  std::vector<Write> writes;

  const std::string& sql(const Write& write) const { return statements[write.statement]; }
  // Statements, without BEGIN and COMMIT: rows, where each puts one.
  size_t rows() const;
  // The same, each row by a statement of its own.
  Recording row_by_row() const;

  // To a file, and from one.
  void save(const std::string& path) const;
  static Recording load(const std::string& path);
};

// Records what SQLite connections write that are opened while it lives, from start() to stop(). One
// at a time; not for threads.
class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void start();
  Recording stop();
};

struct Side {
  std::vector<double> seconds;    // of the rounds
  std::vector<double> processor;  // seconds, of the rounds
  std::vector<double> latencies;  // of commits' members, all rounds
  uint64_t commits = 0;
};

// The file of a store and those beside it.
void remove_store(const std::string& path);

class BareLoop {
 public:
  // On a store that the engine has made and closed, by settings as the engine's own.
  BareLoop(const std::string& path, const Recording& recording);
  ~BareLoop();
  BareLoop(const BareLoop&) = delete;
  BareLoop& operator=(const BareLoop&) = delete;

  // The recorded writes, `group` recorded commits in one.
  void run(size_t group, Side& side);
  // Those of the next recorded commit.
  void next_commit();
  bool at_end() const { return next_ == recording_.writes.size(); }

 private:
  void step(const Write& write);

  const Recording& recording_;
  size_t next_ = 0;
  size_t commits_ = 0;
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

// Rows of each table of a file.
std::map<std::string, int64_t> row_counts(const std::string& path);

// Says why on standard error and ends the process.
[[noreturn]] void fail(const std::string& why);

}  // namespace ensue::bench
