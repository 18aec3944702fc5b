// Paths: what a bare name, a dot, `it`, `its` and `me` mean.
#include <fmt/format.h>
#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"

namespace ensue::check::internal {

std::vector<types::ObjectId> Checker::objects_of(const Type& type) const {
  if (type.kind != TypeKind::kRecord) return {};
  return module_->schema.objects_of(type.objects);
}

types::FieldId Checker::find_field(types::ObjectId object, std::string_view name) const {
  const types::Object& row = module_->schema.object(object);
  if (types::FieldId id = row.find(name)) return id;
  // The CRM calls a case's contact its primary contact (sales-engagement 1.4).
  bool contact = base::equal_folded(name, "PrimaryContact") && base::equal_folded(row.name, "Case");
  return contact ? row.find("Contact") : types::FieldId();
}

Finding& Checker::report_unknown_field(const std::vector<types::ObjectId>& objects,
                                       std::string_view name, Span at) {
  std::string owner;
  std::vector<std::string> candidates;
  for (types::ObjectId id : objects) {
    owner += (owner.empty() ? "" : " or ") + module_->schema.object(id).name;
    for (const types::Field& field : module_->schema.object(id).fields) {
      candidates.push_back(field.name);
      candidates.push_back(field.stored_as);
      if (field.label.find(' ') != std::string::npos) candidates.push_back("[" + field.label + "]");
    }
  }
  Finding& finding = report(DiagnosticKind::kUnknownField, at, {name, owner});
  // A value without its quotes, a custom field of the CRM written without its suffix, or a near
  // miss.
  if (suggest_unquoted_value(finding, name)) return finding;
  return finding.suggest(base::nearest(name, candidates));
}

Type Checker::field_hop(const Type& from, std::string_view name, Span at, Path& path) {
  std::vector<types::ObjectId> objects = objects_of(from);
  Hop hop;
  Type type = Type::of(TypeKind::kError);
  for (types::ObjectId object : objects) {
    types::FieldId field = find_field(object, name);
    if (!field) continue;
    const Type& field_type = module_->schema.object(object).field(field).type;
    if (hop.fields.empty()) type = field_type;
    // Objects that disagree about a field's type agree that it is a text, or on nothing.
    if (!(type == field_type) && !type.error()) {
      bool both_text = type.textual() && field_type.textual();
      if (type.kind != field_type.kind)
        type = Type::of(both_text ? TypeKind::kText : TypeKind::kError);
    }
    hop.fields.push_back({object, field});
  }
  if (hop.fields.empty()) {
    bool unread = std::any_of(objects.begin(), objects.end(), [&](types::ObjectId id) {
      return broken("object", module_->schema.object(id).name) ||
             broken("extend", module_->schema.object(id).name);
    });
    if (!unread) report_unknown_field(objects, name, at);
    return Type::of(TypeKind::kError);
  }
  path.hops.push_back(std::move(hop));
  return type;
}

Type Checker::hop(const Type& from, NodeId name, Path& path) {
  return field_hop(from, tree_->text(name), span(name), path);
}

void Checker::need_record_in_hand(const Place& place, Span at) {
  if (!place.it.error() || place.it_told) return;
  Finding& finding = report(DiagnosticKind::kNoRecordInHand, at);
  std::string_view written = tree_->source_text().substr(at.begin, at.size());
  if (suggest_unquoted_value(finding, written) || value_hint_ == nullptr || !value_hint_->textual())
    return;
  finding.fix(at, "\"" + std::string(written) + "\"", "texts stand in quotes");
}

Type Checker::path_base(NodeId id, const Place& place, Path& path, size_t& next) {
  auto names = tree_->children(id);
  next = 0;
  auto in_hand = [&]() -> Type {
    path.base = PathBase::kIt;
    need_record_in_hand(place, span(id));
    path.from = objects_of(place.it);
    return place.it;
  };
  switch (tree_->op(id)) {
    case syntax::kPathIt:
    case syntax::kPathIts: return in_hand();
    case syntax::kPathMe: {
      path.base = PathBase::kMe;
      if (!place.me) {
        Finding& finding = report(DiagnosticKind::kMeNotAllowed, span(id));
        if (!place.why_not_me.empty()) finding.note(place.why_not_me);
      }
      types::ObjectId user = module_->schema.find_object("User");
      path.from = {user};
      return module_->schema.record_type(user);
    }
    default: break;
  }
  std::string_view first = tree_->text(names[0]);
  if (!place.searched.empty()) {
    types::ObjectId searched = place.searched.back();
    if (find_field(searched, first)) {
      path.base = PathBase::kSearched;
      path.from = {searched};
      return module_->schema.record_type(searched);
    }
  }
  for (size_t i = 0; i < place.locals.size(); ++i) {
    if (!base::equal_folded(place.locals[i].name, first)) continue;
    path.base = PathBase::kLocal;
    path.local = static_cast<uint32_t>(i);
    path.from = objects_of(place.locals[i].type);
    next = 1;
    return place.locals[i].type;
  }
  if (!place.searched.empty()) {
    types::ObjectId searched = place.searched.back();
    const std::string& object = module_->schema.object(searched).name;
    std::vector<types::ObjectId> own = objects_of(place.it);
    bool of_it = std::any_of(own.begin(), own.end(),
                             [&](types::ObjectId o) { return find_field(o, first).valid(); });
    std::optional<std::string> meant = base::nearest(first, module_->schema.field_names(searched));
    Finding& finding =
        report(DiagnosticKind::kUnknownFieldSearched, span(names[0]), {first, object});
    if (of_it) {
      finding.fix(span(names[0]), "it." + std::string(tree_->written(names[0])),
                  "for the record in hand write");
    } else if (!suggest_unquoted_value(finding, first)) {
      finding.suggest(meant);
    }
    return Type::of(TypeKind::kError);
  }
  return in_hand();
}

Type Checker::resolve_path(NodeId id, const Place& place) {
  Path path;
  size_t next = 0;
  Type type = path_base(id, place, path, next);
  auto names = tree_->children(id);
  bool answered =
      path.base == PathBase::kLocal && next < names.size() && place.locals[path.local].answer;
  for (; answered && next < names.size(); ++next) {
    bool fault = place.locals[path.local].fault;
    if (fault && !base::equal_folded(tree_->text(names[next]), "Message")) {
      report(DiagnosticKind::kUnknownField, span(names[next]), {text(names[next]), "a fault"})
          .suggest("Message");
      return Type::of(TypeKind::kError);
    }
    path.members.emplace_back(tree_->text(names[next]));
    type = Type::of(fault ? TypeKind::kText : TypeKind::kAny);
    if (fault) answered = false;
  }
  for (size_t i = next; i < names.size() && !type.error(); ++i) {
    if (!type.is(TypeKind::kRecord)) {
      std::string before(i == 0 ? "" : tree_->text(names[i - 1]));
      Finding& finding =
          report(DiagnosticKind::kNotARecord, span(names[i]), {before, a_name_of(type)});
      finding.label(span(names[i > 0 ? i - 1 : 0]), fmt::format("this is {}", a_name_of(type)));
      return Type::of(TypeKind::kError);
    }
    type = hop(type, names[i], path);
  }
  if (type.error()) return type;
  Fact& fact = facts_->by_node[id.index];
  fact.binding = Binding::kPath;
  fact.index = static_cast<uint32_t>(facts_->paths.size());
  facts_->paths.push_back(std::move(path));
  return type;
}

}  // namespace ensue::check::internal
