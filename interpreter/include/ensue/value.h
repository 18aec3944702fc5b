// Value: the one type for everything a field, a condition or an effect holds.
//
// Representation. A value is 16 bytes: a kind, a scale and a currency for numbers, and eight bytes
// that hold either the value itself or a pointer to a shared, immutable, reference-counted body
// (texts and lists). Copying costs at most one atomic increment. Kinds say how a value is stored,
// not what a field allows: picklists, e-mail addresses, ids and lookups are all texts here, and
// types/ knows the difference.
//
// Numbers are decimal: a coefficient of at most 18 digits and a scale of 0 to 18 digits after the
// point. Nothing is ever rounded to binary; arithmetic that leaves the range is a fault, not an
// approximation. Eighteen digits is what the CRM's own number fields hold.
//
// Blank is one value. There is no empty text: Value::text("") is blank (LANGUAGE section 4: blank
// text and null are the same). There is no "unknown".
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ensue {

// An instant on the time line, in milliseconds since 1970-01-01T00:00:00Z. Years 0001 to 9999.
struct Instant {
  int64_t ms = 0;
  friend auto operator<=>(Instant, Instant) = default;
};

// A calendar date, in days since 1970-01-01 of the proleptic Gregorian calendar. Years 0001 to
// 9999.
struct Date {
  int32_t days = 0;
  friend auto operator<=>(Date, Date) = default;
};

// A time of day, in milliseconds since midnight, 0 to 86,399,999.
struct TimeOfDay {
  int32_t ms = 0;
  friend auto operator<=>(TimeOfDay, TimeOfDay) = default;
};

// coefficient / 10^scale.
struct Decimal {
  int64_t coefficient = 0;
  int8_t scale = 0;
};

// Three upper-case letters of ISO 4217 in 16 bits; zero is "no currency given".
struct Currency {
  uint16_t packed = 0;
  static Currency of(std::string_view code);
  std::string code() const;
  bool given() const { return packed != 0; }
  friend bool operator==(Currency, Currency) = default;
};

enum class DurationUnit : uint8_t { kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear };

// "5 business days": an amount of one unit. A month has no fixed length, so durations are applied
// to a date, not summed.
struct Duration {
  int64_t amount = 0;
  DurationUnit unit = DurationUnit::kDay;
  bool business = false;
  friend bool operator==(const Duration&, const Duration&) = default;
};

class Value {
 public:
  enum class Kind : uint8_t {
    kBlank,
    kBoolean,
    kNumber,
    kPercent,
    kMoney,
    kText,
    kDate,
    kDatetime,
    kTime,
    kDuration,
    kList
  };

  Value() = default;
  Value(const Value& other) noexcept : bits_(other.bits_) { retain(); }
  Value(Value&& other) noexcept : bits_(other.bits_) { other.bits_ = {}; }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    std::swap(bits_, copy.bits_);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~Value() { release(); }

  static Value boolean(bool b) { return Value(Kind::kBoolean, b ? 1 : 0); }
  static Value number(Decimal d) { return Value(Kind::kNumber, d.coefficient, d.scale); }
  static Value number(int64_t n) { return Value(Kind::kNumber, n); }
  static Value percent(Decimal d) { return Value(Kind::kPercent, d.coefficient, d.scale); }
  static Value money(Decimal d, Currency c) {
    return Value(Kind::kMoney, d.coefficient, d.scale, c.packed);
  }
  // Copies the bytes, which must be UTF-8. The empty text is blank. `plain`: it is known that all
  // of them stand in JSON as they are.
  static Value text(std::string_view bytes, bool plain = false);
  // Texts that lie in a longer one and share its bytes, which stay until the last of them is gone:
  // for those that come and go together, as the texts of a record do. All are plain.
  struct Part {
    Value* value;  // what becomes the text
    uint32_t begin;
    uint16_t size;  // not 0
  };
  // The longer text. O(bytes + parts), one allocation.
  static Value text_with_parts(std::string_view bytes, std::span<const Part> parts);
  static Value date(Date d) { return Value(Kind::kDate, d.days); }
  static Value datetime(Instant i) { return Value(Kind::kDatetime, i.ms); }
  static Value time(TimeOfDay t) { return Value(Kind::kTime, t.ms); }
  static Value duration(Duration d) {
    return Value(Kind::kDuration, d.amount, static_cast<int8_t>(d.unit), d.business ? 1 : 0);
  }
  // An empty list is blank.
  static Value list(std::vector<Value> items);

  Kind kind() const { return bits_.kind; }
  bool is_blank() const { return bits_.kind == Kind::kBlank; }
  bool is(Kind kind) const { return bits_.kind == kind; }
  bool is_numeric() const {
    return bits_.kind == Kind::kNumber || bits_.kind == Kind::kPercent ||
           bits_.kind == Kind::kMoney;
  }

  // Each accessor is defined only for its own kind, except that truth() of a blank is false, and
  // as_text() and as_list() of another kind are empty.
  bool truth() const { return bits_.kind == Kind::kBoolean && bits_.integer != 0; }
  Decimal as_decimal() const { return {bits_.integer, bits_.scale}; }
  Currency as_currency() const { return {bits_.extra}; }
  // Whether it is a text of which it is known that all its bytes stand in JSON as they are.
  bool is_plain_text() const { return bits_.kind == Kind::kText && bits_.scale != 0; }
  // Lives as long as any copy of the value.
  std::string_view as_text() const {
    if (bits_.kind != Kind::kText) return {};
    const char* at = reinterpret_cast<const char*>(bits_.body) + bits_.offset;
    if (bits_.extra != 0) return {at, bits_.extra};
    uint32_t size;
    std::memcpy(&size, at, sizeof size);
    return {at + sizeof size, size};
  }
  Date as_date() const { return {static_cast<int32_t>(bits_.integer)}; }
  Instant as_instant() const { return {bits_.integer}; }
  TimeOfDay as_time() const { return {static_cast<int32_t>(bits_.integer)}; }
  Duration as_duration() const {
    return {bits_.integer, static_cast<DurationUnit>(bits_.scale), bits_.extra != 0};
  }
  std::span<const Value> as_list() const;

  // The value with its money tagged by a currency; other kinds are unchanged.
  Value with_currency(Currency c) const;

  // Many at once, at less cost than one by one where they share their bodies, as parts of a text
  // do.
  static std::vector<Value> copies(std::span<const Value> values);
  static void clear(std::span<Value> values);  // leaves them blank

 private:
  // What several values share. Of a list: how many values follow. Of a text: its bytes, which
  // follow.
  struct Body {
    std::atomic<uint32_t> references{1};
    uint32_t size = 0;
  };
  struct Bits {
    Kind kind = Kind::kBlank;
    int8_t scale = 0;     // of a text: whether it is plain
    uint16_t extra = 0;   // of a part of a text: its bytes
    uint32_t offset = 0;  // of a part: from the body to its bytes; else to its size, before them
    union {
      int64_t integer = 0;
      Body* body;
    };
  };

  Value(Kind kind, int64_t integer, int8_t scale = 0, uint16_t extra = 0) {
    bits_.kind = kind;
    bits_.scale = scale;
    bits_.extra = extra;
    bits_.integer = integer;
  }
  bool shared() const { return bits_.kind == Kind::kText || bits_.kind == Kind::kList; }
  void retain() const {
    if (shared()) bits_.body->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (shared() && bits_.body->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  void destroy();

  Bits bits_;
};

static_assert(sizeof(Value) == 16);

}  // namespace ensue
