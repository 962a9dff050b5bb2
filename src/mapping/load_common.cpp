// What a table says whatever its rows become: version, tenant, row filter, a statement of its own.
#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

// `version` or `tenant`: the table's own word, `null` for none, or what the defaults say.
std::string read_column(Fields& fields, std::string_view key, const std::string& otherwise,
                        std::set<std::string>& named) {
  const MapEntry* entry = fields.find(key);
  if (entry == nullptr) return otherwise;
  if (entry->value.IsNull()) return {};
  auto column = fields.text(key);
  if (!column) return {};
  named.insert(column->text);
  return column->text;
}

// SQL may have lines and be long: only that there is some is seen here, PostgreSQL says the rest.
void read_where(Draft& draft, Fields& fields, TableRule& rule) {
  const MapEntry* where = fields.find("where");
  if (where == nullptr) return;
  const bool blank = !where->value.IsScalar() || where->value.Scalar().find_first_not_of(" \t\r\n") == std::string::npos;
  if (blank || where->value.Scalar().find('\0') != std::string::npos) {
    draft.reader.fault(where->mark, "`where` must be a condition in SQL", "as in `where: deleted_at IS NULL`");
  } else {
    rule.where = where->value.Scalar();
  }
}

}  // namespace

void read_common(Draft& draft, Fields& fields, TableRule& rule) {
  read_where(draft, fields, rule);
  rule.version_column = read_column(fields, "version", draft.defaults.version, rule.named);
  rule.tenant_column = read_column(fields, "tenant", draft.defaults.tenant, rule.named);
  const MapEntry* conflict = fields.find("conflict");
  rule.conflict = conflict == nullptr ? draft.defaults.conflict : read_conflict(draft, *conflict, rule.named);
  const MapEntry* cypher = fields.find("cypher");
  if (cypher == nullptr) return;
  if (!cypher->value.IsScalar() || cypher->value.Scalar().empty()) {
    draft.reader.fault(cypher->mark, "`cypher` must be a statement");
  } else if (cypher->value.Scalar().find("$rows") == std::string::npos) {
    draft.reader.fault(cypher->mark, "the statement of `cypher` does not use `$rows`",
                       "begin with `UNWIND $rows AS row`");
  } else {
    rule.cypher = cypher->value.Scalar();
  }
}

}  // namespace cnx::mapping
