#include "engine/frame.h"

#include <cstring>

namespace ensue::engine {
namespace {

constexpr unsigned char kVersion = 1;
constexpr int kNestingMax = 64;

class Writer {
 public:
  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  // Seven bits a byte, lowest first.
  void number(uint64_t value) {
    for (; value >= 128; value >>= 7) byte(static_cast<uint8_t>(value | 128));
    byte(static_cast<uint8_t>(value));
  }
  // Small negative numbers stay small.
  void integer(int64_t value) {
    number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void text(std::string_view bytes) {
    number(bytes.size());
    out_ += bytes;
  }
  void key(const Key128& key) { out_ += key.view(); }

  void value(const Value& value) {
    byte(static_cast<uint8_t>(value.kind()));
    switch (value.kind()) {
      case Value::Kind::kBlank: break;
      case Value::Kind::kBoolean: byte(value.truth() ? 1 : 0); break;
      case Value::Kind::kNumber:
      case Value::Kind::kPercent:
      case Value::Kind::kMoney:
        integer(value.as_decimal().coefficient);
        integer(value.as_decimal().scale);
        if (value.is(Value::Kind::kMoney)) number(value.as_currency().packed);
        break;
      case Value::Kind::kText: text(value.as_text()); break;
      case Value::Kind::kDate: integer(value.as_date().days); break;
      case Value::Kind::kDatetime: integer(value.as_instant().ms); break;
      case Value::Kind::kTime: integer(value.as_time().ms); break;
      case Value::Kind::kDuration:
        integer(value.as_duration().amount);
        byte(static_cast<uint8_t>(value.as_duration().unit));
        byte(value.as_duration().business ? 1 : 0);
        break;
      case Value::Kind::kList:
        number(value.as_list().size());
        for (const Value& item : value.as_list()) this->value(item);
        break;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads past the end give zeros and a mark that it broke.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t byte() {
    if (at_ >= bytes_.size()) {
      broken_ = true;
      return 0;
    }
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  uint64_t number() {
    uint64_t out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t part = byte();
      out |= static_cast<uint64_t>(part & 127) << shift;
      if (part < 128) return out;
    }
    broken_ = true;
    return 0;
  }
  int64_t integer() {
    uint64_t raw = number();
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }
  // Of something that takes at least a byte each.
  size_t count() {
    uint64_t out = number();
    if (out > bytes_.size() - std::min(at_, bytes_.size())) broken_ = true;
    return broken_ ? 0 : static_cast<size_t>(out);
  }
  std::string_view text() {
    size_t size = count();
    std::string_view out = bytes_.substr(std::min(at_, bytes_.size()), size);
    at_ += size;
    return out;
  }
  Key128 key() {
    Key128 out;
    if (at_ + out.bytes.size() > bytes_.size()) {
      broken_ = true;
      return out;
    }
    std::memcpy(out.bytes.data(), bytes_.data() + at_, out.bytes.size());
    at_ += out.bytes.size();
    return out;
  }

  Value value(int depth = 0) {
    auto kind = static_cast<Value::Kind>(byte());
    if (kind > Value::Kind::kList || depth > kNestingMax) broken_ = true;
    if (broken_) return {};
    switch (kind) {
      case Value::Kind::kBoolean: return Value::boolean(byte() != 0);
      case Value::Kind::kNumber:
      case Value::Kind::kPercent:
      case Value::Kind::kMoney: {
        Decimal decimal{integer(), static_cast<int8_t>(integer())};
        constexpr int64_t kMost = 999'999'999'999'999'999;
        if (decimal.scale < 0 || decimal.scale > 18 || decimal.coefficient > kMost ||
            decimal.coefficient < -kMost)
          broken_ = true;
        if (kind == Value::Kind::kNumber) return Value::number(decimal);
        if (kind == Value::Kind::kPercent) return Value::percent(decimal);
        return Value::money(decimal, Currency{static_cast<uint16_t>(number())});
      }
      case Value::Kind::kText: return Value::text(text());
      case Value::Kind::kDate: return Value::date({static_cast<int32_t>(integer())});
      case Value::Kind::kDatetime: return Value::datetime({integer()});
      case Value::Kind::kTime: return Value::time({static_cast<int32_t>(integer())});
      case Value::Kind::kDuration: {
        int64_t amount = integer();
        uint8_t unit = byte();
        bool business = byte() != 0;
        if (unit > static_cast<uint8_t>(DurationUnit::kYear)) broken_ = true;
        return broken_ ? Value()
                       : Value::duration({amount, static_cast<DurationUnit>(unit), business});
      }
      case Value::Kind::kList: {
        std::vector<Value> items;
        size_t size = count();
        for (size_t i = 0; i < size && !broken_; ++i) items.push_back(value(depth + 1));
        return Value::list(std::move(items));
      }
      default: return {};
    }
  }

  bool broken() const { return broken_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace

std::string encode_frame(const Frame& frame) {
  Writer out;
  out.byte(kVersion);
  out.number(frame.ordinal);
  out.byte(frame.deadline ? 1 : 0);
  if (frame.deadline) out.integer(frame.deadline->ms);
  out.number(frame.stack.size());
  for (const Activation& row : frame.stack) {
    out.key(row.rule);
    out.number(row.at);
    out.number(row.first_ordinal);
    out.number(row.locals.size());
    for (const Value& value : row.locals) out.value(value);
    out.number(row.handlers.size());
    for (const Handler& handler : row.handlers) {
      out.number(handler.begun);
      out.number(handler.tries);
    }
  }
  return out.take();
}

Result<Frame> decode_frame(std::string_view bytes) {
  const Error broken{ErrorCode::kStoreDamaged, "a waiting run cannot be read"};
  Reader in(bytes);
  if (in.byte() != kVersion) return broken;
  Frame out;
  out.ordinal = static_cast<uint32_t>(in.number());
  if (in.byte() != 0) out.deadline = Instant{in.integer()};
  size_t depth = in.count();
  for (size_t i = 0; i < depth && !in.broken(); ++i) {
    Activation row;
    row.rule = in.key();
    row.at = static_cast<uint32_t>(in.number());
    row.first_ordinal = static_cast<uint32_t>(in.number());
    size_t locals = in.count();
    for (size_t n = 0; n < locals && !in.broken(); ++n) row.locals.push_back(in.value());
    size_t handlers = in.count();
    for (size_t n = 0; n < handlers && !in.broken(); ++n) {
      auto begun = static_cast<uint32_t>(in.number());
      row.handlers.push_back({begun, static_cast<uint32_t>(in.number())});
    }
    out.stack.push_back(std::move(row));
  }
  if (in.broken() || !in.at_end() || out.stack.empty()) return broken;
  return out;
}

}  // namespace ensue::engine
