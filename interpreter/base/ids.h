// Typed indices. An id names a row of one table; mixing the ids of two tables does not compile.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ensue::base {

template <class Tag>
struct Id {
  static constexpr uint32_t kNoneIndex = UINT32_MAX;
  uint32_t index = kNoneIndex;

  constexpr Id() = default;
  constexpr explicit Id(size_t i) : index(static_cast<uint32_t>(i)) {}

  constexpr bool valid() const { return index != kNoneIndex; }
  constexpr explicit operator bool() const { return valid(); }
  friend constexpr auto operator<=>(Id, Id) = default;
};

// A vector whose rows are reached by their id.
template <class IdType, class T>
class Table {
 public:
  IdType add(T row) {
    rows_.push_back(std::move(row));
    return IdType(rows_.size() - 1);
  }
  T& operator[](IdType id) { return rows_[id.index]; }
  const T& operator[](IdType id) const { return rows_[id.index]; }
  size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }
  auto begin() { return rows_.begin(); }
  auto end() { return rows_.end(); }
  IdType id_of(const T& row) const { return IdType(static_cast<size_t>(&row - rows_.data())); }
  void reserve(size_t count) { rows_.reserve(count); }

 private:
  std::vector<T> rows_;
};

}  // namespace ensue::base

template <class Tag>
struct std::hash<ensue::base::Id<Tag>> {
  size_t operator()(ensue::base::Id<Tag> id) const noexcept {
    return std::hash<uint32_t>{}(id.index);
  }
};
