// The mapping's row filters held against the catalog and the publication.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/rules.hpp"
#include "postgres/catalog.hpp"
#include "postgres/publication.hpp"

namespace cnx::pipeline {

// Asks PostgreSQL what each `where` means, and notes it with its table. Of those that are no condition the errors
// (ErrorKind::invalid), by table; any other error is the result. Blocks until `deadline`.
Result<std::map<postgres::TableName, Error>> read_row_filters(postgres::Session& session, const mapping::Mapping& mapping,
                                                              std::vector<postgres::Table>& tables, TimePoint deadline);

// Columns of the filter that an old row in the stream does not have: PostgreSQL would refuse the application's UPDATEs and
// DELETEs of the table once it is published so.
std::vector<std::string> columns_beyond_identity(const postgres::Table& table);
Status check_filter_columns(const std::vector<postgres::Table>& tables);

// Whether the publication sends the rows that the mapping takes, as far as is known. Pure.
bool sends_rows_of(const postgres::PublishedTable& published, const postgres::Table& table);

}  // namespace cnx::pipeline
