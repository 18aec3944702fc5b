#include "engine/program.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/check.h"
#include "base/fold.h"
#include "base/key128.h"
#include "base/workers.h"
#include "embedded.h"
#include "exec/evaluator.h"
#include "graph/trigger_graph.h"
#include "plan/share.h"
#include "syntax/parse.h"

namespace ensue::engine {
namespace {

cadence::Definition definition_of(const check::Cadence& declared, const types::Schema& schema,
                                  lower::CalendarPtr calendar) {
  cadence::Definition out;
  out.name = declared.name;
  out.author = declared.author;
  out.draft = declared.draft;
  out.calendar = std::move(calendar);
  for (types::ObjectId target : declared.targets) out.targets.push_back(schema.object(target).name);
  for (const check::CadenceTrack& track : declared.tracks) {
    cadence::Track row{track.name, {}};
    for (const check::CadenceStep& step : track.steps) {
      row.steps.push_back({step.title, check::step_kind_name(step.kind), step.delay});
    }
    out.tracks.push_back(std::move(row));
  }
  return out;
}

limits::Rule rule_of(const check::Limit& limit) {
  limits::Rule out;
  out.scope = static_cast<limits::Scope>(limit.scope);
  out.kind = check::automation_kind_name(limit.kind);
  out.name = limit.name;
  out.author = limit.author;
  out.counter = limit.counter;
  out.max = limit.max;
  out.per_day = limit.per_day;
  out.window_ms = limit.window_ms;
  out.policy = static_cast<limits::Policy>(limit.policy);
  out.warn_percent = limit.warn_percent;
  return out;
}

// Lookups that the engine itself searches from the other end, and those that `has (…)` does.
std::set<types::FieldRef> linked_fields(const check::CheckedModule& module) {
  std::set<types::FieldRef> out;
  auto add = [&](const char* object_name, const char* field_name) {
    types::ObjectId object = module.schema.find_object(object_name);
    types::FieldId field =
        object ? module.schema.object(object).find(field_name) : types::FieldId();
    if (field) out.insert({object, field});
  };
  add("ActionCadenceTracker", "Target");
  add("ActionCadenceStepTracker", "ActionCadenceTracker");
  add("OpportunityContactRole", "Opportunity");
  add("GroupMember", "Group");
  for (const check::CheckedFile& file : module.files) {
    for (const check::Relation& relation : file.facts.relations)
      out.insert({relation.child, relation.lookup});
  }
  return out;
}

void read_templates(const check::CheckedModule& module, Program& program) {
  namespace ast = syntax::ast;
  for (const check::CheckedFile& file : module.files) {
    const syntax::Tree& tree = *file.tree;
    if (!tree.is(tree.root(), syntax::NodeKind::kFile)) continue;
    auto parts = [&](syntax::NodeId text) {
      std::vector<MailPart> out;
      if (!text.valid()) return out;
      if (tree.children(text).empty()) out.push_back({std::string(tree.text(text)), {}});
      for (syntax::NodeId piece : tree.children(text)) {
        MailPart& part = out.emplace_back();
        if (!tree.is(piece, syntax::NodeKind::kPath)) {
          part.text = tree.text(piece);
          continue;
        }
        for (syntax::NodeId name : tree.children(piece)) part.names.emplace_back(tree.text(name));
      }
      return out;
    };
    for (syntax::NodeId id : tree.children(tree.root())) {
      if (!tree.is(id, syntax::NodeKind::kTemplateDecl)) continue;
      ast::TemplateDecl decl(tree, id);
      program.templates[std::string(tree.text(decl.name()))] = {parts(decl.subject()),
                                                                parts(decl.body())};
    }
  }
}

std::string fingerprint_of(const std::vector<const source::SourceFile*>& sources) {
  std::string all;
  for (const source::SourceFile* source : sources) {
    all += source->name();
    all += '\0';
    all += source->text();
    all += '\0';
  }
  return base::to_hex(base::hash_key({"program", all}));
}

}  // namespace

void index_names(Program& program) {
  std::vector<uint32_t>& places = program.unit_by_rule;
  places.assign(std::bit_ceil(program.units.size() * 3 / 2 + 1), Program::kNoUnit);
  for (uint32_t i = 0; i < program.units.size(); ++i) {
    size_t at = std::hash<Key128>()(program.units[i]->rule) & (places.size() - 1);
    while (places[at] != Program::kNoUnit) at = (at + 1) & (places.size() - 1);
    places[at] = i;
  }
  for (uint32_t i = 0; i < program.cadences.size(); ++i)
    program.cadence_by_name.emplace(program.cadences[i].name, i);
}

const cadence::Definition* Program::find_cadence(std::string_view name) const {
  auto found = cadence_by_name.find(std::string(name));
  return found == cadence_by_name.end() ? nullptr : &cadences[found->second];
}

std::vector<const source::SourceFile*> Program::sources() const {
  std::vector<const source::SourceFile*> out;
  for (size_t i = 0; i < source_count; ++i)
    out.push_back(&texts->file(source::FileId(library_files + i)));
  return out;
}

std::optional<uint32_t> Program::find_unit_number(const Key128& rule) const {
  if (unit_by_rule.empty()) return std::nullopt;
  size_t at = std::hash<Key128>()(rule) & (unit_by_rule.size() - 1);
  for (; unit_by_rule[at] != kNoUnit; at = (at + 1) & (unit_by_rule.size() - 1)) {
    if (units[unit_by_rule[at]]->rule == rule) return unit_by_rule[at];
  }
  return std::nullopt;
}

const plan::UnitPlan* Program::find_unit(const Key128& rule) const {
  std::optional<uint32_t> number = find_unit_number(rule);
  return number ? units[*number].get() : nullptr;
}

const plan::UnitPlan* Program::find_flow(std::string_view name, plan::UnitKind kind) const {
  for (const plan::UnitPtr& unit : units) {
    if (unit->kind == kind && base::equal_folded(unit->name, name)) return unit.get();
  }
  return nullptr;
}

std::string stored_sources(const Program& program) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const source::SourceFile* file : program.sources())
    out.push_back({{"name", file->name()}, {"text", file->text()}});
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

