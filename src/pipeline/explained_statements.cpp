#include "pipeline/explained_statements.hpp"

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

const char* update_when(mapping::Guard guard) {
  switch (guard) {
    case mapping::Guard::none:
      break;
    case mapping::Guard::overwrite:
      return "an UPDATE; a conflict is written over, and told";
    case mapping::Guard::latest:
      return "an UPDATE; in a conflict the later one is kept, and that is told";
    case mapping::Guard::keep:
      return "an UPDATE; in a conflict nothing is written, and that is told";
    case mapping::Guard::decide:
      return "an UPDATE; fails where there is a conflict, which is decided outside";
  }
  return "an UPDATE";
}

}  // namespace

std::vector<ExplainedStatement> node_statements(const cypher::NodeTexts& texts) {
  Statements statements;
  for (const cypher::ForeignKeyTexts& foreign : texts.foreign_keys) {
    statements.add(relationship_removals, foreign.unlink_all, kTruncate);
    statements.add(relationship_removals, foreign.unlink,
                   "a DELETE, and an UPDATE whose other end changed");
  }
  for (const cypher::Text& leave_behind : texts.leave_behind) {
    statements.add(relationship_removals, leave_behind,
                   "an UPDATE of the key: relationships of rows that still name the old one wait, and go to what has it then");
  }
  statements.add(node_removals, texts.remove_all, kTruncate);
  statements.add(node_removals, texts.remove,
                 "a DELETE; a node that still has relationships stays as a stub");
  statements.add(key_changes, texts.take_over,
                 texts.leave_behind.empty() ? "an UPDATE of the key, where a stub waits at the new one"
                                            : "an UPDATE of the key, where a stub waits at the new one, or another row takes "
                                              "the old one");
  statements.add(key_changes, texts.change_key,
                 "an UPDATE of the key; chains and swaps go through temporary keys");
  if (!texts.user.text.empty()) {
    statements.add(node_upserts, texts.user, "an INSERT or UPDATE: the mapping's own statement");
  } else {
    statements.add(node_upserts, texts.insert_linked, "an INSERT whose foreign key is not NULL");
    statements.add(node_upserts, texts.insert,
                   texts.linked ? "an INSERT whose foreign key is NULL" : "an INSERT, never guarded");
    statements.add(node_upserts, texts.usual().update_linked, update_when(texts.guard));
    statements.add(node_upserts, texts.usual().update,
                   texts.usual().update_linked.text.empty()
                       ? update_when(texts.guard)
                       : "the same where rows at the other end go or change keys in the same batch");
    statements.add(node_upserts, texts.usual().update_existing, kPartial);
  }
  for (const cypher::ForeignKeyTexts& foreign : texts.foreign_keys) {
    statements.add(relationship_upserts, foreign.link,
                   "an INSERT or UPDATE whose foreign key is not NULL");
    statements.add(relationship_upserts, foreign.undecided,
                   "an UPDATE that leaves out a part of a shared node's key: fails, and the row is read again");
    if (!foreign.link_existing.text.empty())
      statements.add(relationship_upserts, foreign.link_existing,
                     "an UPDATE that leaves out an unchanged large value of the relationship");
  }
  return statements.take();
}

std::vector<ExplainedStatement> relationship_statements(const cypher::RelationshipTexts& texts) {
  Statements statements;
  statements.add(relationship_removals, texts.remove_all, kTruncate);
  statements.add(relationship_removals, texts.remove, "a DELETE, and an UPDATE of the key");
  if (!texts.user.text.empty()) {
    statements.add(relationship_upserts, texts.user,
                   "an INSERT or UPDATE: the mapping's own statement");
  } else {
    statements.add(relationship_upserts, texts.insert, "an INSERT, never guarded");
    statements.add(relationship_upserts, texts.usual().update, update_when(texts.guard));
    statements.add(relationship_upserts, texts.usual().update_existing, kPartial);
  }
  return statements.take();
}

}  // namespace cnx::pipeline
