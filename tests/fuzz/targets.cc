#include "fuzz/targets.h"

#include <stdexcept>

namespace ensue::fuzz {

std::span<const Target> targets() {
  static constexpr Target kTargets[] = {{"source", fuzz_source}, {"event", fuzz_event},
                                        {"record", fuzz_record}, {"run", fuzz_run},
                                        {"store", fuzz_store},   {"program", fuzz_program}};
  return kTargets;
}

void require(bool condition, const std::string& property) {
  if (!condition) throw std::logic_error("does not hold: " + property);
}

}  // namespace ensue::fuzz
