// Texts of the reference evaluator, as lists of code points: letter case by the alphabets
// themselves, apart from base/fold.
//
// Knows the letters of ASCII, Latin-1, Greek and Cyrillic, which is what the generators write. Left
// out are those whose case is not one to one (ß, ÿ, final sigma).
#pragma once

#include <string>
#include <string_view>

namespace ensue::testing::reference {

using Letters = std::u32string;

Letters letters_of(std::string_view utf8);
std::string utf8_of(const Letters& letters);
Letters small(Letters letters);
Letters capital(Letters letters);

}  // namespace ensue::testing::reference
