#include "match/rule_index.h"

#include <algorithm>

namespace ensue::match {

RuleIndex::RuleIndex(const std::vector<plan::UnitPtr>& units,
                     const std::function<std::string(const std::string&)>& user_of)
    : units_(&units) {
  std::unordered_map<std::string, std::string> known;
  authors_.reserve(units.size());
  for (uint32_t i = 0; i < units.size(); ++i) {
    const plan::UnitPlan& unit = *units[i];
    std::string user;
    if (unit.kind == plan::UnitKind::kAction) {
      auto [at, fresh] = known.try_emplace(unit.author);
      if (fresh) at->second = user_of(unit.author);
      user = at->second;
    }
    authors_.push_back(user);
    if (unit.draft) continue;
    auto of = [&](types::ObjectId id) -> ByObject& {
      if (id.index >= objects_.size()) objects_.resize(id.index + 1);
      return objects_[id.index];
    };
    bool called = unit.kind == plan::UnitKind::kSubflow || unit.kind == plan::UnitKind::kScreenFlow;
    if (called) continue;
    switch (unit.trigger.kind) {
      case plan::TriggerKind::kRecord: break;
      case plan::TriggerKind::kChanges:
        for (types::ObjectId id : unit.trigger.objects) of(id).changes.push_back(i);
        continue;
      case plan::TriggerKind::kStep:
      case plan::TriggerKind::kCadence: of_cadences_.push_back(i); continue;
      default: continue;
    }
    ByObject& object = of(unit.object);
    if (unit.trigger.before_save) {
      object.before.push_back(i);
      continue;
    }
    if (unit.scope == plan::Scope::kEverybody) {
      object.everybody.push_back(i);
    } else if (!user.empty()) {
      (unit.scope == plan::Scope::kOwn ? object.own : object.team)[user].push_back(i);
    }
  }
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
  if (!owner.empty()) {
    if (auto found = rows.own.find(std::string(owner)); found != rows.own.end())
      take(found->second);
  }
  for (const std::string& manager : managers) {
    if (auto found = rows.team.find(manager); found != rows.team.end()) take(found->second);
  }
  take(rows.everybody);
  std::sort(out.begin(), out.end());
  return out;
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

}  // namespace ensue::match
