// The sink that records into a file: each change once, whatever broke off.
#include "adapters/recording_sink.h"

#include <catch2/catch.hpp>

#include "base/key128.h"
#include "support/files.h"

namespace ensue::adapters {
namespace {

Key128 key(const std::string& name) { return base::hash_key({"call", name}); }
std::string request(const std::string& name) {
  return "{\"id\":\"" + base::to_hex(key(name)) + "\",\"entity\":\"Lead\"}";
}

struct Recorded {
  std::string path;
  std::unique_ptr<Sink> sink;

  explicit Recorded(const std::string& p) : path(p) {
    auto opened = open_recording_sink(path);
    if (!opened) FAIL(opened.error().message);
    sink = std::move(*opened);
  }
  SinkAnswer::Kind call(const std::string& name) {
    std::string line = request(name);
    return sink->call({key(name), "Lead/1", line, 1}).kind;
  }
};

TEST_CASE("each change stands in the file once, over restarts") {
  testing::TempDir dir;
  std::string path = dir.file("out.ndjson");
  {
    Recorded file(path);
    CHECK(file.sink->sink_class() == SinkClass::kAsked);
    CHECK(file.sink->ask(key("a")).kind == SinkAnswer::Kind::kAgain);
    CHECK(file.call("a") == SinkAnswer::Kind::kDone);
    CHECK(file.call("a") == SinkAnswer::Kind::kDone);
    CHECK(file.sink->ask(key("a")).kind == SinkAnswer::Kind::kDone);
  }
  Recorded again(path);
  CHECK(again.sink->ask(key("a")).kind == SinkAnswer::Kind::kDone);
  CHECK(again.call("a") == SinkAnswer::Kind::kDone);
  CHECK(again.call("b") == SinkAnswer::Kind::kDone);
  CHECK(testing::read_text(path) == request("a") + "\n" + request("b") + "\n");
}

TEST_CASE("a call of a service and an e-mail stand in the file as what they are") {
  testing::TempDir dir;
  std::string path = dir.file("out.ndjson");
  std::string mail = request("mail");
  std::string id = "{\"id\":\"" + base::to_hex(key("call"));
  {
    Recorded file(path);
    SinkCall call{key("call"), "Order/801",           R"({"Id":"801","Total":12.50})",
                  1,           SinkChannel::kService, "erp.createOrder"};
    CHECK(file.sink->call(call).kind == SinkAnswer::Kind::kDone);
    call.attempt = 2;
    CHECK(file.sink->call(call).kind == SinkAnswer::Kind::kDone);
    SinkCall sent{key("mail"), "Lead/1", mail, 1, SinkChannel::kEmail, "Intro"};
    CHECK(file.sink->call(sent).kind == SinkAnswer::Kind::kDone);
  }
  CHECK(testing::read_text(path) == id + R"(","service":"erp.createOrder","record":"Order/801",)" +
                                        R"("arguments":{"Id":"801","Total":12.50}})" + "\n" + mail +
                                        "\n");
  CHECK(Recorded(path).sink->ask(key("call")).kind == SinkAnswer::Kind::kDone);
}

TEST_CASE("a line torn by a crash goes, and is written again") {
  testing::TempDir dir;
  std::string path = dir.file("out.ndjson");
  testing::write_text(path, "somebody's line\n" + request("a") + "\n" + request("b").substr(0, 60));
  Recorded file(path);
  CHECK(testing::read_text(path) == "somebody's line\n" + request("a") + "\n");
  CHECK(file.sink->ask(key("a")).kind == SinkAnswer::Kind::kDone);
  CHECK(file.sink->ask(key("b")).kind == SinkAnswer::Kind::kAgain);
  CHECK(file.call("b") == SinkAnswer::Kind::kDone);
  CHECK(testing::read_text(path) ==
        "somebody's line\n" + request("a") + "\n" + request("b") + "\n");
}

TEST_CASE("a file is written by one sink at a time, and must be writable") {
  testing::TempDir dir;
  std::string path = dir.file("out.ndjson");
  Recorded file(path);
  auto second = open_recording_sink(path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kStoreLocked);
  auto nowhere = open_recording_sink(dir.file("no/folder/out.ndjson"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == ErrorCode::kIo);
}

}  // namespace
}  // namespace ensue::adapters
