// How messages name types and values, and what they suggest.
#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {

std::vector<std::string> names_of(const NamedTable& table) {
  std::vector<std::string> out;
  for (const auto& [name, where] : table) out.push_back(name);
  return out;
}

std::string with_article(const std::string& noun) {
  std::string first = base::fold_case(noun.substr(0, 1));
  return (first.find_first_of("aeio") == 0 ? "an " : "a ") + noun;  // `a User`, `a url`
}

std::optional<std::string> nearest_value(std::string_view word,
                                         const std::vector<std::string>& values) {
  if (auto found = base::nearest(word, values)) return found;
  constexpr size_t kStemMin = 4;
  constexpr size_t kEndingMax = 3;
  std::string folded = base::fold_case(word);
  size_t longest = kStemMin - 1;
  std::optional<std::string> best;
  for (const std::string& value : values) {
    std::string candidate = base::fold_case(value);
    auto differ = std::mismatch(folded.begin(), folded.end(), candidate.begin(), candidate.end());
    auto stem = static_cast<size_t>(differ.first - folded.begin());
    bool endings = folded.size() - stem <= kEndingMax && candidate.size() - stem <= kEndingMax;
    if (!endings || stem <= longest) continue;
    longest = stem;
    best = value;
  }
  return best;
}

std::string Checker::a_name_of(const Type& type) const {
  std::string name = name_of(type);
  if (type.list) return "a " + name;
  switch (type.kind) {
    case TypeKind::kError:
    case TypeKind::kBlank:
    case TypeKind::kAny: return name;
    case TypeKind::kMoney: return "an amount of money";
    case TypeKind::kPercent: return "a percentage";
    default: return with_article(name);
  }
}

std::string Checker::picklist_name(types::PicklistId id) const {
  for (size_t i = 0; i < module_->schema.object_count(); ++i) {
    for (const types::Field& field : module_->schema.object(types::ObjectId(i)).fields) {
      if (field.type.picklist == id) return "`" + field.name + "`";
    }
  }
  return "this picklist";
}

// A bare name may be a value that lacks its quotes: `LeadSource is Web`.
bool Checker::suggest_unquoted_value(Finding& finding, std::string_view name) const {
  if (value_hint_ == nullptr) return false;
  bool picks = value_hint_->is(TypeKind::kPicklist) || value_hint_->is(TypeKind::kMultipicklist);
  if (!picks) return false;
  const std::string* value = module_->schema.picklist(value_hint_->picklist).find(name);
  if (value == nullptr) return false;
  finding.fix(finding.span(), "\"" + *value + "\"", "values stand in quotes");
  return true;
}

}  // namespace ensue::check::internal
