#include "engine/program.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/fold.h"
#include "base/key128.h"
#include "embedded.h"
#include "exec/evaluator.h"
#include "graph/trigger_graph.h"
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

std::string fingerprint_of(const std::vector<SourceText>& sources) {
  std::string all;
  for (const SourceText& source : sources) all += source.name + '\0' + source.text + '\0';
  return base::to_hex(base::hash_key({"program", all}));
}

}  // namespace

const cadence::Definition* Program::find_cadence(std::string_view name) const {
  auto found = module->cadence_index.find(name);
  return found == module->cadence_index.end() ? nullptr : &cadences[found->second];
}

const plan::UnitPlan* Program::find_unit(const Key128& rule) const {
  auto found = unit_by_rule.find(rule);
  return found == unit_by_rule.end() ? nullptr : units[found->second].get();
}

const plan::UnitPlan* Program::find_flow(std::string_view name, plan::UnitKind kind) const {
  for (const plan::UnitPtr& unit : units) {
    if (unit->kind == kind && base::equal_folded(unit->name, name)) return unit.get();
  }
  return nullptr;
}

std::string stored_sources(const Program& program) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const SourceText& source : program.sources)
    out.push_back({{"name", source.name}, {"text", source.text}});
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

// The declarations of objects, or all but those; the rest is blank, so that places stay true.
std::string objects_of(const check::CheckedFile& file, const std::string& text, bool objects) {
  const syntax::Tree& tree = *file.tree;
  std::string out = text;
  for (syntax::NodeId id : tree.children(tree.root())) {
    bool object =
        tree.is(id, syntax::NodeKind::kObjectDecl) || tree.is(id, syntax::NodeKind::kExtendDecl);
    if (object == objects) continue;
    for (uint32_t i = tree.node(id).begin; i < tree.node(id).end; ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
  }
  return out;
}

}  // namespace

Result<ProgramPtr> load_older_program(const Program& present, const std::string& stored) {
  auto rows = nlohmann::json::parse(stored, nullptr, false);
  if (!rows.is_array())
    return {ErrorCode::kStoreDamaged, "the program a waiting run began with cannot be read"};
  LoadInput alone;
  alone.options = present.module->options;
  for (const auto& row : rows)
    alone.sources.push_back({row.value("name", ""), row.value("text", "")});
  LoadInput input;
  input.options = alone.options;
  auto add = [&](const Program& program, bool objects) {
    const check::CheckedModule& module = *program.module;
    for (size_t i = 0; i < module.files.size(); ++i) {
      if (module.files[i].library) continue;
      const source::SourceFile& file = module.sources->file(source::FileId(i));
      input.sources.push_back({(objects ? "present/" : "") + std::string(file.name()),
                               objects_of(module.files[i], std::string(file.text()), objects)});
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
  for (const SourceText& source : input.sources) sources->add(source.name, source.text);
  for (size_t i = 0; i < sources->size(); ++i) {
    check_input.files.push_back(syntax::parse_file(*sources, source::FileId(i), bounds, sink));
  }
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
  program->module = out.module;
  program->bodies = exec::bodies_of(module.functions);
  // A declared function without a body, or the other way round, is a mistake of ours.
  ENSUE_CHECK(std::find(program->bodies.begin(), program->bodies.end(), nullptr) ==
              program->bodies.end());
  ENSUE_CHECK(builtins::body_names().size() == module.functions.size());
  lower::Calendars calendars(module);
  for (const check::Automation& automation : module.automations) {
    if (automation.runnable) {
      program->units.push_back(lower::lower_automation(module, automation, calendars));
    } else {
      program->not_run.push_back(check::describe(automation));
    }
  }
  for (const check::Routing& routing : module.routings)
    program->units.push_back(lower::lower_routing(module, routing, calendars));
  std::sort(
      program->units.begin(), program->units.end(),
      [](const plan::UnitPtr& a, const plan::UnitPtr& b) { return plan::runs_before(*a, *b); });
  for (const check::Cadence& cadence : module.cadences) {
    program->cadences.push_back(
        definition_of(cadence, module.schema, calendars.for_file(cadence.name_span.file)));
  }
  for (const check::Limit& limit : module.limits) program->limits.push_back(rule_of(limit));
  read_templates(module, *program);
  std::string zone = module.day_start ? module.day_start->zone : input.options.zone;
  program->zone = calendar::Zone::find(zone).value_or(calendar::Zone::utc());
  program->counter_zone = program->zone;
  if (module.day_start) program->day_starts_at = module.day_start->time;
  program->currency = Currency::of(input.options.currency);
  program->linked = linked_fields(module);
  for (uint32_t i = 0; i < program->units.size(); ++i) {
    const plan::UnitPlan& unit = *program->units[i];
    program->unit_by_rule.emplace(unit.rule, i);
    for (const plan::FinderPlan& find : unit.body.finders) {
      if (find.lookup) program->linked.insert({find.object, find.lookup});
    }
  }
  program->fingerprint = fingerprint_of(input.sources);
  program->sources = std::move(input.sources);
  out.program = std::move(program);
  return out;
}

}  // namespace ensue::engine
