// Entries as the lines of a COPY … FROM STDIN in text form. Pure.
#pragma once

#include <string>
#include <string_view>

#include "record/audit_entry.hpp"

namespace cnx::record {

// COPY of the columns, in the order in which add_lines() writes them.
std::string audit_copy_text();

// Appends a line for the entry, where it has one, and for each of its changes. Says how many.
size_t add_lines(std::string& out, std::string_view pipeline, const AuditEntry& entry);

// The day of UTC, counted from 1970-01-01, in which the entry stands.
int64_t day_of(const AuditEntry& entry);

}  // namespace cnx::record
