#include "apply/position.hpp"

#include "apply/steady_read.hpp"
#include "base/failpoint.hpp"
#include "bolt/packstream.hpp"

namespace cnx::apply {
namespace {

constexpr std::string_view kRead =
    "CYPHER 5 MATCH (p:ContextNexusPosition {key: $lane}) "
    "RETURN p.lsn, p.ordinal, p.epoch, p.phase, p.partial, p.systemIdentifier, p.timeline, "
    "p.database, p.slot, p.fingerprint, p.format, coalesce(p.committedAt, 0), p.consistentPoint, p.databaseOid, p.recordedEpoch";
constexpr std::string_view kMake =
    "CYPHER 5 MERGE (p:ContextNexusPosition {key: $lane}) "
    "ON CREATE SET p.lsn = $lsn, p.lsnText = $text, p.ordinal = 0, p.epoch = 0, "
    "p.phase = 'initial', p.partial = false, p.systemIdentifier = $system, "
    "p.timeline = $timeline, p.database = $database, p.databaseOid = $databaseOid, p.slot = $slot, "
    "p.fingerprint = $fingerprint, p.format = $format";
constexpr std::string_view kRaiseEpoch =
    "CYPHER 5 MATCH (p:ContextNexusPosition {key: $lane}) SET p._cnx_lock = true "
    "SET p.epoch = CASE WHEN p.epoch < $above THEN $above ELSE p.epoch END + 1, p._cnx_lock = null "
    "RETURN p.lsn, p.ordinal, p.epoch, p.phase, p.partial, coalesce(p.partialUntil, 0), coalesce(p.ahead, ''), "
    "coalesce(p.commitLsn, 0), coalesce(p.committedAt, 0)";
constexpr std::string_view kRemove =
    "CYPHER 5 MATCH (p:ContextNexusPosition {key: $lane}) DELETE p";
constexpr std::string_view kCompareAndSet =
    "CYPHER 5 OPTIONAL MATCH (p:ContextNexusPosition {key: $lane}) SET p._cnx_lock = true "
    "WITH p, CASE WHEN p.lsn = $lsn AND p.ordinal = $ordinal AND p.epoch = $epoch "
    "AND p.phase = $phase THEN $nextLsn ELSE 1/0 END AS next "
    "SET p.lsn = next, p.lsnText = $nextText, p.ordinal = $nextOrdinal, p.phase = $nextPhase, "
    "p.partial = $partial, p.partialUntil = $partialUntil, "
    "p.ahead = CASE $ahead WHEN '' THEN p.ahead ELSE $ahead END, "
    "p.commitLsn = coalesce($commitLsn, p.commitLsn), p.committedAt = coalesce($committedAt, p.committedAt), "
    "p._cnx_lock = null";

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return "initial";
    case Phase::snapshot:
      return "snapshot";
    case Phase::stream:
      return "stream";
  }
  return "stream";
}

Error strange() {
  return Error(ErrorKind::state,
               "a node of this program's in the graph is not as it writes it")
      .advise("find out who changed it; contextnexus drop removes it for a start from the beginning");
}

// LSNs fit a signed integer for the life of any server: 2^63 bytes of log.
int64_t as_integer(change::Lsn lsn) {
  return static_cast<int64_t>(lsn.value());
}

// One record's columns, by number; a node that lacks one is not ours, but for what not every node has, which is `absent` there.
class Record {
 public:
  explicit Record(const bolt::List& columns) : columns_(columns) {}
  Result<int64_t> integer(size_t column) const { return integer_of(columns_[column]); }
  Result<std::string> text(size_t column) const { return text_of(columns_[column]); }
  Result<int64_t> integer(size_t column, int64_t absent) const { return is_null(column) ? absent : integer(column); }
  Result<std::string> text(size_t column, std::string_view absent) const {
    return is_null(column) ? std::string(absent) : text(column);
  }
  bool is_null(size_t column) const { return columns_[column].get_if<bolt::Null>() != nullptr; }
  bool flag(size_t column) const {
    const auto* value = columns_[column].get_if<bool>();
    return value != nullptr && *value;
  }

 private:
  const bolt::List& columns_;
};

// The first five columns.
Result<StoredPosition> stored_position(const Record& record) {
  StoredPosition stored;
  CNX_TRY(int64_t lsn, record.integer(0));
  CNX_TRY(int64_t ordinal, record.integer(1));
  CNX_TRY(stored.epoch, record.integer(2));
  CNX_TRY(std::string phase, record.text(3));
  stored.lane.position = {change::Lsn(static_cast<uint64_t>(lsn)), static_cast<uint64_t>(ordinal)};
  stored.lane.phase = phase == "initial"    ? Phase::initial
                      : phase == "snapshot" ? Phase::snapshot
                                            : Phase::stream;
  stored.lane.partial = record.flag(4);
  return stored;
}

enum class Absence { allowed, strange };

