#include "types/signature.h"

#include "base/fold.h"

namespace ensue::types {

size_t Signature::required_count() const {
  size_t count = 0;
  for (const Parameter& parameter : parameters) count += parameter.default_value ? 0 : 1;
  return count;
}

std::string Signature::text() const {
  std::string out = name + "(";
  for (const Parameter& parameter : parameters)
    out += (out.back() == '(' ? "" : ", ") + parameter.name;
  return out + ")";
}

FunctionId FunctionTable::find(std::string_view name) const {
  for (const Signature& row : rows_) {
    if (base::equal_folded(row.name, name)) return rows_.id_of(row);
  }
  return FunctionId();
}

std::vector<std::string> FunctionTable::names() const {
  std::vector<std::string> out;
  for (const Signature& row : rows_) out.push_back(row.name);
  return out;
}

}  // namespace ensue::types
