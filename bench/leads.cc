#include "leads.h"

#include <fmt/format.h>

#include <random>

namespace ensue::bench {

std::string lead_rules(const std::string& more_limits) {
  std::string out = R"(
cadence "Outreach"
  targets Lead
  track main
    step "Call" immediately: call
end
limits "Bench"
  each user: at most 10_000_000 action executions per day
  whole org: at most 10_000_000 action executions per day
)" + more_limits + "end\n";
  for (uint32_t user = 0; user < kUsers; ++user) {
    for (uint32_t i = 0; i < kActionsOfUser; ++i) {
      out += fmt::format(R"(
action "Rule {0}" by "u{1}@x.test"
  when Lead is created or edited
  for my records
  if Company is "Target {0}" and NumberOfEmployees >= {2} and Rating is not "Cold"
  then add it to cadence "Outreach"
end
)",
                         i, user, 100 + i);
    }
  }
  return out;
}

std::vector<std::string> lead_users() {
  std::vector<std::string> out;
  for (uint32_t i = 0; i < kUsers; ++i) {
    out.push_back(fmt::format(
        R"({{"entity":"User","ids":["005u{0:03}"],"kind":"snapshot","set":{{"Username":"u{0}@x.test","IsActive":true}}}})",
        i));
  }
  return out;
}

std::vector<std::string> leads(size_t count, size_t part) {
  std::mt19937_64 random(5);
  auto below = [&](uint64_t most) { return random() % most; };
  auto one_of = [&](std::initializer_list<const char*> names) {
    return *(names.begin() + below(names.size()));
  };
  std::vector<std::string> out;
  for (size_t n = 0; n < count; ++n) {
    std::string company = part != 0 && n % part == 0 ? fmt::format("Target {}", below(50))
                                                     : fmt::format("Firm {}", below(20'000));
    out.push_back(fmt::format(
        R"({{"id":"e{0}","entity":"Lead","ids":["00Q{0:07}"],"kind":"create","at":"2026-01-05T{1:02}:{2:02}:{3:02}Z","by":"005u000","set":{{"LastName":"Roe {0}","FirstName":"Ana","Salutation":"Ms.","Company":"{4}","OwnerId":"005u{5:03}","Status":"Open - Not Contacted","LeadSource":"{6}","Rating":"{7}","NumberOfEmployees":{8},"AnnualRevenue":{9},"Email":"l{0}@firm.x.test","Phone":"+1 555 {10:04}","MobilePhone":"+1 556 {10:04}","Fax":"+1 557 {10:04}","Website":"https://firm{10}.x.test/contact","Street":"{10} Long Meadow Road","City":"City {11}","State":"State {12}","PostalCode":"{13:05}","Country":"United States","Title":"Head of {14}","Industry":"{15}","HasOptedOutOfEmail":false,"DoNotCall":false,"IsUnreadByOwner":true,"Description":"Asked for a demonstration of the product at the fair in spring, and wants to hear of prices for two hundred people before the quarter ends."}}}})",
        n, 8 + n / 36'000, n / 600 % 60, n / 10 % 60, company, below(kUsers),
        one_of({"Web", "Phone Inquiry", "Partner Referral", "Purchased List"}),
        one_of({"Hot", "Warm"}), 200 + below(8800), 10'000 + below(9'000'000), below(10'000),
        below(1000), below(50), below(5000), one_of({"Sales", "Operations", "Finance"}),
        one_of({"Banking", "Energy", "Retail", "Media"})));
  }
  return out;
}

}  // namespace ensue::bench
