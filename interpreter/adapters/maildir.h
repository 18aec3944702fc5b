// E-mails put into a maildir, for another program to send or to read.
#pragma once

#include <memory>

#include "adapters/delivery_config.h"
#include "ensue/result.h"
#include "ensue/sink.h"

namespace ensue::adapters {

// A sink for kEmail. Each mail is a file named for its key, written to `tmp`, synchronised and
// moved to `new`, so that a second delivery of the same key is the same file: keyed. One that
// somebody has read and moved to `cur` is not written again. Makes the folders that are missing.
// Errors: kIo.
Result<std::unique_ptr<Sink>> open_maildir(MailConfig config);

}  // namespace ensue::adapters
