// Checking a program: names, types, rules of the language, doubtful sentences.
//
// A list of stages, each a function over the module being built (stages.cc); every stage reports
// and goes on. An erroneous part is left out of the module or typed `error`, which absorbs what
// would follow from it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/fold.h"
#include "base/workers.h"
#include "check/checked_module.h"
#include "source/diagnostic_sink.h"
#include "syntax/parse.h"

namespace ensue::check {

using NameSet = std::set<std::string, base::FoldedLess>;

// What is known of the records the program will meet, when they are given (`--records`).
struct KnownRecords {
  NameSet users;     // ids, usernames, e-mail addresses
  NameSet queues;    // ids, names
  NameSet cadences;  // names
};

// A sentence typed by a person, in a file of its own whose root is a test statement or an
// expression.
struct SessionInput {
  source::FileId file;
  std::map<std::string, std::string, base::FoldedLess>
      records;     // ids that may be named, and their objects
  std::string it;  // the object of the record in hand; empty: none
};

struct CheckInput {
  std::shared_ptr<const source::SourceSet> sources;
  std::vector<syntax::ParsedFile> files;  // by FileId
  size_t library_files = 0;               // the first ones
  ProgramOptions options;
  const KnownRecords* known = nullptr;    // null: nothing is known, and no user is called unknown
  const SessionInput* session = nullptr;  // null: no sentence
  base::Workers* workers = nullptr;       // null: the calling thread alone
};

// The module is complete when `sink` has no errors; with errors it holds what could be made sense
// of, and must not be run.
std::shared_ptr<CheckedModule> check_program(const CheckInput& input, source::DiagnosticSink& sink);

}  // namespace ensue::check
