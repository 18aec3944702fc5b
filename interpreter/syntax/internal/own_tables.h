// What ANTLR learns of a grammar while it reads, kept by each thread for itself.
//
// ANTLR has one table for all threads, behind a lock that it takes for each character and each
// token: two threads wait for one another, and together are hardly faster than one.
#pragma once

#include <EnsueLexer.h>
#include <EnsueParser.h>

namespace ensue::syntax::internal {

// To be called before anything is read. The reader must stay on the thread that calls it.
void use_own_tables(grammar::EnsueLexer& lexer);
void use_own_tables(grammar::EnsueParser& parser);

}  // namespace ensue::syntax::internal
