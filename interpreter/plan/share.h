// Equal parts of units made one. Rules speak of the same few hundred fields, values and cadences,
// so that a program of many rules keeps one path for each field, not one for each time it is named.
#pragma once

#include <string>
#include <unordered_map>

#include "plan/plan.h"

namespace ensue::plan {

// Knows the paths and texts of the units it has seen; lives while a program is being made.
class Sharing {
 public:
  // Replaces paths and texts by equal ones known before, and gives back what vectors hold in
  // reserve. What the unit means is not changed. O(size of the unit).
  void share(UnitPlan& unit);

 private:
  void share(Shared<std::string>& name);

  std::unordered_map<std::string, PathPtr> paths_;
  std::unordered_map<std::string, Value> texts_;
  std::unordered_map<std::string, Shared<std::string>> names_;
  std::string key_;
};

}  // namespace ensue::plan
