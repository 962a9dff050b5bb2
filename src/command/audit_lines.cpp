#include "command/audit_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "command/table_text.hpp"

namespace cnx::command {
namespace {

constexpr size_t kNarrowest = 60;

// Whatever a key holds, it stays on its line.
std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string cut(const std::string& text, size_t width) {
  if (length_of(text) <= width) return text;
  size_t characters = 0;
  size_t at = 0;
  while (at < text.size() && characters < width - 1) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    ++characters;
  }
  return text.substr(0, at) + "…";
}

std::string what_of(const record::AuditRecord& record) {
  if (record.key) {
    const std::string key = record.old_key ? *record.old_key + " → " + *record.key : *record.key;
    return fmt::format("{} ({})", record.table, key);
  }
  if (record.rows) {
    return fmt::format("{}{} rows{}", record.table.empty() ? "" : record.table + ", ", *record.rows,
                       record.refused ? fmt::format(", {} of them refused", *record.refused) : "");
  }
  return record.table;
}

std::string duration_of(double seconds) {
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1000) : fmt::format("{:.1f} s", seconds);
}

}  // namespace

std::string audit_lines(const record::AuditRecord& record, size_t width) {
  width = std::max(width, kNarrowest);
  // To the millisecond: the rest is of use to machines.
  const std::string time = record.at.size() > 24 ? record.at.substr(0, 23) + "Z" : record.at;
  std::string first = fmt::format("{}  {}  {}  {}", time, record.outcome, record.operation, what_of(record));
  std::string second = "   ";
  auto add = [&second](const std::string& text) { second += " " + text; };
  if (!record.correlation_id.empty()) add(record.correlation_id);
  if (!record.from.empty()) {
    add(record.from + " to " + record.position);
  } else if (!record.position.empty()) {
    add("at " + record.position);
  }
  if (record.attempt > 0) add(fmt::format("attempt {}", record.attempt));
  if (record.seconds) add(duration_of(*record.seconds));
  if (!record.code.empty()) add(record.code);
  if (record.tenant) add("tenant " + *record.tenant);
  return cut(on_one_line(std::move(first)), width) + "\n" + cut(on_one_line(std::move(second)), width) + "\n";
}

}  // namespace cnx::command
