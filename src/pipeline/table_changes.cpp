#include "pipeline/table_changes.hpp"

#include <algorithm>

namespace cnx::pipeline {
namespace {

// The first reason is what a person is told.
void say(TableChange& change, std::string why) {
  if (change.why.empty()) change.why = std::move(why);
}

const ShapeColumn* find(const TableShape& shape, int16_t number) {
  auto found = std::find_if(shape.columns.begin(), shape.columns.end(),
                            [&](const ShapeColumn& column) { return column.column.number == number; });
  return found == shape.columns.end() ? nullptr : &*found;
}

bool is_rewritten(const TableShape& known, const TableShape& now) {
  return std::any_of(now.files.begin(), now.files.end(), [&](const auto& entry) {
    auto before = known.files.find(entry.first);
    return before != known.files.end() && before->second != entry.second;
  });
}

void compare_columns(const TableShape& known, const TableShape& now, TableChange& change) {
  bool marked = false;
  for (const ShapeColumn& column : now.columns) {
    const ShapeColumn* before = find(known, column.column.number);
    if (before == nullptr) {
      change.columns = true;
      say(change, "column " + column.column.name + " was added");
      // Without a DEFAULT all rows have NULL in it, as their nodes have.
      change.copy = change.copy || column.filled;
      marked = true;
      continue;
    }
    marked = marked || before->mark != column.mark;
    if (before->column.name != column.column.name) {
      change.columns = change.copy = true;
      say(change, "column " + before->column.name + " was renamed to " + column.column.name);
    }
    if (before->column.type != column.column.type || before->column.type_modifier != column.column.type_modifier ||
        before->column.base_type != column.column.base_type || before->column.generated != column.column.generated) {
      change.columns = change.copy = true;
      say(change, "the type of column " + column.column.name + " was changed");
    }
  }
  for (const ShapeColumn& column : known.columns) {
    if (find(now, column.column.number) != nullptr) continue;
    change.columns = true;
    say(change, "column " + column.column.name + " was dropped");
  }
  // A column was defined anew and the rows were written anew: ALTER COLUMN … TYPE … USING, or a DEFAULT that is not constant.
  // VACUUM FULL and CLUSTER write the rows anew as they are.
  if (marked && is_rewritten(known, now)) {
    change.copy = true;
    say(change, "its rows were rewritten by ALTER TABLE");
  }
}

// A value that is new is in no row yet; one that was renamed is in rows that no message tells of.
bool lost_any(const std::map<std::string, std::string>& known, const std::map<std::string, std::string>& now) {
  return std::any_of(known.begin(), known.end(), [&](const auto& entry) {
    auto found = now.find(entry.first);
    return found == now.end() || found->second != entry.second;
  });
}

void compare_partitions(const TableShape& known, const TableShape& now, const std::set<uint32_t>& filled,
                        TableChange& change) {
  for (uint32_t partition : known.partitions) {
    auto file = now.files.find(partition);
    if (file == now.files.end()) {
      change.gone = true;
      say(change, "a partition was detached or dropped");
    } else if (file->second != known.files.at(partition)) {
      // TRUNCATE of a partition alone is not in the stream of its root.
      change.gone = true;
      say(change, "a partition was truncated or rewritten");
    }
    auto since = known.attached.find(partition);
    auto now_since = now.attached.find(partition);
    if (since != known.attached.end() && now_since != now.attached.end() && since->second != now_since->second) {
      change.copy = true;
      say(change, "a partition was detached and attached again");
    }
  }
  if (!filled.empty()) {
    change.copy = true;
    say(change, "a partition with rows was attached");
  }
  for (uint32_t partition : new_partitions(known, now)) {
    // A table's file is called as the table until it is truncated or rewritten (or where a file was called so by chance).
    const std::string& file = now.files.at(partition);
    if (file.empty() || file == "0" || file == std::to_string(partition)) continue;
    change.gone = true;
    say(change, "a partition was truncated or rewritten");
  }
}

}  // namespace

std::set<uint32_t> new_partitions(const TableShape& known, const TableShape& now) {
  std::set<uint32_t> found;
  std::set_difference(now.partitions.begin(), now.partitions.end(), known.partitions.begin(), known.partitions.end(),
                      std::inserter(found, found.end()));
  return found;
}

void add_traces(const StreamTraces& traces, const TableShape& now, TableChange& change) {
  if (traces.other_names.contains(now.name)) {
    change.copy = true;
    say(change, "it had another name for a while");
  }
  if (auto others = traces.other_tables.find(now.name); others != traces.other_tables.end()) {
    const bool all_it = std::all_of(others->second.begin(), others->second.end(), [&](change::Oid oid) { return oid == now.oid; });
    change.copy = change.copy || !all_it;
    if (!all_it) say(change, "another table had its name for a while");
  }
  auto partitions = traces.partitions.find(now.name);
  if (partitions == traces.partitions.end()) return;
  const bool all_there = std::all_of(partitions->second.begin(), partitions->second.end(),
                                     [&](change::Oid oid) { return now.partitions.contains(oid.value()); });
  change.gone = change.gone || !all_there;
  if (!all_there) say(change, "a partition came and went");
}

TableChange compare(const TableShape& known, const TableShape& now, const std::set<uint32_t>& filled_partitions) {
  TableChange change;
  if (known.oid != now.oid) {
    change.copy = change.columns = true;
    say(change, "another table has its name");
    return change;
  }
  compare_columns(known, now, change);
  if (lost_any(known.labels, now.labels)) {
    change.copy = true;
    say(change, "a value of an enum type was renamed");
  }
  // Each row's text holds all attributes.
  if (known.attributes != now.attributes && !known.attributes.empty()) {
    change.copy = true;
    say(change, "a composite type was altered");
  }
  compare_partitions(known, now, filled_partitions, change);
  if (known.published != now.published) {
    change.copy = true;
    say(change, "it was out of the publication");
  }
  return change;
}

}  // namespace cnx::pipeline
