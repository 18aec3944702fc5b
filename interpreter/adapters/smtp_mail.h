// E-mails handed to a mail server.
#pragma once

#include <memory>

#include "adapters/delivery_config.h"
#include "ensue/sink.h"

namespace ensue::adapters {

// A sink for kEmail, by SMTP. Blind: a server takes no key. A refusal (5xx) is a definite no, 4xx
// is to be tried again, and so is everything that breaks before the whole mail was handed over;
// after that only the server knows. Used by several threads at once.
std::unique_ptr<Sink> make_smtp_mail(MailConfig config);

}  // namespace ensue::adapters
