// Shared<T>: a part that most units have in common, or that few units have at all.
//
// Half a million actions hold one and the same body, and none of the rows that only screens need.
// A unit keeps one word for such a part: null where it is a T as it is made. Reading costs an
// indirection; who changes it gets a copy of his own. A std::shared_ptr would take two words.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace ensue::plan {

// Threads may read and copy what they share; edit() and assignment belong to one thread, as with
// any value.
template <class T>
class Shared {
 public:
  Shared() = default;
  explicit Shared(T value) : held_(new Held{std::move(value)}) {}
  Shared(const Shared& other) : held_(other.held_) {
    if (held_ != nullptr) held_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~Shared() {
    bool last = held_ != nullptr && held_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if (last) delete held_;
  }

  const T& operator*() const { return held_ == nullptr ? plain() : held_->value; }
  const T* operator->() const { return &**this; }
  T& edit() {
    bool own = held_ != nullptr && held_->holders.load(std::memory_order_acquire) == 1;
    if (!own) *this = Shared(**this);
    return held_->value;
  }
  bool is_plain() const { return held_ == nullptr; }

 private:
  struct Held {
    T value;
    std::atomic<uint32_t> holders{1};
  };

  static const T& plain() {
    static const T kPlain{};
    return kPlain;
  }
  Held* held_ = nullptr;
};

}  // namespace ensue::plan
