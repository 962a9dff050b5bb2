#include "apply/segments.hpp"

#include "apply/node_properties.hpp"
#include "apply/steady_read.hpp"
#include "bolt/packstream.hpp"

namespace cnx::apply {
namespace {

// Leads what the owner alone may do: takes the lock of the pipeline's position, so that a new owner is waited for or waits.
constexpr std::string_view kOwned =
    "CYPHER 5 OPTIONAL MATCH (p:ContextNexusPosition {key: $lane}) SET p._cnx_lock = true "
    "WITH p, CASE WHEN p.epoch = $epoch THEN $epoch ELSE 1/0 END AS epoch "
    "SET p.epoch = epoch, p._cnx_lock = null WITH p ";
constexpr std::string_view kStart =
    "SET p.lsn = 0, p.lsnText = '0/0', p.ordinal = 0, p.phase = 'snapshot', p.partial = false, "
    "p.consistentPoint = $text, p.systemIdentifier = $system, p.timeline = $timeline, "
    "p.database = $database, p.databaseOid = $databaseOid, p.slot = $slot, p.fingerprint = $fingerprint, p.format = $format, "
    "p.committedAt = null WITH p ";
constexpr std::string_view kReplace =
    "CALL (p) { MATCH (s:ContextNexusSegment {pipeline: $pipeline}) DELETE s } "
    "WITH p UNWIND $segments AS row CREATE (s:ContextNexusSegment) SET s = row";
constexpr std::string_view kMakeLanes =
    "CALL (p) { MATCH (l:ContextNexusPosition) WHERE l.key STARTS WITH $prefix DELETE l } "
    "WITH p UNWIND $lanes AS lane CREATE (l:ContextNexusPosition) "
    "SET l = p{.*, key: lane, lsn: 0, lsnText: '0/0', ordinal: 0, phase: 'snapshot', partial: false}";
constexpr std::string_view kEnd =
    "OPTIONAL MATCH (s:ContextNexusSegment {pipeline: $pipeline}) WHERE NOT s.done "
    "WITH p, count(s) AS open WITH p, CASE WHEN open = 0 AND p.phase = 'snapshot' THEN $lsn ELSE 1/0 END AS lsn "
    "SET p.lsn = lsn, p.lsnText = $text, p.ordinal = 0, p.phase = 'stream', p.partial = false WITH p "
    "MATCH (l:ContextNexusPosition) WHERE l.key STARTS WITH $prefix DELETE l";
constexpr std::string_view kRead =
    "CYPHER 5 MATCH (s:ContextNexusSegment {pipeline: $pipeline}) RETURN properties(s) ORDER BY s.number";
constexpr std::string_view kRemoveSegments =
    "CYPHER 5 MATCH (s:ContextNexusSegment {pipeline: $pipeline}) DELETE s";
constexpr std::string_view kRemoveLanes =
    "CYPHER 5 MATCH (l:ContextNexusPosition) WHERE l.key STARTS WITH $prefix DELETE l";
constexpr std::string_view kProgress =
    "CYPHER 5 OPTIONAL MATCH (s:ContextNexusSegment {key: $key}) "
    "WITH s, CASE WHEN s IS NULL THEN 1/0 ELSE s.rows + $rows END AS rows "
    "SET s.rows = rows, s.last = coalesce($last, s.last), s.done = $done";

std::string lanes_prefix(std::string_view pipeline) { return std::string(pipeline) + "/copy/"; }

bolt::Map owner_parameters(const CopyOwner& owner) {
  return {{"lane", lane_key(owner.pipeline)},
          {"epoch", owner.epoch},
          {"pipeline", owner.pipeline},
          {"prefix", lanes_prefix(owner.pipeline)}};
}

bolt::Map node_of(const change::Segment& segment, const std::string& pipeline, int64_t number) {
  bolt::List names;
  bolt::List orders;
  for (const change::KeyColumn& column : segment.key_columns) {
    names.push_back(column.name);
    orders.push_back(std::string(column.order == change::KeyOrder::integer ? "integer" : "bytes"));
  }
  return {{"key", pipeline + "/" + std::to_string(number)},
          {"pipeline", pipeline},
          {"number", number},
          {"schema", segment.schema},
          {"table", segment.table},
          {"keyColumns", names},
          {"keyOrders", orders},
          {"above", list_of(segment.above)},
          {"upto", list_of(segment.upto)},
          {"last", list_of(segment.last)},
          {"rows", static_cast<int64_t>(segment.rows)},
          {"estimate", static_cast<int64_t>(segment.estimate)},
          {"done", segment.done},
          {"dirty", segment.dirty},
          {"snapshot", segment.snapshot},
          {"seenUntil", static_cast<int64_t>(segment.seen_until.value())},
          {"files", segment.files}};
}

bolt::List nodes_of(const std::vector<change::Segment>& segments, const std::string& pipeline) {
  bolt::List nodes;
  int64_t number = 0;
  for (const change::Segment& segment : segments) nodes.push_back(node_of(segment, pipeline, ++number));
  return nodes;
}

Result<change::Segment> segment_of(const bolt::Map& map) {
  const NodeProperties node(map);
  change::Segment segment;
  CNX_TRY(segment.key, node.text("key"));
  CNX_TRY(segment.schema, node.text("schema"));
  CNX_TRY(segment.table, node.text("table"));
  CNX_TRY(std::vector<std::string> names, node.texts("keyColumns"));
  CNX_TRY(std::vector<std::string> orders, node.texts("keyOrders"));
  if (names.size() != orders.size()) return fail(text_of(bolt::Value()).error());
  for (size_t i = 0; i < names.size(); ++i) {
    const bool integer = orders[i] == "integer";
    segment.key_columns.push_back({names[i], integer ? change::KeyOrder::integer : change::KeyOrder::bytes});
  }
  CNX_TRY(segment.above, node.texts("above"));
  CNX_TRY(segment.upto, node.texts("upto"));
  CNX_TRY(segment.last, node.texts("last"));
  CNX_TRY(segment.rows, node.number("rows"));
  CNX_TRY(segment.estimate, node.number("estimate"));
  segment.done = node.flag("done");
  segment.dirty = node.flag("dirty");
  CNX_TRY(segment.snapshot, node.text("snapshot"));
  CNX_TRY(uint64_t seen_until, node.number("seenUntil"));
  segment.seen_until = change::Lsn(seen_until);
  CNX_TRY(segment.files, node.text("files"));
  return segment;
}

Result<std::vector<change::Segment>> read_once(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline) {
  CNX_TRY(bolt::QueryResult result,
          connection.query(kRead, bolt::Map{{"pipeline", std::string(pipeline)}}, deadline));
  std::vector<change::Segment> segments;
  for (const bolt::List& record : result.records) {
    const auto* node = record.empty() ? nullptr : record.front().get_if<bolt::Map>();
    if (node == nullptr) return fail(text_of(bolt::Value()).error());
    CNX_TRY(change::Segment segment, segment_of(*node));
    segments.push_back(std::move(segment));
  }
  return segments;
}

}  // namespace

std::string copy_lane_key(std::string_view pipeline, size_t number) {
  return lanes_prefix(pipeline) + std::to_string(number);
}

Result<bolt::QueryResult> run_owned(bolt::Connection& connection, const CopyOwner& owner, std::string_view statement,
                                    const bolt::Map& parameters, TimePoint deadline) {
  bolt::Map all = owner_parameters(owner);
  for (const bolt::MapEntry& entry : parameters) all.add(entry.key, entry.value);
  Result<bolt::QueryResult> done = connection.query(std::string(kOwned) + std::string(statement), all, deadline);
  if (done || done.error().code() != "Neo.ClientError.Statement.ArithmeticError") return done;
  return fail(Error(ErrorKind::state, "the copy in the graph is not as this instance left it")
                  .advise("another instance has taken over this pipeline: stop one of the two"));
}

Status start_copy(bolt::Connection& connection, const CopyOwner& owner, const Source& source,
                  change::Lsn consistent_point, const std::vector<change::Segment>& segments, TimePoint deadline) {
  bolt::Map parameters;
  for (const bolt::MapEntry& entry : source_parameters(lane_key(owner.pipeline), source, consistent_point)) {
    if (entry.key != "lane") parameters.add(entry.key, entry.value);
  }
  parameters.add("segments", nodes_of(segments, owner.pipeline));
  CNX_TRY(run_owned(connection, owner, std::string(kStart) + std::string(kReplace), parameters, deadline));
  return {};
}

Result<std::vector<change::Segment>> read_segments(bolt::Connection& connection, std::string_view pipeline,
                                                   TimePoint deadline) {
  return steady_read([&] { return read_once(connection, pipeline, deadline); });
}

Status replace_segments(bolt::Connection& connection, const CopyOwner& owner,
                        const std::vector<change::Segment>& segments, TimePoint deadline) {
  CNX_TRY(run_owned(connection, owner, kReplace, {{"segments", nodes_of(segments, owner.pipeline)}}, deadline));
  return {};
}

Status make_copy_lanes(bolt::Connection& connection, const CopyOwner& owner, size_t lanes, TimePoint deadline) {
  bolt::List keys;
  for (size_t i = 0; i < lanes; ++i) keys.push_back(copy_lane_key(owner.pipeline, i));
  CNX_TRY(run_owned(connection, owner, kMakeLanes, {{"lanes", keys}}, deadline));
  return {};
}

Status end_copy(bolt::Connection& connection, const CopyOwner& owner, change::Lsn consistent_point, TimePoint deadline) {
  CNX_TRY(run_owned(connection, owner, kEnd,
                    {{"lsn", static_cast<int64_t>(consistent_point.value())}, {"text", consistent_point.to_string()}},
                    deadline));
  return {};
}

Status remove_copy(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline) {
  const bolt::Map parameters{{"pipeline", std::string(pipeline)}, {"prefix", lanes_prefix(pipeline)}};
  CNX_TRY(connection.query(kRemoveSegments, parameters, deadline));
  CNX_TRY(connection.query(kRemoveLanes, parameters, deadline));
  return {};
}

std::string_view segment_progress_text() { return kProgress; }

Bytes segment_progress_parameters(const SegmentProgress& progress, size_t rows) {
  Bytes packed;
  bolt::Packer packer(packed);
  packer.map_header(4);
  packer.string("key");
  packer.string(progress.key);
  packer.string("rows");
  packer.integer(static_cast<int64_t>(rows));
  packer.string("last");
  if (progress.last.empty()) {
    packer.null();
  } else {
    packer.list_header(progress.last.size());
    for (const std::string& text : progress.last) packer.string(text);
  }
  packer.string("done");
  packer.boolean(progress.done);
  return packed;
}

}  // namespace cnx::apply
