#include "daemon/http_front.h"

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "value/text.h"

namespace ensue::daemon {
namespace {

// Beside the posts at work there is always a thread for those who ask how things are.
constexpr size_t kThreadsBeside = 4;
// An idle connection is closed after this time, and a stop waits as long for it.
constexpr time_t kKeepAliveSeconds = 1;
constexpr time_t kReadSeconds = 3;

HttpAnswer told(int status, const std::string& error) {
  HttpAnswer out{status, "{\"error\":"};
  value::append_json_text(out.body, error);
  out.body += "}\n";
  return out;
}

void write(httplib::Response& response, const HttpAnswer& answer) {
  response.status = answer.status;
  response.set_content(answer.body, answer.content_type);
  if (answer.retry_after_s)
    response.set_header("Retry-After", std::to_string(*answer.retry_after_s));
}

const char* reason_of(int status) {
  switch (status) {
    case 400: return "this is no request of HTTP";
    case 404: return "there is nothing here; see /events, /healthz, /readyz and /metrics";
    case 413: return "the body is too large";
    default: return "the request could not be answered";
  }
}

}  // namespace

class HttpFront::Impl {
 public:
  Impl(const HttpOptions& options, HttpHandlers handlers)
      : options_(options), handlers_(std::move(handlers)) {
    size_t threads = options.posts_max + kThreadsBeside;
    server_.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    server_.set_keep_alive_timeout(kKeepAliveSeconds);
    server_.set_read_timeout(kReadSeconds);
    server_.set_payload_max_length(options.body_bytes_max);
    // A second process at the same port is refused; the library's own options would share it.
    server_.set_socket_options([](socket_t socket) {
      int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_tcp_nodelay(true);
    add_handlers();
  }

  ~Impl() {
    stop();
    if (thread_.joinable()) {
      // A stop before the first `accept` is forgotten by the library.
      while (!stopped(10)) server_.stop();
      thread_.join();
    }
  }

  Status listen() {
    if (options_.port == 0) {
      port_ = server_.bind_to_any_port(options_.host);
      if (port_ < 0) port_ = 0;
    } else if (server_.bind_to_port(options_.host, options_.port)) {
      port_ = options_.port;
    }
    if (port_ == 0) {
      return {ErrorCode::kIo, "cannot listen at " + options_.host + ":" +
                                  std::to_string(options_.port) + ": " + std::strerror(errno)};
    }
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    });
    return {};
  }

  int port() const { return port_; }
  void stop() { server_.stop(); }

  bool stopped(int64_t wait_ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return ended_; });
  }

 private:
  void add_handlers() {
    auto get = [&](const char* path, const std::function<HttpAnswer()>& handler) {
      server_.Get(path, [&handler](const httplib::Request&, httplib::Response& response) {
        write(response, handler());
      });
    };
    get("/healthz", handlers_.health);
    get("/readyz", handlers_.ready);
    get("/metrics", handlers_.metrics);
    server_.Post("/events", [this](const httplib::Request& request, httplib::Response& response,
                                   const httplib::ContentReader& content) {
      post(request, response, content);
    });
    server_.Get("/events", [](const httplib::Request&, httplib::Response& response) {
      write(response, told(405, "events are sent with POST"));
      response.set_header("Allow", "POST");
    });
    server_.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
          write(response, told(500, "the request could not be answered"));
        });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) write(response, told(response.status, reason_of(response.status)));
    });
    server_.set_logger([this](const httplib::Request&, const httplib::Response& response) {
      handlers_.answered(response.status);
    });
  }

  void post(const httplib::Request& request, httplib::Response& response,
            const httplib::ContentReader& content) {
    struct AtWork {
      std::atomic<size_t>& count;
      explicit AtWork(std::atomic<size_t>& c) : count(c) { ++count; }
      ~AtWork() { --count; }
    } at_work(posts_);
    bool busy = posts_ > options_.posts_max;
    std::string body;
    bool too_large = false;
    bool read = content([&](const char* data, size_t size) {
      if (busy) return true;  // read to its end, so that the connection stays in step
      too_large = too_large || body.size() + size > options_.body_bytes_max;
      if (!too_large) body.append(data, size);
      return !too_large;
    });
    if (busy) {
      handlers_.refused("busy");
      HttpAnswer answer = told(503, "too many requests at work; send it again");
      answer.retry_after_s = 1;
      return write(response, answer);
    }
    if (too_large || response.status == 413) {
      handlers_.refused("too_large");
      return write(response, told(413, "the body is larger than " +
                                           std::to_string(options_.body_bytes_max) + " bytes"));
    }
    // Cut off: nothing of it counts, and nobody reads the answer.
    if (!read) return write(response, told(400, "the body broke off"));
    write(response, handlers_.events(request.get_param_value("source"), std::move(body)));
  }

  HttpOptions options_;
  HttpHandlers handlers_;
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::atomic<size_t> posts_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

HttpFront::HttpFront(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpFront::~HttpFront() = default;

Result<std::unique_ptr<HttpFront>> HttpFront::listen(const HttpOptions& options,
                                                     HttpHandlers handlers) {
  auto impl = std::make_unique<Impl>(options, std::move(handlers));
  if (Status listening = impl->listen(); !listening) return listening.error();
  return std::unique_ptr<HttpFront>(new HttpFront(std::move(impl)));
}

int HttpFront::port() const { return impl_->port(); }
void HttpFront::stop() { impl_->stop(); }
bool HttpFront::stopped(int64_t wait_ms) { return impl_->stopped(wait_ms); }

}  // namespace ensue::daemon
