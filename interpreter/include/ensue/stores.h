// The stores that come with Ensue.
#pragma once

#include <memory>
#include <string>

#include "ensue/store.h"

namespace ensue {

// Forgets everything with the process.
std::shared_ptr<Store> make_memory_store();

// One SQLite file, made when it is missing; what is committed survives the loss of power. One
// process owns it at a time. Errors: kStoreLocked (another process owns it), kStoreTooNew,
// kStoreDamaged (not a store, or damaged), kStorageFull, kIo.
Result<std::shared_ptr<Store>> open_store(const std::string& path);

}  // namespace ensue
