#include <catch2/catch.hpp>

#include "base/byte_words.h"
#include "base/fold.h"
#include "base/ids.h"
#include "base/key128.h"
#include "base/near_miss.h"
#include "base/text_writer.h"
#include "ensue/currency.h"
#include "ensue/result.h"

namespace ensue::base {

TEST_CASE("folding makes letters of either case equal, in any script") {
  struct Row {
    const char* a;
    const char* b;
    bool equal;
  };
  auto row = GENERATE(Row{"Open", "oPEN", true}, Row{"École", "éCOLE", true},
                      Row{"ПРИВЕТ", "привет", true}, Row{"ΟΔΟΣ", "οδος", true},
                      Row{"Open", "Opened", false}, Row{"e", "é", false},
                      Row{"straße", "STRASSE", false}, Row{"", "", true}, Row{"", "a", false});
  INFO(row.a << " and " << row.b);
  CHECK(equal_folded(row.a, row.b) == row.equal);
  CHECK(equal_folded(row.b, row.a) == row.equal);
  CHECK((fold_case(row.a) == fold_case(row.b)) == row.equal);
  if (row.equal) CHECK(hash_folded(row.a) == hash_folded(row.b));
}

TEST_CASE("parts of texts are found ignoring case") {
  CHECK(contains_folded("Head of LEGAL affairs", "legal"));
  CHECK_FALSE(contains_folded("Head of affairs", "legal"));
  CHECK(starts_with_folded("Éclair", "éc"));
  CHECK_FALSE(starts_with_folded("Ec", "Eclair"));
  CHECK(ends_with_folded("Grand MÜLLER", "müller"));
  CHECK_FALSE(ends_with_folded("üller", "müller"));
  CHECK(contains_folded("anything", ""));
}

TEST_CASE("malformed bytes fold to themselves") {
  std::string bytes = "a\xff\xc3";
  CHECK(fold_case(bytes) == bytes);
  CHECK(compare_folded(bytes, bytes) == 0);
}

TEST_CASE("the folded order is a total order") {
  const char* texts[] = {"", "a", "A", "b", "é", "É", "z", "Ж", "ж", "\xff"};
  for (const char* a : texts) {
    for (const char* b : texts) {
      int ab = compare_folded(a, b);
      int ba = compare_folded(b, a);
      CHECK((ab < 0) == (ba > 0));
      CHECK((ab == 0) == (fold_case(a) == fold_case(b)));
    }
  }
}

TEST_CASE("keys keep their parts apart") {
  // Counted with another implementation of BLAKE2b.
  CHECK(to_hex(hash_key({"ab", "c"})) == "4826ed043ab3cdec576d8541fa5d5a80");
  CHECK(to_hex(hash_key({"a", "bc"})) == "f14abc19c330e936bb9c8506d69bac9b");
  CHECK(to_hex(hash_key({})) == "cae66941d9efbd404e4d88758ea67670");
}

TEST_CASE("keys of long parts are those of the parts one by one") {
  // Counted with another implementation of BLAKE2b.
  const std::pair<size_t, const char*> kKnown[] = {
      {480, "22adec4b14f5345012a0e570db19dd41"}, {488, "34c15fd794176e37fc25412be5bd815e"},
      {489, "f7677c131fa908541a1f635237b14455"}, {496, "fa7b7e59b623fa9cdf0096967be7b8b2"},
      {503, "a32517efa614cf195e9097e4b631b5fc"}, {504, "5c025226a99a3c2c21aa1b60686aef0b"},
      {505, "6bb1f969e350dae61290c796f15cb216"}, {512, "1b3358c77eec3206cec26db83441ec75"},
      {600, "32edfc032ba3ece9ff150a6f151fc54a"}, {2000, "e0e46e65a35fec259e4a6abf6164220a"},
  };
  for (auto [size, key] : kKnown) {
    CAPTURE(size);
    CHECK(to_hex(hash_key({"k", std::string(size, 'x'), "yz"})) == key);
  }
}

TEST_CASE("a key is read back from its text") {
  Key128 key = hash_key({"x"});
  CHECK(key_from_hex(to_hex(key)) == key);
  CHECK(key_from_bytes(key.view()) == key);
  CHECK_FALSE(key_from_hex("12"));
  CHECK_FALSE(key_from_hex(std::string(32, 'g')));
  CHECK_FALSE(key_from_bytes("short"));
  CHECK(short_id("0Tr", key).size() == 18);
  CHECK(short_id("0Tr", key) != short_id("0Tr", hash_key({"y"})));
}

TEST_CASE("near misses are suggested, far ones are not") {
  std::vector<std::string> words{"created", "edited", "deleted", "Status", "StageName"};
  CHECK(nearest("edted", words) == "edited");
  CHECK(nearest("STATSU", words) == "Status");
  CHECK(nearest("stagename", words) == "StageName");
  CHECK_FALSE(nearest("quotation", words));
  CHECK_FALSE(nearest("", words));
  CHECK_FALSE(nearest(std::string(1000, 'x'), words));
}

TEST_CASE("an id knows whether it names a row") {
  struct Tag {};
  CHECK_FALSE(Id<Tag>().valid());
  Table<Id<Tag>, int> table;
  Id<Tag> seven = table.add(7);
  Id<Tag> eight = table.add(8);
  CHECK(table[eight] == 8);
  CHECK(table.id_of(table[seven]) == seven);
  CHECK(seven < eight);
}

TEST_CASE("error codes have stable names") {
  CHECK(std::string(error_code_name(ErrorCode::kStoreLocked)) == "store_locked");
  CHECK(std::string(error_code_name(ErrorCode::kStorageFull)) == "storage_full");
  Result<int> failed(ErrorCode::kIo, "the disk is gone");
  CHECK_FALSE(failed);
  CHECK(failed.error().message == "the disk is gone");
}

TEST_CASE("currencies are the codes of ISO 4217") {
  CHECK(is_currency_code("USD"));
  CHECK(is_currency_code("TRY"));
  CHECK(is_currency_code("ALL"));
  CHECK_FALSE(is_currency_code("usd"));
  CHECK_FALSE(is_currency_code("XXX"));
}

TEST_CASE("a text is written over what the string held") {
  std::string out = "what stood here before";
  {
    TextWriter writer(out);
    writer.put("ab");
    writer.put_between("k:", '"', "c");
    CHECK(writer.size() == 7);
  }
  CHECK(out == "abk:\"c\"");
  std::string wanted;
  {
    TextWriter writer(out);
    for (int i = 0; i < 1000; ++i) {
      writer.put(std::to_string(i));
      std::string before(static_cast<size_t>(i % 7), 'k');
      writer.put_between(before, '|', std::string(static_cast<size_t>(i % 50), 'x'));
      wanted +=
          std::to_string(i) + before + "|" + std::string(static_cast<size_t>(i % 50), 'x') + "|";
    }
  }
  CHECK(out == wanted);
  { TextWriter writer(out); }
  CHECK(out.empty());
}

TEST_CASE("bytes are copied and compared, however many there are") {
  for (size_t size = 0; size < 80; ++size) {
    std::string from;
    for (size_t i = 0; i < size; ++i) from += static_cast<char>('a' + i % 26);
    std::string to(size + 2, '#');
    CHECK(copy_bytes(to.data() + 1, from.data(), size) == to.data() + 1 + size);
    CHECK(to == "#" + from + "#");
    CHECK(same_bytes(to.data() + 1, from.data(), size));
    for (size_t at = 0; at < size; ++at) {
      std::string other = from;
      other[at] = '#';
      CHECK_FALSE(same_bytes(other.data(), from.data(), size));
    }
  }
}

TEST_CASE("the first of two bytes is found wherever it stands") {
  for (size_t at = 0; at < 70; ++at) {
    std::string text(at, 'x');
    text += at % 2 == 0 ? "a" : "b";
    text += "ab" + std::string(16, 'b');
    CHECK(find_either(text.data(), 'a', 'b') == text.data() + at);
  }
}

}  // namespace ensue::base
