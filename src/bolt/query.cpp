// The blocking half of connection.hpp for one whole query.
#include "base/check.hpp"
#include "bolt/connection.hpp"
#include "bolt/packstream.hpp"
#include "bolt/utf8.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

bool all_utf8(const Value& value);

bool all_utf8(const Map& map) {
  for (const MapEntry& entry : map) {
    if (!is_utf8(entry.key) || !all_utf8(entry.value)) return false;
  }
  return true;
}

bool all_utf8(const Value& value) {
  if (const auto* text = value.get_if<std::string>()) return is_utf8(*text);
  if (const auto* zoned = value.get_if<DateTimeZoneId>()) return is_utf8(zoned->zone);
  if (const auto* map = value.get_if<Map>()) return all_utf8(*map);
  if (const auto* list = value.get_if<List>()) {
    for (const Value& item : *list) {
      if (!all_utf8(item)) return false;
    }
  }
  return true;
}

Result<cnx::Bytes> pack_parameters(std::string_view text, const Value& parameters,
                                   Dialect dialect) {
  const Map* map = parameters.get_if<Map>();
  if (map == nullptr && !parameters.is_null())
    return cnx::fail(ErrorKind::invalid, "parameters of a query must be a map");
  if (!is_utf8(text) || !all_utf8(parameters))
    return cnx::fail(ErrorKind::invalid, "text of a query is not UTF-8");
  cnx::Bytes packed;
  Packer(packed).map(map == nullptr ? Map{} : *map, dialect);
  return packed;
}

std::vector<std::string> read_fields(const Map& metadata) {
  std::vector<std::string> fields;
  const List* list = metadata.get_if<List>("fields");
  if (list == nullptr) return fields;
  for (const Value& field : *list) {
    const auto* name = field.get_if<std::string>();
    fields.push_back(name == nullptr ? std::string() : *name);
  }
  return fields;
}

}  // namespace

Result<QueryResult> Connection::query(std::string_view text, const Value& parameters,
                                      cnx::TimePoint deadline,
                                      const TransactionOptions& transaction) {
  // What a lost connection still owes will never come.
  if (error_) return cnx::fail(*error_);
  CNX_CHECK(outstanding() == 0 && !exchange_.replies_waiting(),
            "a query is asked when no other answer is awaited");
  CNX_TRY(cnx::Bytes packed, pack_parameters(text, parameters, exchange_.dialect()));
  run(text, packed, transaction);
  pull_all();
  CNX_TRY(Reply head, await_reply(deadline));
  CNX_TRY(Reply body, await_reply(deadline));
  if (!head.ok() || !body.ok()) {
    cnx::Error error = (head.ok() ? body : head).failure.to_error();
    CNX_TRY(recover(deadline));
    return cnx::fail(std::move(error));
  }
  QueryResult result;
  result.fields = read_fields(head.metadata);
  result.records = std::move(body.records);
  if (const auto* stats = body.metadata.get_if<Map>("stats")) result.stats = *stats;
  if (const auto* bookmark = body.metadata.get_if<std::string>("bookmark"))
    result.bookmark = *bookmark;
  return result;
}

}  // namespace bolt
