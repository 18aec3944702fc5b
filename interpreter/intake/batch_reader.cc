#include "intake/batch_reader.h"

namespace ensue::intake {
namespace {

// A part of fewer lines is read before another thread has begun.
constexpr size_t kLeastLines = 32;
// What is read ahead is kept: not more than this of it, or one line.
constexpr size_t kAheadLines = 1024;
constexpr size_t kAheadBytes = size_t{4} << 20;

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
  if (at_ == window_end_) read_ahead();
  size_t line = at_++;
  if (ahead_.empty()) return first_->read(lines_[line].text, lines_[line].number);
  return std::move(ahead_[line - (window_end_ - ahead_.size())]);
}

void BatchReader::read_ahead() {
  ahead_.clear();
  size_t begin = at_;
  size_t bytes = 0;
  while (window_end_ < lines_.size() && window_end_ - begin < kAheadLines && bytes < kAheadBytes)
    bytes += lines_[window_end_++].text.size();
  size_t count = window_end_ - begin;
  size_t parts = workers_.parts(count, kLeastLines);
  if (parts == 1) return;
  while (others_.size() < parts) others_.push_back(make_reader());
  ahead_.resize(count);
  auto read = [&](EventReader& reader, size_t i) {
    ahead_[i] = reader.read(lines_[begin + i].text, lines_[begin + i].number);
  };
  workers_.split(count, kLeastLines, [&](size_t part, size_t from, size_t to) {
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
  for (size_t i = 0; i < count; ++i) read(*first_, i);
}

}  // namespace ensue::intake
