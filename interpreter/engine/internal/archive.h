// Bytes of a program: the archives that cereal writes to and reads from, and the plain types.
//
// Reading trusts nothing: every count is checked against the bytes that are left before memory is
// asked for, every enumeration against its last value, every value against the range of its kind.
// What does not fit throws Damaged, which program_cache.cc catches. Texts, paths and calendars that
// occur often are written where they occur first and by their number from then on.
#pragma once

#include <cereal/cereal.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/key128.h"
#include "calendar/business_time.h"
#include "ensue/value.h"
#include "plan/plan.h"
#include "types/type.h"

namespace ensue::engine::internal {

struct Damaged : std::runtime_error {
  Damaged() : std::runtime_error("the bytes are not those of a program") {}
};

inline void need(bool fits) {
  if (!fits) throw Damaged();
}

using SharedText = plan::Shared<std::string>;
using CalendarPtr = std::shared_ptr<const calendar::BusinessCalendar>;

class Output : public cereal::OutputArchive<Output, cereal::AllowEmptyClassElision> {
 public:
  explicit Output(std::string& bytes) : OutputArchive(this), bytes_(bytes) {}
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  std::unordered_map<std::string, uint32_t> texts;
  std::unordered_map<const void*, uint32_t> pointers;  // of shared texts, paths and calendars
  uint32_t text_count = 0;
  uint32_t path_count = 0;
  uint32_t calendar_count = 0;

