// A sink that appends what it gets to a file: one line of the native form of events for each
// change, so that another program, or another engine, can follow it; one line for each call of a
// service, {"id":…,"service":…,"record":…,"arguments":{…}}, whose answer is blank; one for each
// e-mail, as it was asked for.
#pragma once

#include <memory>
#include <string>

#include "ensue/result.h"
#include "ensue/sink.h"

namespace ensue::adapters {

// Opens the file, making it when it is missing, and reads which keys it holds; a last line without
// its end, torn by a crash, is taken away. The sink is of class kAsked: each change stands in the
// file once, whatever happens, and is synchronised before the call returns. Memory: 16 bytes a
// line. Errors: kStoreLocked (another process writes it), kIo, kStorageFull.
Result<std::unique_ptr<Sink>> open_recording_sink(const std::string& path);

}  // namespace ensue::adapters
