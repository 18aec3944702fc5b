// Where a store and what belongs to it stand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ensue/result.h"

namespace ensue::adapters {

// Where the path of a store leads, also while nothing stands there: the end of the symbolic links.
// Folders on the way stay as they are named.
std::filesystem::path resolved_link(std::filesystem::path path);

// The folder `STORE.archive` of a store's archives, `YYYY-MM-DD.db` each.
std::filesystem::path archive_folder(const std::string& store_path);
// The days whose archives stand there, sorted; none when there is no folder.
Result<std::vector<std::string>> archived_days(const std::string& store_path);
std::string archive_path(const std::string& store_path, const std::string& day);

// Makes what was done to a file or to the names of a folder survive the loss of power.
Status sync_path(const std::filesystem::path& path);
// The folder a path stands in.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace ensue::adapters
