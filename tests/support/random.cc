#include "support/random.h"

#include <cstdlib>

namespace ensue::testing {
namespace {

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

}  // namespace

uint64_t test_seed() { return number_from("ENSUE_SEED", 20260326); }
uint64_t test_effort() { return number_from("ENSUE_EFFORT", 1); }

}  // namespace ensue::testing
