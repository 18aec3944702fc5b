#include "ensue/stores.h"

#include "adapters/memory_store.h"
#include "adapters/sqlite_store.h"

namespace ensue {

std::shared_ptr<Store> make_memory_store() { return adapters::make_memory_store(); }

Result<std::shared_ptr<Store>> open_store(const std::string& path) {
  Result<std::unique_ptr<Store>> opened =
      adapters::open_sqlite_store(path, adapters::StoreAccess::kOwn);
  if (!opened) return opened.error();
  return std::shared_ptr<Store>(std::move(*opened));
}

}  // namespace ensue
