#include "match/keys.h"

#include <catch2/catch.hpp>

#include "match/vocabulary.h"
#include "support/random.h"
#include "value/decimal.h"

namespace ensue::match {
namespace {

int sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }
Decimal decimal(const char* text) { return *value::parse_decimal(text); }

}  // namespace

TEST_CASE("a key that is exact compares with any other as the numbers do") {
  testing::Random random(testing::test_seed());
  auto any = [&] {
    int64_t digits = random.between(0, 18);
    int64_t most = 1;
    for (int64_t i = 0; i < digits; ++i) most *= 10;
    return Decimal{random.between(1 - most, most - 1), static_cast<int8_t>(random.below(19))};
  };
  size_t exact = 0;
  for (int i = 0; i < 20'000; ++i) {
    Decimal constant = any();
    Decimal other = random.chance(20)
                        ? Decimal{constant.coefficient + random.between(-1, 1), constant.scale}
                        : any();
    std::optional<Key> key = exact_decimal_key(constant);
    if (!key) continue;
    ++exact;
    Key found = decimal_key(other);
    INFO(value::decimal_text(constant) << " and " << value::decimal_text(other));
    CHECK(sign(value::compare_decimals(other, constant)) == (found < *key ? -1 : found > *key));
    CHECK(found != kBlankKey);
  }
  CHECK(exact > 2'000);
}

TEST_CASE("numbers that a key cannot tell apart are not exact") {
  CHECK(exact_decimal_key(decimal("12.5")) == 250'000);
  CHECK(exact_decimal_key(decimal("-0.0001")) == -2);
  CHECK(exact_decimal_key(decimal("12.50000")) == 250'000);
  CHECK_FALSE(exact_decimal_key(decimal("0.00001")));
  CHECK_FALSE(exact_decimal_key(decimal("999999999999999999")));
  CHECK(decimal_key(decimal("0.00001")) == 1);
  CHECK(decimal_key(decimal("-0.00001")) == -1);
}

TEST_CASE("a vocabulary knows the texts of a column, ignoring case") {
  VocabularyWriter writer;
  uint32_t web = writer.add(3, "Web");
  uint32_t strasse = writer.add(3, "Ärger in der Hauptstadt");
  CHECK(writer.add(3, "WEB") == web);
  CHECK(writer.add(4, "Web") == 1);
  CHECK(writer.size(3) == 2);
  Vocabulary before = writer.publish();
  uint32_t late = writer.add(3, "Late");
  Vocabulary after = writer.publish();
  std::string scratch;
  CHECK(before.find(3, "web", scratch) == web);
  CHECK(before.find(3, "ÄRGER IN DER HAUPTSTADT", scratch) == strasse);
  CHECK(before.find(3, "Late", scratch) == kOtherText);
  CHECK(after.find(3, "LATE", scratch) == late);
  CHECK(after.find(3, "web", scratch) == web);
  CHECK(after.find(5, "Web", scratch) == kOtherText);
  CHECK(after.find(3, "", scratch) == kBlankKey);
  CHECK(after.find(3, "W\xFF", scratch) == Vocabulary::kMalformed);
  CHECK(Vocabulary().find(3, "Web", scratch) == kOtherText);
}

TEST_CASE("texts of all lengths, and many of them, are told apart") {
  VocabularyWriter writer;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += static_cast<char>('A' + i % 26);
    CHECK(writer.add(0, text) == static_cast<uint32_t>(i + 1));
  }
  for (int i = 0; i < 5'000; ++i) writer.add(1, "text " + std::to_string(i));
  Vocabulary all = writer.publish();
  std::string scratch;
  std::string lower;
  for (int i = 0; i < 40; ++i) {
    lower += static_cast<char>('a' + i % 26);
    CHECK(all.find(0, lower, scratch) == i + 1);
  }
  CHECK(all.find(0, lower + "x", scratch) == kOtherText);
  // The signs beside the letters are not letters.
  CHECK(all.find(0, "!", scratch) == kOtherText);
  for (int i = 0; i < 5'000; i += 7)
    CHECK(all.find(1, "TEXT " + std::to_string(i), scratch) == i + 1);
}

}  // namespace ensue::match
