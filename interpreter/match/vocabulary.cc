#include "match/vocabulary.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/fold.h"
#include "base/utf8.h"

namespace ensue::match {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ull;
constexpr uint64_t kOnes = 0x0101010101010101ull;

// Eight ASCII bytes in lower case at once; bytes of other characters stay as they are.
uint64_t lowered(uint64_t word) {
  uint64_t low = word & ~kHighBits;
  uint64_t from_a = low + kOnes * (128 - 'A');
  uint64_t after_z = low + kOnes * (127 - 'Z');
  uint64_t upper = (from_a ^ after_z) & kHighBits & ~word;
  return word | (upper >> 2);
}

uint64_t load_8(const char* at) {
  uint64_t out = 0;
  std::memcpy(&out, at, 8);
  return out;
}
uint64_t load_4(const char* at) {
  uint32_t out = 0;
  std::memcpy(&out, at, 4);
  return out;
}

// The last bytes of a text of up to eight, as one word that differs for different bytes.
uint64_t load_tail(const char* at, size_t size) {
  if (size >= 4) return load_4(at) | (load_4(at + size - 4) << 32);
  auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(at[i])); };
  return size == 0 ? 0 : byte(0) | (byte(size / 2) << 8) | (byte(size - 1) << 16);
}

// The hash of a text in lower case; `high` gets the bits of bytes that are not ASCII.
uint64_t hash_lowered(uint32_t column, std::string_view text, uint64_t& high) {
  uint64_t hash = mixed(column, text.size());
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) {
    uint64_t word = load_8(at);
    high |= word;
    hash = mixed(hash, lowered(word));
  }
  uint64_t word = left == 8 ? load_8(at) : load_tail(at, left);
  high |= word;
  hash = mixed(hash, lowered(word));
  high &= kHighBits;
  return hash;
}

// Whether `text` in lower case is `folded`, of the same length.
bool equal_lowered(std::string_view text, const char* folded) {
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 8; at += 8, folded += 8, left -= 8) {
    if (lowered(load_8(at)) != load_8(folded)) return false;
  }
  return left == 8 ? lowered(load_8(at)) == load_8(folded)
                   : lowered(load_tail(at, left)) == load_tail(folded, left);
}

bool well_formed(std::string_view text) {
  while (!text.empty()) {
    size_t bytes = base::character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

const Vocabulary::Entry* Vocabulary::look_up(const Table& table, uint64_t hash, uint32_t column,
                                             std::string_view text) {
  if (table.entries == nullptr) return nullptr;
  for (uint64_t at = hash & table.mask;; at = (at + 1) & table.mask) {
    const Entry& entry = table.entries[at];
    if (entry.text == nullptr) return nullptr;
    if (entry.hash == hash && entry.length == text.size() &&
        load_4(entry.text - sizeof(column)) == column && equal_lowered(text, entry.text))
      return &entry;
  }
}

Key Vocabulary::find(uint32_t column, std::string_view text, std::string& scratch) const {
  if (text.empty()) return kBlankKey;
  uint64_t high = 0;
  uint64_t hash = hash_lowered(column, text, high);
  if (high != 0) {
    if (!well_formed(text)) return kMalformed;
    base::fold_case(text, scratch);
    text = scratch;
    hash = hash_lowered(column, text, high);
  }
  if (shards_ == nullptr) return kOtherText;
  const Entry* found = look_up(shards_->tables[hash >> 56], hash, column, text);
  return found == nullptr ? kOtherText : found->number;
}

VocabularyWriter::VocabularyWriter() : texts_(std::make_shared<Texts>()) {}

uint32_t VocabularyWriter::add(uint32_t column, std::string_view text) {
  ENSUE_DCHECK(!text.empty());
  std::string folded = base::fold_case(text);
  uint64_t high = 0;
  uint64_t hash = hash_lowered(column, folded, high);
  size_t shard = hash >> 56;
  std::vector<Vocabulary::Entry>& table = tables_[shard];
  Vocabulary::Table view{table.empty() ? nullptr : table.data(), table.size() - 1};
  if (const Vocabulary::Entry* known = Vocabulary::look_up(view, hash, column, folded))
    return known->number;
  if (column >= sizes_.size()) sizes_.resize(column + 1);
  std::string kept(sizeof(column), '\0');
  std::memcpy(kept.data(), &column, sizeof(column));
  kept += folded;
  const std::string& text_kept = texts_->kept.emplace_back(std::move(kept));
  Vocabulary::Entry entry{hash, text_kept.data() + sizeof(column),
                          static_cast<uint32_t>(folded.size()), ++sizes_[column]};
  auto put = [](std::vector<Vocabulary::Entry>& rows, const Vocabulary::Entry& row) {
    uint64_t mask = rows.size() - 1;
    uint64_t at = row.hash & mask;
    while (rows[at].text != nullptr) at = (at + 1) & mask;
    rows[at] = row;
  };
  if (2 * (used_[shard] + 1) > table.size()) {
    std::vector<Vocabulary::Entry> larger(std::max<size_t>(4, 2 * table.size()));
    for (const Vocabulary::Entry& row : table) {
      if (row.text != nullptr) put(larger, row);
    }
    table = std::move(larger);
  }
  put(table, entry);
  ++used_[shard];
  dirty_[shard] = true;
  return entry.number;
}

uint32_t VocabularyWriter::size(uint32_t column) const {
  return column < sizes_.size() ? sizes_[column] : 0;
}

Vocabulary VocabularyWriter::publish() {
  Vocabulary out;
  bool changed = std::find(dirty_.begin(), dirty_.end(), true) != dirty_.end();
  if (changed || published_ == nullptr) {
    auto next = published_ == nullptr ? std::make_shared<Vocabulary::Shards>()
                                      : std::make_shared<Vocabulary::Shards>(*published_);
    for (size_t shard = 0; shard < Vocabulary::kShards; ++shard) {
      if (!dirty_[shard]) continue;
      dirty_[shard] = false;
      auto rows = std::make_shared<const std::vector<Vocabulary::Entry>>(tables_[shard]);
      next->tables[shard] = {rows->data(), rows->size() - 1};
      next->owners[shard] = std::move(rows);
    }
    next->texts = texts_;
    published_ = std::move(next);
  }
  out.shards_ = published_;
  return out;
}

}  // namespace ensue::match
