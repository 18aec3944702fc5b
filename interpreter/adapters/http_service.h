// Services called over HTTP.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "adapters/delivery_config.h"
#include "ensue/sink.h"

namespace ensue::adapters {

// A sink for kService. `erp.createOrder` is the operation `createOrder` of the service `erp`: a
// POST of the arguments as JSON to its address and `/createOrder`, unless the configuration says
// otherwise, with the key in a header. Used by several threads at once.
//
// 2xx is done, with the body as the answer (one that does not say it is JSON becomes a text). 408,
// 425, 429 and 503 are to be tried again, and the text tells what `Retry-After` asks for; so are
// the other 5xx of a service that keeps keys, while those of another one may have happened:
// unknown. Any other answer is a definite no; redirections are not followed. A connection that was
// not made is to be tried again; one that broke off, or gave no answer in time, is unknown.
std::unique_ptr<Sink> make_http_services(std::map<std::string, ServiceConfig> services);

}  // namespace ensue::adapters
