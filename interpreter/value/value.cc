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

// A body is one allocation: the header, then the bytes of the text, or the values of the list.
Value Value::text(std::string_view bytes, bool plain) {
  Value out;
  if (bytes.empty()) return out;
  void* memory = std::malloc(sizeof(Body) + bytes.size());
  if (memory == nullptr) throw std::bad_alloc();
  Body* body = new (memory) Body;
  body->size = static_cast<uint32_t>(bytes.size());
  std::memcpy(reinterpret_cast<char*>(body + 1), bytes.data(), bytes.size());
  out.bits_.kind = Kind::kText;
  out.bits_.scale = plain ? 1 : 0;
  out.bits_.offset = offsetof(Body, size);
  out.bits_.body = body;
  return out;
}

Value Value::text_with_parts(std::string_view bytes, std::span<const Part> parts) {
  Value out = text(bytes);
  if (parts.empty()) return out;
  Body* body = out.bits_.body;
  body->references.store(static_cast<uint32_t>(parts.size()) + 1, std::memory_order_relaxed);
  for (const Part& part : parts) {
    part.value->release();
    // Not copied from `out`, whose bytes have just been written one by one: to read them together
    // the processor would wait until all that was written before them is out of its hands.
    Bits& bits = part.value->bits_;
    bits.kind = Kind::kText;
    bits.scale = 1;
    bits.extra = part.size;
    bits.offset = static_cast<uint32_t>(sizeof(Body)) + part.begin;
    bits.body = body;
  }
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
    value.bits_.kind = Kind::kBlank;
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
