// What an event looks like to the index: a key for each field that a rule reads, in an array.
//
// A field of an object that any rule names has a slot, at most kSlotsMax of them; a Layout says
// which. One EventImage is filled again and again: nothing is allocated once its buffers are large
// enough. Not shared between threads.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "match/vocabulary.h"
#include "plan/plan.h"
#include "types/record.h"
#include "types/schema.h"

namespace ensue::match {

inline constexpr size_t kSlotsMax = 248;
// A slot that no field has; its short key is 0.
inline constexpr uint8_t kZeroSlot = kSlotsMax;

struct Slot {
  types::FieldId field;
  KeyKind kind = KeyKind::kNone;
  bool money = false;
  bool true_when_blank = false;  // of a boolean
};

// The slots of one object. Slots are added, never moved.
struct Layout {
  uint32_t object = 0;
  std::vector<Slot> slots;
  std::vector<uint8_t> of_field;  // by field: its slot, or kNoSlot

  static constexpr uint8_t kNoSlot = 255;
  uint8_t find(types::FieldId field) const {
    return field.index < of_field.size() ? of_field[field.index] : kNoSlot;
  }
  // The column of a slot's texts in the vocabulary.
  uint32_t column(uint8_t slot) const { return object * 256 + slot; }
};

// A test of a text that no key decides. Numbered, so that one event asks it once.
struct TextTest {
  enum class Kind : uint8_t { kEquals, kContains, kStartsWith, kEndsWith };
  Kind kind = Kind::kEquals;
  bool exactly = false;
  uint8_t slot = 0;
  std::string text;
  bool holds(std::string_view in) const;
};

// The text tests of an index, in chunks that never move.
inline constexpr size_t kTextTestsChunk = 256;
using TextTests = const TextTest* const*;
inline const TextTest& test_at(TextTests tests, uint32_t number) {
  return tests[number / kTextTestsChunk][number % kTextTestsChunk];
}

class EventImage {
 public:
  // Forgets the event before; every slot is blank, or false, and nothing changed.
  void begin(const Layout& layout, uint8_t change, bool is_new);

  void set_text(uint8_t slot, const Layout& layout, const Vocabulary& vocabulary,
                std::string_view text) {
    Key key = vocabulary.find(layout.column(slot), text, scratch_);
    if (key == Vocabulary::kMalformed) irregular_ = true;
    keys_[slot] = key;
    texts_[slot] = text;
  }
  void set_key(uint8_t slot, Key key) { keys_[slot] = key; }
  void set_changed(uint8_t slot) { changed_[slot / 64] |= uint64_t{1} << (slot % 64); }
  // The index does not decide about this event: what the keys say may not be what it holds.
  void set_irregular() { irregular_ = true; }

  // All slots from a record's image. The texts are the record's.
  void fill(const Layout& layout, const Vocabulary& vocabulary, const types::Record& record,
            const types::FieldSet& changed, uint8_t change, bool is_new);

  Key key(uint8_t slot) const { return keys_[slot]; }
  const Key* keys() const { return keys_.data(); }
  const uint32_t* short_keys() const { return short_keys_.data(); }
  std::string_view text(uint8_t slot) const { return texts_[slot]; }
  bool changed(uint8_t slot) const { return (changed_[slot / 64] >> (slot % 64) & 1) != 0; }
  const uint64_t* changed_words() const { return changed_.data(); }
  uint8_t change() const { return change_; }
  bool is_new() const { return is_new_; }
  bool irregular() const { return irregular_; }

  // ---- For the index --------------------------------------------------------------------------
  // Called once the slots are set, with the number of text tests there are.
  void seal(size_t text_tests);
  // Whether a text test holds; it is asked once an event.
  bool holds(uint32_t number, const TextTest& test) {
    uint32_t& seen = answers_[number];
    if (seen >> 1 != epoch_) seen = epoch_ << 1 | (test.holds(texts_[test.slot]) ? 1 : 0);
    return (seen & 1) != 0;
  }
  std::string& scratch() { return scratch_; }

 private:
  std::array<Key, kSlotsMax> keys_{};
  std::array<uint32_t, kSlotsMax + 1> short_keys_{};
  std::array<std::string_view, kSlotsMax> texts_{};
  std::array<uint64_t, 4> changed_{};
  size_t slots_ = 0;
  uint8_t change_ = 0;
  bool is_new_ = false;
  bool irregular_ = false;
  std::vector<uint32_t> answers_;  // by text test: the event asked last, and its answer
  uint32_t epoch_ = 0;
  std::string scratch_;
};

}  // namespace ensue::match
