#include "intake/batch_reader.h"

#include <algorithm>

namespace ensue::intake {
namespace {

// A part of fewer lines is read before another thread has begun.
constexpr size_t kLeastLines = 32;
// What is read ahead is kept: not more than this of it, or one line.
constexpr size_t kAheadLines = 1024;
constexpr size_t kAheadBytes = size_t{4} << 20;
// Of one thread: what has been read is still at hand when it is asked for.
constexpr size_t kNearLines = 8;
constexpr size_t kNearBytes = size_t{64} << 10;

// What stands behind the beginning of a long one comes by itself.
void prefetch(std::string_view line) {
  constexpr size_t kStep = 64;
  constexpr size_t kMost = 1024;
  for (size_t at = 0; at < std::min(line.size(), kMost); at += kStep)
    __builtin_prefetch(line.data() + at);
  if (!line.empty()) __builtin_prefetch(&line.back());  // reading begins there
}

}  // namespace

BatchReader::BatchReader(const types::Schema& schema, const Bounds& bounds, std::string source,
                         bool needs_ids, std::span<const InputLine> lines, base::Workers& workers)
    : schema_(schema),
      bounds_(bounds),
      source_(std::move(source)),
      needs_ids_(needs_ids),
      lines_(lines),
      workers_(workers),
      first_(make_reader()) {}

std::unique_ptr<EventReader> BatchReader::make_reader() const {
  auto out = std::make_unique<EventReader>(schema_, bounds_, source_);
  if (needs_ids_) out->need_ids();
  return out;
}

LineResult BatchReader::next() {
  if (at_ == ahead_begin_ + ahead_.size()) read_ahead();
  return std::move(ahead_[at_++ - ahead_begin_]);
}

void BatchReader::read_ahead() {
  ahead_begin_ = at_;
  auto window = [&](size_t lines_max, size_t bytes_max) {
    size_t end = at_;
    size_t bytes = 0;
    while (end < lines_.size() && end - at_ < lines_max && bytes < bytes_max)
      bytes += lines_[end++].text.size();
    return end - at_;
  };
  size_t parts = workers_.parts(std::min(lines_.size() - at_, kAheadLines), kLeastLines);
  if (parts == 1) {
    ahead_.resize(window(kNearLines, kNearBytes));
    read_by_one();
  } else {
    ahead_.resize(window(kAheadLines, kAheadBytes));
    read_by_all(parts);
  }
  if (!on_read_) return;
  for (const LineResult& line : ahead_) {
    for (const types::Event& event : line.events) on_read_(event);
  }
}

void BatchReader::read_by_one() {
  for (size_t i = 0; i < ahead_.size(); ++i) {
    size_t line = ahead_begin_ + i;
    if (line + 1 < lines_.size()) prefetch(lines_[line + 1].text);
    ahead_[i] = first_->read(lines_[line].text, lines_[line].number);
  }
}

void BatchReader::read_by_all(size_t parts) {
  while (others_.size() < parts) others_.push_back(make_reader());
  auto read = [&](EventReader& reader, size_t i) {
    const InputLine& line = lines_[ahead_begin_ + i];
    ahead_[i] = reader.read(line.text, line.number);
  };
  workers_.split(ahead_.size(), kLeastLines, [&](size_t part, size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) read(*others_[part], i);
  });
  std::vector<IntakeCounts> counts;
  size_t fields = first_->counts().unknown_fields.size();
  size_t values = first_->counts().unknown_values.size();
  for (size_t part = 0; part < parts; ++part) {
    counts.push_back(others_[part]->take_counts());
    fields += counts.back().unknown_fields.size();
    values += counts.back().unknown_values.size();
  }
  if (fields <= IntakeCounts::kNamesMax && values <= IntakeCounts::kNamesMax) {
    for (const IntakeCounts& part : counts) first_->add_counts(part);
    return;
  }
  // Which names are the first ones depends on the order of all lines: one reader tells.
  for (size_t i = 0; i < ahead_.size(); ++i) read(*first_, i);
}

}  // namespace ensue::intake
