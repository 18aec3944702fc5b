#include "base/workers.h"

#include <catch2/catch.hpp>
#include <numeric>

namespace ensue::base {

TEST_CASE("each thing is in one part, for any number of threads and things") {
  for (size_t threads : {0, 1, 2, 3, 7}) {
    Workers workers(threads);
    for (size_t count = 0; count < 70; ++count) {
      for (size_t least : {0, 1, 5, 200}) {
        std::vector<int> times(count, 0);
        std::vector<size_t> begins(workers.parts(count, least), SIZE_MAX);
        workers.split(count, least, [&](size_t part, size_t begin, size_t end) {
          begins.at(part) = begin;
          for (size_t i = begin; i < end; ++i) ++times[i];
        });
        REQUIRE(std::count(times.begin(), times.end(), 1) == static_cast<long>(count));
        // In the order of the parts, all of which were called.
        REQUIRE(std::is_sorted(begins.begin(), begins.end()));
        REQUIRE(begins.front() == 0);
        REQUIRE(begins.back() != SIZE_MAX);
      }
    }
  }
}

TEST_CASE("each thing is done once, by whoever is free") {
  for (size_t threads : {0, 1, 2, 5}) {
    Workers workers(threads);
    for (size_t count = 0; count < 300; count = count * 2 + 1) {
      std::vector<int> times(count, 0);
      workers.each(count, [&](size_t i) { ++times[i]; });
      REQUIRE(std::count(times.begin(), times.end(), 1) == static_cast<long>(count));
    }
  }
}

TEST_CASE("a part is not smaller than what is worth a thread, as long as there is more than one") {
  Workers workers(4);
  CHECK(workers.parts(0, 10) == 1);
  CHECK(workers.parts(19, 10) == 1);
  CHECK(workers.parts(20, 10) == 2);
  CHECK(workers.parts(39, 10) == 3);
  CHECK(workers.parts(40, 10) == 4);
  CHECK(workers.parts(1000, 10) == 4);
  CHECK(Workers(1).parts(1000, 10) == 1);
}

TEST_CASE("what the parts wrote is seen when all have returned") {
  Workers workers(3);
  std::vector<int64_t> squares(3000);
  int64_t sum = 0;
  for (int64_t round = 0; round < 300; ++round) {
    workers.split(squares.size(), 1, [&](size_t, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) squares[i] = round + static_cast<int64_t>(i);
    });
    sum += std::accumulate(squares.begin(), squares.end(), int64_t{0});
  }
  CHECK(sum == 300 * (3000 * 2999 / 2) + 3000 * (300 * 299 / 2));
}

}  // namespace ensue::base
