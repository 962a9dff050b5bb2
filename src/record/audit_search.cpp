#include "record/audit_search.hpp"

#include <charconv>

#include "change/ids.hpp"

namespace cnx::record {
namespace {

constexpr const char* kColumns =
    "pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), correlation_id, batch_id, operation, "
    "table_schema || '.' || table_name, key, old_key, tenant, "
    "CASE WHEN lsn <> '0/0' THEN lsn || CASE WHEN ordinal = 0 THEN '' ELSE '+' || ordinal END END, "
    "from_lsn || CASE WHEN from_ordinal = 0 THEN '' ELSE '+' || from_ordinal END, row_count, refused, attempt, duration_seconds, outcome, code";

// Conditions with their parameters. Only what is asked for is in the statement, so that it finds its index.
class Conditions {
 public:
  explicit Conditions(const std::string& pipeline) : parameters_{pipeline}, text_("pipeline = $1") {}

  // Each `?` in the text is the value.
  void add(const std::string& text, const std::string& value) {
    if (value.empty()) return;
    parameters_.emplace_back(value);
    const std::string mark = "$" + std::to_string(parameters_.size());
    text_ += " AND (";
    for (const char c : text) c == '?' ? text_ += mark : text_ += c;
    text_ += ")";
  }
  void add(const std::string& text) { text_ += " AND (" + text + ")"; }

  const std::string& text() const { return text_; }
  const postgres::Parameters& parameters() const { return parameters_; }

 private:
  postgres::Parameters parameters_;
  std::string text_;
};

Result<change::Position> parse_position(const std::string& text) {
  const size_t plus = text.find('+');
  change::Position position;
  Result<change::Lsn> lsn = change::Lsn::parse(std::string_view(text).substr(0, plus));
  bool good = lsn.has_value();
  if (good && plus != std::string::npos) {
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data() + plus + 1, end, position.ordinal);
    good = error == std::errc{} && at == end && position.ordinal > 0;
  }
  if (!good) return fail(Error(ErrorKind::invalid, "this is no position: " + text).advise("as the log prints it: 0/1953D70, or 0/1953D70+3"));
  position.lsn = *lsn;
  return position;
}

// A batch holds what lies behind its beginning, up to its end.
Status add_position(Conditions& conditions, const std::string& text) {
  if (text.empty()) return {};
  CNX_TRY(change::Position position, parse_position(text));
  const std::string lsn = "'" + position.lsn.to_string() + "'::pg_lsn";
  const std::string ordinal = std::to_string(position.ordinal);
  if (position.ordinal == 0) {
    conditions.add("lsn >= " + lsn + " AND (lsn = " + lsn + " OR from_lsn <= " + lsn + ")");
    return {};
  }
  const std::string at = "(" + lsn + ", " + ordinal + ")";
  conditions.add("lsn >= " + lsn + " AND ((lsn = " + lsn + " AND ordinal = " + ordinal + ") OR (from_lsn <= " + lsn +
                 " AND (from_lsn, from_ordinal) < " + at + " AND (lsn, ordinal) >= " + at + "))");
  return {};
}

Result<Conditions> conditions_of(const std::string& pipeline, const AuditFilter& filter) {
  Conditions conditions(pipeline);
  conditions.add("correlation_id = ANY (ARRAY(SELECT b.batch_id FROM contextnexus.audit_log b WHERE b.correlation_id = ?::uuid "
                 "AND b.pipeline = $1 AND b.batch_id IS NOT NULL) || ?::uuid)",
                 filter.correlation_id);
  conditions.add("table_name = ? OR table_schema || '.' || table_name = ?", filter.table);
  conditions.add("key = ? OR old_key = ?", filter.key);
  conditions.add("tenant = ?", filter.tenant);
  CNX_TRY(add_position(conditions, filter.position));
  conditions.add("lsn >= ?::pg_lsn", filter.from_lsn);
  conditions.add("lsn <= ?::pg_lsn", filter.to_lsn);
  conditions.add("operation = ?", filter.operation);
  conditions.add("outcome = ?", filter.outcome);
  if (filter.failures) conditions.add("outcome <> 'applied'");
  conditions.add("at >= ?::timestamptz", filter.since);
  conditions.add("at <= ?::timestamptz", filter.until);
  return conditions;
}

std::optional<std::string> text_or_none(const postgres::Rows& rows, size_t row, size_t column) {
  std::optional<std::string_view> value = rows.value(row, column);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

Result<std::optional<int64_t>> count_or_none(const postgres::Rows& rows, size_t row, size_t column) {
  if (rows.is_null(row, column)) return std::nullopt;
  CNX_TRY(int64_t count, rows.integer(row, column));
  return count;
}

Result<AuditRecord> record_of(const postgres::Rows& rows, size_t row) {
  auto words = [&](size_t column) { return std::string(rows.text(row, column)); };
  AuditRecord record;
  record.at = words(0);
  record.correlation_id = words(1);
  record.batch_id = words(2);
  record.operation = words(3);
  record.table = words(4);
  record.key = text_or_none(rows, row, 5);
  record.old_key = text_or_none(rows, row, 6);
  record.tenant = text_or_none(rows, row, 7);
  record.position = words(8);
  record.from = words(9);
  CNX_TRY(record.rows, count_or_none(rows, row, 10));
  CNX_TRY(record.refused, count_or_none(rows, row, 11));
  CNX_TRY(record.attempt, rows.integer(row, 12));
  if (const auto seconds = rows.value(row, 13)) {
    double value = 0;
    std::from_chars(seconds->data(), seconds->data() + seconds->size(), value);
    record.seconds = value;
  }
  record.outcome = words(14);
  record.code = words(15);
  return record;
}

}  // namespace

Result<std::vector<AuditRecord>> find_audit(postgres::Session& session, const std::string& pipeline, const AuditFilter& filter,
                                            size_t limit, TimePoint deadline) {
  CNX_TRY(Conditions conditions, conditions_of(pipeline, filter));
  const std::string text = std::string("SELECT ") + kColumns + " FROM contextnexus.audit_log WHERE " + conditions.text() +
                           " ORDER BY at DESC, lsn DESC, ordinal DESC LIMIT " + std::to_string(limit);
  CNX_TRY(postgres::Rows rows, session.query(text, conditions.parameters(), deadline));
  std::vector<AuditRecord> records;
  for (size_t row = 0; row < rows.size(); ++row) {
    CNX_TRY(AuditRecord record, record_of(rows, row));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace cnx::record
