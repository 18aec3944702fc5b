// Services over HTTP, e-mails by SMTP and into a maildir, against servers that say what the test
// wants; and the file that configures them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "adapters/delivery_config.h"
#include "adapters/http_service.h"
#include "adapters/maildir.h"
#include "adapters/smtp_mail.h"
#include "support/files.h"
#include "support/loopback_server.h"

namespace ensue::testing {
namespace {

namespace fs = std::filesystem;
using namespace adapters;
using Kind = SinkAnswer::Kind;

SinkCall service_call(std::string_view request = R"({"Id":"8011"})", int64_t timeout_ms = 5000) {
  SinkCall call;
  call.key.bytes[15] = 7;
  call.record = "Order/8011";
  call.request = request;
  call.channel = SinkChannel::kService;
  call.name = "erp.createOrder";
  call.timeout_ms = timeout_ms;
  return call;
}

constexpr const char* kKey = "00000000000000000000000000000007";

std::string http(const std::string& status, const std::string& headers = "",
                 const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

struct Erp {
  explicit Erp(std::string answer, bool keeps_keys = true)
      : server([answer](Conversation& talk) {
          if (talk.read_request()) talk.say(answer);
        }) {
    ServiceConfig config;
    config.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/api";
    config.headers = {{"Authorization", "Bearer secret"}};
    config.keeps_keys = keeps_keys;
    config.operations["cancel"] = {"/orders/cancel", "PUT"};
    sink = make_http_services({{"erp", config}});
  }
  SinkAnswer call() { return sink->call(service_call()); }

  LoopbackServer server;
  std::unique_ptr<Sink> sink;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

constexpr const char* kMail =
    R"({"id":"00","at":"2026-01-05T14:00:00Z","template":"Intro","from":"ana@x.test",)"
    R"("from_name":"Ana Roe","to":"roe@x.test","to_name":"Jo \"J\" Roe","subject":"Hello\r\nBcc: all@x.test",)"
    R"("body":"Dear Jo,\n.\nAna"})";

SinkCall mail_call(std::string_view request = kMail) {
  SinkCall call = service_call(request);
  call.channel = SinkChannel::kEmail;
  call.name = "Intro";
  return call;
}

// A mail server that answers each command with what `answers` has for its first word.
struct MailServer {
  explicit MailServer(std::map<std::string, std::string> answers)
      : server([answers = std::move(answers)](Conversation& talk) {
          auto answer = [&](const std::string& word, const char* otherwise) {
            auto found = answers.find(word);
            return found == answers.end() ? std::string(otherwise) : found->second;
          };
          std::string all;
          talk.say(answer("", "220 mail.x.test\r\n"));
          while (talk.read_until("\r\n")) {
            std::string word = talk.heard().substr(0, 4);
            all += talk.heard();
            talk.forget();
            std::string say = answer(word, word == "DATA" ? "354 go on\r\n" : "250 fine\r\n");
            if (say.empty()) break;  // hangs up
            talk.say(say);
            if (word == "QUIT") break;
            if (word != "DATA" || say[0] != '3') continue;
            if (!talk.read_until("\r\n.\r\n")) break;
            all += talk.heard();
            talk.forget();
            say = answer("mail", "250 taken\r\n");
            if (say.empty()) break;
            talk.say(say);
          }
          talk.remember(all);
        }) {
    MailConfig config;
    config.smtp = SmtpConfig{"smtp://127.0.0.1:" + std::to_string(server.port()), "", "", false};
    sink = make_smtp_mail(config);
  }
  LoopbackServer server;
  std::unique_ptr<Sink> sink;
};

}  // namespace

TEST_CASE("a service gets its arguments with a key and the configured headers") {
  Erp erp(http("200 OK", "Content-Type: application/json\r\n", R"({"Number":17})"));
  SinkAnswer answer = erp.call();
  CHECK(answer.kind == Kind::kDone);
  CHECK(answer.body == R"({"Number":17})");
  SinkCall cancel = service_call();
  cancel.name = "erp.cancel";
  CHECK(erp.sink->call(cancel).kind == Kind::kDone);
  erp.sink.reset();  // closes its connections
  std::vector<std::string> heard = erp.server.heard();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].starts_with("POST /api/createOrder HTTP/1.1\r\n"));
  CHECK(heard[1].starts_with("PUT /api/orders/cancel HTTP/1.1\r\n"));
  CHECK(heard[0].find("Idempotency-Key: " + std::string(kKey) + "\r\n") != std::string::npos);
  CHECK(heard[0].find("Authorization: Bearer secret\r\n") != std::string::npos);
  CHECK(heard[0].find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(heard[0].ends_with("\r\n\r\n{\"Id\":\"8011\"}"));
}

TEST_CASE("what a service answers is definite, to be tried again, or unknown") {
  auto kind = [](const std::string& status, bool keeps_keys = true,
                 const std::string& headers = "") {
    return Erp(http(status, headers, "because"), keeps_keys).call();
  };
  CHECK(kind("204 No Content").kind == Kind::kDone);
  CHECK(kind("201 Created").body == "\"because\"");  // it does not say that it is JSON
  SinkAnswer refused = kind("422 Unprocessable");
  CHECK(refused.kind == Kind::kRefused);
  CHECK(refused.text == "422: because");
  CHECK(kind("302 Found", true, "Location: /elsewhere\r\n").kind == Kind::kRefused);
  for (const char* later : {"408 Timeout", "425 Early", "429 Too Many", "503 Unavailable"}) {
    CHECK(kind(later, true).kind == Kind::kAgain);
    CHECK(kind(later, false).kind == Kind::kAgain);
  }
  CHECK(kind("429 Too Many", true, "Retry-After: 120\r\n").text ==
        "429: because (it asks to wait for 120 s)");
  CHECK(kind("500 Error", true).kind == Kind::kAgain);
  CHECK(kind("500 Error", false).kind == Kind::kUnknown);  // it may have happened
}

TEST_CASE("a call that breaks off is unknown once something of it was sent") {
  LoopbackServer hangs_up([](Conversation& talk) { talk.read_request(); });
  LoopbackServer silent([](Conversation& talk) { talk.read_until("never said"); });
  auto sink_at = [](int port) {
    ServiceConfig config;
    config.url = "http://127.0.0.1:" + std::to_string(port);
    return make_http_services({{"erp", config}});
  };
  CHECK(sink_at(hangs_up.port())->call(service_call()).kind == Kind::kUnknown);
  CHECK(sink_at(silent.port())->call(service_call("{}", 100)).kind == Kind::kUnknown);
  CHECK(sink_at(free_port())->call(service_call()).kind == Kind::kAgain);
  // Not one call was made twice by the library itself.
  CHECK(hangs_up.heard().size() == 1);
  SinkCall other = service_call();
  other.name = "crm.touch";
  SinkAnswer answer = sink_at(free_port())->call(other);
  CHECK(answer.kind == Kind::kRefused);
  CHECK(answer.text == "no service \"crm\" is configured");
}

TEST_CASE("a service that keeps keys is called again, another one is parked") {
  Erp keeps(http("200 OK"), true);
  Erp forgets(http("200 OK"), false);
  CHECK(keeps.sink->sink_class_of(SinkChannel::kService, "erp.createOrder") == SinkClass::kKeyed);
  CHECK(forgets.sink->sink_class_of(SinkChannel::kService, "erp.createOrder") == SinkClass::kBlind);
}

TEST_CASE("a huge answer is cut one byte after what is allowed") {
  Erp erp(http("200 OK", "Content-Type: application/json\r\n", std::string(3 << 20, '1')));
  CHECK(erp.call().body.size() == (1u << 20) + 1);
}

TEST_CASE("a mail server gets one mail, and nothing of it can become a header or a command") {
  MailServer server({});
  CHECK(server.sink->call(mail_call()).kind == Kind::kDone);
  server.sink.reset();
  std::vector<std::string> heard;
  while (heard.empty()) heard = server.server.heard();
  const std::string& mail = heard[0];
  CHECK(mail.find("MAIL FROM:<ana@x.test>") != std::string::npos);
  CHECK(mail.find("RCPT TO:<roe@x.test>") != std::string::npos);
  CHECK(mail.find("From: \"Ana Roe\" <ana@x.test>\r\nTo: \"Jo \\\"J\\\" Roe\" <roe@x.test>\r\n") !=
        std::string::npos);
  CHECK(mail.find("Subject: Hello  Bcc: all@x.test\r\n") != std::string::npos);
  CHECK(mail.find("Date: Mon, 05 Jan 2026 14:00:00 +0000\r\n") != std::string::npos);
  CHECK(mail.find("Message-ID: <" + std::string(kKey) + "@x.test>\r\n") != std::string::npos);
  CHECK(mail.find("\r\n\r\nDear Jo,\r\n..\r\nAna\r\n.\r\n") != std::string::npos);
}

TEST_CASE("a mail server refuses, asks for patience, or breaks off") {
  auto answered = [](std::map<std::string, std::string> answers) {
    return MailServer(std::move(answers)).sink->call(mail_call()).kind;
  };
  CHECK(answered({{"RCPT", "550 no such mailbox\r\n"}}) == Kind::kRefused);
  CHECK(answered({{"RCPT", "450 later\r\n"}}) == Kind::kAgain);
  CHECK(answered({{"mail", "554 refused\r\n"}}) == Kind::kRefused);
  CHECK(answered({{"mail", "451 later\r\n"}}) == Kind::kAgain);
  CHECK(answered({{"", "421 not now\r\n"}}) == Kind::kAgain);
  CHECK(answered({{"RCPT", ""}}) == Kind::kAgain);    // before the mail
  CHECK(answered({{"mail", ""}}) == Kind::kUnknown);  // after it
  MailConfig nobody;
  nobody.smtp = SmtpConfig{"smtp://127.0.0.1:" + std::to_string(free_port()), "", "", false};
  CHECK(make_smtp_mail(nobody)->call(mail_call()).kind == Kind::kAgain);
  for (const char* bad :
       {R"({"to":"roe@x.test","subject":"","body":""})",
        R"({"from":"a@x.test","to":"roe@x.test>\r\nDATA","subject":"","body":""})", "[]"})
    CHECK(make_smtp_mail(nobody)->call(mail_call(bad)).kind == Kind::kRefused);
}

TEST_CASE("a mail in a maildir is one file, however often it is delivered") {
  TempDir dir;
  MailConfig config;
  config.maildir = dir.file("out");
  config.from = "crm@x.test";
  auto sink = open_maildir(config);
  REQUIRE(sink);
  CHECK((*sink)->sink_class() == SinkClass::kKeyed);
  SinkCall call = mail_call(
      R"({"at":"2026-01-05T14:00:00Z","to":"roe@x.test","subject":"Größe","body":"Schön\n"})");
  fs::path file = fs::path(config.maildir) / "new" / (std::string(kKey) + ".ensue");
  for (int64_t attempt : {1, 2}) {
    call.attempt = attempt;
    CHECK((*sink)->call(call).kind == Kind::kDone);
    CHECK(read(file) ==
          "From: crm@x.test\r\nTo: roe@x.test\r\nSubject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n"
          "Date: Mon, 05 Jan 2026 14:00:00 +0000\r\nMessage-ID: <" +
              std::string(kKey) +
              "@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nU2Now7ZuDQo=\r\n");
  }
  // Read by somebody meanwhile.
  fs::rename(file, fs::path(config.maildir) / "cur" / (std::string(kKey) + ".ensue:2,S"));
  CHECK((*sink)->call(call).kind == Kind::kDone);
  CHECK(fs::is_empty(fs::path(config.maildir) / "new"));
  CHECK(fs::is_empty(fs::path(config.maildir) / "tmp"));
}

TEST_CASE("the file that configures deliveries is read, and what is wrong with it is told") {
  TempDir dir;
  auto read_config = [&](const std::string& text) {
    std::string path = dir.file("services.json");
    std::ofstream(path) << text;
    return read_delivery_config(path, [](const std::string& name) -> std::optional<std::string> {
      return name == "TOKEN" ? std::optional<std::string>("t0k") : std::nullopt;
    });
  };
  auto config = read_config(
      R"({"services":{"erp":{"url":"https://erp.x.test/api/","headers":{"Authorization":"Bearer ${TOKEN}"},
    "keeps_keys":true,"timeout_seconds":2.5,"operations":{"createOrder":{"path":"/orders"}}}},
    "email":{"from":"crm@x.test","smtp":{"url":"smtps://mail.x.test","user":"u","password":"${TOKEN}"}}})");
  REQUIRE(config);
  const ServiceConfig& erp = config->services.at("erp");
  CHECK(erp.url == "https://erp.x.test/api");
  CHECK(erp.headers[0].second == "Bearer t0k");
  CHECK(erp.timeout_ms == 2500);
  CHECK(erp.keeps_keys);
  CHECK(erp.operations.at("createOrder").method == "POST");
  CHECK(config->mail->smtp->password == "t0k");
  auto wrong = [&](const std::string& text) {
    auto read = read_config(text);
    REQUIRE_FALSE(read);
    return read.error().message.substr(read.error().message.find(": ") + 2);
  };
  CHECK(wrong("{") == "not JSON, at byte 2");
  CHECK(wrong("[]") == "the file must be an object");
  CHECK(wrong(R"({"service":{}})") == R"(the file has no "service"; there are services, email)");
  CHECK(wrong(R"({"services":{"erp":{}}})") == "services.erp.url is missing");
  CHECK(wrong(R"({"services":{"erp":{"url":"erp.x.test"}}})") ==
        "services.erp.url must begin with http:// or https://");
  CHECK(wrong(R"({"services":{"erp":{"url":"http://x/${GONE}"}}})") ==
        "services.erp.url: the environment has no GONE");
  CHECK(wrong(R"({"services":{"erp":{"url":"http://x","timeout_seconds":0}}})") ==
        "services.erp.timeout_seconds must be a number of seconds, at most 600");
  CHECK(wrong(R"({"services":{"erp":{"url":"http://x","operations":{"a":{"method":"GET"}}}}})") ==
        "services.erp.operations.a.method must be POST, PUT, PATCH or DELETE");
  CHECK(wrong(R"({"email":{"from":"a@x.test"}})") == "email.smtp or email.maildir: one of the two");
}

}  // namespace ensue::testing
