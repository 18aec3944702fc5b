// The CRM's limits on what an author may write: each at its edge and one past it.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support/programs.h"

namespace ensue::check {
namespace {

std::string action(const std::string& name, const std::string& author,
                   const std::string& scope = "my records", const std::string& condition = "",
                   const std::string& object = "Lead") {
  return "action \"" + name + "\" by \"" + author + "\"\n  when " + object + " is created\n  for " +
         scope + "\n" + (condition.empty() ? "" : "  if " + condition + "\n") +
         "  then pause it in all cadences\nend\n";
}

std::string actions(size_t count, const std::string& author, const std::string& scope) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += action(scope + " " + std::to_string(i), author, scope);
  return out;
}

// `Field1 is not blank and …`, of the first `count` names.
std::string about(const std::vector<std::string>& fields, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += (i > 0 ? " and " : "") + fields[i] + " is not blank";
  return out;
}

// The errors, each `E0402: message`.
std::vector<std::string> errors(const std::string& source, ProgramOptions options = {}) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : testing::load(source, std::move(options)).diagnostics) {
    if (diagnostic.code[0] == 'E') out.push_back(diagnostic.code + ": " + diagnostic.message);
  }
  return out;
}

using Errors = std::vector<std::string>;

const std::vector<std::string> kOwn = {"LastName", "Company", "Email", "Phone", "Title", "City"};
const std::vector<std::string> kCross = {"Account.Name",  "Account.Industry", "Account.Rating",
                                         "Account.Phone", "Account.Website",  "Account.Type"};

}  // namespace

TEST_CASE("a condition looks at five fields of its own object, not six") {
  CHECK(errors(action("A", "ana", "my records", about(kOwn, 5))) == Errors{});
  CHECK(errors(action("A", "ana", "my records", about(kOwn, 6))) ==
        Errors{"E0402: the condition looks at 6 fields of Lead; at most 5 are allowed"});
}

TEST_CASE("a field is counted once, however it is named") {
  std::string five = about(kOwn, 5);
  CHECK(errors(action("A", "ana", "my records",
                      five + " and LastName is not \"x\" and [Last Name] is not \"y\"")) ==
        Errors{});
  CHECK(errors(action("A", "ana", "my records",
                      five + " and upper(Company) is \"X\" and it.Email is not \"z\"")) ==
        Errors{});
  // A lookup and the name it is stored as are one field.
  CHECK(errors(action("A", "ana", "my records",
                      about(kOwn, 4) + " and Owner is not blank and OwnerId is not blank")) ==
        Errors{});
}

TEST_CASE("a condition looks at five fields through lookups, not six, beside its own five") {
  auto source = [](size_t own, size_t cross) {
    std::vector<std::string> fields = {"LastName", "Email", "Phone", "Title", "Department"};
    std::string condition = about(fields, own);
    if (own > 0 && cross > 0) condition += " and ";
    return action("A", "ana", "my records", condition + about(kCross, cross), "Contact");
  };
  CHECK(errors(source(0, 5)) == Errors{});
  CHECK(errors(source(5, 5)) == Errors{});
  CHECK(errors(source(5, 6)) ==
        Errors{"E0403: the condition looks at 6 fields through lookups; at most 5 are allowed"});
}

TEST_CASE("one field reached through two lookups is two fields") {
  std::vector<std::string> fields = {"Account.Name", "Account.Phone", "Account.Rating",
                                     "Owner.Name", "ReportsTo.Name"};
  CHECK(errors(action("A", "ana", "my records", about(fields, 5), "Contact")) == Errors{});
  fields.insert(fields.begin(), "ReportsTo.Phone");
  CHECK(errors(action("A", "ana", "my records", about(fields, 6), "Contact")).size() == 1);
}

TEST_CASE("a flow looks at as many fields as it likes") {
  CHECK(errors("flow \"F\"\n  when Lead is created, after save\n  and meets " + about(kOwn, 6) +
               "\n  run as system\n  pause it in all cadences\nend\n") == Errors{});
}

TEST_CASE("an author has fifty actions for own records, not fifty-one") {
  CHECK(errors(actions(50, "ana", "my records")) == Errors{});
  CHECK(errors(actions(51, "ana", "my records")) ==
        Errors{"E0408: \"ana\" has 51 actions for own records; at most 50 are allowed"});
}

TEST_CASE("an author has twenty-five actions for the team, not twenty-six, apart from the fifty") {
  CHECK(errors(actions(25, "ana", "records of my team")) == Errors{});
  CHECK(errors(actions(26, "ana", "records of my team")) ==
        Errors{"E0409: \"ana\" has 26 actions for the team; at most 25 are allowed"});
  CHECK(errors(actions(25, "ana", "records of my team") + actions(50, "ana", "my records")) ==
        Errors{});
}

TEST_CASE("actions are counted by author, whose name ignores case") {
  CHECK(errors(actions(50, "ana", "my records") + actions(50, "bob", "my records")) == Errors{});
  CHECK(errors(actions(50, "ana", "my records") + action("one more", "ANA")).size() == 1);
  ProgramOptions options;
  options.author = "ana";
  std::string without_author =
      "action \"x\"\n  when Lead is created\n  for my records\n  then pause it in all "
      "cadences\nend\n";
  CHECK(errors(actions(50, "ana", "my records") + without_author, options).size() == 1);
}

TEST_CASE("the place of the message is the first one too many") {
  engine::Loaded loaded = testing::load(actions(52, "ana", "my records"));
  auto found = std::find_if(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                            [](const Diagnostic& d) { return d.code == "E0408"; });
  REQUIRE(found != loaded.diagnostics.end());
  CHECK(found->primary.place.line == 50 * 5 + 1);
}

TEST_CASE("the bounds are the options'") {
  ProgramOptions options;
  options.bounds.own_fields_max = 1;
  options.bounds.own_actions_max = 1;
  CHECK(errors(action("A", "ana", "my records", about(kOwn, 1)), options) == Errors{});
  CHECK(errors(action("A", "ana", "my records", about(kOwn, 2)) + action("B", "ana"), options)
            .size() == 2);
}

}  // namespace ensue::check
