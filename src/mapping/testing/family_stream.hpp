// The family's mapping, and its changes fed into a merge as the stream would bring them. For tests
// only.
#pragma once

#include <string>

#include "mapping/testing/family.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping::testing {

inline constexpr const char* kFamilyMapping = R"(
defaults: {key: id, tenant: tenant, version: version}
tables:
  parents: {node: Parent}
  children:
    node: Child
    relationships:
      - HAS_CHILD: {from: {parents: parent_id}, properties: [note, big]}
      - FOLLOWS: {to: {children: elder}}
  likes:
    relationship: LIKES
    from: {parents: parent_id}
    to: {children: child_id}
    properties: [weight, big]
)";

// The same, with parents written by a statement of the user's own.
inline std::string family_mapping_with_a_users_statement() {
  std::string text = kFamilyMapping;
  const std::string plain = "{node: Parent}";
  return text.replace(text.find(plain), plain.size(),
                      "{node: Parent, cypher: \"UNWIND $rows AS row RETURN row\"}");
}

// Without a tenant: which of the rows that name a stub gave it theirs depends on which came first.
inline std::string family_mapping_without_tenant(std::string text = kFamilyMapping) {
  const std::string tenant = "tenant: tenant, ";
  return text.erase(text.find(tenant), tenant.size());
}

// The same, with further nodes of parents and children: of their own, and such as rows share.
inline std::string family_mapping_with_nodes() {
  std::string text = kFamilyMapping;
  auto replace = [&](const std::string& plain, const std::string& more) { text.replace(text.find(plain), plain.size(), more); };
  replace("{node: Parent}", R"(
    node: Parent
    nodes:
      - HAS_NOTE: {to: Note, key: {parent: id}, properties: [note, {at: seen}]}
      - SEEN: {from: Moment, key: {at: seen}}
      - SAYS: {to: Word, key: note})");
  // Of a large value that is left out it can be told that it stays where no tenant belongs to the key.
  replace("    node: Child\n", R"(
    node: Child
    tenant: null
    exclude: [tenant]
    nodes:
      - HAS_BIG: {to: Big, fields: big, properties: [note]}
      - SAYS: {to: Saying, key: note}
      - IS_OF: {to: Size, key: {text: big}}
)");
  return text;
}

// One thread.
class FamilyStream {
 public:
  explicit FamilyStream(const std::string& mapping_text = kFamilyMapping,
                        bool full_identity = false, References references = References::follow)
      : full_identity_(full_identity),
        source_(mapping_text,
                {"parents (id int8, tenant text, note text, seen timestamptz, version int8)",
                 "children (id text, tenant text, parent_id int8, elder text, note text, big text)",
                 "likes (parent_id int8, child_id text, weight int8, big text, version int8)"},
                references) {}

  Model& model() { return source_.model(); }
  const NodeTable& parents() { return source_.node("parents"); }
  const NodeTable& children() { return source_.node("children"); }

  void feed(Merge& merge, const SourceTransaction& transaction) const {
    merge.begin_transaction();
    for (const auto& item : transaction) {
      if (const auto* truncation = std::get_if<Truncation>(&item)) {
        for (FamilyTable table : truncation->tables) merge.truncate({"public", name_of(table)});
        continue;
      }
      const Change& change = std::get<Change>(item);
      Row row = change.row;
      if (change.unchanged) row[*change.unchanged] = kUnchanged;
      Status added =
          source_.add(merge, name_of(change.table), change.operation, old_row_of(change), row);
      ASSERT_TRUE(added) << added.error().describe();
    }
  }

 private:
  static std::string name_of(FamilyTable table) {
    constexpr std::array kNames = {"parents", "children", "likes"};
    return kNames[static_cast<size_t>(table)];
  }

  // The key alone, and only where it changed or the row goes; the whole row under REPLICA IDENTITY
  // FULL.
  Row old_row_of(const Change& change) const {
    if (change.operation == change::Operation::insert) return {};
    if (full_identity_) return change.old_row;
    const auto key = static_cast<long>(Family::key_columns(change.table));
    const bool same =
        change.operation == change::Operation::update &&
        std::equal(change.row.begin(), change.row.begin() + key, change.old_row.begin());
    if (same) return {};
    Row row = change.old_row;
    std::fill(row.begin() + key, row.end(), std::nullopt);
    return row;
  }

  bool full_identity_;
  Source source_;
};

}  // namespace cnx::mapping::testing
