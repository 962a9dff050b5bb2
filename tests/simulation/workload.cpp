#include "workload.hpp"

#include "mapping/testing/family_commands.hpp"
#include "mapping/testing/family_stream.hpp"

namespace cnx::simulation {
namespace {

namespace family = mapping::testing;
using Kind = SourceChange::Kind;

constexpr int kCountedKeys = 8;

postgres::ForeignKey foreign_key(const char* column, const char* table) {
  return {.columns = {column}, .referenced_table = {"public", table}, .referenced_columns = {"id"}, .update_cascades = true};
}

SourceChange change_of(const family::Change& change) {
  SourceChange made{.table = static_cast<Table>(change.table), .old_row = change.old_row, .row = change.row,
                    .unchanged = change.unchanged};
  made.kind = change.operation == change::Operation::insert   ? Kind::insert
              : change.operation == change::Operation::update ? Kind::update
                                                              : Kind::remove;
  return made;
}

}  // namespace

struct Workload::State {
  explicit State(References references)
      : family(references == References::follow ? family::References::follow : family::References::stay) {}

  family::Family family;
  Rows counted;
  int64_t last_value = 0;
  std::set<std::string> dead;       // Keys of `counted` behind a row that was refused.
  std::set<std::string> ever_dead;  // No key is so twice.
};

Workload::Workload(References references) : state_(std::make_unique<State>(references)) {}
Workload::Workload(const Workload& other) : state_(std::make_unique<State>(*other.state_)) {}
Workload& Workload::operator=(const Workload& other) {
  *state_ = *other.state_;
  return *this;
}
Workload::~Workload() = default;

std::vector<postgres::Table> catalog(References references) {
  std::vector<postgres::Table> tables;
  for (const char* text : {"parents (id int8, tenant text, note text, seen timestamptz, version int8)",
                           "children (id text, tenant text, parent_id int8, elder text, note text, big text)",
                           "likes (parent_id int8, child_id text, weight int8, big text, version int8)",
                           "counted (id int8, filler text, value int8)"}) {
    tables.push_back(family::table_of(text));
  }
  if (references == References::stay) return tables;
  tables[1].foreign_keys = {foreign_key("parent_id", "parents"), foreign_key("elder", "children")};
  tables[2].foreign_keys = {foreign_key("parent_id", "parents"), foreign_key("child_id", "children")};
  return tables;
}

std::string mapping_text() {
  return "version: 1\nname: history\n" + family::family_mapping_without_tenant() +
         "  counted: {node: Counted, exclude: [filler], version: null, cypher: \"UNWIND $rows AS row RETURN row\"}\n";
}

std::vector<SourceChange> Workload::transaction(Random& random, size_t commands, bool poison) {
  std::vector<SourceChange> changes;
  for (size_t i = 0; i < commands; ++i) {
    const uint64_t choice = random() % 20;
    if (choice == 0) {
      changes.push_back({.kind = Kind::elsewhere});
    } else if (choice < 8) {
      change_counted(random, poison, changes);
    } else {
      change_family(random, changes);
    }
  }
  return changes;
}

void Workload::change_family(Random& random, std::vector<SourceChange>& changes) {
  using family::Verb;
  constexpr std::array kFilling = {Verb::insert_parent, Verb::insert_child, Verb::insert_like};
  auto below = [&](int limit) { return static_cast<int>(random() % static_cast<uint64_t>(limit)); };
  family::Command command;
  command.verb = once_in(random, 3) ? kFilling[random() % kFilling.size()]
                                    : static_cast<Verb>(1 + below(static_cast<int>(Verb::count_of_verbs) - 1));
  if (command.verb == Verb::truncate && !once_in(random, 4)) return;
  command.a = below(family::kKeys);
  command.b = below(family::kKeys + 1);
  command.c = below(family::kKeys + 1);
  command.value = below(30);
  family::run(state_->family, command);
  for (const auto& item : state_->family.commit()) {
    if (const auto* change = std::get_if<family::Change>(&item)) {
      changes.push_back(change_of(*change));
      continue;
    }
    SourceChange truncation{.kind = Kind::truncate};
    for (family::FamilyTable table : std::get<family::Truncation>(item).tables) {
      truncation.truncated.push_back(static_cast<Table>(table));
    }
    changes.push_back(std::move(truncation));
  }
}

std::string Workload::next_value(bool poison) {
  return (poison ? "-" : "") + std::to_string(++state_->last_value);
}

void Workload::change_counted(Random& random, bool poison, std::vector<SourceChange>& changes) {
  const std::string key = std::to_string(random() % kCountedKeys);
  const std::string other = std::to_string(random() % kCountedKeys);
  const uint64_t choice = random() % 100;
  SourceChange change;
  if (choice < 2) {
    change.kind = Kind::truncate;
    change.truncated = {Table::counted};
    state_->counted.clear();
    state_->dead.clear();
    changes.push_back(std::move(change));
    return;
  }
  auto found = state_->counted.find({key});
  const bool refused = poison && once_in(random, 20) && !state_->dead.contains(key) && !state_->ever_dead.contains(key);
  change.row = {key, std::nullopt, next_value(refused)};
  if (found == state_->counted.end()) {
    change.kind = Kind::insert;
    state_->counted[{key}] = change.row;
  } else {
    change.old_row = found->second;
    if (choice < 20) {
      change.kind = Kind::remove;
      change.row.clear();
      state_->counted.erase(found);
      state_->dead.erase(key);
    } else if (choice < 35 && !refused && !state_->counted.contains({other}) && !state_->ever_dead.contains(other)) {
      change.kind = Kind::update;
      change.row[kCountedId] = other;
      state_->counted.erase(found);
      state_->counted[{other}] = change.row;
      if (state_->dead.erase(key) > 0) {
        state_->dead.insert(other);
        state_->ever_dead.insert(other);
      }
    } else {
      change.kind = Kind::update;
      found->second = change.row;
    }
  }
  if (refused && change.kind != Kind::remove) {
    state_->dead.insert(key);
    state_->ever_dead.insert(key);
  }
  changes.push_back(std::move(change));
}

std::vector<SourceChange> Workload::mend() {
  std::vector<SourceChange> changes;
  for (const std::string& key : state_->dead) {
    auto row = state_->counted.extract(RowKey{key});
    if (!row.empty()) changes.push_back({.kind = Kind::remove, .old_row = row.mapped()});
  }
  state_->dead.clear();
  return changes;
}

}  // namespace cnx::simulation