 private:
  std::string& bytes_;
};

class Input : public cereal::InputArchive<Input, cereal::AllowEmptyClassElision> {
 public:
  explicit Input(std::string_view bytes) : InputArchive(this), bytes_(bytes) {}
  void raw(void* data, size_t size) {
    need(size <= bytes_.size());
    std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  std::string_view text(size_t size) {
    need(size <= bytes_.size());
    std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  size_t left() const { return bytes_.size(); }

  std::vector<Value> texts;
  std::vector<SharedText> shared_texts;
  std::vector<plan::PathPtr> paths;
  std::vector<CalendarPtr> calendars;

 private:
  std::string_view bytes_;
};

// ---- Numbers ----------------------------------------------------------------------------------

template <class T>
concept Number = std::is_arithmetic_v<T>;

template <Number T>
void save(Output& out, const T& number) {
  out.raw(&number, sizeof number);
}
template <Number T>
void load(Input& in, T& number) {
  in.raw(&number, sizeof number);
}
inline void load(Input& in, bool& truth) {
  uint8_t byte = 0;
  in.raw(&byte, 1);
  need(byte <= 1);
  truth = byte == 1;
}

// An enumeration, whose last value is known.
template <class E>
struct UpTo {
  E& value;
  E last;
};
template <class E>
UpTo<E> up_to(E& value, E last) {
  return {value, last};
}
template <class E>
void save(Output& out, const UpTo<E>& row) {
  out(static_cast<uint8_t>(row.value));
}
template <class E>
void load(Input& in, UpTo<E>& row) {
  uint8_t byte = 0;
  in(byte);
  need(byte <= static_cast<uint8_t>(row.last));
  row.value = static_cast<E>(byte);
}

// ---- Texts ------------------------------------------------------------------------------------

inline void save(Output& out, const std::string& text) {
  out(static_cast<uint32_t>(text.size()));
  out.raw(text.data(), text.size());
}
inline void load(Input& in, std::string& text) {
  uint32_t size = 0;
  in(size);
  text = in.text(size);
}

// The number of a text known before, or the next number, and then the text follows.
inline void save_often(Output& out, std::string_view text) {
  auto known = static_cast<uint32_t>(out.texts.size());
  auto [at, fresh] = out.texts.try_emplace(std::string(text), known);
  out(at->second);
  if (fresh) out(at->first);
}
inline const Value& load_often(Input& in) {
  uint32_t number = 0;
  in(number);
  need(number <= in.texts.size());
  if (number == in.texts.size()) {
    uint32_t size = 0;
    in(size);
    in.texts.push_back(Value::text(in.text(size)));
  }
  return in.texts[number];
}

// A text that other units have, too.
struct Often {
  std::string& text;
};
inline Often often(std::string& text) { return {text}; }
inline void save(Output& out, const Often& row) { save_often(out, row.text); }
inline void load(Input& in, Often& row) { row.text = load_often(in).as_text(); }

// ---- Containers -------------------------------------------------------------------------------

// Rows that are their bytes: no padding, no pointers, and every bit pattern a value.
template <class T>
inline constexpr bool kFlat = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
template <class Tag>
inline constexpr bool kFlat<base::Id<Tag>> = true;
template <>
inline constexpr bool kFlat<types::FieldRef> = true;
template <>
inline constexpr bool kFlat<plan::SourceRange> = true;
template <>
inline constexpr bool kFlat<plan::ProgramRange> = true;
template <>
inline constexpr bool kFlat<plan::Step> = true;  // the kinds of steps are looked at afterwards
template <>
inline constexpr bool kFlat<plan::LocalDatetime> = true;

template <class T>
void save(Output& out, const std::vector<T>& rows) {
  out(static_cast<uint32_t>(rows.size()));
  if constexpr (kFlat<T>) {
    static_assert(std::is_trivially_copyable_v<T>);
    out.raw(rows.data(), rows.size() * sizeof(T));
  } else {
    for (const T& row : rows) out(row);
  }
}
template <class T>
void load(Input& in, std::vector<T>& rows) {
  uint32_t count = 0;
  in(count);
  need(count <= in.left());
  if constexpr (kFlat<T>) {
    need(count * sizeof(T) <= in.left());
    rows.resize(count);
    if (count > 0) in.raw(static_cast<void*>(rows.data()), count * sizeof(T));
  } else {
    // More than a few rows are made one by one, as their bytes are found to be there.
    constexpr uint32_t kAtOnce = 64;
    rows.reserve(count < kAtOnce ? count : kAtOnce);
    for (uint32_t i = 0; i < count; ++i) in(rows.emplace_back());
  }
}

template <class T>
void save(Output& out, const std::optional<T>& row) {
  out(row.has_value());
  if (row) out(*row);
}
template <class T>
void load(Input& in, std::optional<T>& row) {
  bool given = false;
  in(given);
  row.reset();
  if (given) in(row.emplace());
}

template <class A, class B>
void save(Output& out, const std::pair<A, B>& row) {
  out(row.first, row.second);
}
template <class A, class B>
void load(Input& in, std::pair<A, B>& row) {
  in(row.first, row.second);
}

// The part, or that there is none but the plain one. Parts of their own are not told from equal
// ones.
template <class T>
void save(Output& out, const plan::Shared<T>& part) {
  out(!part.is_plain());
  if (!part.is_plain()) out(*part);
}
template <class T>
void load(Input& in, plan::Shared<T>& part) {
  bool given = false;
  in(given);
  part = {};
  if (given) in(part.edit());
}

// ---- Plain types ------------------------------------------------------------------------------

template <class Archive, class Tag>
void serialize(Archive& ar, base::Id<Tag>& id) {
  ar(id.index);
}
template <class Archive>
void serialize(Archive& ar, types::FieldRef& ref) {
  ar(ref.object, ref.field);
}
inline void save(Output& out, const base::Key128& key) {
  out.raw(key.bytes.data(), key.bytes.size());
}
inline void load(Input& in, base::Key128& key) { in.raw(key.bytes.data(), key.bytes.size()); }
template <class Archive>
void serialize(Archive& ar, Date& date) {
  ar(date.days);
}
inline void save(Output& out, const TimeOfDay& time) { out(time.ms); }
inline void load(Input& in, TimeOfDay& time) {
  in(time.ms);
  need(time.ms >= 0 && time.ms < 86'400'000);
}
template <class Archive>
void serialize(Archive& ar, Duration& duration) {
  ar(duration.amount, up_to(duration.unit, DurationUnit::kYear), duration.business);
}
template <class Archive>
void serialize(Archive& ar, types::Type& type) {
  ar(up_to(type.kind, types::TypeKind::kAny), type.list, type.picklist, type.objects);
}
inline void save(Output& out, const calendar::Zone& zone) { save_often(out, zone.name()); }
inline void load(Input& in, calendar::Zone& zone) {
  std::optional<calendar::Zone> found = calendar::Zone::find(load_often(in).as_text());
  need(found.has_value());
  zone = *found;
}

void save(Output& out, const Value& value);
void load(Input& in, Value& value);
void save(Output& out, const SharedText& text);
void load(Input& in, SharedText& text);
void save(Output& out, const CalendarPtr& calendar);
void load(Input& in, CalendarPtr& calendar);
void save(Output& out, const plan::PathPtr& path);
void load(Input& in, plan::PathPtr& path);
void save(Output& out, const plan::UnitPlan& unit);
void load(Input& in, plan::UnitPlan& unit);

}  // namespace ensue::engine::internal
