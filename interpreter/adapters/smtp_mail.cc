#include "adapters/smtp_mail.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "adapters/mail_message.h"

namespace ensue::adapters {
namespace {

constexpr long kConnectMsMax = 10'000;

struct Handle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct List {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Upload {
  std::string_view left;
  bool ended = false;  // the library has been told that there is no more
};

size_t give(char* to, size_t size, size_t count, void* from) {
  auto& upload = *static_cast<Upload*>(from);
  size_t part = std::min(size * count, upload.left.size());
  std::memcpy(to, upload.left.data(), part);
  upload.left.remove_prefix(part);
  upload.ended = part == 0;
  return part;
}

size_t drop(char*, size_t size, size_t count, void*) { return size * count; }

class SmtpMail final : public Sink {
 public:
  explicit SmtpMail(MailConfig config) : config_(std::move(config)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  SinkClass sink_class() const override { return SinkClass::kBlind; }

  SinkAnswer call(const SinkCall& call) override {
    Result<MailMessage> message = mail_message(call, config_);
    if (!message) return {SinkAnswer::Kind::kRefused, message.error().message};
    std::unique_ptr<CURL, Handle> handle(curl_easy_init());
    std::unique_ptr<curl_slist, List> to(
        curl_slist_append(nullptr, ("<" + message->to + ">").c_str()));
    if (handle == nullptr || to == nullptr) return {SinkAnswer::Kind::kAgain, "out of memory"};
    CURL* curl = handle.get();
    const SmtpConfig& smtp = *config_.smtp;
    std::string from = "<" + message->from + ">";
    Upload upload{message->text};
    char told[CURL_ERROR_SIZE] = {};
    curl_easy_setopt(curl, CURLOPT_URL, smtp.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, smtp.tls_required ? CURLUSESSL_ALL : CURLUSESSL_NONE);
    if (!smtp.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, smtp.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, smtp.password.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout_ms));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     std::min(static_cast<long>(call.timeout_ms), kConnectMsMax));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, told);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) return {SinkAnswer::Kind::kDone, ""};
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    std::string text = told[0] != '\0' ? told : curl_easy_strerror(code);
    bool login = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED;
    if (status >= 500 && status < 600 && !login) return {SinkAnswer::Kind::kRefused, text};
    bool handed_over = upload.ended && (status < 400 || status >= 500);
    return {handed_over ? SinkAnswer::Kind::kUnknown : SinkAnswer::Kind::kAgain, text};
  }

 private:
  MailConfig config_;
};

}  // namespace

std::unique_ptr<Sink> make_smtp_mail(MailConfig config) {
  return std::make_unique<SmtpMail>(std::move(config));
}

}  // namespace ensue::adapters