// `strange`: also where what not every node has is not there.
Result<std::optional<PositionNode>> read_once(bolt::Connection& connection, std::string_view lane, Absence absence, TimePoint deadline) {
  CNX_TRY(bolt::QueryResult result,
          connection.query(kRead, bolt::Map{{"lane", std::string(lane)}}, deadline));
  if (result.records.empty()) return std::optional<PositionNode>();
  if (result.records.front().size() != 15)
    return fail(ErrorKind::malformed, "the position query gave another number of columns");
  Record record(result.records.front());
  PositionNode node;
  CNX_TRY(node.format, record.integer(10));
  if (node.format > kPositionFormat) {
    return fail(
        Error(ErrorKind::unsupported, "the graph was written by a newer version of this program")
            .advise("run that version or a later one"));
  }
  for (size_t column = 0; absence == Absence::strange && column < result.records.front().size(); ++column)
    if (record.is_null(column)) return fail(strange());
  CNX_TRY(node.stored, stored_position(record));
  CNX_TRY(node.source.system_identifier, record.text(5));
  CNX_TRY(node.source.timeline, record.integer(6));
  CNX_TRY(node.source.database, record.text(7));
  CNX_TRY(node.source.slot, record.text(8));
  CNX_TRY(node.source.fingerprint, record.text(9));
  CNX_TRY(node.commit_microseconds, record.integer(11));
  CNX_TRY(std::string consistent_point, record.text(12, "0/0"));
  CNX_TRY(node.consistent_point, change::Lsn::parse(consistent_point));
  CNX_TRY(node.source.database_oid, record.integer(13, 0));
  CNX_TRY(node.recorded_epoch, record.integer(14, 0));
  return std::optional<PositionNode>(std::move(node));
}

}  // namespace

std::string lane_key(std::string_view pipeline) {
  return std::string(pipeline) + "/0";
}

Result<int64_t> integer_of(const bolt::Value& value) {
  if (const auto* number = value.get_if<int64_t>()) return *number;
  return fail(strange());
}

Result<std::string> text_of(const bolt::Value& value) {
  if (const auto* text = value.get_if<std::string>()) return *text;
  return fail(strange());
}

bolt::Map source_parameters(std::string_view lane, const Source& source, change::Lsn lsn) {
  return {{"lane", std::string(lane)},   {"lsn", static_cast<int64_t>(lsn.value())},
          {"text", lsn.to_string()},     {"system", source.system_identifier},
          {"timeline", source.timeline}, {"database", source.database},
          {"databaseOid", source.database_oid},
          {"slot", source.slot},         {"fingerprint", source.fingerprint},
          {"format", kPositionFormat}};
}

Result<std::optional<PositionNode>> read_position(bolt::Connection& connection,
                                                  std::string_view lane, TimePoint deadline) {
  auto whole = steady_read([&] { return read_once(connection, lane, Absence::strange, deadline); });
  if (whole || whole.error().kind() != ErrorKind::state) return whole;
  return steady_read([&] { return read_once(connection, lane, Absence::allowed, deadline); });
}

Status make_position(bolt::Connection& connection, std::string_view lane, const Source& source,
                     TimePoint deadline) {
  CNX_TRY(connection.query(kMake, source_parameters(lane, source, change::Lsn()), deadline));
  return {};
}

Result<StoredPosition> raise_epoch(bolt::Connection& connection, std::string_view lane,
                                   TimePoint deadline, int64_t above) {
  CNX_TRY(bolt::QueryResult result,
          connection.query(kRaiseEpoch, bolt::Map{{"lane", std::string(lane)}, {"above", above}},
                           deadline));
  if (result.records.empty())
    return fail(ErrorKind::state, "the graph has no position for this pipeline");
  reach("epoch_raised");
  if (result.records.front().size() != 9)
    return fail(ErrorKind::malformed, "the epoch's query gave another number of columns");
  Record record(result.records.front());
  CNX_TRY(StoredPosition stored, stored_position(record));
  CNX_TRY(int64_t until, record.integer(5));
  stored.lane.partial_until = change::Lsn(static_cast<uint64_t>(until));
  CNX_TRY(stored.ahead, record.text(6));
  CNX_TRY(int64_t final_lsn, record.integer(7));
  stored.last.final_lsn = change::Lsn(static_cast<uint64_t>(final_lsn));
  CNX_TRY(stored.last.commit_microseconds, record.integer(8));
  return stored;
}

Status remove_position(bolt::Connection& connection, std::string_view lane, TimePoint deadline) {
  CNX_TRY(connection.query(kRemove, bolt::Map{{"lane", std::string(lane)}}, deadline));
  return {};
}

std::string_view compare_and_set_text() {
  return kCompareAndSet;
}

Bytes compare_and_set_parameters(std::string_view lane, const Batch& batch, int64_t epoch) {
  Bytes packed;
  bolt::Packer packer(packed);
  packer.map_header(14);
  auto text = [&](std::string_view name, std::string_view value) {
    packer.string(name);
    packer.string(value);
  };
  auto integer = [&](std::string_view name, int64_t value) {
    packer.string(name);
    packer.integer(value);
  };
  text("lane", lane);
  integer("lsn", as_integer(batch.from.position.lsn));
  integer("ordinal", static_cast<int64_t>(batch.from.position.ordinal));
  text("phase", phase_name(batch.from.phase));
  integer("epoch", epoch);
  integer("nextLsn", as_integer(batch.to.position.lsn));
  text("nextText", batch.to.position.to_string());
  integer("nextOrdinal", static_cast<int64_t>(batch.to.position.ordinal));
  text("nextPhase", phase_name(batch.to.phase));
  packer.string("partial");
  packer.boolean(batch.to.partial);
  packer.string("partialUntil");
  if (batch.to.partial_until == change::Lsn()) {
    packer.null();
  } else {
    packer.integer(as_integer(batch.to.partial_until));
  }
  packer.string("ahead");
  if (batch.ahead && batch.ahead->empty()) {
    packer.null();
  } else {
    packer.string(batch.ahead.value_or(""));
  }
  packer.string("commitLsn");
  if (batch.final_lsn == change::Lsn()) {
    packer.null();
  } else {
    packer.integer(as_integer(batch.final_lsn));
  }
  packer.string("committedAt");
  if (batch.commit_microseconds == 0) {
    packer.null();
  } else {
    packer.integer(batch.commit_microseconds);
  }
  return packed;
}

}  // namespace cnx::apply
