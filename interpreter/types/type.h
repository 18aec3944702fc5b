// Static types: what a field or an expression may hold.
//
// At run time a picklist value, an e-mail address and a record's id are all texts; the type tells
// them apart while the program is checked. A type is small and copied; sets of objects and lists of
// picklist values stand in the Schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "ensue/value.h"

namespace ensue::types {

enum class TypeKind : uint8_t {
  kError,  // something was wrong and has been reported; fits everywhere
  kBlank,  // the literal `blank`; fits everywhere
  kBoolean,
  kNumber,
  kPercent,
  kMoney,
  kText,
  kLongText,
  kEmail,
  kPhone,
  kUrl,
  kId,
  kPicklist,
  kMultipicklist,
  kDate,
  kDatetime,
  kTime,
  kDuration,
  kRecord,  // a record of one of some objects, held by its id: what a lookup field and `it` are
  kAny,     // parameters of library functions only
};

struct ObjectTag {};
using ObjectId = base::Id<ObjectTag>;
struct FieldTag {};
using FieldId = base::Id<FieldTag>;  // within its object
struct PicklistTag {};
using PicklistId = base::Id<PicklistTag>;
struct ObjectSetTag {};
using ObjectSetId = base::Id<ObjectSetTag>;

struct Type {
  TypeKind kind = TypeKind::kError;
  bool list = false;    // a list of such values
  PicklistId picklist;  // of kPicklist and kMultipicklist
  ObjectSetId objects;  // of kRecord

  friend bool operator==(const Type&, const Type&) = default;

  static Type of(TypeKind kind) { return {kind, false, {}, {}}; }
  bool is(TypeKind k) const { return kind == k && !list; }
  bool error() const { return kind == TypeKind::kError; }
  // Holds a text at run time.
  bool textual() const { return !list && kind >= TypeKind::kText && kind <= TypeKind::kPicklist; }
  bool numeric() const {
    return !list &&
           (kind == TypeKind::kNumber || kind == TypeKind::kPercent || kind == TypeKind::kMoney);
  }
  bool temporal() const {
    return !list && (kind == TypeKind::kDate || kind == TypeKind::kDatetime);
  }
};

// `long text`, `picklist`: as declared in an object.
const char* type_kind_name(TypeKind kind);
// The kind a type word names (`text`, `money`, …); records and picklists are not words.
std::optional<TypeKind> type_kind_of(std::string_view word);

// Whether a value of kind `right` can be compared with one of kind `left`, or stored in it.
bool comparable(const Type& left, const Type& right);
bool assignable(const Type& field, const Type& value);

}  // namespace ensue::types
