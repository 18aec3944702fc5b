// What is kept of records: what was asked for again outlasts what only came by.
#include "engine/record_cache.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace ensue::engine {
namespace {

constexpr types::ObjectId kLead{size_t{3}};
constexpr size_t kStored = 800;  // bytes of a row

types::RecordPtr image_of(const std::string& id) {
  types::Record record;
  record.object = kLead;
  record.id = id;
  return std::make_shared<const types::Record>(std::move(record));
}

// A record comes, in a batch of its own.
void put(RecordCache& cache, const std::string& id) {
  RecordCache::Row& row = cache.row({kLead, id});
  row.second.image = image_of(id);
  row.second.known = true;
  cache.weigh(row, kStored);
  cache.trim();
}

bool keeps(RecordCache& cache, const std::string& id) {
  bool known = cache.row({kLead, id}).second.known;
  cache.trim();
  return known;
}

std::string numbered(size_t i) { return "00Q" + std::to_string(i); }

}  // namespace

TEST_CASE("records that come are kept until their room is used up") {
  RecordCache cache({10'000, 10'000});
  for (size_t i = 0; i < 100; ++i) put(cache, numbered(i));
  CHECK(cache.bytes() <= 10'000);
  CHECK(cache.size() >= 4);
  CHECK(cache.size() < 12);
  CHECK(keeps(cache, numbered(99)));
  CHECK_FALSE(keeps(cache, numbered(50)));
}

TEST_CASE("a stream of new records does not drive out the ones at work") {
  RecordCache cache({10'000, 10'000});
  put(cache, "at work");
  for (size_t i = 0; i < 1000; ++i) {
    put(cache, numbered(i));
    CHECK(keeps(cache, "at work"));
  }
  CHECK(cache.bytes() <= 20'000);
  // What is not asked for any more goes when others have been.
  for (size_t i = 2000; i < 3000; ++i) {
    put(cache, numbered(i));
    CHECK(keeps(cache, numbered(i)));
  }
  CHECK_FALSE(keeps(cache, "at work"));
  CHECK(cache.bytes() <= 20'000);
}

TEST_CASE("what comes back after it has gone stays, if there is room for all that does") {
  RecordCache cache({10'000, 40'000});
  auto kept_of = [&](size_t records) {
    size_t kept = 0;
    for (size_t i = 0; i < records; ++i) {
      RecordCache::Row& row = cache.row({kLead, numbered(i)});
      kept += row.second.known ? 1 : 0;
      row.second.known = true;
      cache.weigh(row, kStored);
      cache.trim();
    }
    return kept;
  };
  CHECK(kept_of(15) == 0);
  CHECK(kept_of(15) < 10);
  CHECK(kept_of(15) == 15);
  CHECK(cache.bytes() <= 50'000);
}

TEST_CASE("ids count as what is kept for them") {
  RecordCache cache({10'000, 10'000});
  for (size_t i = 0; i < 20; ++i) put(cache, std::string(1'000, 'x') + numbered(i));
  CHECK(cache.size() < 4);
}

TEST_CASE("within a batch nothing goes, however much it is") {
  RecordCache cache({10'000, 10'000});
  for (size_t i = 0; i < 100; ++i) {
    RecordCache::Row& row = cache.row({kLead, numbered(i)});
    row.second.known = true;
    cache.weigh(row, kStored);
  }
  for (size_t i = 0; i < 100; ++i) CHECK(cache.row({kLead, numbered(i)}).second.known);
  cache.trim();
  CHECK(cache.bytes() <= 20'000);
  CHECK_FALSE(cache.row({kLead, numbered(0)}).second.known);
}

TEST_CASE("a record that grows takes its room from the others") {
  RecordCache cache({10'000, 10'000});
  for (size_t i = 0; i < 4; ++i) put(cache, numbered(i));
  CHECK(cache.size() == 4);
  cache.weigh(cache.row({kLead, numbered(3)}), 20'000);
  cache.trim();
  CHECK(cache.bytes() <= 20'000);
  cache.clear();
  CHECK(cache.size() == 0);
  CHECK(cache.bytes() == 0);
  CHECK_FALSE(keeps(cache, numbered(3)));
}

TEST_CASE("records of two objects may have one id") {
  RecordCache cache(RecordCache::Room{});
  put(cache, "1");
  RecordCache::Row& other = cache.row({types::ObjectId(size_t{4}), "1"});
  CHECK_FALSE(other.second.known);
  CHECK(cache.row({kLead, "1"}).second.known);
}

}  // namespace ensue::engine
