// An e-mail as it goes over the wire (RFC 5322), made from what the engine asks for.
#pragma once

#include <string>

#include "adapters/delivery_config.h"
#include "ensue/result.h"
#include "ensue/sink.h"

namespace ensue::adapters {

struct MailMessage {
  std::string from;  // bare addresses
  std::string to;
  std::string text;  // header and body, lines end with \r\n
};

// The Message-ID is made of the key: every attempt is the same mail to who receives it twice.
// Errors: kInvalidArgument when an address is not one, or nobody is named as the sender.
Result<MailMessage> mail_message(const SinkCall& call, const MailConfig& config);

}  // namespace ensue::adapters
