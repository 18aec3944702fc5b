#include "engine/program_cache.h"

#include <build_identity.h>

#include <algorithm>

#include "base/key128.h"
#include "embedded.h"
#include "engine/internal/archive.h"
#include "ensue/version.h"
#include "exec/evaluator.h"

namespace ensue::engine {
namespace internal {

// ---- What a program has beside its units ------------------------------------------------------

template <class Archive>
void serialize(Archive& ar, source::Span& span) {
  ar(span.file, span.begin, span.end);
}
template <class Archive>
void serialize(Archive& ar, types::Picklist& row) {
  ar(row.values, row.open);
}
template <class Archive>
void serialize(Archive& ar, types::Field& row) {
  ar(row.name, row.stored_as, row.label, row.children, row.type, row.required, row.default_value,
     row.declared);
}

// A field, and what the library called it where a project declares it anew: it answers to its old
// names, too.
struct FieldRow {
  types::Field field;
  std::optional<types::Field> before;
};
struct ObjectRow {
  std::string name;
  std::string label;
  source::Span declared;
  std::vector<FieldRow> fields;
};
struct SchemaRows {
  std::vector<types::Picklist> picklists;
  std::vector<std::vector<types::ObjectId>> object_sets;
  std::vector<ObjectRow> objects;
};
template <class Archive>
void serialize(Archive& ar, FieldRow& row) {
  ar(row.field, row.before);
}
template <class Archive>
void serialize(Archive& ar, ObjectRow& row) {
  ar(row.name, row.label, row.declared, row.fields);
}
template <class Archive>
void serialize(Archive& ar, SchemaRows& rows) {
  ar(rows.picklists, rows.object_sets, rows.objects);
}
template <class Archive>
void serialize(Archive& ar, types::Parameter& row) {
  ar(row.name, row.type, row.default_value);
}
template <class Archive>
void serialize(Archive& ar, types::Signature& row) {
  ar(row.name, row.parameters, row.result, row.prose, row.examples);
}
template <class Archive>
void serialize(Archive& ar, cadence::Step& row) {
  ar(row.title, row.kind, row.delay);
}
template <class Archive>
void serialize(Archive& ar, cadence::Track& row) {
  ar(row.name, row.steps);
}
template <class Archive>
void serialize(Archive& ar, cadence::Definition& row) {
  ar(row.name, row.author, row.draft, row.targets, row.tracks, row.calendar);
}
template <class Archive>
void serialize(Archive& ar, limits::Rule& row) {
  ar(up_to(row.scope, limits::Scope::kService), row.kind, row.name, row.author, row.counter,
     row.max, row.per_day, row.window_ms, up_to(row.policy, limits::Policy::kPause),
     row.warn_percent);
}
template <class Archive>
void serialize(Archive& ar, MailPart& row) {
  ar(row.text, row.names);
}
template <class Archive>
void serialize(Archive& ar, MailTemplate& row) {
  ar(row.subject, row.body);
}
template <class Archive>
void serialize(Archive& ar, DeclaredObjects& row) {
  ar(row.file, row.ranges);
}
template <class Archive>
void serialize(Archive& ar, Place& row) {
  ar(often(row.file), row.begin, row.end, row.line, row.column, row.end_line, row.end_column);
}
template <class Archive>
void serialize(Archive& ar, Label& row) {
  ar(row.place, row.text);
}
template <class Archive>
void serialize(Archive& ar, Fix& row) {
  ar(row.title, row.place, row.replacement);
}
template <class Archive>
void serialize(Archive& ar, Diagnostic& row) {
  ar(row.code, row.name, up_to(row.severity, Severity::kWarning), row.message, row.primary,
     row.labels, row.notes, row.fix);
}

}  // namespace internal

namespace {

using internal::Damaged;
using internal::FieldRow;
using internal::Input;
using internal::need;
using internal::ObjectRow;
using internal::Output;
using internal::SchemaRows;

// Magic, build, program, payload; the payload's checksum last.
constexpr std::string_view kMagic = "ensue program 1\n";
constexpr size_t kKeyBytes = 16;
constexpr size_t kHeaderBytes = kMagic.size() + 3 * kKeyBytes;

std::string_view bytes_of(const base::Key128& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

base::Key128 build_key() { return base::hash_key({"build", kBuildIdentity, kVersion}); }

// Of the options and of every text the program is made of.
template <class Texts>
base::Key128 key_of(const ProgramOptions& options, const Texts& texts) {
  std::string parts;
  auto add = [&](std::initializer_list<std::string_view> words) {
    parts += bytes_of(base::hash_key(words));
  };
#define ENSUE_BOUND(type, name, value, unit, reason) \
  parts += std::to_string(options.bounds.name) + ' ';
  ENSUE_BOUNDS(ENSUE_BOUND)
#undef ENSUE_BOUND
  add({options.zone, options.currency, options.author});
  for (const stdlib::EmbeddedText& text : stdlib::texts()) add({text.name, text.text});
  texts([&](std::string_view name, std::string_view text) { add({name, text}); });
  return base::hash_key({"program", parts});
}

std::string header(const base::Key128& program, std::string_view payload) {
  std::string out(kMagic);
  out += bytes_of(build_key());
  out += bytes_of(program);
  out += bytes_of(base::hash_key({"payload", payload}));
  return out;
}

// ---- Both ways --------------------------------------------------------------------------------

// The schema as it was before a project added to it.
const types::Schema& library_schema() {
  static const ProgramPtr kLibrary = load_program({{}, {}, nullptr, nullptr}).program;
  return kLibrary->schema();
}

bool same_names(const types::Field& a, const types::Field& b) {
  return a.name == b.name && a.stored_as == b.stored_as && a.label == b.label;
}

SchemaRows rows_of(const types::Schema& schema) {
  const types::Schema& library = library_schema();
  SchemaRows out;
  size_t picklists = 0;
  size_t sets = 0;
  auto see = [&](const types::Type& type) {
    if (type.picklist.valid()) picklists = std::max<size_t>(picklists, type.picklist.index + 1);
    if (type.objects.valid()) sets = std::max<size_t>(sets, type.objects.index + 1);
  };
  for (size_t i = 0; i < schema.object_count(); ++i) {
    types::ObjectId id(i);
    const types::Object& object = schema.object(id);
    see(schema.record_type(id));
    ObjectRow row{object.name, object.label, object.declared, {}};
    for (size_t j = 0; j < object.fields.size(); ++j) {
      see(object.fields[j].type);
      FieldRow field{object.fields[j], std::nullopt};
      bool known = i < library.object_count() && j < library.object(id).fields.size();
      if (known && !same_names(library.object(id).fields[j], field.field))
        field.before = library.object(id).fields[j];
      row.fields.push_back(std::move(field));
    }
    out.objects.push_back(std::move(row));
  }
  for (size_t i = 0; i < picklists; ++i)
    out.picklists.push_back(schema.picklist(types::PicklistId(i)));
  for (size_t i = 0; i < sets; ++i)
    out.object_sets.push_back(schema.objects_of(types::ObjectSetId(i)));
  return out;
}

// Sets and lists first, so that the numbers are those they had; then objects and fields as check/
// declares them.
types::Schema schema_of(SchemaRows rows) {
  types::Schema out;
  for (types::Picklist& row : rows.picklists) out.add_picklist(std::move(row));
  for (size_t i = 0; i < rows.object_sets.size(); ++i) {
    for (types::ObjectId id : rows.object_sets[i]) need(id.index < rows.objects.size());
    need(out.add_object_set(std::move(rows.object_sets[i])).index == i);
  }
  for (size_t i = 0; i < rows.objects.size(); ++i) {
    ObjectRow& row = rows.objects[i];
    need(out.declare_object(row.name, row.declared).index == i);
    types::ObjectId id(i);
    need(out.record_type(id).objects.index < rows.object_sets.size());
    out.edit(id).label = std::move(row.label);
    for (FieldRow& field : row.fields) {
      for (const types::Type& type :
           {field.field.type, field.before ? field.before->type : field.field.type}) {
        need(!type.picklist.valid() || type.picklist.index < rows.picklists.size());
        need(!type.objects.valid() || type.objects.index < rows.object_sets.size());
        need(type.kind != types::TypeKind::kRecord || type.objects.valid());
        bool picklist =
            type.kind == types::TypeKind::kPicklist || type.kind == types::TypeKind::kMultipicklist;
        need(!picklist || type.picklist.valid());
      }
      size_t count = out.object(id).fields.size();
      need(out.add_field(id, field.before ? *field.before : field.field));
      if (field.before) out.put_field(id, std::move(field.field));
      need(out.object(id).fields.size() == count + 1);
    }
  }
  return out;
}

template <class Archive, class P>
void archive_program(Archive& ar, P& program, Loaded& loaded) {
  ar(program.not_run, program.cadences, program.limits, program.zone, program.counter_zone,
     program.day_starts_at, program.day_declared, program.currency.packed, program.declared_objects,
     program.fingerprint, loaded.diagnostics);
}

void save_units(Output& out, const std::vector<plan::UnitPtr>& units) {
  out(static_cast<uint32_t>(units.size()));
  for (const plan::UnitPtr& unit : units) out(*unit);
}

void load_units(Input& in, const types::Schema& schema, const types::FunctionTable& functions,
                std::vector<plan::UnitPtr>& units) {
  uint32_t count = 0;
  in(count);
  need(count <= in.left());
  for (uint32_t i = 0; i < count; ++i) {
    auto unit = std::make_shared<plan::UnitPlan>();
    in(*unit);
    need(plan::verify(*unit, schema, functions).empty());
    units.push_back(std::move(unit));
  }
}

void save_rest(Output& out, const Program& program) {
  std::vector<types::FieldRef> linked(program.linked.begin(), program.linked.end());
  out(linked);
  out(static_cast<uint32_t>(program.templates.size()));
  for (const auto& [name, text] : program.templates) out(name, text);
}

void load_rest(Input& in, Program& program) {
  std::vector<types::FieldRef> linked;
  in(linked);
  for (types::FieldRef ref : linked) {
    need(ref.object.index < program.schema().object_count());
    need(ref.field.index < program.schema().object(ref.object).fields.size());
  }
  program.linked.insert(linked.begin(), linked.end());
  uint32_t count = 0;
  in(count);
  for (uint32_t i = 0; i < count; ++i) {
    std::string name;
    in(name);
    in(program.templates[name]);
  }
}

// Places that are shown must lie in the texts.
void check_places(const Program& program, const std::vector<Diagnostic>& diagnostics) {
  auto check = [&](const Place& place) {
    if (place.file.empty()) return;
    const source::SourceFile* file = program.texts->find(place.file);
    need(file != nullptr && place.begin <= place.end && place.end <= file->text().size());
    need(place.line >= 1 && place.line <= place.end_line && place.end_line <= file->line_count());
  };
  for (const Diagnostic& row : diagnostics) {
    need(row.severity != Severity::kError);
    check(row.primary.place);
    for (const Label& label : row.labels) check(label.place);
    if (row.fix) check(row.fix->place);
  }
  for (const DeclaredObjects& row : program.declared_objects) {
    need(row.file.index >= program.library_files &&
         row.file.index < program.library_files + program.source_count);
    uint32_t from = 0;
    for (const plan::SourceRange& range : row.ranges) {
      need(from <= range.begin && range.begin <= range.end);
      from = range.end;
    }
    need(from <= program.texts->file(row.file).text().size());
  }
}

}  // namespace

std::string encode_program(const Loaded& loaded) {
  const Program& program = *loaded.program;
  std::string payload;
  Output out(payload);
  SchemaRows tables = rows_of(program.schema());
  std::vector<types::Signature> functions;
  for (size_t i = 0; i < program.functions().size(); ++i)
    functions.push_back(program.functions().row(types::FunctionId(i)));
  out(tables, functions);
  Loaded copy;
  copy.diagnostics = loaded.diagnostics;
  archive_program(out, const_cast<Program&>(program), copy);
  save_rest(out, program);
  save_units(out, program.units);
  base::Key128 key = key_of(program.options, [&](auto add) {
    for (const source::SourceFile* file : program.sources()) add(file->name(), file->text());
  });
  return header(key, payload) + payload;
}

std::optional<Loaded> decode_program(std::string_view bytes, LoadInput& input) {
  if (bytes.size() < kHeaderBytes || input.known != nullptr || input.session != nullptr)
    return std::nullopt;
  base::Key128 key = key_of(input.options, [&](auto add) {
    for (const SourceText& source : input.sources) add(source.name, source.text);
  });
  std::string_view payload = bytes.substr(kHeaderBytes);
  if (bytes.substr(0, kHeaderBytes) != header(key, payload)) return std::nullopt;
  auto sources = std::make_shared<source::SourceSet>();
  auto program = std::make_shared<Program>();
  Loaded out;
  bool moved = false;
  auto give_back = [&] {
    if (!moved) return;
    for (size_t i = 0; i < input.sources.size(); ++i) {
      const source::SourceFile& file = sources->file(source::FileId(program->library_files + i));
      input.sources[i] = {file.name(), std::string(file.text())};
    }
  };
  try {
    Input in(payload);
    SchemaRows tables;
    std::vector<types::Signature> functions;
    in(tables, functions);
    program->objects = std::make_shared<types::Schema>(schema_of(std::move(tables)));
    auto library = std::make_shared<types::FunctionTable>();
    for (types::Signature& row : functions) library->add(std::move(row));
    program->library = std::move(library);
    program->bodies = exec::bodies_of(program->functions());
    need(std::find(program->bodies.begin(), program->bodies.end(), nullptr) ==
         program->bodies.end());
    archive_program(in, *program, out);
    load_rest(in, *program);
    load_units(in, program->schema(), program->functions(), program->units);
    need(in.left() == 0);
    program->options = input.options;
    program->source_count = input.sources.size();
    for (const stdlib::EmbeddedText& text : stdlib::texts())
      sources->add("stdlib/" + std::string(text.name), std::string(text.text));
    program->library_files = sources->size();
    moved = true;
    for (SourceText& source : input.sources)
      sources->add(std::move(source.name), std::move(source.text));
    program->texts = sources;
    check_places(*program, out.diagnostics);
  } catch (const Damaged&) {
    give_back();
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    give_back();
    return std::nullopt;
  }
  index_names(*program);
  out.has_warnings = !out.diagnostics.empty();
  out.sources = std::move(sources);
  out.program = std::move(program);
  return out;
}

void seal_again(std::string& bytes) {
  if (bytes.size() < kHeaderBytes) return;
  base::Key128 sum = base::hash_key({"payload", std::string_view(bytes).substr(kHeaderBytes)});
  std::copy(sum.bytes.begin(), sum.bytes.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(kHeaderBytes - kKeyBytes));
}

}  // namespace ensue::engine
