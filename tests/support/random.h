// Randomness of the property tests: from one seed, the same on every machine.
//
// The seed is fixed, so that a green tree stays green; ENSUE_SEED in the environment sets another,
// and a failing test prints the one it used.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace ensue::testing {

// ENSUE_SEED, or 20260326.
uint64_t test_seed();
// How many times over a property is tried: ENSUE_EFFORT, or 1. For long searches by hand.
uint64_t test_effort();

// The distributions of the standard library differ from one library to the next; these do not.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // 0 to count - 1.
  size_t below(size_t count) { return static_cast<size_t>(engine_() % count); }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<size_t>(high - low + 1)));
  }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  template <class T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }
  const char* word(std::initializer_list<const char*> words) {
    return *(words.begin() + below(words.size()));
  }
  // A seed of its own for a part of a test, so that the parts can be tried alone.
  uint64_t fork() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ensue::testing
