// Signatures of library functions: declared in stdlib/functions.ensue, read by the checker, the
// docs and the runtime.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "ensue/value.h"
#include "types/type.h"

namespace ensue::types {

struct FunctionTag {};
using FunctionId = base::Id<FunctionTag>;

struct Parameter {
  std::string name;
  Type type;
  std::optional<Value> default_value;  // may be left out by the caller
};

struct Signature {
  std::string name;
  std::vector<Parameter> parameters;
  Type result;
  std::string prose;                  // one sentence
  std::vector<std::string> examples;  // conditions that hold, as written

  size_t required_count() const;
  std::string text() const;  // `round(value, digits)`
};

// All functions. Names ignore case.
class FunctionTable {
 public:
  FunctionId add(Signature signature) { return rows_.add(std::move(signature)); }
  FunctionId find(std::string_view name) const;
  const Signature& row(FunctionId id) const { return rows_[id]; }
  size_t size() const { return rows_.size(); }
  std::vector<std::string> names() const;

 private:
  base::Table<FunctionId, Signature> rows_;
};

}  // namespace ensue::types
