// The strategy `configured`: what is done about one row's conflict stands in a table of the user's, by project for example.
#pragma once

#include "apply/refetched_rows.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "mapping/rules.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// Of the row that was just read in the transaction that `session` is in. postgres_wins where the table names none for it, or one that
// is no strategy or lacks what it needs, which the log then says. ErrorKind::state where the table cannot be asked. Blocks until
// `deadline`.
Result<mapping::ConflictStrategy> configured_strategy(postgres::Session& session, const mapping::TableRule& rule,
                                                      const apply::RefetchedRow& read, TimePoint deadline);

// Whether the row's timestamp is older than `theirs`, the graph's as text: by PostgreSQL's own comparison of the column's type. Absent
// on either side, or no value of that type: false. In a transaction, which goes on; blocks until `deadline`.
Result<bool> is_older(postgres::Session& session, const mapping::TableRule& rule, const apply::RefetchedRow& read, const std::string& theirs,
                      TimePoint deadline);

}  // namespace cnx::pipeline
