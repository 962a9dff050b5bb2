// The preflight's part about conflicts whose strategy a table of the user's names: whether the role can ask it.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mapping/rules.hpp"
#include "pipeline/findings.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// The tables that the mapping's rules look strategies up in, each once.
std::vector<mapping::ConflictLookup> conflict_lookups(const mapping::Mapping& mapping);

// Reads the catalog alone. Blocks until `deadline`.
Status check_conflicts(Findings& findings, postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline);

}  // namespace cnx::pipeline
