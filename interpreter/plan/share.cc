#include "plan/share.h"

namespace ensue::plan {
namespace {

void append(std::string& key, uint32_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Every member of a path; counts stand before what they count, so that no two paths share a key.
void append_key(std::string& key, const PathPlan& path) {
  append(key, static_cast<uint32_t>(path.base));
  append(key, path.local);
  append(key, static_cast<uint32_t>(path.from.size()));
  for (types::ObjectId object : path.from) append(key, object.index);
  append(key, static_cast<uint32_t>(path.hops.size()));
  for (const HopPlan& hop : path.hops) {
    append(key, static_cast<uint32_t>(hop.fields.size()));
    for (types::FieldRef field : hop.fields) {
      append(key, field.object.index);
      append(key, field.field.index);
    }
  }
  for (const std::string& member : path.members) {
    append(key, static_cast<uint32_t>(member.size()));
    key += member;
  }
}

}  // namespace

void Sharing::share(Shared<std::string>& name) {
  if (!name.is_plain()) name = names_.try_emplace(*name, name).first->second;
}

void Sharing::share(UnitPlan& unit) {
  share(unit.file);
  for (EffectPlan& effect : unit.effects) {
    share(effect.cadence);
    share(effect.disposition);
  }
  for (PathPtr& path : unit.code.paths) {
    key_.clear();
    append_key(key_, *path);
    path = paths_.try_emplace(key_, path).first->second;
  }
  for (Value& constant : unit.code.constants) {
    if (!constant.is(Value::Kind::kText)) continue;
    key_.assign(constant.as_text());
    constant = texts_.try_emplace(key_, constant).first->second;
  }
  unit.code.steps.shrink_to_fit();
  unit.code.ranges.shrink_to_fit();
  unit.code.constants.shrink_to_fit();
  unit.code.paths.shrink_to_fit();
  unit.watched.shrink_to_fit();
  unit.effects.shrink_to_fit();
}

}  // namespace ensue::plan
