// The CRM shows people under one name made of its parts: where one of these is set and the name is
// not, the name is set too.
#pragma once

#include <string>
#include <string_view>

#include "types/fields.h"
#include "types/schema.h"

namespace ensue::types {

// Puts the name that follows from a change of the fields in `set` in place of `out`; `part(field)`
// is the text that a field then has. False where the change makes none.
template <class Part>
bool name_person(const Object& object, const FieldSet& set, Part part, std::string& out) {
  auto [owner, name, first, last] = object.named();
  if (!name || !first || !last) return false;
  if (set.has(name) || !(set.has(first) || set.has(last))) return false;
  std::string_view given = part(first);
  std::string_view family = part(last);
  out = given;
  if (!given.empty() && !family.empty()) out += ' ';
  out += family;
  return true;
}

}  // namespace ensue::types
