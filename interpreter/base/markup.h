// Text put into XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace ensue::base {

/// The text with the four characters that mean something in markup (& < > ") written as entities:
/// fit for content and for attributes in double quotes. Everything else stays as it is. Linear.
std::string escape_markup(std::string_view text);

}  // namespace ensue::base
