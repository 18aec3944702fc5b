// The simulated disk does what the other tests here take for granted.
#include <catch2/catch.hpp>

#include <set>

#include "support/simulation/simulated_disk.h"

namespace ensue::testing {
namespace {

std::string text_of(SimulatedDisk& disk, const std::string& name) {
  SimulatedDisk::FilePtr file = disk.open(name);
  if (file == nullptr) return "(none)";
  std::string out(SimulatedDisk::size(*file), '?');
  if (!out.empty()) REQUIRE(disk.read(*file, 0, out.data(), out.size()) == DiskAnswer::kDone);
  return out;
}

void put(SimulatedDisk& disk, SimulatedDisk::File& file, uint64_t offset, const std::string& text) {
  REQUIRE(disk.write(file, offset, text.data(), text.size()) == DiskAnswer::kDone);
}

// A file that holds `aaaa…` for sure, over which `bbbb…` waits.
std::unique_ptr<SimulatedDisk> half_written(const DiskOptions& options) {
  auto disk = std::make_unique<SimulatedDisk>(options, 1);
  SimulatedDisk::FilePtr file = disk->create("f");
  put(*disk, *file, 0, std::string(2048, 'a'));
  REQUIRE(disk->sync(*file, true) == DiskAnswer::kDone);
  put(*disk, *file, 0, std::string(2048, 'b'));
  return disk;
}

}  // namespace

TEST_CASE("what was synced survives, what was not need not") {
  Random random(7);
  DiskOptions options;
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    Tear tear = static_cast<Tear>(i % 5);
    std::string text = text_of(*half_written(options)->crashed(tear, random), "f");
    REQUIRE(text.size() == 2048);
    if (tear == Tear::kKeepAll) CHECK(text == std::string(2048, 'b'));
    if (tear == Tear::kDropAll) CHECK(text == std::string(2048, 'a'));
    if (tear == Tear::kSubset) {
      // Sectors are whole.
      for (size_t at = 0; at < text.size(); at += 512)
        CHECK(text.substr(at, 512) == std::string(512, text[at]));
    }
    if (tear == Tear::kPrefix) CHECK(text.find("ab") == std::string::npos);
    seen.insert(text);
  }
  CHECK(seen.size() > 20);
}

TEST_CASE("a name is sure once its folder is synced") {
  Random random(7);
  SimulatedDisk disk({}, 1);
  SimulatedDisk::FilePtr file = disk.create("f");
  put(disk, *file, 0, "text");
  REQUIRE(disk.sync(*file, false) == DiskAnswer::kDone);
  CHECK(text_of(*disk.crashed(Tear::kDropAll, random), "f") == "(none)");
  REQUIRE(disk.sync(*file, true) == DiskAnswer::kDone);
  CHECK(text_of(*disk.crashed(Tear::kDropAll, random), "f") == "text");
  REQUIRE(disk.remove("f", false) == DiskAnswer::kDone);
  CHECK(text_of(disk, "f") == "(none)");
  CHECK(text_of(*disk.crashed(Tear::kDropAll, random), "f") == "text");
}

TEST_CASE("where only the process dies, what waits is shown and still waits") {
  Random random(7);
  std::unique_ptr<SimulatedDisk> killed = half_written({})->crashed(Tear::kKeepAll, random);
  CHECK(text_of(*killed, "f") == std::string(2048, 'b'));
  CHECK(text_of(*killed->crashed(Tear::kDropAll, random), "f") == std::string(2048, 'a'));
}

TEST_CASE("a disk that lies keeps nothing") {
  Random random(7);
  DiskOptions options;
  options.sync_lies = true;
  CHECK(text_of(*half_written(options)->crashed(Tear::kDropAll, random), "f") == "(none)");
}

TEST_CASE("after a failed sync that drops, a second one succeeds and writes nothing") {
  Random random(7);
  DiskOptions options;
  options.failed_sync_drops = true;
  int lost = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    SimulatedDisk disk(options, i);
    SimulatedDisk::FilePtr file = disk.create("f");
    REQUIRE(disk.sync(*file, true) == DiskAnswer::kDone);
    put(disk, *file, 0, "text");
    disk.set_fault({DiskFault::Kind::kIoError, disk.calls(), false});
    CHECK(disk.sync(*file, false) == DiskAnswer::kIoError);
    CHECK(disk.sync(*file, false) == DiskAnswer::kDone);
    CHECK(text_of(disk, "f") == "text");
    lost += text_of(*disk.crashed(Tear::kDropAll, random), "f").empty() ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("a full disk refuses what grows, and takes it when there is room") {
  SimulatedDisk disk({}, 1);
  SimulatedDisk::FilePtr file = disk.create("f");
  put(disk, *file, 0, "text");
  disk.set_fault({DiskFault::Kind::kFull, disk.calls(), true});
  CHECK(disk.write(*file, 4, "more", 4) == DiskAnswer::kFull);
  CHECK(disk.create("g") == nullptr);
  put(disk, *file, 0, "next");
  disk.clear_fault();
  put(disk, *file, 4, "more");
  CHECK(text_of(disk, "f") == "nextmore");
}

TEST_CASE("a file that is cut and grows again shows zeros") {
  SimulatedDisk disk({}, 1);
  SimulatedDisk::FilePtr file = disk.create("f");
  put(disk, *file, 0, std::string(5000, 'x'));
  REQUIRE(disk.truncate(*file, 100) == DiskAnswer::kDone);
  put(disk, *file, 5000, "y");
  CHECK(text_of(disk, "f") == std::string(100, 'x') + std::string(4900, '\0') + "y");
}

}  // namespace ensue::testing
