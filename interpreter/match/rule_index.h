// The rule index: which automations may be started by an event, without looking at those that
// cannot.
//
// Units are filed by the object they watch and, for actions, by the user whose records they are
// about: the author of own actions, each manager above the owner for team actions. What remains is
// looked at one by one. Not changed once built; a change of the units or of a user's name builds a
// new one.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"

namespace ensue::match {

class RuleIndex {
 public:
  RuleIndex() = default;  // of no units
  // `units` in the order they run (plan::runs_before). `user_of` gives the id of the user an
  // author's name means; empty: nobody.
  RuleIndex(const std::vector<plan::UnitPtr>& units,
            const std::function<std::string(const std::string&)>& user_of);

  // The numbers of the units that an event of `object` with these ChangeBits may start, in the
  // order they run. `owner` is the record's owner, `managers` the users above, nearest first.
  // O(result x log result).
  std::vector<uint32_t> candidates(types::ObjectId object, uint8_t change, std::string_view owner,
                                   const std::vector<std::string>& managers) const;

  // Before-save flows of such an event, in the order they run.
  std::vector<uint32_t> before_save(types::ObjectId object, uint8_t change) const;
  // Flows that hear of changes of an object after the chain, in the order they run.
  const std::vector<uint32_t>& of_changes(types::ObjectId object) const;
  // Flows that hear of steps and of cadences, in the order they run.
  const std::vector<uint32_t>& of_cadences() const { return of_cadences_; }

  // The user that a unit's author means; empty for nobody.
  const std::string& author_of(uint32_t unit) const { return authors_[unit]; }

 private:
  struct ByObject {
    std::unordered_map<std::string, std::vector<uint32_t>> own;  // by the author's user id
    std::unordered_map<std::string, std::vector<uint32_t>> team;
    std::vector<uint32_t> everybody;
    std::vector<uint32_t> before;
    std::vector<uint32_t> changes;
  };

  const std::vector<plan::UnitPtr>* units_ = nullptr;  // the program's; outlives the index
  std::vector<ByObject> objects_;
  std::vector<uint32_t> of_cadences_;
  std::vector<std::string> authors_;
};

}  // namespace ensue::match
