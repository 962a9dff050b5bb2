#include "postgres/pgoutput.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include "postgres/pgoutput_fields.hpp"

namespace cnx::postgres {
namespace {

using change::DatumView;
using change::Lsn;
using change::Oid;
using change::Xid;

Tuple read_tuple(Fields& in) {
  size_t columns = in.count<int16_t>(1);
  Tuple tuple;
  tuple.reserve(columns);
  for (size_t i = 0; i < columns && !in.spoilt(); ++i) {
    switch (in.number<char>()) {
      case 't':
        tuple.push_back({DatumView::Kind::text, as_text(in.bytes())});
        break;
      case 'n':
        tuple.push_back({DatumView::Kind::null, {}});
        break;
      case 'u':
        tuple.push_back({DatumView::Kind::unchanged, {}});
        break;
      case 'b':
        in.meet_binary();
        break;
      default:
        in.spoil();
        break;
    }
  }
  return tuple;
}

StreamXid read_stream_xid(Fields& in, const DecoderState& state) {
  if (!state.in_stream_block) return std::nullopt;
  return in.xid();
}

Message read_insert(Fields& in, const DecoderState& state) {
  RowMessage row;
  row.operation = change::Operation::insert;
  row.xid = read_stream_xid(in, state);
  row.relation = in.oid();
  if (in.number<char>() != 'N') in.spoil();
  row.row = read_tuple(in);
  return row;
}

Message read_update(Fields& in, const DecoderState& state) {
  RowMessage row;
  row.operation = change::Operation::update;
  row.xid = read_stream_xid(in, state);
  row.relation = in.oid();
  char mark = in.number<char>();
  if (mark == 'K' || mark == 'O') {
    row.old_is_full = mark == 'O';
    row.old_row = read_tuple(in);
    mark = in.number<char>();
  }
  if (mark != 'N') in.spoil();
  row.row = read_tuple(in);
  return row;
}

Message read_delete(Fields& in, const DecoderState& state) {
  RowMessage row;
  row.operation = change::Operation::remove;
  row.xid = read_stream_xid(in, state);
  row.relation = in.oid();
  char mark = in.number<char>();
  if (mark != 'K' && mark != 'O') in.spoil();
  row.old_is_full = mark == 'O';
  row.old_row = read_tuple(in);
  return row;
}

Message read_relation(Fields& in, const DecoderState& state) {
  constexpr size_t kColumnBytesMin = 1 + 1 + 4 + 4;  // flags, an empty name, type, typmod.
  RelationMessage message;
  message.xid = read_stream_xid(in, state);
  auto relation = std::make_shared<change::Relation>();
  relation->oid = in.oid();
  relation->schema = in.name_or_pg_catalog();
  relation->name = std::string(in.text());
  char identity = in.number<char>();
  if (std::string_view("dnfi").find(identity) == std::string_view::npos) in.spoil();
  relation->identity = static_cast<change::ReplicaIdentity>(identity);
  size_t columns = in.count<int16_t>(kColumnBytesMin);
  relation->columns.reserve(columns);
  for (size_t i = 0; i < columns && !in.spoilt(); ++i) {
    change::Column column;
    column.identity = (in.number<uint8_t>() & 1) != 0;
    column.name = std::string(in.text());
    column.type = in.oid();
    column.type_modifier = in.number<int32_t>();
    relation->columns.push_back(std::move(column));
  }
  message.relation = std::move(relation);
  return message;
}

Message read_truncate(Fields& in, const DecoderState& state) {
  TruncateMessage message;
  message.xid = read_stream_xid(in, state);
  auto relations = in.number<uint32_t>();
  auto options = in.number<uint8_t>();
  message.cascade = (options & 1) != 0;
  message.restart_identity = (options & 2) != 0;
  // The count stands before the options: the oids that follow bound it.
  for (uint32_t i = 0; i < relations && !in.spoilt(); ++i) message.relations.push_back(in.oid());
  return message;
}

Message read_logical_message(Fields& in, const DecoderState& state) {
  LogicalMessage message;
  message.xid = read_stream_xid(in, state);
  message.transactional = (in.number<uint8_t>() & 1) != 0;
  message.lsn = in.lsn();
  message.prefix = std::string(in.text());
  message.content = in.bytes();
  return message;
}

// Braces order the reads: fields are taken from left to right.
Message read_prepare(Fields& in, PrepareStep step) {
  if (step != PrepareStep::begin) in.number<uint8_t>();  // Flags: none is defined.
  return PrepareMessage{step, in.lsn(), in.lsn(), in.time(), in.xid(), std::string(in.text())};
}

Message read_stream_abort(Fields& in, const DecoderState& state) {
  StreamAbort abort{in.xid(), in.xid(), {}, 0};
  if (state.streaming_parallel) {
    abort.abort_lsn = in.lsn();
    abort.abort_microseconds = in.time();
  }
  return abort;
}

Message read_control(char type, Fields& in, const DecoderState& state) {
  switch (type) {
    case 'B': {
      Lsn final_lsn = in.lsn();
      int64_t time = in.time();
      return change::Begin{final_lsn, in.xid(), time};
    }
    case 'C':
      in.number<uint8_t>();
      return CommitMessage{in.lsn(), in.lsn(), in.time()};
    case 'O':
      return OriginMessage{in.lsn(), std::string(in.text())};
    case 'S':
      return StreamStart{in.xid(), in.number<uint8_t>() != 0};
    case 'E':
      return StreamStop{};
    case 'c': {
      Xid xid = in.xid();
      in.number<uint8_t>();
      return StreamCommit{xid, in.lsn(), in.lsn(), in.time()};
    }
    case 'A':
      return read_stream_abort(in, state);
    case 'b':
    case 'P':
    case 'p':
    case 'K':
      return read_prepare(in, static_cast<PrepareStep>(type));
    case 'r':
      in.number<uint8_t>();
      return RollbackPrepared{in.lsn(),  in.lsn(), in.time(),
                              in.time(), in.xid(), std::string(in.text())};
    default:
      in.spoil();
      return StreamStop{};
  }
}

Message read_message(char type, Fields& in, const DecoderState& state) {
  switch (type) {
    case 'I':
      return read_insert(in, state);
    case 'U':
      return read_update(in, state);
    case 'D':
      return read_delete(in, state);
    case 'R':
      return read_relation(in, state);
    case 'T':
      return read_truncate(in, state);
    case 'M':
      return read_logical_message(in, state);
    case 'Y': {
      StreamXid xid = read_stream_xid(in, state);
      Oid oid = in.oid();
      std::string schema = in.name_or_pg_catalog();
      return TypeMessage{oid, std::move(schema), std::string(in.text()), xid};
    }
    default:
      return read_control(type, in, state);
  }
}

// Only what is printable is shown: the byte is from outside.
std::string type_name(char type) {
  if (type > ' ' && type <= '~') return std::string("'") + type + "'";
  return "of type byte " + std::to_string(static_cast<unsigned char>(type));
}

}  // namespace

Result<Message> decode(BytesView payload, DecoderState& state) {
  if (payload.empty()) return fail(ErrorKind::malformed, "an empty logical replication message");
  char type = static_cast<char>(payload.front());
  Fields in(payload.subspan(1));
  Message message = read_message(type, in, state);
  if (in.binary()) {
    return fail(ErrorKind::unsupported, "a column came in binary form, which was not asked for");
  }
  if (!in.complete()) {
    return fail(ErrorKind::malformed,
                "logical replication message " + type_name(type) +
                    (in.spoilt() ? " breaks its own format" : " has bytes left over"));
  }
  bool start = std::holds_alternative<StreamStart>(message);
  bool stop = std::holds_alternative<StreamStop>(message);
  if (start == state.in_stream_block && (start || stop)) {
    return fail(ErrorKind::malformed, "a stream block begins inside another, or ends outside one");
  }
  if (start || stop) state.in_stream_block = start;
  return message;
}

}  // namespace cnx::postgres
