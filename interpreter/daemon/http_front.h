// The daemon's door for HTTP: POST /events, GET /healthz, /readyz and /metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ensue/result.h"

namespace ensue::daemon {

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::optional<int> retry_after_s{};
};

// Called on the threads of the front, several at a time.
struct HttpHandlers {
  // The body of one request, whole, and the name its sender gives the stream; empty: none given.
  std::function<HttpAnswer(const std::string& source, std::string body)> events;
  std::function<HttpAnswer()> health;
  std::function<HttpAnswer()> ready;
  std::function<HttpAnswer()> metrics;
  // A request was refused before a handler saw it: `busy`, `too_large`.
  std::function<void(const std::string& reason)> refused;
  std::function<void(int status)> answered;
};

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;                       // 0: any that is free
  size_t body_bytes_max = 16u << 20;  // a request with more is answered 413
  size_t posts_max = 12;              // at work at the same time; more are answered 503
};

class HttpFront {
 public:
  // Errors: kIo when the address cannot be listened at.
  static Result<std::unique_ptr<HttpFront>> listen(const HttpOptions& options,
                                                   HttpHandlers handlers);
  // Waits for the requests at work.
  ~HttpFront();
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  int port() const;
  // Takes no more connections; requests at work go on. Does not wait.
  void stop();
  // Whether the last request has been answered after `stop`, waiting at most so long.
  bool stopped(int64_t wait_ms);

 private:
  class Impl;
  explicit HttpFront(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ensue::daemon
