// The rule index of a program: which automations may be started by an event, without looking at
// those that cannot.
//
// Units are filed by the object they watch, by the user whose records they are about (the author of
// own actions, each manager above the owner for team actions), and by what their conditions ask of
// the record (predicate_index.h). What remains is looked at one by one. The units do not change;
// whom an author's name means is asked again when users change.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.h"
#include "plan/plan.h"
#include "types/record.h"

namespace ensue::match {

// A saved change, as far as matching is concerned.
struct ChangeSeen {
  const types::Record* after = nullptr;
  const types::FieldSet* changed = nullptr;
  uint8_t kind = plan::kEdited;  // a ChangeBit
  bool is_new = false;
  Instant now;
};

class RuleIndex {
 public:
  // The id of the user an author's name means; empty: nobody.
  using UserOf = std::function<std::string(const std::string&)>;

  RuleIndex();  // of no units
  ~RuleIndex();
  RuleIndex(RuleIndex&&) noexcept;
  RuleIndex& operator=(RuleIndex&&) noexcept;
  // `units` in the order they run (plan::runs_before); the units and `schema` outlive the index. A
  // condition of more than `steps_max` steps may fault.
  RuleIndex(const std::vector<plan::UnitPtr>& units, const types::Schema& schema,
            uint64_t steps_max, const UserOf& user_of);

  // Asks anew whom the authors mean. O(authors).
  void resolve(const UserOf& user_of);

  // The numbers of the units that an event of `object` with these ChangeBits may start by object,
  // event and person alone, in the order they run. `owner` is the record's owner, `managers` the
  // users above, nearest first. O(result x log result).
  std::vector<uint32_t> candidates(types::ObjectId object, uint8_t change, std::string_view owner,
                                   const std::vector<std::string>& managers) const;

  // Those of the candidates whose condition may be true, or fault, and of actions those that watch
  // a field that changed: a unit that is left out would start nothing. In the order they run.
  const std::vector<uint32_t>& may_start(const ChangeSeen& change, std::string_view owner,
                                         const std::vector<std::string>& managers);

  // Before-save flows of such an event, in the order they run.
  std::vector<uint32_t> before_save(types::ObjectId object, uint8_t change) const;
  // Flows that hear of changes of an object after the chain, in the order they run.
  const std::vector<uint32_t>& of_changes(types::ObjectId object) const;
  // Flows that hear of steps and of cadences, in the order they run.
  const std::vector<uint32_t>& of_cadences() const { return of_cadences_; }

  // The user that a unit's author means; empty for nobody.
  const std::string& author_of(uint32_t unit) const;

  // How the units of an object are found.
  struct Ways {
    size_t own = 0;
    size_t team = 0;
    size_t everybody = 0;
    // By a value, a range or a prefix that their conditions ask for; or by nothing, and so looked
    // at on every event of their people.
    std::array<size_t, 4> by_way{};
  };
  // By object; only those with units that records start.
  std::vector<std::pair<types::ObjectId, Ways>> ways() const;

 private:
  static constexpr uint32_t kNoAuthor = UINT32_MAX;
  struct ByObject {
    std::vector<std::vector<uint32_t>> own;  // by author
    std::vector<std::vector<uint32_t>> team;
    std::vector<uint32_t> everybody;
    std::vector<uint32_t> before;
    std::vector<uint32_t> changes;
  };
  struct Conditions;  // the predicate index, and buffers that are used again
  void file(uint32_t number, const plan::UnitPlan& unit, uint32_t author);
  void find_authors(std::string_view user, std::vector<uint32_t>& out) const;

  const std::vector<plan::UnitPtr>* units_ = nullptr;  // the program's; outlives the index
  std::vector<ByObject> objects_;
  std::vector<uint32_t> of_cadences_;
  std::vector<std::string> author_names_;
  std::vector<std::string> author_users_;  // by author: the user's id
  std::vector<uint32_t> authors_;          // by unit; kNoAuthor
  std::unordered_map<std::string, std::vector<uint32_t>, base::TextHash, std::equal_to<>> by_user_;
  std::unique_ptr<Conditions> conditions_;
};

}  // namespace ensue::match
