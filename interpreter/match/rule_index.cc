#include "match/rule_index.h"

#include <algorithm>

#include "match/predicate_index.h"

namespace ensue::match {
namespace {

// Durations that a condition adds to `now` do not leave the calendar from here (formula.cc).
bool ordinary(Instant now) {
  constexpr int64_t kYearMs = 31'556'952'000;
  return now.ms > (1500 - 1970) * kYearMs && now.ms < (8500 - 1970) * kYearMs;
}

}  // namespace

struct RuleIndex::Conditions {
  Conditions(const types::Schema& schema, uint64_t steps_max) : index(schema, steps_max) {}

  PredicateIndex index;
  SnapshotPtr snapshot;
  EventImage image;
  std::vector<uint32_t> owners;
  std::vector<uint32_t> managers;
  std::vector<uint32_t> found;
};

RuleIndex::RuleIndex() = default;
RuleIndex::~RuleIndex() = default;
RuleIndex::RuleIndex(RuleIndex&&) noexcept = default;
RuleIndex& RuleIndex::operator=(RuleIndex&&) noexcept = default;

RuleIndex::RuleIndex(const std::vector<plan::UnitPtr>& units, const types::Schema& schema,
                     uint64_t steps_max, const UserOf& user_of)
    : units_(&units), conditions_(std::make_unique<Conditions>(schema, steps_max)) {
  std::unordered_map<std::string, uint32_t> known;
  authors_.reserve(units.size());
  for (uint32_t i = 0; i < units.size(); ++i) {
    const plan::UnitPlan& unit = *units[i];
    uint32_t author = kNoAuthor;
    if (unit.kind == plan::UnitKind::kAction) {
      auto [at, fresh] =
          known.try_emplace(unit.author, static_cast<uint32_t>(author_names_.size()));
      if (fresh) author_names_.push_back(unit.author);
      author = at->second;
    }
    authors_.push_back(author);
    file(i, unit, author);
  }
  conditions_->snapshot = conditions_->index.publish();
  resolve(user_of);
}

void RuleIndex::file(uint32_t number, const plan::UnitPlan& unit, uint32_t author) {
  if (unit.draft) return;
  auto of = [&](types::ObjectId id) -> ByObject& {
    if (id.index >= objects_.size()) objects_.resize(id.index + 1);
    return objects_[id.index];
  };
  bool called = unit.kind == plan::UnitKind::kSubflow || unit.kind == plan::UnitKind::kScreenFlow;
  if (called) return;
  switch (unit.trigger->kind) {
    case plan::TriggerKind::kRecord: break;
    case plan::TriggerKind::kChanges:
      for (types::ObjectId id : unit.trigger->objects) of(id).changes.push_back(number);
      return;
    case plan::TriggerKind::kStep:
    case plan::TriggerKind::kCadence: of_cadences_.push_back(number); return;
    default: return;
  }
  ByObject& object = of(unit.object);
  if (unit.trigger->before_save) {
    object.before.push_back(number);
    return;
  }
  PredicateIndex::RuleInput rule;
  rule.scope.object = unit.object;
  rule.events = unit.events;
  rule.code = &unit.code;
  rule.condition = unit.condition;
  rule.watches = unit.kind == plan::UnitKind::kAction;
  rule.watched = &unit.watched;
  if (unit.scope == plan::Scope::kEverybody) {
    object.everybody.push_back(number);
  } else {
    bool own = unit.scope == plan::Scope::kOwn;
    auto& rows = own ? object.own : object.team;
    if (author >= rows.size()) rows.resize(author + size_t{1});
    rows[author].push_back(number);
    rule.scope.kind = own ? ScopeKind::kOwn : ScopeKind::kTeam;
    rule.scope.author = author;
  }
  conditions_->index.put(number, rule);
}

void RuleIndex::resolve(const UserOf& user_of) {
  author_users_.clear();
  by_user_.clear();
  for (uint32_t author = 0; author < author_names_.size(); ++author) {
    std::string user = user_of(author_names_[author]);
    if (!user.empty()) by_user_[user].push_back(author);
    author_users_.push_back(std::move(user));
  }
}

const std::string& RuleIndex::author_of(uint32_t unit) const {
  static const std::string kNobody;
  return authors_[unit] == kNoAuthor ? kNobody : author_users_[authors_[unit]];
}

void RuleIndex::find_authors(std::string_view user, std::vector<uint32_t>& out) const {
  if (user.empty()) return;
  auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  out.insert(out.end(), found->second.begin(), found->second.end());
}

std::vector<uint32_t> RuleIndex::candidates(types::ObjectId object, uint8_t change,
                                            std::string_view owner,
                                            const std::vector<std::string>& managers) const {
  std::vector<uint32_t> out;
  if (object.index >= objects_.size()) return out;
  const ByObject& rows = objects_[object.index];
  auto take = [&](const std::vector<uint32_t>& units) {
    for (uint32_t unit : units) {
      if (((*units_)[unit]->events & change) != 0) out.push_back(unit);
    }
  };
  auto take_authors = [&](const std::vector<std::vector<uint32_t>>& by_author,
                          std::string_view user) {
    std::vector<uint32_t> authors;
    find_authors(user, authors);
    for (uint32_t author : authors) {
      if (author < by_author.size()) take(by_author[author]);
    }
  };
  take_authors(rows.own, owner);
  for (const std::string& manager : managers) take_authors(rows.team, manager);
  take(rows.everybody);
  std::sort(out.begin(), out.end());
  return out;
}

const std::vector<uint32_t>& RuleIndex::may_start(const ChangeSeen& change, std::string_view owner,
                                                  const std::vector<std::string>& managers) {
  static const std::vector<uint32_t> kNone;
  types::ObjectId object = change.after->object;
  if (conditions_ == nullptr || object.index >= objects_.size()) return kNone;
  Conditions& at = *conditions_;
  at.image.fill(at.snapshot->layout(object), at.snapshot->vocabulary(), *change.after,
                *change.changed, change.kind, change.is_new);
  if (at.image.irregular() || !ordinary(change.now)) {
    at.found = candidates(object, change.kind, owner, managers);
    return at.found;
  }
  at.owners.clear();
  find_authors(owner, at.owners);
  at.managers.clear();
  for (const std::string& manager : managers) find_authors(manager, at.managers);
  at.snapshot->match(object, at.owners, at.managers, at.image, at.found);
  return at.found;
}

std::vector<uint32_t> RuleIndex::before_save(types::ObjectId object, uint8_t change) const {
  std::vector<uint32_t> out;
  if (object.index >= objects_.size()) return out;
  for (uint32_t unit : objects_[object.index].before) {
    if (((*units_)[unit]->events & change) != 0) out.push_back(unit);
  }
  return out;
}

const std::vector<uint32_t>& RuleIndex::of_changes(types::ObjectId object) const {
  static const std::vector<uint32_t> kNone;
  return object.index < objects_.size() ? objects_[object.index].changes : kNone;
}

std::vector<std::pair<types::ObjectId, RuleIndex::Ways>> RuleIndex::ways() const {
  std::vector<std::pair<types::ObjectId, Ways>> out;
  for (size_t i = 0; i < objects_.size(); ++i) {
    const ByObject& rows = objects_[i];
    Ways ways;
    auto count = [&](const std::vector<uint32_t>& units, size_t& scope) {
      scope += units.size();
      for (uint32_t unit : units) ++ways.by_way[static_cast<size_t>(conditions_->index.way(unit))];
    };
    for (const auto& units : rows.own) count(units, ways.own);
    for (const auto& units : rows.team) count(units, ways.team);
    count(rows.everybody, ways.everybody);
    // Before-save flows are asked one after the other, each on what the ones before have set.
    ways.everybody += rows.before.size();
    ways.by_way[static_cast<size_t>(Way::kNone)] += rows.before.size();
    if (ways.own + ways.team + ways.everybody > 0) out.emplace_back(types::ObjectId(i), ways);
  }
  return out;
}

}  // namespace ensue::match
