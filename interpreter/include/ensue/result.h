// Result<T>: a value, or the reason why the world did not give one (a store, a file, a budget, a
// cancelled run).
//
// Mistakes in an author's program are not errors of this kind: they are diagnostics, and travel
// beside the result of a stage. Mistakes of ours are CHECKs. The member names follow std::expected,
// which g++ 12 lacks in C++20, so that the class can be replaced by it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ensue {

// Stable names: they are printed, logged and tested. A code is never reused for another meaning.
enum class ErrorCode : unsigned char {
  kInvalidArgument,  // the caller asked for something that has no meaning
  kNotFound,         // no such file, record, reminder, automation
  kNotPermitted,     // the person may not do this
  kLimitReached,     // a counter of the ledger is at its maximum
  kBoundExceeded,    // a bound of options.h was crossed
  kFault,            // a statement failed in a way the flow could handle
  kIo,               // a file or device failed
  kStorageFull,      // the disk has no room; nothing of the batch was kept
  kStoreLocked,      // another process owns the store
  kStoreTooNew,      // the store was written by a later version
  kStoreDamaged,     // the store does not hold what it should
  kCancelled,        // asked to stop
  kUnsupported,      // parsed and checked, but this version does not run it
};

// The stable name of a code, as in `store_locked`.
const char* error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;  // one sentence, lower case, no full stop
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  Result(ErrorCode code, std::string message) : Result(Error{code, std::move(message)}) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Undefined unless has_value().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Undefined when has_value().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  Result(ErrorCode code, std::string message) : error_(Error{code, std::move(message)}) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace ensue
