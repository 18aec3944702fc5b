// Declarations: objects and their fields, functions, and the names of everything else.
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"
#include "value/decimal.h"

namespace ensue::check::internal {
namespace {

std::vector<std::string> type_words() {
  return {"text", "long text", "number",   "percent",      "money", "boolean",
          "date", "datetime",  "time",     "email",        "phone", "url",
          "id",   "lookup",    "picklist", "multipicklist"};
}

// Words of other systems and what they are called here.
std::optional<std::string> type_synonym(std::string_view word) {
  static const std::map<std::string, std::string, base::FoldedLess> kSynonyms = {
      {"string", "text"},         {"varchar", "text"},     {"textarea", "long text"},
      {"int", "number"},          {"integer", "number"},   {"double", "number"},
      {"float", "number"},        {"decimal", "number"},   {"currency", "money"},
      {"bool", "boolean"},        {"checkbox", "boolean"}, {"timestamp", "datetime"},
      {"reference", "lookup to"}, {"select", "picklist"},  {"enum", "picklist"},
      {"choice", "picklist"},
  };
  auto found = kSynonyms.find(word);
  return found == kSynonyms.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Checker::Checker(const CheckInput& input, source::DiagnosticSink& sink)
    : input_(input),
      sink_(sink),
      module_(std::make_shared<CheckedModule>()),
      names_(std::make_shared<Names>()) {
  module_->sources = input.sources;
  module_->options = input.options;
  for (size_t i = 0; i < input.files.size(); ++i) {
    CheckedFile file;
    file.tree = input.files[i].tree;
    file.facts.by_node.resize(file.tree->node_count());
    file.library = i < input.library_files;
    module_->files.push_back(std::move(file));
  }
}

Checker::Checker(const Checker& whole, source::DiagnosticSink& sink)
    : input_(whole.input_), sink_(sink), module_(whole.module_), names_(whole.names_) {}

void Checker::enter(FileId file) {
  file_ = file;
  tree_ = module_->files[file.index].tree.get();
  facts_ = &module_->files[file.index].facts;
}

bool Checker::broken(std::string_view word, std::string_view name) const {
  for (const syntax::ParsedFile& file : input_.files) {
    for (const syntax::BrokenDeclaration& declaration : file.broken) {
      if (base::ends_with_folded(declaration.word, word) &&
          base::equal_folded(declaration.name, name))
        return true;
    }
  }
  return false;
}

std::optional<int64_t> Checker::whole_number(NodeId id, int64_t least, int64_t most,
                                             std::string_view what) {
  auto number = value::parse_decimal(tree_->text(id));
  if (number && number->scale == 0 && number->coefficient >= least && number->coefficient <= most) {
    return number->coefficient;
  }
  report(DiagnosticKind::kWholeNumber, span(id),
         {what, fmt::format("{}", least), fmt::format("{}", most)});
  return std::nullopt;
}

// ---- Objects ----------------------------------------------------------------------------------

void Checker::declare_objects() {
  for_each_declaration(NodeKind::kObjectDecl, [&](NodeId id) {
    ast::ObjectDecl decl(*tree_, id);
    if (!in_library()) {
      auto [known, fresh] =
          project_objects_.emplace(text(decl.name()), Named{span(decl.name()), true});
      if (!fresh) {
        report(DiagnosticKind::kDuplicateName, span(decl.name()), {"object", text(decl.name())})
            .label(known->second.span, "declared here first")
            .note("`extend` adds fields to an object");
        repeated_objects_.insert({file_.index, id.index});
        return;
      }
    }
    types::ObjectId object = module_->schema.declare_object(text(decl.name()), span(decl.name()));
    if (decl.label().valid()) module_->schema.edit(object).label = text(decl.label());
  });
}

void Checker::declare_fields() {
  // Every record has an id, whatever else it has.
  for (size_t i = 0; i < module_->schema.object_count(); ++i) {
    types::Field id;
    id.name = id.stored_as = id.label = "Id";
    id.type = Type::of(TypeKind::kId);
    module_->schema.add_field(types::ObjectId(i), std::move(id));
  }
  for_each_declaration(NodeKind::kObjectDecl, [&](NodeId id) {
    ast::ObjectDecl decl(*tree_, id);
    types::ObjectId object = module_->schema.find_object(text(decl.name()));
    bool repeated = repeated_objects_.count({file_.index, id.index}) != 0;
    for (NodeId field : tree_->items(decl.fields())) {
      bool known = module_->schema.object(object)
                       .find_stored(text(ast::FieldDecl(*tree_, field).name()))
                       .valid();
      if (!repeated || !known) declare_field(object, field);
    }
  });
  for_each_declaration(NodeKind::kExtendDecl, [&](NodeId id) {
    ast::ExtendDecl decl(*tree_, id);
    types::ObjectId object = object_named(decl.name());
    if (!object) return;
    for (NodeId field : tree_->items(decl.fields())) declare_field(object, field);
  });
}

void Checker::declare_field(types::ObjectId object, NodeId id) {
  ast::FieldDecl decl(*tree_, id);
  types::Field field;
  field.name = text(decl.name());
  field.stored_as = decl.stored_as().valid() ? text(decl.stored_as()) : field.name;
  field.label = decl.label().valid() ? text(decl.label()) : field.name;
  field.children = text(decl.children());
  field.required = decl.op() == 1;
  field.declared = span(decl.name());
  field.type = field_type(decl.type());
  if (base::equal_folded(field.name, "Id") && !in_library()) {
    report(DiagnosticKind::kDuplicateField, field.declared, {field.name})
        .note("every record has an id");
    return;
  }
  if (decl.default_value().valid()) {
    Place nowhere;
    Type given = infer(decl.default_value(), nowhere, &field.type);
    const Fact& fact = facts_->of(decl.default_value());
    if (!fits(field.type, given, decl.default_value())) {
      report(DiagnosticKind::kCannotAssign, span(decl.default_value()),
             {field.name, a_name_of(field.type), a_name_of(given)});
    } else if (fact.binding == Binding::kConstant) {
      field.default_value = facts_->constants[fact.index];
    }
  }
  types::FieldId known = module_->schema.object(object).find_stored(field.name);
  if (in_library()) {
    CheckedModule& module = *module_;
    if (!module.schema.add_field(object, std::move(field))) {
      report(DiagnosticKind::kDuplicateField, span(decl.name()), {text(decl.name())});
    }
    return;
  }
  types::FieldRef ref{object,
                      known ? known : types::FieldId(module_->schema.object(object).fields.size())};
  auto [earlier, fresh] = project_fields_.emplace(ref, field.declared);
  if (!fresh) {
    report(DiagnosticKind::kDuplicateField, field.declared, {field.name})
        .label(earlier->second, "first declared here");
    return;
  }
  module_->schema.put_field(object, std::move(field));
}

Type Checker::field_type(NodeId id) {
  switch (tree_->kind(id)) {
    case NodeKind::kPicklistType: {
      types::Picklist picklist;
      picklist.open = (tree_->op(id) & syntax::kPicklistOpen) != 0;
      NameSet seen;
      for (NodeId value : tree_->items(ast::PicklistType(*tree_, id).values())) {
        if (!seen.insert(text(value)).second) {
          report(DiagnosticKind::kClauseRepeated, span(value), {"this value"});
        } else {
          picklist.values.push_back(text(value));
        }
      }
      bool multi = (tree_->op(id) & syntax::kPicklistMulti) != 0;
      types::PicklistId list = module_->schema.add_picklist(std::move(picklist));
      return {multi ? TypeKind::kMultipicklist : TypeKind::kPicklist, false, list, {}};
    }
    case NodeKind::kLookupType: {
      std::vector<types::ObjectId> objects;
      for (NodeId name : tree_->items(ast::LookupType(*tree_, id).objects())) {
        if (types::ObjectId object = object_named(name)) objects.push_back(object);
      }
      if (objects.empty()) return Type::of(TypeKind::kError);
      return {TypeKind::kRecord, false, {}, module_->schema.add_object_set(std::move(objects))};
    }
    default: return named_type(id, false);
  }
}

Type Checker::named_type(NodeId id, bool records_allowed) {
  if (tree_->is(id, NodeKind::kListType)) {
    Type element = named_type(ast::ListType(*tree_, id).element(), records_allowed);
    element.list = true;
    return element;
  }
  if (tree_->is(id, NodeKind::kPicklistType)) return field_type(id);
  std::string word = text(id);
  bool function_only = base::equal_folded(word, "anything") || base::equal_folded(word, "duration");
  if (auto kind = types::type_kind_of(word); kind && !(function_only && !in_library()))
    return Type::of(*kind);
  if (records_allowed) {
    if (types::ObjectId object = module_->schema.find_object(word))
      return module_->schema.record_type(object);
  }
  std::optional<std::string> meant = type_synonym(word);
  if (!meant) {
    std::vector<std::string> words = type_words();
    if (records_allowed) {
      for (std::string& name : module_->schema.object_names()) words.push_back(name);
    }
    meant = base::nearest(word, words);
  }
  Finding& finding = report(DiagnosticKind::kUnknownType, span(id), {word});
  if (!meant && module_->schema.find_object(word)) meant = "lookup to " + word;
  finding.suggest(meant);
  return Type::of(TypeKind::kError);
}

types::ObjectId Checker::object_named(NodeId name) {
  return name.valid() ? object_named(tree_->text(name), span(name)) : types::ObjectId();
}

types::ObjectId Checker::object_named(std::string_view name, Span at, bool spoken) {
  types::ObjectId object =
      spoken ? module_->schema.find_object_spoken(name) : module_->schema.find_object(name);
  if (object || broken("object", name)) return object;
  Finding& finding = report(DiagnosticKind::kUnknownObject, at, {name});
  types::ObjectId meant = module_->schema.find_object_spoken(name);
  if (meant) {
    finding.suggest(module_->schema.object(meant).name);
  } else {
    finding.suggest(base::nearest(name, module_->schema.object_names()));
  }
  return types::ObjectId();
}

// ---- Functions --------------------------------------------------------------------------------

void Checker::declare_functions() {
  for_each_declaration(NodeKind::kFunctionDecl, [&](NodeId id) {
    ast::FunctionDecl decl(*tree_, id);
    if (!in_library()) {
      report(DiagnosticKind::kNotADeclaration, span(decl.name()), {"a function"})
          .note("functions are part of the library; a project writes subflows");
      return;
    }
    types::Signature signature;
    signature.name = text(decl.name());
    signature.prose = text(decl.prose());
    signature.result = named_type(decl.result(), false);
    for (NodeId param : tree_->items(decl.params())) {
      ast::Param row(*tree_, param);
      types::Parameter parameter{text(row.name()), named_type(row.type(), false), std::nullopt};
      if (row.default_value().valid()) {
        infer(row.default_value(), Place{}, &parameter.type);
        parameter.default_value = facts_->constants[facts_->of(row.default_value()).index];
      }
      signature.parameters.push_back(std::move(parameter));
    }
    for (NodeId example : tree_->items(decl.examples()))
      signature.examples.emplace_back(tree_->written(example));
    module_->functions.add(std::move(signature));
  });
  // Examples are conditions like any other, so they are checked like them.
  for_each_declaration(NodeKind::kFunctionDecl, [&](NodeId id) {
    for (NodeId example : tree_->items(ast::FunctionDecl(*tree_, id).examples()))
      infer_condition(example, Place{});
  });
}

// ---- Names ------------------------------------------------------------------------------------

void Checker::declare_named(NamedTable& table, NodeId name, std::string_view what) {
  auto [known, fresh] = table.emplace(text(name), Named{span(name), !in_library()});
  if (fresh) return;
  report(DiagnosticKind::kDuplicateName, span(name), {what, text(name)})
      .label(known->second.span, "declared here first");
}

void Checker::declare_names() {
  for_each_declaration(NodeKind::kFlowDecl, [&](NodeId id) {
    ast::FlowDecl decl(*tree_, id);
    if (decl.op() == syntax::kFlowSubflow) {
      declare_named(names_->subflows, decl.name(), "subflow");
    } else if (decl.op() == syntax::kFlowScreen) {
      declare_named(names_->screen_flows, decl.name(), "screen flow");
    } else {
      declare_named(names_->flows, decl.name(), "flow");
    }
  });
  for_each_declaration(NodeKind::kCadenceDecl, [&](NodeId id) {
    declare_named(names_->cadences, ast::CadenceDecl(*tree_, id).name(), "cadence");
  });
  for_each_declaration(NodeKind::kQuickCadenceDecl, [&](NodeId id) {
    declare_named(names_->cadences, ast::QuickCadenceDecl(*tree_, id).name(), "cadence");
  });
  for_each_declaration(NodeKind::kTemplateDecl, [&](NodeId id) {
    declare_named(names_->templates, ast::TemplateDecl(*tree_, id).name(), "template");
  });
  for_each_declaration(NodeKind::kScriptDecl, [&](NodeId id) {
    declare_named(names_->scripts, ast::ScriptDecl(*tree_, id).name(), "script");
  });
  for_each_declaration(NodeKind::kRoutingDecl, [&](NodeId id) {
    declare_named(names_->routings, ast::RoutingDecl(*tree_, id).name(), "routing table");
  });
  for_each_declaration(NodeKind::kCalendarDecl, [&](NodeId id) {
    declare_named(names_->calendars, ast::CalendarDecl(*tree_, id).name(), "calendar");
  });
  for_each_declaration(NodeKind::kTestDecl, [&](NodeId id) {
    declare_named(names_->tests, ast::TestDecl(*tree_, id).name(), "test");
  });
  // An action's name is unique for its author.
  NamedTable by_author;
  for_each_declaration(NodeKind::kActionDecl, [&](NodeId id) {
    ast::ActionDecl decl(*tree_, id);
    std::string author = text(ast::Attributes(*tree_, decl.attributes()).author());
    if (author.empty()) author = module_->options.author;
    names_->actions.emplace(text(decl.name()), Named{span(decl.name()), true});
    if (author.empty()) return;  // reported where the action is checked
    auto [known, fresh] =
        by_author.emplace(author + "\n" + text(decl.name()), Named{span(decl.name()), true});
    if (fresh) return;
    report(DiagnosticKind::kDuplicateName, span(decl.name()),
           {fmt::format("action by \"{}\"", author), text(decl.name())})
        .label(known->second.span, "declared here first");
  });
}

}  // namespace ensue::check::internal
