// The schema: the shapes of records, as declared by the library and the project.
//
// Built by check/ from `object` and `extend` declarations; immutable afterwards and shared by
// everything that runs. Names and labels ignore case. A field of a lookup has two names, `Owner`
// and the name it is stored as, `OwnerId`.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fold.h"
#include "base/ids.h"
#include "ensue/value.h"
#include "source/span.h"
#include "types/type.h"

namespace ensue::types {

struct Picklist {
  std::vector<std::string> values;
  bool open = false;  // other values are allowed

  // The declared spelling of a value, ignoring case; null when it is not declared.
  const std::string* find(std::string_view value) const;
};

struct Field {
  std::string name;       // `Owner`
  std::string stored_as;  // `OwnerId`; the name in events and in the store. Equal to `name` for
                          // most fields.
  std::string label;      // `Owner`, `Annual Revenue`
  std::string children;   // of a lookup: what the looked-up record calls the records that look at
                          // it; may be empty
  Type type;
  bool required = false;
  Value default_value;
  source::Span declared;
  std::string member;  // `,"OwnerId":`, as it begins a member of a JSON object; made by Schema
};

struct Object {
  std::string name;
  std::string label;
  std::vector<Field> fields;
  source::Span declared;

  const Field& field(FieldId id) const { return fields[id.index]; }
  // By name or stored name; then by label. An invalid id when there is none.
  FieldId find(std::string_view name_or_label) const;
  // By name or stored name only: what events use. O(1).
  FieldId find_stored(std::string_view name_given) const;

  // Fields that every change is asked for; invalid where the object has none of that name.
  struct Named {
    FieldId owner;  // OwnerId
    FieldId name;
    FieldId first_name;
    FieldId last_name;
  };
  const Named& named() const { return named_; }

 private:
  friend class Schema;
  void find_named();
  struct Index {
    std::unordered_map<std::string, FieldId, base::FoldedHash, base::FoldedEqual> by_name;
    std::unordered_map<std::string, FieldId, base::FoldedHash, base::FoldedEqual> by_label;
  };
  Index index_;
  Named named_;
};

// The id, the first field of every object.
inline constexpr FieldId kIdField{size_t{0}};

// A field of an object.
struct FieldRef {
  ObjectId object;
  FieldId field;
  friend auto operator<=>(const FieldRef&, const FieldRef&) = default;
};

class Schema {
 public:
  // ---- Reading ---------------------------------------------------------------------------------
  const Object& object(ObjectId id) const { return objects_[id]; }
  size_t object_count() const { return objects_.size(); }
  ObjectId find_object(std::string_view name) const;
  // Also by label, and in the plural (`Tasks`, `Opportunities`): how tests speak.
  ObjectId find_object_spoken(std::string_view name) const;
  const Field& field(FieldRef ref) const { return objects_[ref.object].field(ref.field); }
  const Picklist& picklist(PicklistId id) const { return picklists_[id]; }
  const std::vector<ObjectId>& objects_of(ObjectSetId id) const { return object_sets_[id]; }
  // The lookup fields of `child` that may look at `parent`.
  std::vector<FieldId> lookups_to(ObjectId child, ObjectId parent) const;
  // The lookup whose records `parent` calls `name` (`OpportunityLineItems`); an invalid ref when
  // there is none.
  FieldRef find_children(ObjectId parent, std::string_view name) const;
  // `Lead`, `Lead or Contact`, `picklist`, `list of text`: for messages.
  std::string type_name(const Type& type) const;
  // The type of a record of one object.
  Type record_type(ObjectId object) const;
  std::vector<std::string> object_names() const;
  std::vector<std::string> field_names(ObjectId id) const;

  // ---- Building -------------------------------------------------------------------------------
  // The object, new or declared before.
  ObjectId declare_object(std::string_view name, source::Span span);
  Object& edit(ObjectId id) { return objects_[id]; }
  // Adds a field. False when the object has one of that name already, which is left as it is.
  bool add_field(ObjectId id, Field field);
  PicklistId add_picklist(Picklist picklist);
  // Adds a field, or replaces the one of that name: how a project changes what the library
  // declares.
  void put_field(ObjectId id, Field field);
  ObjectSetId add_object_set(std::vector<ObjectId> objects);

 private:
  base::Table<ObjectId, Object> objects_;
  base::Table<PicklistId, Picklist> picklists_;
  base::Table<ObjectSetId, std::vector<ObjectId>> object_sets_;
  std::vector<ObjectSetId> singles_;  // by ObjectId: the set of that object alone
  std::unordered_map<std::string, ObjectId, base::FoldedHash, base::FoldedEqual> by_name_;
};

}  // namespace ensue::types
