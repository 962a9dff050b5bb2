#include "postgres/type_catalog.hpp"

#include <string_view>
#include <utility>

namespace cnx::postgres {
namespace {

using change::Oid;

// A domain over a domain over …: PostgreSQL sets no limit, a cycle cannot be made. This ends a
// damaged catalog's.
constexpr int kDomainDepthMax = 64;

struct BuiltIn {
  uint32_t oid;
  std::string_view name;
  char kind;
  char category;
  uint32_t element;
};

// Oids below 10,000 are fixed in PostgreSQL's sources and never change their meaning.
constexpr BuiltIn kBuiltIn[] = {
    {16, "bool", 'b', 'B', 0},
    {17, "bytea", 'b', 'U', 0},
    {18, "char", 'b', 'Z', 0},
    {19, "name", 'b', 'S', 0},
    {20, "int8", 'b', 'N', 0},
    {21, "int2", 'b', 'N', 0},
    {22, "int2vector", 'b', 'A', 0},
    {23, "int4", 'b', 'N', 0},
    {25, "text", 'b', 'S', 0},
    {26, "oid", 'b', 'N', 0},
    {27, "tid", 'b', 'U', 0},
    {28, "xid", 'b', 'U', 0},
    {29, "cid", 'b', 'U', 0},
    {30, "oidvector", 'b', 'A', 0},
    {114, "json", 'b', 'U', 0},
    {142, "xml", 'b', 'U', 0},
    {143, "_xml", 'b', 'A', 142},
    {199, "_json", 'b', 'A', 114},
    {271, "_xid8", 'b', 'A', 5069},
    {600, "point", 'b', 'G', 0},
    {601, "lseg", 'b', 'G', 0},
    {602, "path", 'b', 'G', 0},
    {603, "box", 'b', 'G', 0},
    {604, "polygon", 'b', 'G', 0},
    {628, "line", 'b', 'G', 0},
    {629, "_line", 'b', 'A', 628},
    {650, "cidr", 'b', 'I', 0},
    {651, "_cidr", 'b', 'A', 650},
    {700, "float4", 'b', 'N', 0},
    {701, "float8", 'b', 'N', 0},
    {718, "circle", 'b', 'G', 0},
    {719, "_circle", 'b', 'A', 718},
    {774, "macaddr8", 'b', 'U', 0},
    {775, "_macaddr8", 'b', 'A', 774},
    {790, "money", 'b', 'N', 0},
    {791, "_money", 'b', 'A', 790},
    {829, "macaddr", 'b', 'U', 0},
    {869, "inet", 'b', 'I', 0},
    {1000, "_bool", 'b', 'A', 16},
    {1001, "_bytea", 'b', 'A', 17},
    {1002, "_char", 'b', 'A', 18},
    {1003, "_name", 'b', 'A', 19},
    {1005, "_int2", 'b', 'A', 21},
    {1006, "_int2vector", 'b', 'A', 22},
    {1007, "_int4", 'b', 'A', 23},
    {1009, "_text", 'b', 'A', 25},
    {1010, "_tid", 'b', 'A', 27},
    {1011, "_xid", 'b', 'A', 28},
    {1012, "_cid", 'b', 'A', 29},
    {1013, "_oidvector", 'b', 'A', 30},
    {1014, "_bpchar", 'b', 'A', 1042},
    {1015, "_varchar", 'b', 'A', 1043},
    {1016, "_int8", 'b', 'A', 20},
    {1017, "_point", 'b', 'A', 600},
    {1018, "_lseg", 'b', 'A', 601},
    {1019, "_path", 'b', 'A', 602},
    {1020, "_box", 'b', 'A', 603},
    {1021, "_float4", 'b', 'A', 700},
    {1022, "_float8", 'b', 'A', 701},
    {1027, "_polygon", 'b', 'A', 604},
    {1028, "_oid", 'b', 'A', 26},
    {1033, "aclitem", 'b', 'U', 0},
    {1034, "_aclitem", 'b', 'A', 1033},
    {1040, "_macaddr", 'b', 'A', 829},
    {1041, "_inet", 'b', 'A', 869},
    {1042, "bpchar", 'b', 'S', 0},
    {1043, "varchar", 'b', 'S', 0},
    {1082, "date", 'b', 'D', 0},
    {1083, "time", 'b', 'D', 0},
    {1114, "timestamp", 'b', 'D', 0},
    {1115, "_timestamp", 'b', 'A', 1114},
    {1182, "_date", 'b', 'A', 1082},
    {1183, "_time", 'b', 'A', 1083},
    {1184, "timestamptz", 'b', 'D', 0},
    {1185, "_timestamptz", 'b', 'A', 1184},
    {1186, "interval", 'b', 'T', 0},
    {1187, "_interval", 'b', 'A', 1186},
    {1231, "_numeric", 'b', 'A', 1700},
    {1263, "_cstring", 'b', 'A', 2275},
    {1266, "timetz", 'b', 'D', 0},
    {1270, "_timetz", 'b', 'A', 1266},
    {1560, "bit", 'b', 'V', 0},
    {1561, "_bit", 'b', 'A', 1560},
    {1562, "varbit", 'b', 'V', 0},
    {1563, "_varbit", 'b', 'A', 1562},
    {1700, "numeric", 'b', 'N', 0},
    {1790, "refcursor", 'b', 'U', 0},
    {2201, "_refcursor", 'b', 'A', 1790},
    {2949, "_txid_snapshot", 'b', 'A', 2970},
    {2950, "uuid", 'b', 'U', 0},
    {2951, "_uuid", 'b', 'A', 2950},
    {2970, "txid_snapshot", 'b', 'U', 0},
    {3614, "tsvector", 'b', 'U', 0},
    {3615, "tsquery", 'b', 'U', 0},
    {3642, "gtsvector", 'b', 'U', 0},
    {3643, "_tsvector", 'b', 'A', 3614},
    {3644, "_gtsvector", 'b', 'A', 3642},
    {3645, "_tsquery", 'b', 'A', 3615},
    {3802, "jsonb", 'b', 'U', 0},
    {3807, "_jsonb", 'b', 'A', 3802},
    {3904, "int4range", 'r', 'R', 0},
    {3905, "_int4range", 'b', 'A', 3904},
    {3906, "numrange", 'r', 'R', 0},
    {3907, "_numrange", 'b', 'A', 3906},
    {3908, "tsrange", 'r', 'R', 0},
    {3909, "_tsrange", 'b', 'A', 3908},
    {3910, "tstzrange", 'r', 'R', 0},
    {3911, "_tstzrange", 'b', 'A', 3910},
    {3912, "daterange", 'r', 'R', 0},
    {3913, "_daterange", 'b', 'A', 3912},
    {3926, "int8range", 'r', 'R', 0},
    {3927, "_int8range", 'b', 'A', 3926},
    {4072, "jsonpath", 'b', 'U', 0},
    {4073, "_jsonpath", 'b', 'A', 4072},
    {4451, "int4multirange", 'm', 'R', 0},
    {4532, "nummultirange", 'm', 'R', 0},
    {4533, "tsmultirange", 'm', 'R', 0},
    {4534, "tstzmultirange", 'm', 'R', 0},
    {4535, "datemultirange", 'm', 'R', 0},
    {4536, "int8multirange", 'm', 'R', 0},
    {5069, "xid8", 'b', 'U', 0},
    {6150, "_int4multirange", 'b', 'A', 4451},
    {6151, "_nummultirange", 'b', 'A', 4532},
    {6152, "_tsmultirange", 'b', 'A', 4533},
    {6153, "_tstzmultirange", 'b', 'A', 4534},
    {6155, "_datemultirange", 'b', 'A', 4535},
    {6157, "_int8multirange", 'b', 'A', 4536},
};

constexpr uint32_t kBox = 603;
constexpr uint32_t kBoxArray = 1020;

}  // namespace

TypeCatalog TypeCatalog::built_in() {
  TypeCatalog catalog;
  for (const BuiltIn& type : kBuiltIn) {
    TypeInfo info;
    info.oid = Oid(type.oid);
    info.schema = "pg_catalog";
    info.name = std::string(type.name);
    info.kind = static_cast<TypeKind>(type.kind);
    info.category = type.category;
    info.delimiter = type.oid == kBox || type.oid == kBoxArray ? ';' : ',';
    info.element = Oid(type.element);
    catalog.add(std::move(info));
  }
  return catalog;
}

void TypeCatalog::add(TypeInfo type) {
  Oid oid = type.oid;
  types_.insert_or_assign(oid, std::move(type));
}

const TypeInfo* TypeCatalog::find(Oid oid) const {
  auto found = types_.find(oid);
  return found == types_.end() ? nullptr : &found->second;
}

Result<ResolvedType> TypeCatalog::resolve(Oid oid, int32_t type_modifier) const {
  ResolvedType resolved{find(oid), type_modifier};
  for (int depth = 0; resolved.type != nullptr && resolved.type->kind == TypeKind::domain;
       ++depth) {
    if (depth == kDomainDepthMax) return fail(ErrorKind::malformed, "a domain without an end");
    // A column of a domain has no modifier of its own: the domain holds it.
    resolved.type_modifier = resolved.type->base_type_modifier;
    oid = resolved.type->base;
    resolved.type = find(oid);
  }
  if (resolved.type == nullptr) {
    return fail(Error(ErrorKind::state, "a type that the catalog did not have when it was read")
                    .with("type", std::to_string(oid.value())));
  }
  return resolved;
}

}  // namespace cnx::postgres
