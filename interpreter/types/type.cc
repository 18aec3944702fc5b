#include "types/type.h"

#include "base/fold.h"

namespace ensue::types {
namespace {

struct KindName {
  TypeKind kind;
  const char* name;
};

constexpr KindName kWords[] = {
    {TypeKind::kBoolean, "boolean"}, {TypeKind::kNumber, "number"},
    {TypeKind::kPercent, "percent"}, {TypeKind::kMoney, "money"},
    {TypeKind::kText, "text"},       {TypeKind::kLongText, "long text"},
    {TypeKind::kEmail, "email"},     {TypeKind::kPhone, "phone"},
    {TypeKind::kUrl, "url"},         {TypeKind::kId, "id"},
    {TypeKind::kDate, "date"},       {TypeKind::kDatetime, "datetime"},
    {TypeKind::kTime, "time"},       {TypeKind::kDuration, "duration"},
    {TypeKind::kAny, "anything"},
};

bool wildcard(const Type& type) {
  return type.kind == TypeKind::kError || type.kind == TypeKind::kBlank ||
         type.kind == TypeKind::kAny;
}

bool number_with_money(const Type& a, const Type& b) {
  return a.is(TypeKind::kMoney) && b.is(TypeKind::kNumber);
}

}  // namespace

const char* type_kind_name(TypeKind kind) {
  for (const KindName& row : kWords) {
    if (row.kind == kind) return row.name;
  }
  switch (kind) {
    case TypeKind::kPicklist: return "picklist";
    case TypeKind::kMultipicklist: return "multipicklist";
    case TypeKind::kRecord: return "record";
    case TypeKind::kBlank: return "blank";
    default: return "error";
  }
}

std::optional<TypeKind> type_kind_of(std::string_view word) {
  for (const KindName& row : kWords) {
    if (base::equal_folded(row.name, word)) return row.kind;
  }
  return std::nullopt;
}

bool comparable(const Type& left, const Type& right) {
  if (wildcard(left) || wildcard(right)) return true;
  if (left.list != right.list) return false;
  // A record compares with its id, and ids are texts.
  bool left_text = left.textual() || left.is(TypeKind::kRecord);
  bool right_text = right.textual() || right.is(TypeKind::kRecord);
  if (left_text && right_text) return true;
  if (left.is(TypeKind::kMultipicklist)) return right_text || right.is(TypeKind::kMultipicklist);
  if (number_with_money(left, right) || number_with_money(right, left)) return true;
  if (left.temporal() && right.temporal()) return true;
  return left.kind == right.kind;
}

bool assignable(const Type& field, const Type& value) {
  if (wildcard(field) || wildcard(value)) return true;
  if (field.list != value.list) return false;
  bool plain_text = field.is(TypeKind::kText) || field.is(TypeKind::kLongText);
  if (plain_text) return value.textual();
  if (field.textual())
    return value.textual() || (field.is(TypeKind::kId) && value.is(TypeKind::kRecord));
  if (field.is(TypeKind::kRecord)) return value.is(TypeKind::kRecord) || value.textual();
  if (field.is(TypeKind::kMultipicklist))
    return value.textual() || value.is(TypeKind::kMultipicklist);
  if (number_with_money(field, value)) return true;
  if (field.temporal() && value.temporal()) return true;
  return field.kind == value.kind;
}

}  // namespace ensue::types
