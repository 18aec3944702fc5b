#include "builtins/builtins.h"

#include "base/fold.h"
#include "builtins/internal.h"

namespace ensue::builtins {
namespace {

template <class Visit>
void for_each_row(Visit visit) {
  for (auto rows : {internal::text_rows(), internal::number_rows(), internal::date_rows(),
                    internal::any_rows()}) {
    for (const internal::Row& row : rows) visit(row);
  }
}

}  // namespace

Body find_body(std::string_view name) {
  Body found = nullptr;
  for_each_row([&](const internal::Row& row) {
    if (base::equal_folded(row.name, name)) found = row.body;
  });
  return found;
}

std::vector<std::string_view> body_names() {
  std::vector<std::string_view> out;
  for_each_row([&](const internal::Row& row) { out.push_back(row.name); });
  return out;
}

}  // namespace ensue::builtins
