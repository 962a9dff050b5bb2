// The preflight's part about the audit: whether the role may write it, and make and drop its days.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "pipeline/findings.hpp"
#include "pipeline/options.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// Reads the catalog alone. Blocks until `deadline`.
Status check_audit(Findings& findings, postgres::Session& session, const AuditOptions& options, TimePoint deadline);

}  // namespace cnx::pipeline
