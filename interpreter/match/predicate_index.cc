#include "match/predicate_index.h"

#include <algorithm>

#include "base/check.h"
#include "base/fold.h"

namespace ensue::match {

// ---- Reading ----------------------------------------------------------------------------------

const Layout& Snapshot::layout(types::ObjectId object) const {
  static const Layout kNone;
  bool known = object.index < objects_.size() && objects_[object.index] != nullptr;
  return known ? objects_[object.index]->layout : kNone;
}

void Snapshot::match_bucket(const Bucket& bucket, EventImage& image,
                            std::vector<uint32_t>& out) const {
  for (const SegmentRef& segment : bucket) {
    size_t before = out.size();
    if (segment.small != nullptr) {
      match_small(segment.small.get(), image, tests_.data(), out);
    } else {
      segment.large->match(image, tests_.data(), out);
    }
    if (segment.gone == nullptr) continue;
    const std::vector<uint64_t>& gone = *segment.gone;
    auto is_gone = [&](uint32_t number) {
      return number / 64 < gone.size() && (gone[number / 64] >> (number % 64) & 1) != 0;
    };
    out.erase(std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), is_gone),
              out.end());
  }
}

void Snapshot::match_authors(const Chunks& chunks, std::span<const uint32_t> authors,
                             EventImage& image, std::vector<uint32_t>& out) const {
  for (uint32_t author : authors) {
    if (author / kChunk >= chunks.size() || chunks[author / kChunk] == nullptr) continue;
    const Chunk& chunk = *chunks[author / kChunk];
    if (const std::byte* only = chunk.only[author % kChunk]) {
      match_small(only, image, tests_.data(), out);
    } else if (const auto& bucket = chunk.buckets[author % kChunk]) {
      match_bucket(*bucket, image, out);
    }
  }
}

