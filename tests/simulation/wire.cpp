#include "wire.hpp"

#include "capture/logical/testing/pgoutput_writer.hpp"

namespace cnx::simulation {
namespace {

namespace wire = capture::testing;
using Kind = SourceChange::Kind;

constexpr uint32_t kElsewhere = 4712;

bool leaves_out(Table table, size_t column, WireForm form) {
  return table == Table::counted && column == kFiller && !form.has_filler;
}

// `only`: so many columns have a value, the others are NULL.
void write_row(ByteWriter& writer, char kind, Table table, const Row& row, WireForm form, size_t only,
               std::optional<size_t> unchanged = std::nullopt) {
  writer.write<uint8_t>(static_cast<uint8_t>(kind));
  size_t columns = 0;
  for (size_t i = 0; i < row.size(); ++i) columns += leaves_out(table, i, form) ? 0 : 1;
  writer.write<uint16_t>(static_cast<uint16_t>(columns));
  for (size_t i = 0; i < row.size(); ++i) {
    if (leaves_out(table, i, form)) continue;
    const bool is_null = i >= only || !row[i];
    const char datum = i < only && unchanged == i ? 'u' : is_null ? 'n' : 't';
    writer.write<uint8_t>(static_cast<uint8_t>(datum));
    if (datum != 't') continue;
    writer.write<uint32_t>(static_cast<uint32_t>(row[i]->size()));
    writer.write_text(*row[i]);
  }
}

void write_old_row(ByteWriter& writer, const SourceChange& change, WireForm form) {
  const size_t columns = form.full ? change.old_row.size() : key_columns(change.table);
  write_row(writer, form.full ? 'O' : 'K', change.table, change.old_row, form, columns);
}

}  // namespace

Bytes relation_bytes(const postgres::Table& table, Table which, WireForm form) {
  Bytes bytes = wire::detail::row_message('R', table.oid.value());
  ByteWriter writer(bytes);
  wire::detail::write_string(writer, table.name.schema);
  wire::detail::write_string(writer, table.name.name);
  writer.write<uint8_t>(form.full ? 'f' : 'd');
  size_t columns = 0;
  for (size_t i = 0; i < table.columns.size(); ++i) columns += leaves_out(which, i, form) ? 0 : 1;
  writer.write<uint16_t>(static_cast<uint16_t>(columns));
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (leaves_out(which, i, form)) continue;
    writer.write<uint8_t>(form.full || i < key_columns(which) ? 1 : 0);
    wire::detail::write_string(writer, table.columns[i].name);
    writer.write<uint32_t>(table.columns[i].type.value());
    writer.write<int32_t>(-1);
  }
  return bytes;
}

Bytes change_bytes(const SourceChange& change, const std::vector<postgres::Table>& catalog, WireForm form) {
  const uint32_t oid = catalog[static_cast<size_t>(change.table)].oid.value();
  if (change.kind == Kind::truncate) {
    std::vector<uint32_t> oids;
    for (Table table : change.truncated) oids.push_back(catalog[static_cast<size_t>(table)].oid.value());
    return wire::truncate(oids);
  }
  const char type = change.kind == Kind::insert ? 'I' : change.kind == Kind::remove ? 'D' : 'U';
  Bytes bytes = wire::detail::row_message(type, oid);
  ByteWriter writer(bytes);
  if (change.kind == Kind::remove) {
    write_old_row(writer, change, form);
    return bytes;
  }
  // Only a key that changed is told of, unless the whole row is the identity.
  const bool key_changed = type == 'U' && key_of(change.table, change.old_row) != key_of(change.table, change.row);
  if (type == 'U' && (form.full || key_changed)) write_old_row(writer, change, form);
  write_row(writer, 'N', change.table, change.row, form, change.row.size(), change.unchanged);
  return bytes;
}

Bytes elsewhere_relation_bytes() {
  return wire::relation(kElsewhere, "elsewhere", {"id", "value"});
}

Bytes elsewhere_bytes() {
  return wire::insert(kElsewhere, {"1", "1"});
}

}  // namespace cnx::simulation
