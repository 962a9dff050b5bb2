#include "apply/refetched_rows.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "change/columns.hpp"

namespace cnx::apply {
namespace {

using change::DatumView;
using change::Operation;

// The key's columns alone: what a removal tells.
std::vector<DatumView> key_row(const RefetchedRow& row) {
  std::vector<DatumView> data(row.relation->columns.size());
  for (size_t i = 0; i < data.size(); ++i) {
    for (size_t k = 0; k < row.key.columns.size(); ++k) {
      if (row.relation->columns[i].name != row.key.columns[k]) continue;
      data[i] = {.kind = DatumView::Kind::text, .text = row.key.values[k]};
    }
  }
  return data;
}

std::vector<DatumView> whole_row(const std::vector<std::optional<std::string>>& values) {
  std::vector<DatumView> data;
  for (const std::optional<std::string>& value : values) {
    data.push_back(value ? DatumView{.kind = DatumView::Kind::text, .text = *value} : DatumView{});
  }
  return data;
}

}  // namespace

std::optional<std::string> column_of(const RefetchedRow& row, const std::string& column) {
  const std::optional<size_t> at = row.values ? change::find_column(*row.relation, column) : std::nullopt;
  return at ? (*row.values)[*at] : std::nullopt;
}

bool RefetchedRows::seen(const change::RelationPtr& relation, const std::vector<DatumView>& row,
                         change::Xid xid) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const RefetchedRow& each) {
    return each.snapshot.sees(xid) && mapping::has_key(each.key, *relation, row);
  });
}

Taken RefetchedRows::taken(const change::RowChange& change, change::Xid xid) const {
  if (rows_.empty()) return Taken::as_it_is;
  if (change.operation == Operation::remove) {
    return seen(change.relation, change.old_row, xid) ? Taken::not_at_all : Taken::as_it_is;
  }
  const bool new_seen = seen(change.relation, change.row, xid);
  if (change.operation == Operation::insert || change.old_row.empty()) {
    return new_seen ? Taken::not_at_all : Taken::as_it_is;
  }
  const bool old_seen = seen(change.relation, change.old_row, xid);
  if (old_seen) return new_seen ? Taken::not_at_all : Taken::as_new;
  return new_seen ? Taken::as_removal : Taken::as_it_is;
}

void RefetchedRows::forget(change::Lsn reached) {
  std::erase_if(rows_, [&](const RefetchedRow& row) { return row.until <= reached; });
}

std::string ahead_text(const std::vector<RefetchedRow>& rows, change::Lsn reached) {
  nlohmann::json list = nlohmann::json::array();
  for (const RefetchedRow& row : rows) {
    if (row.until <= reached || row.decided) continue;
    list.push_back({row.key.table.schema, row.key.table.name, row.key.columns, row.key.values});
  }
  return list.empty() ? std::string() : list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::vector<mapping::RowKey>> rows_ahead(std::string_view text) {
  std::vector<mapping::RowKey> rows;
  if (text.empty()) return rows;
  const Error strange = Error(ErrorKind::state, "what the graph remembers of rows that were read again is not as this program writes it")
                            .advise("find out who changed it; contextnexus drop --graph, then init and run build the graph anew");
  // The library throws; nothing else here does.
  try {
    for (const nlohmann::json& each : nlohmann::json::parse(text)) {
      mapping::RowKey key;
      key.table = {each.at(0).get<std::string>(), each.at(1).get<std::string>()};
      key.columns = each.at(2).get<std::vector<std::string>>();
      key.values = each.at(3).get<std::vector<std::string>>();
      if (key.columns.size() != key.values.size()) return fail(strange);
      rows.push_back(std::move(key));
    }
  } catch (const std::exception&) {
    return fail(strange);
  }
  return rows;
}

Status merge_refetched(const RefetchedRow& row, const mapping::Binding& binding,
                       mapping::Merge& merge) {
  merge.begin_transaction();
  // Removed and inserted in one transaction: an entity that is there is replaced in its place.
  change::RowChange removal;
  removal.operation = Operation::remove;
  removal.relation = row.relation;
  removal.old_row = key_row(row);
  CNX_TRY(merge.add(binding, removal));
  if (!row.values) return {};
  change::RowChange insert;
  insert.operation = Operation::insert;
  insert.relation = row.relation;
  insert.row = whole_row(*row.values);
  return merge.add(binding, insert);
}

}  // namespace cnx::apply
