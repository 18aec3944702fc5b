// What the rule index leaves out, and what it must not.
#include <catch2/catch.hpp>

#include "match/rule_index.h"
#include "support/programs.h"

namespace ensue::match {
namespace {

constexpr const char* kPrelude =
    "cadence \"C\"\n  track main\n    step \"Call\" immediately: call\nend\n";

std::string flow(const std::string& name, const std::string& condition) {
  return "flow \"" + name + "\"\n  when Lead is created or edited\n  and meets " + condition +
         "\n  run as the owner\n  add it to cadence \"C\"\nend\n";
}

std::string nobody(const std::string&) { return ""; }

// The program of flows with these conditions, named A, B, C, …
class Index {
 public:
  explicit Index(const std::vector<std::string>& conditions) {
    std::string text = kPrelude;
    for (size_t i = 0; i < conditions.size(); ++i)
      text += flow(std::string(1, static_cast<char>('A' + i)), conditions[i]);
    program_ = testing::program_of(text);
    index_ = RuleIndex(program_->units, program_->schema(), program_->options.bounds.run_steps_max,
                       nobody);
    record_.object = program_->schema().find_object("Lead");
    record_.id = "00Q1";
  }

  Index& set(const char* field, Value value) {
    types::FieldId id = program_->schema().object(record_.object).find_stored(field);
    record_.fields.set(id, std::move(value));
    return *this;
  }
  std::string found(Instant now = {1'774'776'600'000}) {
    types::FieldSet changed;
    std::string out;
    for (uint32_t number :
         index_.may_start({&record_, &changed, plan::kCreated, true, now}, "", {}))
      out += program_->units[number]->name;
    return out;
  }
  const RuleIndex& index() const { return index_; }

 private:
  engine::ProgramPtr program_;
  RuleIndex index_;
  types::Record record_;
};

Value text(const char* bytes) { return Value::text(bytes); }
Value number(int64_t n) { return Value::number(n); }

}  // namespace

TEST_CASE("what is found follows the values of the record") {
  Index index({"Rating is \"Hot\"", "Rating is not \"Hot\"", "Rating is blank",
               "NumberOfEmployees is between 10 and 20", "not (NumberOfEmployees > 15)",
               "LastName starts with \"mei\"", "Rating is one of (\"Hot\", \"Cold\")"});
  CHECK(index.found() == "BCE");
  CHECK(index.set("Rating", text("HOT")).found() == "AEG");
  CHECK(index.set("NumberOfEmployees", number(12)).found() == "ADEG");
  CHECK(index.set("NumberOfEmployees", number(16)).found() == "ADG");
  CHECK(index.set("LastName", text("Meier")).found() == "ADFG");
  CHECK(index.set("Rating", text("Warm")).found() == "BDF");
}

TEST_CASE("a term that may fault is always asked, and hides those after it") {
  Index index({"1 / NumberOfEmployees > 2 and Rating is \"Hot\"",
               "Rating is \"Hot\" and 1 / NumberOfEmployees > 2",
               "Rating is \"Hot\" or 1 / NumberOfEmployees > 2",
               "not (Rating is \"Hot\" and 1 / NumberOfEmployees > 2)"});
  CHECK(index.set("Rating", text("Cold")).found() == "ACD");
  CHECK(index.set("Rating", text("Hot")).found() == "ABCD");
}

TEST_CASE("what is not understood is asked, with what is understood beside it") {
  Index index({"Owner.Department is \"Sales\"",
               "Owner.Department is \"Sales\" and Rating is \"Hot\"",
               "CreatedDate is after 3 days ago and Rating is \"Hot\"",
               "any Task of it has (Status is \"Completed\") and Rating is \"Hot\""});
  CHECK(index.set("Rating", text("Cold")).found() == "AD");
  // A duration before the first year is a fault.
  CHECK(index.found({-62'135'596'800'000}) == "ABCD");
}

TEST_CASE("a value that is not of its field's kind is no reason to leave anything out") {
  Index index({"NumberOfEmployees is 5", "Rating is \"Hot\""});
  CHECK(index.found() == "");
  CHECK(index.set("NumberOfEmployees", text("five")).found() == "AB");
}

TEST_CASE("it is counted how automations are found") {
  Index index({"Rating is \"Hot\"", "NumberOfEmployees > 5", "LastName starts with \"M\"",
               "Rating is not \"Hot\"", "Rating is \"Hot\" or Rating is not blank",
               "NumberOfEmployees > 5 and Rating is \"Hot\""});
  auto ways = index.index().ways();
  REQUIRE(ways.size() == 1);
  CHECK(ways[0].second.everybody == 6);
  CHECK(ways[0].second.by_way == std::array<size_t, 4>{2, 1, 1, 2});
}

}  // namespace ensue::match
