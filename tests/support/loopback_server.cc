#include "support/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace ensue::testing {
namespace {

int listen_somewhere(int& port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, any, size) != 0 || ::listen(fd, 16) != 0 ||
      ::getsockname(fd, any, &size) != 0)
    throw std::runtime_error("cannot listen on loopback");
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

bool Conversation::read_more() {
  char bytes[4096];
  ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got > 0) heard_.append(bytes, static_cast<size_t>(got));
  return got > 0;
}

bool Conversation::read_until(const std::string& part) {
  while (heard_.find(part) == std::string::npos) {
    if (!read_more()) return false;
  }
  return true;
}

bool Conversation::read_request() {
  if (!read_until("\r\n\r\n")) return false;
  size_t body = heard_.find("\r\n\r\n") + 4;
  size_t length = heard_.find("Content-Length: ");
  size_t size =
      length == std::string::npos ? 0 : std::strtoul(heard_.c_str() + length + 16, nullptr, 10);
  while (heard_.size() < body + size) {
    if (!read_more()) return false;
  }
  return true;
}

void Conversation::say(const std::string& text) {
  (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

LoopbackServer::LoopbackServer(std::function<void(Conversation&)> converse)
    : converse_(std::move(converse)),
      listener_(listen_somewhere(port_)),
      thread_([this] { work(); }) {}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void LoopbackServer::work() {
  for (;;) {
    int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    Conversation conversation(fd);
    converse_(conversation);
    {
      std::lock_guard lock(mutex_);
      heard_.push_back(conversation.heard());
    }
    ::close(fd);
  }
}

std::vector<std::string> LoopbackServer::heard() {
  std::lock_guard lock(mutex_);
  return heard_;
}

int free_port() {
  int port = 0;
  ::close(listen_somewhere(port));
  return port;
}

}  // namespace ensue::testing
