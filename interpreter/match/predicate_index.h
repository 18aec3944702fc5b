// The predicate index: from what an event holds to the rules whose conditions it meets.
//
// PredicateIndex is the writer's side: rules are put, replaced and taken away one by one, and
// publish() makes a Snapshot of them. Snapshots are immutable and share what did not change, so
// that readers on any thread never wait and see all of a publication or nothing of it.
//
// Rules are filed by object, then by whom they are for (everybody, an author's own records, an
// author's team), then by what their conditions ask (segment.h). Changing one rule rebuilds the
// segment it is in when that is small; in a large scope it goes to a small segment of its own, and
// segments of like size are merged, so that each rule is filed again O(log rules) times over all.
// Literature: BE-Tree (SIGMOD 2011) for rules filed under one of their predicates, OpIndex (VLDB
// 2014) for the rarest one, the logarithmic method of Bentley and Saxe for the segments.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "match/segment.h"

namespace ensue::match {

enum class ScopeKind : uint8_t { kEverybody, kOwn, kTeam };

// Whom a rule is for. Authors have numbers of the caller's, from 0 without large gaps.
struct RuleScope {
  types::ObjectId object;
  ScopeKind kind = ScopeKind::kEverybody;
  uint32_t author = 0;
  friend auto operator<=>(const RuleScope&, const RuleScope&) = default;
};

class Snapshot {
 public:
  // The slots of an object; of no slots when no rule is about it.
  const Layout& layout(types::ObjectId object) const;
  const Vocabulary& vocabulary() const { return vocabulary_; }

  // The numbers of the rules that an event starts, rising, each once, in place of what `out` held:
  // those for everybody, the own ones of `owners`, the team ones of `managers`. The image is one of
  // this snapshot's layout, and regular. For a rule that is exact the answer is that of its
  // condition; the others may start. Nothing is allocated once the buffers are large enough.
  void match(types::ObjectId object, std::span<const uint32_t> owners,
             std::span<const uint32_t> managers, EventImage& image,
             std::vector<uint32_t>& out) const;
  TextTests tests() const { return tests_.data(); }
  size_t test_count() const { return test_count_; }

 private:
  friend class PredicateIndex;
  struct SegmentRef {
    std::shared_ptr<const std::byte[]> small;
    std::shared_ptr<const LargeSegment> large;
    std::shared_ptr<const std::vector<uint64_t>> gone;  // bits by number; null: none
  };
  using Bucket = std::vector<SegmentRef>;
  static constexpr size_t kChunk = 64;
  struct Chunk {                                  // of authors
    std::array<const std::byte*, kChunk> only{};  // a bucket that is one small segment
    std::array<std::shared_ptr<const Bucket>, kChunk> buckets;
  };
  using Chunks = std::vector<std::shared_ptr<const Chunk>>;
  struct ObjectRules {
    Layout layout;
    std::shared_ptr<const Bucket> everybody;
    Chunks own;
    Chunks team;
  };
  using TextTestChunk = std::array<TextTest, kTextTestsChunk>;

  void match_bucket(const Bucket& bucket, EventImage& image, std::vector<uint32_t>& out) const;
  void match_authors(const Chunks& chunks, std::span<const uint32_t> authors, EventImage& image,
                     std::vector<uint32_t>& out) const;

  Vocabulary vocabulary_;
  std::vector<std::shared_ptr<const ObjectRules>> objects_;
  std::vector<std::shared_ptr<TextTestChunk>> tests_owned_;
  std::vector<const TextTest*> tests_;  // by chunk
  size_t test_count_ = 0;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

class PredicateIndex final : private Names {
 public:
  // `schema` outlives the index. A condition of more steps than `steps_max` may fault.
  PredicateIndex(const types::Schema& schema, uint64_t steps_max);
  ~PredicateIndex() override;

  struct RuleInput {
    RuleScope scope;
    uint8_t events = 0;  // ChangeBits
    const plan::Code* code = nullptr;
    plan::ProgramRange condition;
    bool watches = false;  // on an edit, one of `watched` must have changed
    const std::vector<types::FieldId>* watched = nullptr;
  };
  // Adds a rule, or replaces the one of that number (below kRulesMax). The input is only read.
  void put(uint32_t number, const RuleInput& input);
  // Nothing happens when there is no such rule.
  void remove(uint32_t number);
  // What was put and removed since the last time becomes visible. O(rules changed), over all.
  SnapshotPtr publish();
  // The slots and texts known so far, without rules: for observing events before segments are
  // built.
  SnapshotPtr names();

  // What is known about how often values occur. It is used when a segment is built.
  Statistics& statistics() { return statistics_; }

  // How a rule is found, in the worst of its terms.
  Way way(uint32_t number) const;
  // Whether match() gives exactly the events that meet the rule's condition.
  bool exact(uint32_t number) const { return formula(number).exact; }
  const Formula& formula(uint32_t number) const { return rules_[number].rule->formula; }

 private:
  struct WriterSegment {
    std::vector<RulePtr> rules;  // by number, those that are gone among them
    std::vector<uint64_t> gone;  // bits by number
    size_t gone_count = 0;
    Snapshot::SegmentRef built;
    bool is_gone(uint32_t number) const {
      return number / 64 < gone.size() && (gone[number / 64] >> (number % 64) & 1) != 0;
    }
  };
  struct WriterBucket {
    std::vector<WriterSegment> segments;  // the largest first
    std::vector<RulePtr> fresh;           // not in a segment yet
    bool dirty = false;
  };
  struct Known {
    RulePtr rule;
    RuleScope scope;
  };

  uint8_t slot(types::ObjectId object, types::FieldId field) override;
  const Layout& layout(types::ObjectId object) const override;
  Key text(types::ObjectId object, uint8_t slot, std::string_view text) override;
  uint32_t text_test(types::ObjectId object, const TextTest& test) override;
  // The shares of one object's values.
  class ObjectShares;

  Layout& layout_of(types::ObjectId object);
  void rebuild(types::ObjectId object, WriterBucket& bucket);
  WriterSegment build(types::ObjectId object, std::vector<RulePtr> rules);
  static std::vector<RulePtr> live(const WriterSegment& segment);
  static void file_author(Snapshot::Chunks& chunks, uint32_t author,
                          std::shared_ptr<const Snapshot::Bucket> bucket);

  const types::Schema& schema_;
  uint64_t steps_max_;
  VocabularyWriter vocabulary_;
  Statistics statistics_;
  std::vector<Layout> layouts_;      // by object
  std::vector<bool> layouts_dirty_;  // by object
  std::vector<Known> rules_;         // by number; no rule: not there
  std::map<RuleScope, WriterBucket> buckets_;
  std::vector<RuleScope> dirty_;
  std::vector<std::shared_ptr<Snapshot::TextTestChunk>> tests_owned_;
  std::vector<const TextTest*> tests_;
  std::map<std::string, uint32_t> test_numbers_;
  size_t test_count_ = 0;
  SnapshotPtr published_;
};

}  // namespace ensue::match
