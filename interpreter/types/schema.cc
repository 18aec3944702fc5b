#include "types/schema.h"

#include <algorithm>

#include "value/text.h"

namespace ensue::types {
namespace {

// The singular forms a plural noun may have: Tasks, Opportunities, Statuses.
std::vector<std::string> singulars(std::string_view plural) {
  std::vector<std::string> out;
  if (base::ends_with_folded(plural, "ies"))
    out.push_back(std::string(plural.substr(0, plural.size() - 3)) + "y");
  if (base::ends_with_folded(plural, "es")) out.emplace_back(plural.substr(0, plural.size() - 2));
  if (base::ends_with_folded(plural, "s")) out.emplace_back(plural.substr(0, plural.size() - 1));
  return out;
}

void name_member(Field& field) {
  field.member = ",";
  value::append_json_text(field.member, field.stored_as);
  field.member += ':';
}

}  // namespace

const std::string* Picklist::find(std::string_view value) const {
  // As it is declared, nearly always.
  for (const std::string& known : values) {
    if (known == value) return &known;
  }
  for (const std::string& known : values) {
    if (base::equal_folded(known, value)) return &known;
  }
  return nullptr;
}

FieldId Object::find_stored(std::string_view name_given) const {
  auto found = index_.by_name.find(name_given);
  return found == index_.by_name.end() ? FieldId() : found->second;
}

void Object::find_named() {
  named_ = {find_stored("OwnerId"), find_stored("Name"), find_stored("FirstName"),
            find_stored("LastName")};
}

FieldId Object::find(std::string_view name_or_label) const {
  if (FieldId id = find_stored(name_or_label)) return id;
  auto found = index_.by_label.find(name_or_label);
  return found == index_.by_label.end() ? FieldId() : found->second;
}

ObjectId Schema::find_object(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? ObjectId() : found->second;
}

ObjectId Schema::find_object_spoken(std::string_view name) const {
  auto by_label = [&](std::string_view wanted) {
    for (const Object& object : objects_) {
      if (base::equal_folded(object.label, wanted)) return objects_.id_of(object);
    }
    return ObjectId();
  };
  if (ObjectId id = find_object(name)) return id;
  if (ObjectId id = by_label(name)) return id;
  for (const std::string& singular : singulars(name)) {
    if (ObjectId id = find_object(singular)) return id;
    if (ObjectId id = by_label(singular)) return id;
  }
  return ObjectId();
}

std::vector<FieldId> Schema::lookups_to(ObjectId child, ObjectId parent) const {
  std::vector<FieldId> out;
  const Object& object = objects_[child];
  for (size_t i = 0; i < object.fields.size(); ++i) {
    const Type& type = object.fields[i].type;
    if (!type.is(TypeKind::kRecord)) continue;
    const auto& targets = object_sets_[type.objects];
    if (std::find(targets.begin(), targets.end(), parent) != targets.end())
      out.push_back(FieldId(i));
  }
  return out;
}

FieldRef Schema::find_children(ObjectId parent, std::string_view name) const {
  for (const Object& object : objects_) {
    ObjectId child = objects_.id_of(object);
    for (FieldId field : lookups_to(child, parent)) {
      const std::string& children = object.field(field).children;
      if (!children.empty() && base::equal_folded(children, name)) return {child, field};
    }
  }
  return {};
}

std::string Schema::type_name(const Type& type) const {
  std::string out;
  if (type.kind == TypeKind::kRecord) {
    for (ObjectId id : object_sets_[type.objects])
      out += (out.empty() ? "" : " or ") + objects_[id].name;
  } else {
    out = type_kind_name(type.kind);
  }
  return type.list ? "list of " + out : out;
}

std::vector<std::string> Schema::object_names() const {
  std::vector<std::string> out;
  for (const Object& object : objects_) out.push_back(object.name);
  return out;
}

std::vector<std::string> Schema::field_names(ObjectId id) const {
  std::vector<std::string> out;
  for (const Field& field : objects_[id].fields) {
    out.push_back(field.name);
    if (field.stored_as != field.name) out.push_back(field.stored_as);
  }
  return out;
}

ObjectId Schema::declare_object(std::string_view name, source::Span span) {
  if (ObjectId id = find_object(name)) return id;
  Object object;
  object.name = name;
  object.label = name;
  object.declared = span;
  ObjectId id = objects_.add(std::move(object));
  by_name_.emplace(name, id);
  singles_.push_back(add_object_set({id}));
  return id;
}

bool Schema::add_field(ObjectId id, Field field) {
  Object& object = objects_[id];
  name_member(field);
  if (object.find_stored(field.name) || object.find_stored(field.stored_as)) return false;
  FieldId field_id(object.fields.size());
  object.index_.by_name.emplace(field.name, field_id);
  object.index_.by_name.emplace(field.stored_as, field_id);
  object.index_.by_label.emplace(field.label, field_id);
  object.fields.push_back(std::move(field));
  object.find_named();
  return true;
}

void Schema::put_field(ObjectId id, Field field) {
  Object& object = objects_[id];
  FieldId known = object.find_stored(field.name);
  if (!known) {
    add_field(id, std::move(field));
    return;
  }
  name_member(field);
  object.index_.by_name.emplace(field.stored_as, known);
  object.index_.by_label.emplace(field.label, known);
  object.fields[known.index] = std::move(field);
  object.find_named();
}

PicklistId Schema::add_picklist(Picklist picklist) { return picklists_.add(std::move(picklist)); }

ObjectSetId Schema::add_object_set(std::vector<ObjectId> objects) {
  for (const auto& known : object_sets_) {
    if (known == objects) return object_sets_.id_of(known);
  }
  return object_sets_.add(std::move(objects));
}

Type Schema::record_type(ObjectId object) const {
  return {TypeKind::kRecord, false, {}, singles_[object.index]};
}

}  // namespace ensue::types
