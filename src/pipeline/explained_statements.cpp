#include "pipeline/explained_statements.hpp"

#include "cypher/upsert_texts.hpp"

namespace cnx::pipeline {
namespace {

// The steps of a batch (cypher/plan.cpp, ARCHITECTURE.md).
enum Step : int {
  relationship_removals = 1,
  node_removals,
  key_changes,
  node_upserts,
  relationship_upserts
};

class Statements {
 public:
  void add(Step step, const cypher::Text& text, const char* when) {
    if (!text.text.empty()) list_.push_back({step, text.name, when, text.text});
  }
  std::vector<ExplainedStatement> take() { return std::move(list_); }

 private:
  std::vector<ExplainedStatement> list_;
};

constexpr const char* kTruncate = "a TRUNCATE";
constexpr const char* kPartial =
    "an UPDATE that leaves out an unchanged large value; fails where the row is not in the graph";

const char* update_when(bool guarded) {
  return guarded ? "an UPDATE; refused, and counted, where the graph has a newer version"
                 : "an UPDATE";
}

}  // namespace

std::vector<ExplainedStatement> node_statements(const mapping::Binding& binding) {
  const cypher::NodeTexts texts = cypher::node_texts(*binding.node);
  const auto inserts = cypher::upsert_texts(
      *binding.node, cypher::columns_of(binding, cypher::Companions::when_unfit));
  const auto updates = cypher::upsert_texts(
      *binding.node, cypher::columns_of(binding, cypher::Companions::always));
  Statements statements;
  for (const cypher::ForeignKeyTexts& foreign : texts.foreign_keys) {
    statements.add(relationship_removals, foreign.unlink_all, kTruncate);
    statements.add(relationship_removals, foreign.unlink,
                   "a DELETE, and an UPDATE where nodes of the other end go or change their keys");
  }
  statements.add(node_removals, texts.remove_all, kTruncate);
  statements.add(node_removals, texts.remove,
                 "a DELETE; a node that still has relationships stays as a stub");
  statements.add(key_changes, texts.take_over,
                 "an UPDATE of the key, where a stub waits at the new one");
  statements.add(key_changes, texts.change_key,
                 "an UPDATE of the key; chains and swaps go through temporary keys");
  if (!texts.user.text.empty()) {
    statements.add(node_upserts, texts.user, "an INSERT or UPDATE: the mapping's own statement");
  } else {
    const bool foreign = !texts.foreign_keys.empty();
    statements.add(node_upserts, inserts.insert,
                   foreign ? "an INSERT whose first foreign key is NULL, never guarded"
                           : "an INSERT, never guarded");
    statements.add(node_upserts, inserts.insert_grouped,
                   "an INSERT whose first foreign key is not NULL, never guarded");
    statements.add(node_upserts, updates.update, update_when(texts.guarded));
    statements.add(node_upserts, updates.update_existing, kPartial);
  }
  for (const cypher::ForeignKeyTexts& foreign : texts.foreign_keys) {
    statements.add(relationship_upserts, foreign.link,
                   "an INSERT or UPDATE whose foreign key is not NULL");
    if (!foreign.link_existing.text.empty())
      statements.add(relationship_upserts, foreign.link_existing,
                     "an UPDATE that leaves out an unchanged large value of the relationship");
  }
  return statements.take();
}

std::vector<ExplainedStatement> relationship_statements(const mapping::Binding& binding) {
  const cypher::RelationshipTexts texts = cypher::relationship_texts(*binding.relationship);
  const auto inserts = cypher::upsert_texts(
      *binding.relationship, cypher::columns_of(binding, cypher::Companions::when_unfit));
  const auto updates = cypher::upsert_texts(
      *binding.relationship, cypher::columns_of(binding, cypher::Companions::always));
  Statements statements;
  statements.add(relationship_removals, texts.remove_all, kTruncate);
  statements.add(relationship_removals, texts.remove, "a DELETE, and an UPDATE of the key");
  if (!texts.user.text.empty()) {
    statements.add(relationship_upserts, texts.user,
                   "an INSERT or UPDATE: the mapping's own statement");
  } else {
    statements.add(relationship_upserts, inserts.insert, "an INSERT, never guarded");
    statements.add(relationship_upserts, updates.update, update_when(texts.guarded));
    statements.add(relationship_upserts, updates.update_existing, kPartial);
  }
  return statements.take();
}

}  // namespace cnx::pipeline