void blank_out(std::string& text, uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end; ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

// The text of a file with its declarations of objects, or with all but those; the rest is blank, so
// that places stay true.
std::string objects_of(const Program& program, source::FileId file, bool objects) {
  std::string out(program.texts->file(file).text());
  uint32_t from = 0;
  for (const DeclaredObjects& declared : program.declared_objects) {
    if (declared.file != file) continue;
    for (const plan::SourceRange& range : declared.ranges) {
      if (objects) {
        blank_out(out, from, range.begin);
        from = range.end;
      } else {
        blank_out(out, range.begin, range.end);
      }
    }
  }
  if (objects) blank_out(out, from, static_cast<uint32_t>(out.size()));
  return out;
}

std::vector<DeclaredObjects> declared_objects(const check::CheckedModule& module) {
  std::vector<DeclaredObjects> out;
  for (const check::CheckedFile& file : module.files) {
    if (file.library) continue;
    const syntax::Tree& tree = *file.tree;
    DeclaredObjects row{tree.file(), {}};
    for (syntax::NodeId id : tree.children(tree.root())) {
      bool object =
          tree.is(id, syntax::NodeKind::kObjectDecl) || tree.is(id, syntax::NodeKind::kExtendDecl);
      if (object) row.ranges.push_back({tree.node(id).begin, tree.node(id).end});
    }
    if (!row.ranges.empty()) out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

Result<ProgramPtr> load_older_program(const Program& present, const std::string& stored) {
  auto rows = nlohmann::json::parse(stored, nullptr, false);
  if (!rows.is_array())
    return {ErrorCode::kStoreDamaged, "the program a waiting run began with cannot be read"};
  LoadInput alone;
  alone.options = present.options;
  for (const auto& row : rows)
    alone.sources.push_back({row.value("name", ""), row.value("text", "")});
  LoadInput input;
  input.options = alone.options;
  auto add = [&](const Program& program, bool objects) {
    for (size_t i = 0; i < program.source_count; ++i) {
      source::FileId file(program.library_files + i);
      input.sources.push_back({(objects ? "present/" : "") + program.texts->file(file).name(),
                               objects_of(program, file, objects)});
    }
  };
  Loaded old = load_program(std::move(alone));
  add(present, true);
  if (old.program != nullptr) add(*old.program, false);
  Loaded loaded = load_program(std::move(input));
  bool fits = old.program != nullptr && loaded.program != nullptr &&
              loaded.program->schema().object_count() == present.schema().object_count();
  if (!fits) {
    return {ErrorCode::kFault,
            "the version of the flow that the run began with does not fit the objects any more"};
  }
  return loaded.program;
}

namespace {

// How many threads are worth while for these sources; 0 wanted: as there are cores.
size_t threads_for(const source::SourceSet& sources, unsigned wanted) {
  constexpr size_t kBytesAThread = 256u << 10;  // less is parsed before a thread has begun
  if (wanted != 0) return wanted;
  size_t bytes = 0;
  for (size_t i = 0; i < sources.size(); ++i)
    bytes += sources.file(source::FileId(i)).text().size();
  size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::min(cores, bytes / kBytesAThread + 1);
}

// Parses every file. Files know nothing of one another, and differ much in size; what is wrong with
// them is told in their order.
std::vector<syntax::ParsedFile> parse_all(const source::SourceSet& sources,
                                          const syntax::ParseBounds& bounds, base::Workers& workers,
                                          source::DiagnosticSink& sink) {
  std::vector<syntax::ParsedFile> out(sources.size());
  std::vector<source::DiagnosticSink> sinks(sources.size());
  workers.each(out.size(), [&](size_t i) {
    out[i] = syntax::parse_file(sources, source::FileId(i), bounds, sinks[i]);
  });
  for (source::DiagnosticSink& each : sinks) sink.merge(std::move(each));
  return out;
}

// Calls `keep` with the plan of each automation that can run, in their order. Plans are made side
// by side, some at a time: most of them share their parts once they are kept.
template <class Keep>
void lower_all(const check::CheckedModule& module, const lower::Calendars& calendars,
               base::Workers& workers, Keep keep) {
  constexpr size_t kTogether = 1024;
  constexpr size_t kLeastPlans = 64;  // fewer are made before another thread has begun
  std::vector<const check::Automation*> runnable;
  for (const check::Automation& automation : module.automations) {
    if (automation.runnable) runnable.push_back(&automation);
  }
  for (size_t first = 0; first < runnable.size(); first += kTogether) {
    std::vector<std::shared_ptr<plan::UnitPlan>> units(
        std::min(kTogether, runnable.size() - first));
    workers.split(units.size(), kLeastPlans, [&](size_t, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        units[i] = lower::lower_automation(module, *runnable[first + i], calendars);
    });
    for (std::shared_ptr<plan::UnitPlan>& unit : units) keep(std::move(unit));
  }
}

}  // namespace

Loaded load_program(LoadInput input) {
  Loaded out;
  auto sources = std::make_shared<source::SourceSet>();
  source::DiagnosticSink sink;
  check::CheckInput check_input;
  syntax::ParseBounds bounds{input.options.bounds.source_bytes_max,
                             input.options.bounds.nesting_max};
  for (const stdlib::EmbeddedText& text : stdlib::texts()) {
    sources->add("stdlib/" + std::string(text.name), std::string(text.text));
  }
  check_input.library_files = sources->size();
  for (SourceText& source : input.sources)
    sources->add(std::move(source.name), std::move(source.text));
  base::Workers workers(threads_for(*sources, input.threads));
  check_input.workers = &workers;
  check_input.files = parse_all(*sources, bounds, workers, sink);
  std::optional<check::SessionInput> session;
  if (input.session != nullptr) {
    source::FileId file = sources->add("input", input.session->text);
    syntax::ParsedSession parsed = syntax::parse_session(*sources, file, bounds, sink);
    out.session = {file, parsed.tree->root()};
    out.session_incomplete = parsed.incomplete;
    // A sentence that could not be read has no facts to look up; an empty tree stands for it.
    if (!parsed.tree->root().valid())
      parsed.tree->set_root(parsed.tree->add(syntax::NodeKind::kFile, 0, 0, 0, {}));
    check_input.files.push_back({parsed.tree, {}});
    session = check::SessionInput{file, input.session->records, input.session->it};
    check_input.session = &*session;
  }
  check_input.sources = sources;
  check_input.options = input.options;
  check_input.known = input.known;
  out.module = check::check_program(check_input, sink);
  out.sources = sources;
  // Graphs are drawn of what is sound by itself; a broken program would only repeat its errors
  // there.
  if (!sink.has_errors())
    graph::report_graph_findings(*out.module, graph::build_trigger_graph(*out.module), sink);
  out.has_errors = sink.has_errors();
  out.has_warnings = sink.warning_count() > 0;
  out.diagnostics = sink.diagnostics(*sources);
  if (out.has_errors) return out;

  auto program = std::make_shared<Program>();
  const check::CheckedModule& module = *out.module;
  program->objects = std::make_shared<types::Schema>(module.schema);
  program->library = std::make_shared<types::FunctionTable>(module.functions);
  program->options = input.options;
  program->texts = sources;
  program->library_files = check_input.library_files;
  program->source_count = input.sources.size();
  program->declared_objects = declared_objects(module);
  program->bodies = exec::bodies_of(module.functions);
  // A declared function without a body, or the other way round, is a mistake of ours.
  ENSUE_CHECK(std::find(program->bodies.begin(), program->bodies.end(), nullptr) ==
              program->bodies.end());
  ENSUE_CHECK(builtins::body_names().size() == module.functions.size());
  lower::Calendars calendars(module);
  plan::Sharing sharing;
  auto keep = [&](std::shared_ptr<plan::UnitPlan> unit) {
    sharing.share(*unit);
    program->units.push_back(std::move(unit));
  };
  for (const check::Automation& automation : module.automations) {
    if (!automation.runnable) program->not_run.push_back(check::describe(automation));
  }
  lower_all(module, calendars, workers, keep);
  for (const check::Routing& routing : module.routings)
    keep(lower::lower_routing(module, routing, calendars));
  std::sort(
      program->units.begin(), program->units.end(),
      [](const plan::UnitPtr& a, const plan::UnitPtr& b) { return plan::runs_before(*a, *b); });
  program->units.shrink_to_fit();
  for (const check::Cadence& cadence : module.cadences) {
    program->cadences.push_back(
        definition_of(cadence, module.schema, calendars.for_file(cadence.name_span.file)));
  }
  for (const check::Limit& limit : module.limits) program->limits.push_back(rule_of(limit));
  read_templates(module, *program);
  std::string zone = module.day_start ? module.day_start->zone : input.options.zone;
  program->zone = calendar::Zone::find(zone).value_or(calendar::Zone::utc());
  program->counter_zone = program->zone;
  program->day_declared = module.day_start.has_value();
  if (module.day_start) program->day_starts_at = module.day_start->time;
  program->currency = Currency::of(input.options.currency);
  program->linked = linked_fields(module);
  index_names(*program);
  for (const plan::UnitPtr& unit : program->units) {
    for (const plan::FinderPlan& find : unit->body->finders) {
      if (find.lookup) program->linked.insert({find.object, find.lookup});
    }
  }
  program->fingerprint = fingerprint_of(program->sources());
  out.program = std::move(program);
  return out;
}

}  // namespace ensue::engine