void Snapshot::match(types::ObjectId object, std::span<const uint32_t> owners,
                     std::span<const uint32_t> managers, EventImage& image,
                     std::vector<uint32_t>& out) const {
  out.clear();
  if (object.index >= objects_.size() || objects_[object.index] == nullptr) return;
  ENSUE_DCHECK(!image.irregular());
  const ObjectRules& rules = *objects_[object.index];
  image.seal(test_count_);
  if (rules.everybody != nullptr) match_bucket(*rules.everybody, image, out);
  match_authors(rules.own, owners, image, out);
  match_authors(rules.team, managers, image, out);
  if (out.size() > 1) {
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
}

// ---- Writing ----------------------------------------------------------------------------------

PredicateIndex::PredicateIndex(const types::Schema& schema, uint64_t steps_max)
    : schema_(schema), steps_max_(steps_max) {}
PredicateIndex::~PredicateIndex() = default;

Layout& PredicateIndex::layout_of(types::ObjectId object) {
  while (object.index >= layouts_.size()) {
    Layout& row = layouts_.emplace_back();
    row.object = static_cast<uint32_t>(layouts_.size() - 1);
    layouts_dirty_.push_back(true);
  }
  return layouts_[object.index];
}

const Layout& PredicateIndex::layout(types::ObjectId object) const {
  return layouts_[object.index];
}

uint8_t PredicateIndex::slot(types::ObjectId object, types::FieldId field) {
  Layout& layout = layout_of(object);
  uint8_t known = layout.find(field);
  if (known != Layout::kNoSlot || layout.slots.size() == kSlotsMax) return known;
  const types::Field& shape = schema_.object(object).field(field);
  Slot slot;
  slot.field = field;
  slot.kind = field == types::kIdField ? KeyKind::kText : key_kind(shape.type);
  slot.money = shape.type.is(types::TypeKind::kMoney);
  slot.true_when_blank = shape.default_value.truth();
  if (field.index >= layout.of_field.size())
    layout.of_field.resize(field.index + 1, Layout::kNoSlot);
  layout.of_field[field.index] = static_cast<uint8_t>(layout.slots.size());
  layout.slots.push_back(slot);
  layouts_dirty_[object.index] = true;
  return layout.of_field[field.index];
}

Key PredicateIndex::text(types::ObjectId object, uint8_t slot, std::string_view text) {
  return vocabulary_.add(layout_of(object).column(slot), text);
}

uint32_t PredicateIndex::text_test(types::ObjectId object, const TextTest& test) {
  // Tests of fields of two objects are two: each event has slots of one.
  std::string name = {static_cast<char>(test.kind), test.exactly ? '\1' : '\0',
                      static_cast<char>(test.slot)};
  name += std::to_string(object.index) + " ";
  name += test.exactly ? test.text : base::fold_case(test.text);
  auto [at, fresh] = test_numbers_.try_emplace(name, static_cast<uint32_t>(test_count_));
  if (!fresh) return at->second;
  if (test_count_ % kTextTestsChunk == 0) {
    tests_owned_.push_back(std::make_shared<Snapshot::TextTestChunk>());
    tests_.push_back(tests_owned_.back()->data());
  }
  (*tests_owned_.back())[test_count_ % kTextTestsChunk] = test;
  ++test_count_;
  return at->second;
}

class PredicateIndex::ObjectShares final : public Shares {
 public:
  ObjectShares(const PredicateIndex& index, types::ObjectId object)
      : index_(index), layout_(index.layouts_[object.index]) {}
  double of(const Formula& formula, const Atom& atom) const override {
    bool keyed = atom.kind == Atom::Kind::kIn || atom.kind == Atom::Kind::kOneOf;
    uint32_t texts = keyed ? index_.vocabulary_.size(layout_.column(atom.slot)) : 0;
    return index_.statistics_.share(layout_, formula, atom, texts);
  }

 private:
  const PredicateIndex& index_;
  const Layout& layout_;
};

void PredicateIndex::put(uint32_t number, const RuleInput& input) {
  ENSUE_CHECK(number < kRulesMax);
  remove(number);
  auto rule = std::make_shared<Rule>();
  rule->number = number;
  rule->events = input.events;
  layout_of(input.scope.object);
  rule->formula = formula_of(
      {input.scope.object, input.code, input.condition, input.watches, input.watched, steps_max_},
      *this);
  if (number >= rules_.size()) rules_.resize(number + 1);
  rules_[number] = {rule, input.scope};
  WriterBucket& bucket = buckets_[input.scope];
  if (!bucket.dirty) dirty_.push_back(input.scope);
  bucket.dirty = true;
  bucket.fresh.push_back(std::move(rule));
}

void PredicateIndex::remove(uint32_t number) {
  if (number >= rules_.size() || rules_[number].rule == nullptr) return;
  RulePtr rule = std::move(rules_[number].rule);
  const RuleScope scope = rules_[number].scope;
  rules_[number] = {};
  WriterBucket& bucket = buckets_[scope];
  if (!bucket.dirty) dirty_.push_back(scope);
  bucket.dirty = true;
  if (auto fresh = std::find(bucket.fresh.begin(), bucket.fresh.end(), rule);
      fresh != bucket.fresh.end()) {
    bucket.fresh.erase(fresh);
    return;
  }
  for (WriterSegment& segment : bucket.segments) {
    auto at =
        std::lower_bound(segment.rules.begin(), segment.rules.end(), rule,
                         [](const RulePtr& a, const RulePtr& b) { return a->number < b->number; });
    if (at == segment.rules.end() || *at != rule) continue;
    if (number / 64 >= segment.gone.size()) segment.gone.resize(number / 64 + 1);
    segment.gone[number / 64] |= uint64_t{1} << (number % 64);
    ++segment.gone_count;
    segment.built.gone = nullptr;  // written when published
    return;
  }
}

std::vector<RulePtr> PredicateIndex::live(const WriterSegment& segment) {
  std::vector<RulePtr> out;
  out.reserve(segment.rules.size() - segment.gone_count);
  for (const RulePtr& rule : segment.rules) {
    if (!segment.is_gone(rule->number)) out.push_back(rule);
  }
  return out;
}

PredicateIndex::WriterSegment PredicateIndex::build(types::ObjectId object,
                                                    std::vector<RulePtr> rules) {
  std::sort(rules.begin(), rules.end(),
            [](const RulePtr& a, const RulePtr& b) { return a->number < b->number; });
  const Layout& layout = layouts_[object.index];
  std::vector<uint32_t> texts;
  for (size_t i = 0; i < layout.slots.size(); ++i)
    texts.push_back(vocabulary_.size(layout.column(static_cast<uint8_t>(i))));
  ObjectShares shares(*this, object);
  SegmentInput input{rules, layout, shares, tests_.data(), texts};
  WriterSegment out;
  if (rules.size() <= kSmallMax) {
    out.built.small = small_segment(input);
  } else {
    out.built.large = std::make_shared<const LargeSegment>(input);
  }
  out.rules = std::move(rules);
  out.rules.shrink_to_fit();
  return out;
}

// Small segments that changed, and large ones of which a quarter is gone, are taken apart; what is
// new takes segments in that are no larger than twice what it has become.
void PredicateIndex::rebuild(types::ObjectId object, WriterBucket& bucket) {
  std::vector<RulePtr> rules = std::move(bucket.fresh);
  bucket.fresh.clear();
  std::vector<WriterSegment>& segments = bucket.segments;
  for (size_t i = segments.size(); i-- > 0;) {
    WriterSegment& segment = segments[i];
    bool small = segment.built.small != nullptr;
    bool apart = segment.gone_count > 0 && (small || segment.gone_count * 4 > segment.rules.size());
    if (!apart) continue;
    for (RulePtr& rule : live(segment)) rules.push_back(std::move(rule));
    segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (!rules.empty()) {
    while (!segments.empty()) {
      size_t last = segments.back().rules.size();
      if (last + rules.size() > kSmallMax && last > 2 * rules.size() && last > kSmallMax) break;
      for (RulePtr& rule : live(segments.back())) rules.push_back(std::move(rule));
      segments.pop_back();
    }
    segments.push_back(build(object, std::move(rules)));
  }
  for (WriterSegment& segment : segments) {
    if (segment.gone_count > 0 && segment.built.gone == nullptr)
      segment.built.gone = std::make_shared<const std::vector<uint64_t>>(segment.gone);
  }
  bucket.dirty = false;
}

void PredicateIndex::file_author(Snapshot::Chunks& chunks, uint32_t author,
                                 std::shared_ptr<const Snapshot::Bucket> bucket) {
  size_t at = author / Snapshot::kChunk;
  if (at >= chunks.size()) chunks.resize(at + 1);
  auto chunk = chunks[at] == nullptr ? std::make_shared<Snapshot::Chunk>()
                                     : std::make_shared<Snapshot::Chunk>(*chunks[at]);
  bool one = bucket->size() == 1 && bucket->front().small != nullptr;
  chunk->only[author % Snapshot::kChunk] = one ? bucket->front().small.get() : nullptr;
  chunk->buckets[author % Snapshot::kChunk] = std::move(bucket);
  chunks[at] = std::move(chunk);
}

SnapshotPtr PredicateIndex::publish() {
  auto out = published_ == nullptr ? std::make_shared<Snapshot>()
                                   : std::make_shared<Snapshot>(*published_);
  out->vocabulary_ = vocabulary_.publish();
  out->tests_owned_ = tests_owned_;
  out->tests_ = tests_;
  out->test_count_ = test_count_;
  out->objects_.resize(layouts_.size());
  std::vector<std::shared_ptr<Snapshot::ObjectRules>> edited(layouts_.size());
  auto edit = [&](uint32_t object) -> Snapshot::ObjectRules& {
    if (edited[object] == nullptr) {
      const auto& known = out->objects_[object];
      edited[object] = known == nullptr ? std::make_shared<Snapshot::ObjectRules>()
                                        : std::make_shared<Snapshot::ObjectRules>(*known);
      out->objects_[object] = edited[object];
    }
    return *edited[object];
  };
  std::sort(dirty_.begin(), dirty_.end());
  for (const RuleScope& scope : dirty_) {
    WriterBucket& bucket = buckets_[scope];
    rebuild(scope.object, bucket);
    auto view = std::make_shared<Snapshot::Bucket>();
    for (const WriterSegment& segment : bucket.segments) view->push_back(segment.built);
    Snapshot::ObjectRules& rules = edit(scope.object.index);
    if (scope.kind == ScopeKind::kEverybody) {
      rules.everybody = std::move(view);
    } else {
      file_author(scope.kind == ScopeKind::kOwn ? rules.own : rules.team, scope.author,
                  std::move(view));
    }
  }
  dirty_.clear();
  for (uint32_t object = 0; object < layouts_.size(); ++object) {
    if (!layouts_dirty_[object]) continue;
    edit(object).layout = layouts_[object];
    layouts_dirty_[object] = false;
  }
  published_ = out;
  return out;
}

SnapshotPtr PredicateIndex::names() {
  auto out = std::make_shared<Snapshot>();
  out->vocabulary_ = vocabulary_.publish();
  for (const Layout& layout : layouts_) {
    auto rules = std::make_shared<Snapshot::ObjectRules>();
    rules->layout = layout;
    out->objects_.push_back(std::move(rules));
  }
  return out;
}

Way PredicateIndex::way(uint32_t number) const {
  const Known& known = rules_[number];
  ObjectShares shares(*this, known.scope.object);
  Way out = Way::kEquality;
  for (const Term& term : terms_of(*known.rule, shares))
    out = std::max(out, way_of(known.rule->formula, term, tests_.data()));
  return out;
}

}  // namespace ensue::match
