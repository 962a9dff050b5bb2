// What a table becomes in the graph, told from the mapping and the live catalog, with the
// statements that the engine sends: nothing here is made up for the telling.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/rules.hpp"
#include "pipeline/catalog.hpp"
#include "postgres/options.hpp"

namespace cnx::pipeline {

struct ExplainedProperty {
  std::string name;
  std::string from;       // The column; or the template, with its choice.
  std::string type;       // PostgreSQL's, as format_type prints it; empty for a template.
  std::string form;       // The graph's: "STRING", "LIST OF INTEGER", …
  std::string companion;  // Holds the exact text where `form` cannot hold a value; else empty.
  std::string role;       // "key", "tenant", "version" or empty.
};

struct ExplainedRelationship {
  std::string pattern;               // (:ContentItem)-[:HAS_CHUNK]->(:ContentChunk)
  std::vector<std::string> columns;  // Of this table, that find the other end.
  std::string other;                 // "public.content_items (id)"
  // Where that row takes another key, the database makes this one follow in the same transaction; else the relationship stays
  // at the key that the row names.
  bool follows = false;
  std::vector<ExplainedProperty> properties;
  std::vector<ExplainedProperty> end_properties = {};  // Of the other end, where it is a node that rows share.
};

// A further node of a row.
struct ExplainedNode {
  std::string pattern;               // (:Address:Place {id})
  std::string relationship;          // (:Customer)-[:HAS_ADDRESS]->(:Address)
  std::vector<std::string> columns;  // It is there while one of them has a value; none: always.
  std::vector<ExplainedProperty> properties;
};

struct ExplainedStatement {
  int step = 0;  // Of ARCHITECTURE.md's order: 1 relationship removals … 5 relationship upserts.
  std::string name;  // "update ContentItem"
  std::string when;
  std::string text;
};

struct Explanation {
  std::string table;
  std::string form;              // "node", "relationship" or "none".
  std::string name;              // The label or the type.
  std::string pattern;           // (:Tag {id}), (:Thread)-[:INCLUDES]->(:ContentItem)
  std::vector<std::string> key;  // Columns.
  std::string version;           // The guarding column's property; empty: no guard.
  int line = 0;                  // Of the rule in the mapping file.
  std::vector<ExplainedProperty> properties;
  std::vector<std::string> left_out;  // Columns that become nothing.
  std::vector<ExplainedRelationship> relationships;
  std::vector<ExplainedNode> nodes;  // Beside the row's own.
  std::vector<std::string> constraints;
  std::vector<ExplainedStatement> statements;  // In the order in which a batch applies them.
};

// `table` as a person writes it: "tags" or "public.tags". invalid: the mapping does not name it
// (with what was probably meant), or does not fit the catalog. Blocks until PostgreSQL answered.
Result<Explanation> explain(const postgres::ConnectionOptions& options,
                            const mapping::Mapping& mapping, const std::string& table);
// The same of a table of a catalog that was read. Blocks until `deadline`.
Result<Explanation> explain_table(postgres::Session& session, Catalog& catalog, const mapping::TableRule& rule,
                                  TimePoint deadline);

}  // namespace cnx::pipeline
