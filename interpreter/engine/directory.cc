#include "engine/directory.h"

#include <algorithm>

namespace ensue::engine {
namespace {

std::string text_of(const types::Schema& schema, const types::Record& record, const char* field) {
  types::FieldId id = schema.object(record.object).find_stored(field);
  return id ? std::string(record.raw(id).as_text()) : std::string();
}

}  // namespace

void Directory::forget(NameMap& map, const std::string& name, const std::string& id) {
  auto [first, last] = map.equal_range(name);
  for (auto at = first; at != last; ++at) {
    if (at->second == id) {
      map.erase(at);
      return;
    }
  }
}

bool Directory::update(const types::Schema& schema, const types::Record& record) {
  const std::string& object = schema.object(record.object).name;
  if (object == "Queue") {
    if (record.deleted) {
      queues_.erase(record.id);
    } else {
      queues_[record.id] = text_of(schema, record, "Name");
    }
    return false;
  }
  if (object != "User") return false;
  auto known = users_.find(record.id);
  if (known != users_.end()) {
    forget(by_username_, known->second.username, record.id);
    forget(by_email_, known->second.email, record.id);
    users_.erase(known);
  }
  ++version_;
  if (record.deleted) return true;
  User user{record.id,
            text_of(schema, record, "Username"),
            text_of(schema, record, "Email"),
            text_of(schema, record, "ManagerId"),
            text_of(schema, record, "SalesTerritory"),
            text_of(schema, record, "TimeZoneSidKey")};
  if (!user.username.empty()) by_username_.emplace(user.username, record.id);
  if (!user.email.empty()) by_email_.emplace(user.email, record.id);
  users_.emplace(record.id, std::move(user));
  return true;
}

void Directory::clear() {
  users_.clear();
  by_username_.clear();
  by_email_.clear();
  queues_.clear();
  ++version_;
}

const User* Directory::find(std::string_view id) const {
  auto found = users_.find(id);
  return found == users_.end() ? nullptr : &found->second;
}

std::string Directory::user_named(std::string_view name) const {
  if (users_.find(name) != users_.end()) return std::string(name);
  for (const NameMap* map : {&by_username_, &by_email_}) {
    auto [first, last] = map->equal_range(std::string(name));
    // Of several users with one name, the first by id: the answer must not depend on the order of
    // events.
    std::string best;
    for (auto at = first; at != last; ++at) {
      if (best.empty() || at->second < best) best = at->second;
    }
    if (!best.empty()) return best;
  }
  return {};
}

std::string Directory::queue_named(std::string_view name) const {
  if (queues_.find(name) != queues_.end()) return std::string(name);
  for (const auto& [id, queue_name] : queues_) {
    if (base::equal_folded(queue_name, name)) return id;
  }
  return {};
}

std::vector<std::string> Directory::managers_of(std::string_view id, size_t most) const {
  std::vector<std::string> out;
  const User* user = find(id);
  while (user != nullptr && !user->manager.empty() && out.size() < most) {
    bool loop =
        user->manager == id || std::find(out.begin(), out.end(), user->manager) != out.end();
    if (loop) break;
    out.push_back(user->manager);
    user = find(user->manager);
  }
  return out;
}

bool Directory::is_below(std::string_view user, std::string_view manager, size_t most) const {
  std::vector<std::string> above = managers_of(user, most);
  return std::find(above.begin(), above.end(), manager) != above.end();
}

}  // namespace ensue::engine
