#include "reference.hpp"

namespace cnx::simulation {
namespace {

using Kind = SourceChange::Kind;
using Shown = std::map<std::string, std::string>;  // Property → value, as it is printed.

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

std::string show(const Shown& properties) {
  std::string text;
  for (const auto& [name, value] : properties) text += (text.empty() ? "" : ", ") + name + ": " + value;
  return text.empty() ? "" : " {" + text + "}";
}

// Rows have texts and numbers; the one timestamp is a day of January 2024, or infinity, which no graph's type holds.
void put(Shown& into, const std::string& name, const std::optional<std::string>& value, bool is_text = true) {
  constexpr int64_t kFirstOfJanuary = 1'704'067'200;
  if (!value) return;
  if (name != "seen") {
    into[name] = is_text ? quoted(*value) : *value;
  } else if (*value == "infinity") {
    into["seen__pg"] = quoted(*value);
  } else {
    into[name] = "@" + std::to_string(kFirstOfJanuary + (std::stoll(value->substr(8, 2)) - 1) * 86'400);
  }
}

Shown properties_of(Table table, const Row& row) {
  Shown shown;
  switch (table) {
    case Table::parents:
      put(shown, "id", row[kParentId], false);
      put(shown, "tenant", row[kParentTenant]);
      put(shown, "note", row[kParentNote]);
      put(shown, "seen", row[kSeen]);
      put(shown, "version", row[kParentVersion], false);
      break;
    case Table::children:
      put(shown, "id", row[kChildId]);
      put(shown, "tenant", row[kChildTenant]);
      put(shown, "parentId", row[kParent], false);
      put(shown, "elder", row[kElder]);
      put(shown, "note", row[kChildNote]);
      put(shown, "big", row[kChildBig]);
      break;
    case Table::likes:
      put(shown, "weight", row[kWeight], false);
      put(shown, "big", row[kLikeBig]);
      put(shown, "version", row[kLikeVersion], false);
      break;
    case Table::counted:
      put(shown, "id", row[kCountedId], false);
      put(shown, "value", row[kValue], false);
      break;
  }
  return shown;
}

std::string node(Table table, const Shown& properties) {
  constexpr std::array kLabels = {"Parent", "Child", "", "Counted"};
  return "(:" + std::string(kLabels[static_cast<size_t>(table)]) + show(properties) + ")";
}

// Nodes by their rows' keys, and a stub where there is none.
class Ends {
 public:
  explicit Ends(const Tables& tables) : tables_(tables) {}
  std::string find(Table table, const std::string& key) {
    auto found = rows_of(tables_, table).find({key});
    if (found != rows_of(tables_, table).end()) return node(table, properties_of(table, found->second));
    const std::string stub = node(table, {{"_cnx_stub", "true"}, {"id", table == Table::parents ? key : quoted(key)}});
    stubs_.insert(stub);
    return stub;
  }
  const std::set<std::string>& stubs() const { return stubs_; }

 private:
  const Tables& tables_;
  std::set<std::string> stubs_;
};

std::string relationship(const std::string& start, const std::string& type, const Shown& properties, const std::string& end) {
  return start + "-[" + type + show(properties) + "]->" + end;
}

}  // namespace

void Reference::start(change::Lsn consistent_point, Tables tables, size_t transactions) {
  *this = Reference();
  position_ = {consistent_point, 0};
  tables_ = std::move(tables);
  next_ = transactions;
}

bool Reference::advance(const std::vector<SourceTransaction>& transactions, change::Position position) {
  if (position < position_) return false;
  position_ = position;
  for (; next_ < transactions.size(); ++next_) {
    const SourceTransaction& transaction = transactions[next_];
    if (transaction.final_lsn > position.lsn) return position.ordinal == 0;
    const bool whole = transaction.final_lsn < position.lsn;
    if (whole && transaction.end_lsn > position.lsn) return false;
    const size_t until = whole ? transaction.changes.size() : position.ordinal;
    if (until > transaction.changes.size()) return false;
    for (; applied_ < until; ++applied_) apply(transaction.changes[applied_], {transaction.final_lsn, applied_ + 1});
    if (!whole) return true;
    applied_ = 0;
  }
  return position.ordinal == 0;
}

void Reference::apply(const SourceChange& change, change::Position position) {
  if (change.table != Table::counted || change.kind == Kind::truncate) {
    apply_change(change, tables_);
    for (Table table : change.truncated) {
      if (table == Table::counted) dead_.clear();
    }
    return;
  }
  Rows& rows = rows_of(tables_, Table::counted);
  const bool brings_row = change.kind == Kind::insert || change.kind == Kind::update;
  const RowKey old_key = change.old_row.empty() ? RowKey() : key_of(change.table, change.old_row);
  const RowKey key = brings_row ? key_of(change.table, change.row) : old_key;
  const bool leaves = change.kind == Kind::remove || (change.kind == Kind::update && old_key != key);
  const bool was_dead = dead_.contains(change.kind == Kind::update ? old_key : key);
  if (leaves) {
    rows.erase(old_key);
    dead_.erase(old_key);
  }
  if (!brings_row) return;
  // What is behind a dead letter stays behind it; at another key it needs one of its own.
  if (was_dead && old_key == key) return;
  if (was_dead && change.kind == Kind::insert) return;
  if (was_dead || is_poison(change.table, change.row)) {
    dead_.insert(key);
    letters_.push_back({key, position});
    return;
  }
  rows[key] = change.row;
  effects_.push_back(std::stoll(*change.row[kValue]));
}

std::vector<std::string> Reference::node_lines() const {
  std::set<std::string> lines;
  for (Table table : {Table::parents, Table::children, Table::counted}) {
    for (const auto& [key, row] : rows_of(tables_, table)) lines.insert(node(table, properties_of(table, row)));
  }
  return {lines.begin(), lines.end()};
}

std::vector<std::string> Reference::lines() const {
  std::vector<std::string> lines = node_lines();
  Ends ends(tables_);
  for (const auto& [key, row] : rows_of(tables_, Table::children)) {
    const std::string child = ends.find(Table::children, key[0]);
    Shown carried;
    put(carried, "note", row[kChildNote]);
    put(carried, "big", row[kChildBig]);
    if (row[kParent]) {
      lines.push_back(relationship(ends.find(Table::parents, *row[kParent]), "HAS_CHILD", carried, child));
    }
    if (row[kElder]) lines.push_back(relationship(child, "FOLLOWS", {}, ends.find(Table::children, *row[kElder])));
  }
  for (const auto& [key, row] : rows_of(tables_, Table::likes)) {
    lines.push_back(relationship(ends.find(Table::parents, key[0]), "LIKES", properties_of(Table::likes, row),
                                 ends.find(Table::children, key[1])));
  }
  lines.insert(lines.end(), ends.stubs().begin(), ends.stubs().end());
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace cnx::simulation
