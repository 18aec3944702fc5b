// A store in memory: for runs without `--store`, for tests, and as the oracle of the other stores.
#pragma once

#include <memory>

#include "ensue/store.h"

namespace ensue::adapters {

std::unique_ptr<Store> make_memory_store();

}  // namespace ensue::adapters
