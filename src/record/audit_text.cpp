#include "record/audit_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace cnx::record {
namespace {

constexpr int64_t kMicrosecondsOfDay = int64_t{86'400} * 1'000'000;

constexpr const char* kColumns =
    "at, pipeline, correlation_id, batch_id, operation, table_schema, table_name, key, old_key, tenant, lsn, ordinal, from_lsn, "
    "from_ordinal, row_count, refused, attempt, duration_seconds, outcome, code";

// What COPY's text form gives a meaning.
void add_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      default: out += c;
    }
  }
}

// One line, column by column.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  Line& null() {
    separate();
    out_ += "\\N";
    return *this;
  }
  Line& word(std::string_view text) {  // That has nothing to escape.
    separate();
    out_ += text;
    return *this;
  }
  Line& word_or_null(std::string_view text) { return text.empty() ? null() : word(text); }
  Line& text(std::string_view text) {
    separate();
    add_escaped(out_, text);
    return *this;
  }
  Line& text(const std::optional<std::string>& given) { return given ? text(std::string_view(*given)) : null(); }
  Line& number(uint64_t value) {
    std::array<char, 24> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return word({digits.data(), static_cast<size_t>(end - digits.data())});
  }
  Line& number(const std::optional<uint64_t>& value) { return value ? number(*value) : null(); }
  Line& seconds(const std::optional<double>& value) {
    if (!value) return null();
    std::array<char, 32> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *value, std::chars_format::fixed, 6).ptr;
    return word({digits.data(), static_cast<size_t>(end - digits.data())});
  }
  void end() { out_ += '\n'; }

 private:
  void separate() {
    if (!first_) out_ += '\t';
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

std::string time_text(int64_t microseconds) {
  const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(microseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d.%06d+00", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                                   static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<size_t>(length)};
}

void add_own(std::string& out, std::string_view pipeline, std::string_view time, const AuditEntry& entry) {
  Line line(out);
  line.word(time).word(pipeline).word_or_null(entry.correlation_id).null().word(entry.operation);
  if (entry.table) {
    line.text(std::string_view(entry.table->schema)).text(std::string_view(entry.table->name));
  } else {
    line.null().null();
  }
  line.text(entry.key).null().null();
  line.word(entry.position.lsn.to_string()).number(entry.position.ordinal);
  if (entry.from) {
    line.word(entry.from->lsn.to_string()).number(entry.from->ordinal);
  } else {
    line.null().null();
  }
  line.number(entry.rows).number(entry.refused).number(entry.attempt).seconds(entry.seconds).word(entry.outcome);
  if (entry.code.empty()) {
    line.null();
  } else {
    line.text(std::string_view(entry.code));
  }
  line.end();
}

std::string_view outcome_of(const mapping::AuditedRow& row, const AuditEntry& entry) {
  switch (row.as) {
    case mapping::AuditedAs::tried: return entry.outcome;
    case mapping::AuditedAs::held: return "held";
    case mapping::AuditedAs::recovered: return "recovered";
  }
  return entry.outcome;
}

void add_change(std::string& out, std::string_view pipeline, std::string_view time, const AuditEntry& entry, const mapping::AuditedRow& row) {
  const bool tried = row.as == mapping::AuditedAs::tried;
  // A row that was read again is no change of a position's.
  const std::string id = row.position.ordinal == 0 ? std::string() : change::correlation_id(entry.source, row.position);
  Line line(out);
  line.word(time).word(pipeline).word_or_null(id).word_or_null(entry.correlation_id).word(mapping::to_string(row.operation));
  line.text(std::string_view(row.relation->schema)).text(std::string_view(row.relation->name));
  line.text(row.key).text(row.old_key).text(row.tenant);
  line.word(row.position.lsn.to_string()).number(row.position.ordinal).null().null().null().null();
  line.number(tried ? entry.attempt : 0).seconds(tried ? entry.seconds : std::nullopt).word(outcome_of(row, entry)).null();
  line.end();
}

}  // namespace

AuditLevel audit_level(std::string_view word) {
  if (word == "all") return AuditLevel::all;
  if (word == "batches") return AuditLevel::batches;
  return word == "failures" ? AuditLevel::failures : AuditLevel::off;
}

size_t weight(const AuditEntry& entry) {
  size_t bytes = sizeof(AuditEntry) + 256;
  for (const mapping::AuditedRow& row : entry.changes) bytes += mapping::weight(row);
  return bytes;
}

std::string audit_copy_text() { return std::string("COPY contextnexus.audit_log (") + kColumns + ") FROM STDIN"; }

size_t add_lines(std::string& out, std::string_view pipeline, const AuditEntry& entry) {
  const std::string time = time_text(entry.at_microseconds);
  size_t lines = entry.changes.size();
  if (!entry.operation.empty()) {
    add_own(out, pipeline, time, entry);
    ++lines;
  }
  for (const mapping::AuditedRow& row : entry.changes) add_change(out, pipeline, time, entry, row);
  return lines;
}

int64_t day_of(const AuditEntry& entry) {
  const int64_t day = entry.at_microseconds / kMicrosecondsOfDay;
  return entry.at_microseconds % kMicrosecondsOfDay < 0 ? day - 1 : day;
}

}  // namespace cnx::record
