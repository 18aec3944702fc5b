// The automations and events of the measurements of the whole engine: 35 users with 50 actions
// each, and new leads, some of which meet one of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ensue::bench {

inline constexpr uint32_t kUsers = 35;
inline constexpr uint32_t kActionsOfUser = 50;

// With a limit a day for each user and for the org, neither of which is ever reached.
// `more_limits`: further lines of the block.
std::string lead_rules(const std::string& more_limits = {});

// Snapshots of the users.
std::vector<std::string> lead_users();

// New leads of about 900 bytes; one in `part` meets a rule of its owner. 0: none.
std::vector<std::string> leads(size_t count, size_t part);

}  // namespace ensue::bench
