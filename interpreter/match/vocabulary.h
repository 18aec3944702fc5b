// The vocabulary: the texts that rules name, each with a number, for each column (a field of an
// object) its own.
//
// Texts are told apart ignoring case, as the language does. A Vocabulary is an immutable view;
// copying it costs one reference. VocabularyWriter adds texts and makes views that share what has
// not changed.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "match/keys.h"

namespace ensue::match {

class Vocabulary {
 public:
  // The number of a text, from 1; kOtherText when it is not known. The empty text is kBlankKey.
  // `scratch` is used for texts that are not ASCII; nothing is allocated once it is large enough.
  // kMalformed for what is not UTF-8.
  Key find(uint32_t column, std::string_view text, std::string& scratch) const;
  static constexpr Key kMalformed = -1;

 private:
  friend class VocabularyWriter;
  struct Entry {
    uint64_t hash = 0;
    const char* text = nullptr;  // folded; the column stands before it. Null: free
    uint32_t length = 0;
    uint32_t number = 0;
  };
  struct Table {
    const Entry* entries = nullptr;
    uint64_t mask = 0;
  };
  static constexpr size_t kShards = 256;
  struct Shards {
    std::array<Table, kShards> tables;
    std::array<std::shared_ptr<const std::vector<Entry>>, kShards> owners;
    std::shared_ptr<void> texts;
  };
  static const Entry* look_up(const Table& table, uint64_t hash, uint32_t column,
                              std::string_view folded);

  std::shared_ptr<const Shards> shards_;
};

class VocabularyWriter {
 public:
  VocabularyWriter();

  // The number of a text, which is added when it is new. Not blank.
  uint32_t add(uint32_t column, std::string_view text);
  // How many texts of a column are known.
  uint32_t size(uint32_t column) const;
  // A view of all that was added. O(texts added since), in shards of 1/256 of all.
  Vocabulary publish();

 private:
  struct Texts {
    std::deque<std::string> kept;
  };

  std::shared_ptr<Texts> texts_;
  std::array<std::vector<Vocabulary::Entry>, Vocabulary::kShards> tables_;
  std::array<size_t, Vocabulary::kShards> used_{};
  std::array<bool, Vocabulary::kShards> dirty_{};
  std::vector<uint32_t> sizes_;  // by column
  std::shared_ptr<const Vocabulary::Shards> published_;
};

}  // namespace ensue::match
