#include "ensue/value.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace ensue {

Currency Currency::of(std::string_view code) {
  if (code.size() != 3) return {};
  uint16_t packed = 0;
  for (char c : code) {
    if (c < 'A' || c > 'Z') return {};
    packed = static_cast<uint16_t>(packed << 5 | (c - 'A' + 1));
  }
  return {packed};
}

std::string Currency::code() const {
  if (packed == 0) return {};
  std::string out(3, ' ');
  for (int i = 0; i < 3; ++i)
    out[static_cast<size_t>(2 - i)] = static_cast<char>('A' - 1 + (packed >> (5 * i) & 31));
  return out;
}

// A body is one allocation: the header, then the bytes of the text, or the values of the list, or
// the texts of a block.
Value Value::text(std::string_view bytes) {
  Value out;
  if (bytes.empty()) return out;
  void* memory = std::malloc(sizeof(Body) + bytes.size());
  if (memory == nullptr) throw std::bad_alloc();
  Body* body = new (memory) Body;
  body->size = static_cast<uint32_t>(bytes.size());
  std::memcpy(reinterpret_cast<char*>(body + 1), bytes.data(), bytes.size());
  out.bits_.kind = Kind::kText;
  out.bits_.offset = offsetof(Body, size);
  out.bits_.body = body;
  return out;
}

TextBlock::TextBlock(size_t count, size_t bytes) {
  if (count == 0) return;
  bytes_ = sizeof(Value::Body) + count * sizeof(uint32_t) + bytes;
  used_ = sizeof(Value::Body);
  void* memory = std::malloc(bytes_);
  if (memory == nullptr) throw std::bad_alloc();
  holder_.bits_.kind = Value::Kind::kText;
  holder_.bits_.offset = offsetof(Value::Body, size);
  holder_.bits_.body = new (memory) Value::Body;
  ahead_ = static_cast<uint32_t>(count);
  holder_.bits_.body->references.store(ahead_ + 1, std::memory_order_relaxed);
}

// The holder's own reference is left, and goes with it.
TextBlock::~TextBlock() {
  if (ahead_ > 0) holder_.bits_.body->references.fetch_sub(ahead_, std::memory_order_acq_rel);
}

Value TextBlock::text_beside(std::string_view bytes, bool plain) {
  bool fits = !bytes.empty() && bytes.size() <= kLongest &&
              sizeof(uint32_t) + bytes.size() <= bytes_ - used_;
  if (fits) {
    Value reference = holder_;
    return put(std::exchange(reference.bits_, {}), bytes, plain);
  }
  Value out = Value::text(bytes);
  if (!out.is_blank()) out.bits_.scale = plain ? 1 : 0;
  return out;
}

Value Value::list(std::vector<Value> items) {
  Value out;
  if (items.empty()) return out;
  static_assert(alignof(Value) <= alignof(Body) * 2 && sizeof(Body) % alignof(Value) == 0);
  void* memory = std::malloc(sizeof(Body) + items.size() * sizeof(Value));
  if (memory == nullptr) throw std::bad_alloc();
  Body* body = new (memory) Body;
  body->size = static_cast<uint32_t>(items.size());
  auto* values = reinterpret_cast<Value*>(body + 1);
  for (size_t i = 0; i < items.size(); ++i) new (values + i) Value(std::move(items[i]));
  out.bits_.kind = Kind::kList;
  out.bits_.body = body;
  return out;
}

std::span<const Value> Value::as_list() const {
  if (bits_.kind != Kind::kList) return {};
  return {reinterpret_cast<const Value*>(bits_.body + 1), bits_.body->size};
}

Value Value::with_currency(Currency c) const {
  if (!is_numeric()) return *this;
  return money(as_decimal(), c);
}

std::vector<Value> Value::copies(std::span<const Value> values) {
  std::vector<Value> out(values.size());
  Body* body = nullptr;
  uint32_t count = 0;
  auto count_in = [&] {
    if (body != nullptr) body->references.fetch_add(count, std::memory_order_relaxed);
    count = 0;
  };
  for (size_t i = 0; i < values.size(); ++i) {
    out[i].bits_ = values[i].bits_;
    if (!values[i].shared()) continue;
    if (values[i].bits_.body != body) count_in();
    body = values[i].bits_.body;
    ++count;
  }
  count_in();
  return out;
}

void Value::clear(std::span<Value> values) {
  Bits last;
  uint32_t count = 0;
  auto count_out = [&] {
    if (count == 0) return;
    bool all = last.body->references.fetch_sub(count, std::memory_order_acq_rel) == count;
    count = 0;
    if (!all) return;
    Value gone;
    gone.bits_ = last;
    gone.destroy();
    gone.bits_ = {};
  };
  for (Value& value : values) {
    if (value.shared()) {
      if (value.bits_.body != last.body) count_out();
      last = value.bits_;
      ++count;
    }
    value.bits_ = {};
  }
  count_out();
}

void Value::destroy() {
  if (bits_.kind == Kind::kList) {
    auto* values = reinterpret_cast<Value*>(bits_.body + 1);
    for (uint32_t i = 0; i < bits_.body->size; ++i) values[i].~Value();
  }
  bits_.body->~Body();
  std::free(bits_.body);
}

}  // namespace ensue
