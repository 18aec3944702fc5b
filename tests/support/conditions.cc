#include "support/conditions.h"

#include <algorithm>

#include "support/worlds.h"

namespace ensue::testing {
namespace {

using types::TypeKind;

const std::vector<TypeKind> kTexts = {TypeKind::kText, TypeKind::kLongText, TypeKind::kEmail,
                                      TypeKind::kPhone, TypeKind::kUrl};

bool is_textual(TypeKind kind) {
  return std::find(kTexts.begin(), kTexts.end(), kind) != kTexts.end();
}
bool is_amount(TypeKind kind) {
  return kind == TypeKind::kNumber || kind == TypeKind::kMoney || kind == TypeKind::kPercent;
}

}  // namespace

std::string Sentence::written() const {
  auto inner = [&](const Sentence& part) {
    bool joined = part.kind == Kind::kAnd || part.kind == Kind::kOr;
    return joined ? "(" + part.written() + ")" : part.written();
  };
  switch (kind) {
    case Kind::kTest: return text;
    case Kind::kNot: return "not (" + parts[0].written() + ")";
    case Kind::kHas: return text + " has (" + parts[0].written() + ")";
    default: break;
  }
  std::string out;
  for (const Sentence& part : parts)
    out += (out.empty() ? "" : kind == Kind::kAnd ? " and " : " or ") + inner(part);
  return out;
}

std::vector<Sentence> smaller_ones(const Sentence& sentence) {
  std::vector<Sentence> out;
  bool joined = sentence.kind == Sentence::Kind::kAnd || sentence.kind == Sentence::Kind::kOr;
  if (joined || sentence.kind == Sentence::Kind::kNot) out = sentence.parts;
  for (size_t i = 0; i < sentence.parts.size(); ++i) {
    if (joined && sentence.parts.size() > 2) {
      Sentence fewer = sentence;
      fewer.parts.erase(fewer.parts.begin() + static_cast<std::ptrdiff_t>(i));
      out.push_back(std::move(fewer));
    }
    for (Sentence& part : smaller_ones(sentence.parts[i])) {
      Sentence with = sentence;
      with.parts[i] = std::move(part);
      out.push_back(std::move(with));
    }
  }
  return out;
}

// ---- Shape ------------------------------------------------------------------------------------

Sentence ConditionWriter::condition(types::ObjectId object) {
  return any_of_kind({object, object, false}, options_.tests_max);
}

Sentence ConditionWriter::any_of_kind(const Scope& scope, int budget) {
  if (budget <= 1 || random_.chance(30))
    return options_.relations && random_.chance(12) ? has(scope, budget) : test(scope);
  if (random_.chance(15)) return {Sentence::Kind::kNot, "", {any_of_kind(scope, budget - 1)}};
  Sentence out{random_.chance(50) ? Sentence::Kind::kAnd : Sentence::Kind::kOr, "", {}};
  int count = static_cast<int>(random_.between(2, std::min(budget, 3)));
  for (int i = 0; i < count; ++i) out.parts.push_back(any_of_kind(scope, budget / count));
  return out;
}

Sentence ConditionWriter::has(const Scope& scope, int budget) {
  struct Relation {
    std::string parent;  // the path; empty: the record itself
    types::ObjectId child;
    std::string children;
  };
  std::vector<Relation> relations;
  auto relate = [&](const std::string& path, types::ObjectId parent) {
    for (const char* child : {"Contact", "Case", "Opportunity", "OpportunityLineItem", "Task",
                              "CampaignMember", "OpportunityContactRole"}) {
      types::ObjectId object = schema_.find_object(child);
      for (types::FieldId lookup : schema_.lookups_to(object, parent)) {
        const types::Field& field = schema_.object(object).field(lookup);
        if (field.children.empty()) continue;
        relations.push_back({path, object, field.children});
        if (schema_.lookups_to(object, parent).size() == 1)
          relations.push_back({path, object, child});
      }
    }
  };
  relate("", scope.bare);
  for (const types::Field& field : schema_.object(scope.bare).fields) {
    if (!field.type.is(TypeKind::kRecord)) continue;
    const auto& objects = schema_.objects_of(field.type.objects);
    if (objects.size() == 1) relate(field.name, objects[0]);
  }
  if (relations.empty()) return test(scope);
  Relation relation = random_.pick(relations);
  std::string head = std::string(random_.word({"any ", "no ", "each "})) + relation.children;
  if (!relation.parent.empty()) head += " of " + relation.parent;
  Scope inner{relation.child, scope.it, true};
  return {Sentence::Kind::kHas, head, {any_of_kind(inner, std::min(budget, 2))}};
}

std::string ConditionWriter::numbered(const Sentence& sentence) const {
  std::string lines;
  int count = 0;
  auto logic = [&](auto&& self, const Sentence& at) -> std::string {
    if (at.kind == Sentence::Kind::kNot) return "not (" + self(self, at.parts[0]) + ")";
    bool joined = at.kind == Sentence::Kind::kAnd || at.kind == Sentence::Kind::kOr;
    if (!joined) {
      lines += std::to_string(++count) + ": " + at.written() + "\n     ";
      return std::to_string(count);
    }
    std::string out;
    for (const Sentence& part : at.parts) {
      out += out.empty() ? "" : at.kind == Sentence::Kind::kAnd ? " and " : " or ";
      bool inner = part.kind == Sentence::Kind::kAnd || part.kind == Sentence::Kind::kOr;
      out += inner ? "(" + self(self, part) + ")" : self(self, part);
    }
    return out;
  };
  std::string by = logic(logic, sentence);
  return lines + "by logic " + by;
}

// ---- Paths ------------------------------------------------------------------------------------

std::string ConditionWriter::recased(std::string text) {
  if (!random_.chance(15)) return text;
  for (char& c : text) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && random_.chance(50)) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

std::string ConditionWriter::spelled(const types::Object& object, const types::Field& field) {
  if (random_.chance(10)) return recased(field.stored_as);
  bool unique =
      std::count_if(object.fields.begin(), object.fields.end(), [&](const types::Field& other) {
        return other.label == field.label || other.name == field.label;
      }) == 1;
  if (random_.chance(10) && unique && field.label.find('.') == std::string::npos)
    return "[" + field.label + "]";
  return recased(field.name);
}

ConditionWriter::FieldPath ConditionWriter::path(const Scope& scope,
                                                 const std::vector<TypeKind>& kinds) {
  bool from_it = scope.searched && random_.chance(15);
  types::ObjectId object = from_it ? scope.it : scope.bare;
  std::string text = from_it || (!scope.searched && random_.chance(10)) ? "it." : "";
  bool own = !scope.searched || from_it;
  int hops_max = options_.hops_max;
  if (!scope.searched && hops_max > 0 && random_.chance(4)) {
    --hops_max;
    object = schema_.find_object("User");
    text = random_.chance(50) ? "its Owner." : "me.";
    own = false;
  }
  int hops = static_cast<int>(random_.below(100));
  hops = std::min(hops_max, hops < 75 ? 0 : hops < 94 ? 1 : 2);
  for (int i = 0; i < hops; ++i) {
    std::vector<const types::Field*> lookups;
    for (const types::Field& field : schema_.object(object).fields) {
      if (field.type.is(TypeKind::kRecord) && schema_.objects_of(field.type.objects).size() == 1)
        lookups.push_back(&field);
    }
    if (lookups.empty()) break;
    const types::Field* lookup = random_.pick(lookups);
    text += spelled(schema_.object(object), *lookup) + ".";
    object = schema_.objects_of(lookup->type.objects)[0];
    own = false;
  }
  std::vector<const types::Field*> fields;
  for (const types::Field& field : schema_.object(object).fields) {
    bool fits = kinds.empty()
                    ? field.name != "Id"
                    : std::find(kinds.begin(), kinds.end(), field.type.kind) != kinds.end();
    if (fits) fields.push_back(&field);
  }
  if (fields.empty()) return {};
  const types::Field* field = random_.pick(fields);
  return {text + spelled(schema_.object(object), *field), field, own};
}

ConditionWriter::FieldPath ConditionWriter::any_path(const Scope& scope) {
  // Each kind of value as often as the others, not as often as there are fields of it.
  const std::vector<std::vector<TypeKind>> kinds = {kTexts,
                                                    {TypeKind::kPicklist},
                                                    {TypeKind::kMultipicklist},
                                                    {TypeKind::kNumber},
                                                    {TypeKind::kMoney},
                                                    {TypeKind::kPercent},
                                                    {TypeKind::kDate},
                                                    {TypeKind::kDatetime},
                                                    {TypeKind::kTime},
                                                    {TypeKind::kBoolean},
                                                    {TypeKind::kRecord},
                                                    {TypeKind::kMoney}};
  for (;;) {
    FieldPath found = path(scope, random_.pick(kinds));
    if (found.field != nullptr) return found;
  }
}

// ---- Tests ------------------------------------------------------------------------------------

Sentence ConditionWriter::test(const Scope& scope) {
  if (!scope.searched && options_.changes && random_.chance(3))
    return {Sentence::Kind::kTest, "is new", {}};
  if (options_.expressions && random_.chance(3)) {  // the last digit tells how it was rounded
    std::string quotient = "(" + amount(scope, TypeKind::kNumber, 0) + " / " +
                           random_.word({"7", "13", "0.3", "9_999_991"}) + ")";
    return {Sentence::Kind::kTest,
            "text(" + quotient + ") ends with \"" + std::to_string(random_.below(10)) + "\"",
            {}};
  }
  FieldPath left = any_path(scope);
  bool change = options_.changes && left.own && random_.chance(20);
  return {Sentence::Kind::kTest, change ? change_of(left) : test_of(scope, left), {}};
}

std::string ConditionWriter::change_of(const FieldPath& left) {
  std::string out = left.text + " changed";
  auto side = [&] {
    bool moment = left.field->type.is(TypeKind::kDate) && random_.chance(25);
    return moment ? datetime_literal() : literal(*left.field);
  };
  if (random_.chance(40)) out += " from " + side();
  if (random_.chance(50)) out += " to " + side();
  return out;
}

std::string ConditionWriter::test_of(const Scope& scope, const FieldPath& left) {
  if (random_.chance(7)) return left.text + random_.word({" is blank", " is not blank"});
  const std::string not_or = random_.chance(35) ? "not " : "";
  if (random_.chance(12)) {
    std::string items = literal(*left.field);
    for (int64_t i = random_.between(0, 2); i > 0; --i) items += ", " + literal(*left.field);
    return left.text + " is " + not_or + "one of (" + items + ")";
  }
  TypeKind kind = left.field->type.kind;
  switch (kind) {
    case TypeKind::kBoolean:
      return random_.chance(40) ? left.text
                                : left.text + " is " + not_or + random_.word({"true", "false"});
    case TypeKind::kPicklist:
      if (random_.chance(75)) {
        return left.text + " is " + not_or + literal(*left.field);
      }
      return text_test(scope, left);
    case TypeKind::kMultipicklist:
      return left.text + (random_.chance(50) ? " contains " : " is " + not_or) +
             literal(*left.field);
    case TypeKind::kRecord: return record_test(scope, left);
    default: break;
  }
  if (is_textual(kind)) return text_test(scope, left);
  std::string from = options_.expressions && random_.chance(35) ? beside(scope, kind) : left.text;
  return ordered_test(scope, from, kind);
}

std::string ConditionWriter::ordered_test(const Scope& scope, const std::string& left,
                                          TypeKind kind) {
  auto right = [&] { return beside(scope, kind); };
  if (random_.chance(15))
    return left + " is " + (random_.chance(30) ? "not " : "") + "between " + right() + " and " +
           right();
  bool timely = !is_amount(kind);
  if (timely && random_.chance(50)) {
    return left + random_.word({" is before ", " is after "}) + right();
  }
  return left + random_.word({" = ", " != ", " < ", " <= ", " > ", " >= ", " is ", " is not "}) +
         right();
}

std::string ConditionWriter::text_test(const Scope& scope, const FieldPath& left) {
  bool picklist = left.field->type.is(TypeKind::kPicklist);
  std::string from =
      options_.expressions && !picklist && random_.chance(30) ? text(scope, 2) : left.text;
  std::string right =
      random_.chance(70) ? text_literal() : text(scope, options_.expressions ? 1 : 0);
  // A value of a picklist has the declared letter case, however it is written.
  std::string exactly = !picklist && random_.chance(25) ? "exactly " : "";
  switch (random_.below(picklist ? 3 : 8)) {
    case 0: return from + " contains " + exactly + right;
    case 1: return from + " starts with " + exactly + right;
    case 2: return from + " ends with " + exactly + right;
    case 3: return from + random_.word({" < ", " <= ", " > ", " >= "}) + right;
    case 4:
      return from + " is " + (random_.chance(30) ? "not " : "") + "between " + text_literal() +
             " and " + text_literal();
    default: return from + " is " + (random_.chance(35) ? "not " : "") + exactly + right;
  }
}

std::string ConditionWriter::record_test(const Scope& scope, const FieldPath& left) {
  const std::string is = left.text + (random_.chance(35) ? " is not " : " is ");
  const auto& objects = schema_.objects_of(left.field->type.objects);
  bool user = objects[0] == schema_.find_object("User");
  if (user && random_.chance(30)) return is + "me";
  if (user && random_.chance(30))
    return is + "user \"" + random_.word({"ana", "BOB", "005mona", "mona", "nobody"}) + "\"";
  if (user && random_.chance(30)) return is + (scope.searched ? "its Owner" : "CreatedBy");
  return is + literal(*left.field);
}

// ---- Values -----------------------------------------------------------------------------------

std::string ConditionWriter::quoted(const std::string& text) const {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string ConditionWriter::number_literal() {
  return random_.word({"0", "1", "2", "3", "10", "10.5", "-3", "250_000", "7", "0.125", "100",
                       "1_000_000_000_000"});
}

std::string ConditionWriter::date_literal() {
  return random_.word({"2026-03-29", "2026-03-28", "2026-02-28", "2024-02-29", "2026-12-25",
                       "2025-03-29", "today"});
}

std::string ConditionWriter::datetime_literal() {
  return random_.word({"2026-03-29T00:00", "2026-03-29T02:30", "2026-10-25T02:30",
                       "2026-03-29T10:00 in \"America/New_York\"", "2026-03-28T23:00Z",
                       "2026-03-29T11:30+02:00", "now"});
}

std::string ConditionWriter::text_literal() {
  std::string text = random_.pick(some_texts());
  if (!random_.chance(20)) return quoted(text);
  size_t half = 1 + text.size() / 2;
  while (half < text.size() && (static_cast<unsigned char>(text[half]) & 0xC0) == 0x80)
    ++half;  // not inside a letter
  return quoted(text.substr(0, half));
}

std::string ConditionWriter::duration(bool days_or_longer) {
  std::string count = random_.word({"0 ", "1 ", "2 ", "5 ", "30 ", "13 "});
  if (options_.business && random_.chance(10))
    return count + (days_or_longer ? "business days" : "business hours");
  if (days_or_longer) return count + random_.word({"days", "day", "weeks", "months", "years"});
  return count + random_.word({"days", "weeks", "months", "hours", "minutes", "seconds"});
}

std::string ConditionWriter::literal(const types::Field& field) {
  if (random_.chance(4)) return "blank";
  switch (field.type.kind) {
    case TypeKind::kBoolean: return random_.word({"true", "false"});
    case TypeKind::kNumber: return number_literal();
    case TypeKind::kPercent: return number_literal() + "%";
    case TypeKind::kMoney: {
      std::string number = number_literal();
      return number[0] == '-' ? number : number + (random_.chance(80) ? " USD" : " EUR");
    }
    case TypeKind::kDate: return date_literal();
    case TypeKind::kDatetime: return datetime_literal();
    case TypeKind::kTime: return random_.word({"00:00", "09:00", "15:00", "23:00"});
    case TypeKind::kRecord: {
      const auto& objects = schema_.objects_of(field.type.objects);
      return quoted(random_.pick(ids_of(schema_.object(random_.pick(objects)))));
    }
    case TypeKind::kPicklist:
    case TypeKind::kMultipicklist: {
      const types::Picklist& picklist = schema_.picklist(field.type.picklist);
      return quoted(
          recased(picklist.values[random_.below(std::min<size_t>(picklist.values.size(), 4))]));
    }
    default: return text_literal();
  }
}

// A value that may stand beside one of `kind`.
std::string ConditionWriter::beside(const Scope& scope, TypeKind kind) {
  int depth = options_.expressions ? 2 : 0;
  bool mixed = options_.mixed_dates && random_.chance(15);
  switch (kind) {
    case TypeKind::kMoney:  // a plain number may stand beside money, but is none itself
      return random_.chance(30) ? amount(scope, TypeKind::kNumber, depth)
                                : amount(scope, kind, depth);
    case TypeKind::kNumber:
    case TypeKind::kPercent: return amount(scope, kind, depth);
    case TypeKind::kDate:
      return moment(scope, !mixed ? TypeKind::kDate : TypeKind::kDatetime, depth);
    case TypeKind::kDatetime:
      return moment(scope, !mixed ? TypeKind::kDatetime : TypeKind::kDate, depth);
    default: return random_.word({"00:00", "09:00", "15:00", "23:00"});
  }
}

std::string ConditionWriter::amount(const Scope& scope, TypeKind kind, int depth) {
  if (depth > 0 && kind == TypeKind::kNumber && random_.chance(55)) {
    auto number = [&] { return amount(scope, TypeKind::kNumber, depth - 1); };
    auto date = [&] {
      return moment(scope, random_.chance(80) ? TypeKind::kDate : TypeKind::kDatetime, depth - 1);
    };
    auto money = [&] { return amount(scope, TypeKind::kMoney, depth - 1); };
    switch (random_.below(16)) {
      case 0: return "(" + number() + random_.word({" + ", " - ", " * ", " / "}) + number() + ")";
      case 1: return "(" + money() + " / " + money() + ")";
      case 2: return "(" + number() + " * " + amount(scope, TypeKind::kPercent, depth - 1) + ")";
      case 3: return "length(" + text(scope, depth - 1) + ")";
      case 4:
        return "round(" + number() +
               (random_.chance(50) ? ")"
                                   : ", " + std::string(random_.word({"0", "1", "2", "5"})) + ")");
      case 5: return random_.word({"abs(", "floor(", "ceiling("}) + number() + ")";
      case 6: return "number(" + (random_.chance(50) ? text(scope, depth - 1) : money()) + ")";
      case 7: return "days_between(" + date() + ", " + date() + ")";
      case 8: return "months_between(" + date() + ", " + date() + ")";
      case 9:
        return "hours_between(" + moment(scope, TypeKind::kDatetime, depth - 1) + ", " +
               moment(scope, TypeKind::kDatetime, depth - 1) + ")";
      case 10: return random_.word({"year(", "month(", "day(", "weekday("}) + date() + ")";
      case 11:
        return "hour(" +
               moment(scope, random_.chance(50) ? TypeKind::kDate : TypeKind::kDatetime,
                      depth - 1) +
               ")";
      case 12:
        return random_.word({"smaller(", "larger(", "first_given("}) + number() + ", " + number() +
               ")";
      case 13: return "-(" + number() + ")";
      case 14: return "round(" + money() + ", 1)";
      default: return "(" + number() + " / 7)";
    }
  }
  if (depth > 0 && kind == TypeKind::kMoney && random_.chance(45)) {
    auto money = [&] { return amount(scope, TypeKind::kMoney, depth - 1); };
    switch (random_.below(6)) {
      case 0: return "(" + money() + random_.word({" + ", " - "}) + money() + ")";
      case 1:
        return "(" + money() + random_.word({" * ", " / "}) +
               amount(scope, TypeKind::kNumber, depth - 1) + ")";
      case 2: return "(" + money() + " * " + amount(scope, TypeKind::kPercent, depth - 1) + ")";
      case 3:
        return random_.word({"smaller(", "larger(", "first_given("}) + money() + ", " + money() +
               ")";
      case 4: return "(" + money() + " / 7)";
      default: return "-(" + money() + ")";
    }
  }
  if (depth > 0 && kind == TypeKind::kPercent && random_.chance(30)) {
    auto percent = [&] { return amount(scope, TypeKind::kPercent, depth - 1); };
    return "(" + percent() + random_.word({" + ", " - "}) + percent() + ")";
  }
  FieldPath from = random_.chance(45) ? path(scope, {kind}) : FieldPath();
  if (from.field != nullptr) return from.text;
  if (kind != TypeKind::kMoney) return number_literal() + (kind == TypeKind::kPercent ? "%" : "");
  return random_.word({"0", "1", "2", "10.5", "250_000", "100"}) +
         std::string(random_.chance(80) ? " USD" : " EUR");
}

std::string ConditionWriter::text(const Scope& scope, int depth) {
  if (depth > 0 && random_.chance(60)) {
    auto part = [&] { return text(scope, depth - 1); };
    switch (random_.below(12)) {
      case 0: return random_.word({"upper(", "lower(", "trim(", "domain("}) + part() + ")";
      case 1:
        return random_.word({"left(", "right("}) + part() + ", " +
               amount(scope, TypeKind::kNumber, 0) + ")";
      case 2: return "replace(" + part() + ", " + text_literal() + ", " + text_literal() + ")";
      case 3: return "first_given(" + part() + ", " + part() + ")";
      case 4: return random_.word({"smaller(", "larger("}) + part() + ", " + part() + ")";
      case 5: return "text(" + amount(scope, TypeKind::kNumber, depth) + ")";
      case 6: return "right(text(" + amount(scope, TypeKind::kMoney, depth) + "), 5)";
      case 7:
        return "text(" +
               moment(scope, random_.chance(50) ? TypeKind::kDate : TypeKind::kDatetime,
                      depth - 1) +
               ")";
      case 8: {
        FieldPath any = any_path(scope);
        return "text(" + any.text + ")";
      }
      default: {
        FieldPath first = any_path(scope);
        FieldPath second = any_path(scope);
        return "\"" + std::string(random_.word({"", "a ", "Acme", "{{"})) + "{" + first.text + "}" +
               random_.word({"", " ", "-"}) + "{" + second.text + "}\"";
      }
    }
  }
  FieldPath from = random_.chance(60) ? path(scope, kTexts) : FieldPath();
  return from.field != nullptr ? from.text : text_literal();
}

std::string ConditionWriter::moment(const Scope& scope, TypeKind kind, int depth) {
  bool date = kind == TypeKind::kDate;
  if (random_.chance(20)) return duration(date) + random_.word({" ago", " from now"});
  if (depth > 0 && random_.chance(35)) {
    switch (random_.below(4)) {
      case 0:
      case 1:
        return "(" + moment(scope, kind, 0) + random_.word({" + ", " - "}) + duration(date) + ")";
      case 2:
        return random_.word({"smaller(", "larger(", "first_given("}) + moment(scope, kind, 0) +
               ", " + moment(scope, kind, 0) + ")";
      default:
        if (date) return "date_of(" + moment(scope, TypeKind::kDatetime, depth - 1) + ")";
    }
  }
  FieldPath from = random_.chance(55) ? path(scope, {kind}) : FieldPath();
  if (from.field != nullptr) return from.text;
  return date ? date_literal() : datetime_literal();
}

}  // namespace ensue::testing
