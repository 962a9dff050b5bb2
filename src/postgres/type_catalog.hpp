// What pg_type says of the types that columns use: enough to know how PostgreSQL prints a value,
// and no more.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/result.hpp"
#include "change/ids.hpp"

namespace cnx::postgres {

enum class TypeKind : char {
  base = 'b',
  composite = 'c',
  domain = 'd',
  enumeration = 'e',
  pseudo = 'p',
  range = 'r',
  multirange = 'm',
};

struct TypeInfo {
  change::Oid oid;
  std::string schema;
  std::string name;
  TypeKind kind = TypeKind::base;
  char category = 'U';   // pg_type.typcategory.
  char delimiter = ',';  // Between elements of an array of this type: ';' for box.
  change::Oid base;      // Of a domain: the type below it, itself perhaps a domain. 0 otherwise.
  int32_t base_type_modifier = -1;  // Of a domain: what it says of that type, as in numeric(10,0).
  change::Oid element;              // Of a type that prints as an array: its element. 0 otherwise.
};

// A column's type with all domains taken off.
struct ResolvedType {
  const TypeInfo* type = nullptr;  // Valid while the catalog lives and nothing is added to it.
  int32_t type_modifier = -1;
};

// A value type; any thread may read it.
class TypeCatalog {
 public:
  // PostgreSQL's own types and their arrays: the same oids in every server. For tests and for tools
  // without a server.
  static TypeCatalog built_in();

  void add(TypeInfo type);
  size_t size() const { return types_.size(); }
  // nullptr where the catalog does not have it: it is younger than the catalog, which has to be
  // read again. Valid until the next add().
  const TypeInfo* find(change::Oid oid) const;
  // ErrorKind::state where a type on the way is missing from the catalog.
  Result<ResolvedType> resolve(change::Oid oid, int32_t type_modifier) const;

 private:
  std::unordered_map<change::Oid, TypeInfo> types_;
};

}  // namespace cnx::postgres
