// A server on loopback that says what a test tells it to, byte by byte.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ensue::testing {

// One conversation: what the other side has sent so far, and means to answer it.
class Conversation {
 public:
  explicit Conversation(int fd) : fd_(fd) {}
  // Reads until what was sent holds `part`; false when the other side closed before.
  bool read_until(const std::string& part);
  // Reads a request of HTTP with its body.
  bool read_request();
  void say(const std::string& text);
  const std::string& heard() const { return heard_; }
  void forget() { heard_.clear(); }
  // What the server tells that it heard, in place of what it did not forget.
  void remember(std::string all) { heard_ = std::move(all); }

 private:
  bool read_more();
  int fd_;
  std::string heard_;
};

// Holds conversations one after the other, each with a connection of its own, until it ends.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(Conversation&)> converse);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int port() const { return port_; }
  // What was heard in each conversation that has ended.
  std::vector<std::string> heard();

 private:
  void work();
  std::function<void(Conversation&)> converse_;
  int port_ = 0;  // set by what makes the listener
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<std::string> heard_;
  std::thread thread_;
};

// A port of loopback at which nobody listens.
int free_port();

}  // namespace ensue::testing
