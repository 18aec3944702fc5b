#include "value/compare.h"

#include <algorithm>

#include "base/fold.h"
#include "value/decimal.h"

namespace ensue::value {
namespace {

Ordering from(std::strong_ordering order) {
  if (order == std::strong_ordering::equal) return Ordering::kEqual;
  return order == std::strong_ordering::less ? Ordering::kLess : Ordering::kGreater;
}

Ordering from_int(int order) {
  return order == 0 ? Ordering::kEqual : order < 0 ? Ordering::kLess : Ordering::kGreater;
}

bool currencies_clash(const Value& a, const Value& b) {
  return a.is(Value::Kind::kMoney) && b.is(Value::Kind::kMoney) && a.as_currency().given() &&
         b.as_currency().given() && !(a.as_currency() == b.as_currency());
}

bool equal_texts(std::string_view a, std::string_view b, TextCase text_case) {
  return text_case == TextCase::kExact ? a == b : base::equal_folded(a, b);
}

bool list_contains(const Value& list, std::string_view text, TextCase text_case) {
  auto items = list.as_list();
  return std::any_of(items.begin(), items.end(), [&](const Value& item) {
    return equal_texts(item.as_text(), text, text_case);
  });
}

bool same_lists(const Value& a, const Value& b) {
  auto x = a.as_list();
  auto y = b.as_list();
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), same_stored);
}

}  // namespace

bool same_stored(const Value& a, const Value& b) {
  if (a.is_numeric() && b.is_numeric()) return equal_decimals(a.as_decimal(), b.as_decimal());
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kBlank: return true;
    case Value::Kind::kText: return a.as_text() == b.as_text();
    case Value::Kind::kList: return same_lists(a, b);
    case Value::Kind::kBoolean: return a.truth() == b.truth();
    case Value::Kind::kDate: return a.as_date() == b.as_date();
    case Value::Kind::kDatetime: return a.as_instant() == b.as_instant();
    case Value::Kind::kTime: return a.as_time() == b.as_time();
    case Value::Kind::kDuration: return a.as_duration() == b.as_duration();
    default: return false;
  }
}

Ordering compare_equal(const Value& a, const Value& b, TextCase text_case) {
  if (currencies_clash(a, b)) return Ordering::kFault;
  bool equal = false;
  if (a.is(Value::Kind::kText) && b.is(Value::Kind::kText)) {
    equal = equal_texts(a.as_text(), b.as_text(), text_case);
  } else if (a.is(Value::Kind::kList) && b.is(Value::Kind::kText)) {
    equal = list_contains(a, b.as_text(), text_case);
  } else {
    equal = same_stored(a, b);
  }
  return equal ? Ordering::kEqual : Ordering::kUnordered;
}

Ordering compare_order(const Value& a, const Value& b) {
  if (a.is_blank() || b.is_blank()) return Ordering::kUnordered;
  if (currencies_clash(a, b)) return Ordering::kFault;
  if (a.is_numeric() && b.is_numeric())
    return from(compare_decimals(a.as_decimal(), b.as_decimal()));
  if (a.kind() != b.kind()) return Ordering::kUnordered;
  switch (a.kind()) {
    case Value::Kind::kText: return from_int(base::compare_folded(a.as_text(), b.as_text()));
    case Value::Kind::kDate: return from(a.as_date() <=> b.as_date());
    case Value::Kind::kDatetime: return from(a.as_instant() <=> b.as_instant());
    case Value::Kind::kTime: return from(a.as_time() <=> b.as_time());
    default: return Ordering::kUnordered;
  }
}

bool test_text(const Value& text, TextTest test, const Value& part, TextCase text_case) {
  if (text.is_blank() || part.is_blank()) return false;
  if (text.is(Value::Kind::kList))
    return test == TextTest::kContains && list_contains(text, part.as_text(), text_case);
  std::string_view whole = text.as_text();
  std::string_view wanted = part.as_text();
  bool exact = text_case == TextCase::kExact;
  switch (test) {
    case TextTest::kContains:
      return exact ? whole.find(wanted) != std::string_view::npos
                   : base::contains_folded(whole, wanted);
    case TextTest::kStartsWith:
      return exact ? whole.starts_with(wanted) : base::starts_with_folded(whole, wanted);
    case TextTest::kEndsWith:
      return exact ? whole.ends_with(wanted) : base::ends_with_folded(whole, wanted);
  }
  return false;
}

int total_order(const Value& a, const Value& b) {
  if (a.is_numeric() && b.is_numeric()) {
    auto order = compare_decimals(a.as_decimal(), b.as_decimal());
    return order == std::strong_ordering::equal ? 0 : order == std::strong_ordering::less ? -1 : 1;
  }
  if (a.kind() != b.kind()) return a.kind() < b.kind() ? -1 : 1;
  switch (a.kind()) {
    case Value::Kind::kBlank: return 0;
    case Value::Kind::kBoolean: return static_cast<int>(a.truth()) - static_cast<int>(b.truth());
    case Value::Kind::kText: {
      int folded = base::compare_folded(a.as_text(), b.as_text());
      return folded != 0 ? folded : a.as_text().compare(b.as_text());
    }
    case Value::Kind::kList: {
      auto x = a.as_list();
      auto y = b.as_list();
      for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
        if (int order = total_order(x[i], y[i])) return order;
      }
      return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;
    }
    default: {
      int64_t x =
          a.as_instant()
              .ms;  // dates, datetimes, times and durations keep their number in the same place
      int64_t y = b.as_instant().ms;
      return x < y ? -1 : x > y ? 1 : 0;
    }
  }
}

}  // namespace ensue::value
