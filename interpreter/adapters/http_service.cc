#include "adapters/http_service.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/key128.h"
#include "base/utf8.h"
#include "ensue/version.h"
#include "value/text.h"

namespace ensue::adapters {
namespace {

// One byte over what an answer may have, so that whoever reads it sees that it is too much.
constexpr size_t kAnswerBytesMax = (1u << 20) + 1;
constexpr long kConnectMsMax = 10'000;

size_t take_body(char* data, size_t size, size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  body.append(data,
              std::min(size * count, kAnswerBytesMax - std::min(kAnswerBytesMax, body.size())));
  return size * count;
}

struct Handle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using HandlePtr = std::unique_ptr<CURL, Handle>;

struct HeaderList {
  curl_slist* list = nullptr;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

long info_of(CURL* handle, CURLINFO what) {
  long out = 0;
  curl_easy_getinfo(handle, what, &out);
  return out;
}

bool says_json(CURL* handle) {
  const char* type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  return type != nullptr && std::string_view(type).find("json") != std::string_view::npos;
}

class HttpServices final : public Sink {
 public:
  explicit HttpServices(std::map<std::string, ServiceConfig> services)
      : services_(std::move(services)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  SinkClass sink_class() const override { return SinkClass::kBlind; }
  SinkClass sink_class_of(SinkChannel, std::string_view name) const override {
    const ServiceConfig* service = find(name);
    return service != nullptr && service->keeps_keys ? SinkClass::kKeyed : SinkClass::kBlind;
  }

  SinkAnswer call(const SinkCall& call) override {
    const ServiceConfig* service = find(call.name);
    if (service == nullptr) {
      return {SinkAnswer::Kind::kRefused,
              "no service \"" + std::string(service_of(call.name)) + "\" is configured"};
    }
    HandlePtr handle = take();
    if (handle == nullptr) return {SinkAnswer::Kind::kAgain, "out of memory"};
    SinkAnswer answer = call_with(handle.get(), *service, call);
    give_back(std::move(handle));
    return answer;
  }

 private:
  static std::string_view service_of(std::string_view name) {
    return name.substr(0, name.find('.'));
  }
  static std::string_view operation_of(std::string_view name) {
    size_t dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  }

  const ServiceConfig* find(std::string_view name) const {
    auto found = services_.find(std::string(service_of(name)));
    return found == services_.end() ? nullptr : &found->second;
  }

  HandlePtr take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return HandlePtr(curl_easy_init());
    HandlePtr out = std::move(idle_.back());
    idle_.pop_back();
    return out;
  }
  void give_back(HandlePtr handle) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
  }

  SinkAnswer call_with(CURL* handle, const ServiceConfig& service, const SinkCall& call) const {
    curl_easy_reset(handle);  // open connections stay
    std::string operation(operation_of(call.name));
    auto configured = service.operations.find(operation);
    std::string path = operation.empty() ? "" : "/" + operation;
    std::string method = "POST";
    if (configured != service.operations.end()) {
      path = configured->second.path;
      method = configured->second.method;
    }
    std::string url = service.url + path;
    std::string body;
    HeaderList headers;
    headers.add("Content-Type: application/json");
    headers.add("Accept: application/json");
    headers.add("Expect:");
    headers.add(service.key_header + ": " + base::to_hex(call.key));
    for (const auto& [name, value] : service.headers) headers.add(name + ": " + value);
    long timeout_ms = static_cast<long>(std::min(service.timeout_ms, call.timeout_ms));
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(call.request.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.request.data());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, (std::string("ensue/") + kVersion).c_str());
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, std::min(timeout_ms, kConnectMsMax));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
    // On a connection that the other side has closed meanwhile, the library sends a request again
    // by itself. Where a key does not make that harmless, each call has a connection of its own.
    curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, service.keeps_keys ? 0L : 1L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, service.keeps_keys ? 0L : 1L);
    CURLcode code = curl_easy_perform(handle);
    if (code != CURLE_OK) return broken(handle, code);
    return answer_of(handle, service, std::move(body));
  }

  // No answer: it counts whether anything of the request was sent.
  static SinkAnswer broken(CURL* handle, CURLcode code) {
    std::string text = curl_easy_strerror(code);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
      return {SinkAnswer::Kind::kRefused, text};
    bool sent = info_of(handle, CURLINFO_REQUEST_SIZE) > 0;
    return {sent ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kAgain, text};
  }

  static SinkAnswer answer_of(CURL* handle, const ServiceConfig& service, std::string body) {
    long status = info_of(handle, CURLINFO_RESPONSE_CODE);
    SinkAnswer out;
    if (status >= 200 && status < 300) {
      if (!body.empty() && !says_json(handle)) {
        value::append_json_text(out.body, body);
      } else {
        out.body = std::move(body);
      }
      return out;
    }
    out.text = std::to_string(status);
    std::replace(body.begin(), body.end(), '\n', ' ');
    if (!body.empty()) out.text += ": " + std::string(base::excerpt(body, 150));
    bool later = status == 408 || status == 425 || status == 429 || status == 503;
    if (later || (status >= 500 && service.keeps_keys)) {
      out.kind = SinkAnswer::Kind::kAgain;
      curl_off_t after_s = 0;
      curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &after_s);
      if (after_s > 0) out.text += " (it asks to wait for " + std::to_string(after_s) + " s)";
    } else {
      out.kind = status >= 500 ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kRefused;
    }
    return out;
  }

  std::map<std::string, ServiceConfig> services_;
  std::mutex mutex_;
  std::vector<HandlePtr> idle_;
};

}  // namespace

std::unique_ptr<Sink> make_http_services(std::map<std::string, ServiceConfig> services) {
  return std::make_unique<HttpServices>(std::move(services));
}

}  // namespace ensue::adapters
