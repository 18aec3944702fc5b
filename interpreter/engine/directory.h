// The directory: who the users are, who manages whom, and which queues there are. A mirror of the
// User and Queue records, kept in memory because every event asks it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fold.h"
#include "base/text_hash.h"
#include "types/record.h"

namespace ensue::engine {

struct User {
  std::string id;
  std::string username;
  std::string email;
  std::string manager;  // a user's id
  std::string territory;
  std::string zone;  // an IANA name, when the record has one
};

class Directory {
 public:
  // Takes in a User or Queue record; others are left alone. True when something changed that names
  // or the hierarchy depend on.
  bool update(const types::Schema& schema, const types::Record& record);
  void clear();

  const User* find(std::string_view id) const;
  // By id, then username, then e-mail address (LANGUAGE section 3); names ignore case. Empty:
  // nobody.
  std::string user_named(std::string_view name) const;
  std::string queue_named(std::string_view name) const;
  // The users above, nearest first; a loop in the hierarchy ends where it closes.
  std::vector<std::string> managers_of(std::string_view id, size_t most) const;
  bool is_below(std::string_view user, std::string_view manager, size_t most) const;
  // Counts the changes, so that what was derived can be told stale.
  uint64_t version() const { return version_; }

 private:
  using NameMap = std::multimap<std::string, std::string, base::FoldedLess>;
  static void forget(NameMap& map, const std::string& name, const std::string& id);

  std::unordered_map<std::string, User, base::TextHash, std::equal_to<>> users_;
  NameMap by_username_;
  NameMap by_email_;
  std::map<std::string, std::string, std::less<>> queues_;  // id → name
  uint64_t version_ = 0;
};

}  // namespace ensue::engine
