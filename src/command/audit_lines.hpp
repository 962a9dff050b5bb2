// One record of the audit for a person: two lines that fit a terminal. Pure.
#pragma once

#include <string>

#include "record/audit_search.hpp"

namespace cnx::command {

// What happened and how it ended; beneath, indented, what finds it again. A line that would be longer than `width` characters is cut,
// and says so by its last one; 60 at least.
std::string audit_lines(const record::AuditRecord& record, size_t width);

}  // namespace cnx::command
