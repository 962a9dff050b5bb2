// The built-in mapping, rule by rule, as the schema describes its graph.
#include "mapping/builtin.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

using Properties = std::map<std::string, std::string>;

class BuiltinMapping : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load(builtin_mapping_text(), kBuiltinMappingName);
    ASSERT_TRUE(loaded) << format(loaded.error());
    mapping_ = *std::move(loaded);
  }

  const TableRule& rule(const std::string& table) {
    const TableRule* found = mapping_.find({"public", table});
    if (found == nullptr) {
      ADD_FAILURE() << "no rule for " << table;
      static const TableRule kNone{};
      return kNone;
    }
    return *found;
  }
  const NodeRule& node(const std::string& table) { return std::get<NodeRule>(rule(table).form); }
  const RelationshipRule& relationship(const std::string& table) {
    return std::get<RelationshipRule>(rule(table).form);
  }
  std::vector<std::string> properties(const std::string& table, const std::string& column) {
    return properties_of(node(table).properties, mapping_.naming, column);
  }

  Mapping mapping_;
};

TEST_F(BuiltinMapping, is_the_file_in_the_source_tree) {
  std::ifstream file(std::string(CNX_TEST_DATA) + "/../../mappings/contextnexus.yaml",
                     std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(builtin_mapping_text(), text.str());
}

TEST_F(BuiltinMapping, speaks_of_every_table_once) {
  EXPECT_EQ(mapping_.name, "contextnexus");
  EXPECT_EQ(mapping_.naming, Naming::camel_case);
  EXPECT_EQ(mapping_.tenant_property, "tenantId");
  EXPECT_EQ(mapping_.tables.size(), 17u);
  EXPECT_THAT(mapping_.unmapped,
              ElementsAre(TableName{"public", "knowledge_graph_configurations"}));
}

// The graph remembers it: with another one, every graph of this mapping has to be built anew.
// Change it knowingly.
TEST_F(BuiltinMapping, has_the_fingerprint_that_graphs_remember) {
  EXPECT_EQ(mapping_.fingerprint,
            "c0dfdc718a86f6b753b9806c699d18c22f2dddd4a7a3eed5f26170e16baaa511");
}

TEST_F(BuiltinMapping, gives_each_table_of_things_its_label_and_key) {
  struct Expected {
    const char *table, *label, *key;
  };
  for (const Expected& expected : std::initializer_list<Expected>{
           {"tenants", "Tenant", "id"},
           {"users", "User", "id"},
           {"programs", "Program", "id"},
           {"projects", "Project", "id"},
           {"threads", "Thread", "id"},
           {"content_items", "ContentItem", "id"},
           {"text_content", "Text", "content_item_id"},
           {"code_content", "Code", "content_item_id"},
           {"content_chunks", "ContentChunk", "id"},
           {"tags", "Tag", "id"},
           {"messages", "Message", "id"},
       }) {
    SCOPED_TRACE(expected.table);
    EXPECT_EQ(node(expected.table).label, expected.label);
    EXPECT_THAT(node(expected.table).key, ElementsAre(expected.key));
    EXPECT_TRUE(node(expected.table).properties.all);
    // In the graph every node is found by `id`.
    EXPECT_EQ(properties(expected.table, expected.key).front(), "id");
  }
}

TEST_F(BuiltinMapping, gives_every_node_its_common_properties) {
  for (const TableRule& table : mapping_.tables) {
    const auto* node = std::get_if<NodeRule>(&table.form);
    if (node == nullptr) continue;
    SCOPED_TRACE(table.table.name);
    auto named = [&](const char* column) {
      return properties_of(node->properties, mapping_.naming, column);
    };
    EXPECT_THAT(named("version"), ElementsAre("version"));
    EXPECT_THAT(named("created_at"), ElementsAre("createdAt"));
    EXPECT_THAT(named("updated_at"), ElementsAre("updatedAt"));
    if (table.table.name != "tenants") {
      EXPECT_THAT(named("tenant_id"), ElementsAre("tenantId"));
    }
    for (const char* column :
         {"project_id", "program_id", "thread_id", "author_id", "created_by"}) {
      EXPECT_THAT(named(column), ElementsAre(property_name(mapping_.naming, column)));
    }
    for (const char* column : {"neo4j_node_id", "neo4j_relationship_id", "neo4j_sync_status",
                               "neo4j_synced_version", "neo4j_synced_at"}) {
      EXPECT_THAT(named(column), IsEmpty()) << column;
    }
  }
}

TEST_F(BuiltinMapping, guards_and_owns_every_row) {
  for (const TableRule& table : mapping_.tables) {
    SCOPED_TRACE(table.table.name);
    EXPECT_EQ(table.version_column, "version");
    EXPECT_EQ(table.tenant_column, table.table.name == "tenants" ? "id" : "tenant_id");
    EXPECT_FALSE(table.cypher);
    EXPECT_GT(table.line, 0);
  }
}

TEST_F(BuiltinMapping, makes_a_tenant_its_own) {
  EXPECT_THAT(properties("tenants", "id"), ElementsAre("id", "tenantId"));
}

TEST_F(BuiltinMapping, keeps_the_item_of_text_and_code_once) {
  for (const char* table : {"text_content", "code_content"}) {
    EXPECT_THAT(properties(table, "content_item_id"), ElementsAre("id"));
  }
  EXPECT_THAT(properties("content_chunks", "content_item_id"), ElementsAre("contentItemId"));
}

TEST_F(BuiltinMapping, leaves_bodies_and_secrets_in_postgresql) {
  for (auto [table, column] :
       {std::pair("users", "password_hash"), std::pair("text_content", "body"),
        std::pair("code_content", "source"), std::pair("content_chunks", "body"),
        std::pair("messages", "body")}) {
    EXPECT_THAT(properties(table, column), IsEmpty()) << table << "." << column;
    EXPECT_TRUE(rule(table).named.contains(column)) << "a misspelt secret would not be noticed";
  }
}

TEST_F(BuiltinMapping, says_where_the_bytes_are) {
  const auto& items = node("content_items").properties.computed;
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].property, "pgStorageKey");
  EXPECT_EQ(items[0].choice_column, "storage_backend");
  EXPECT_FALSE(items[0].otherwise);
  using Part = Template::Part;
  EXPECT_THAT(
      items[0].choices,
      ElementsAre(
          std::pair(std::string("postgres"),
                    Template{{Part{false, "postgres://content_items/"}, Part{true, "id"}}}),
          std::pair(std::string("s3"), Template{{Part{false, "s3://"}, Part{true, "storage_key"}}}),
          std::pair(std::string("file"),
                    Template{{Part{false, "file://"}, Part{true, "storage_key"}}})));
  for (std::string table : {"content_chunks", "messages"}) {
    const auto& computed = node(table).properties.computed;
    ASSERT_EQ(computed.size(), 1u) << table;
    EXPECT_EQ(computed[0].property, "pgStorageKey");
    EXPECT_EQ(computed[0].choice_column, "");
    EXPECT_EQ(computed[0].otherwise,
              (Template{{Part{false, "postgres://" + table + "/"}, Part{true, "id"}}}));
  }
  for (const TableRule& table : mapping_.tables) {
    const auto* other = std::get_if<NodeRule>(&table.form);
    if (other == nullptr || table.table.name == "content_items" ||
        table.table.name == "content_chunks" || table.table.name == "messages") {
      continue;
    }
    EXPECT_THAT(other->properties.computed, IsEmpty()) << table.table.name;
  }
}

TEST_F(BuiltinMapping, leads_from_every_owner_to_what_it_has) {
  struct Expected {
    const char *table, *type, *other, *column;
    Properties properties;
  };
  const std::vector<Expected> all = {
      {"users", "HAS_USER", "tenants", "tenant_id", {{"role", "role"}}},
      {"programs", "HAS_PROGRAM", "tenants", "tenant_id", {}},
      {"projects", "HAS_PROJECT", "programs", "program_id", {}},
      {"threads", "HAS_THREAD", "projects", "project_id", {}},
      {"content_items", "HAS_CONTENT", "projects", "project_id", {}},
      {"text_content", "HAS_CONTENT", "content_items", "content_item_id", {}},
      {"code_content", "HAS_CONTENT", "content_items", "content_item_id", {}},
      {"content_chunks", "HAS_CHUNK", "content_items", "content_item_id", {{"ordinal", "ordinal"}}},
      {"tags", "HAS_TAG", "projects", "project_id", {}},
      {"messages", "CONTAINS_MESSAGE", "threads", "thread_id", {}},
  };
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.table);
    ASSERT_EQ(node(expected.table).relationships.size(), 1u);
    const ForeignKeyRule& found = node(expected.table).relationships.front();
    EXPECT_EQ(found.type, expected.type);
    EXPECT_TRUE(found.incoming);
    EXPECT_EQ(found.other, (TableName{"public", expected.other}));
    EXPECT_THAT(found.columns, ElementsAre(expected.column));
    EXPECT_EQ(found.properties.columns, expected.properties);
  }
  EXPECT_THAT(node("tenants").relationships, IsEmpty());
}

TEST_F(BuiltinMapping, makes_each_row_of_a_join_table_one_relationship) {
  struct Expected {
    const char *table, *type, *start, *start_column, *end, *end_column;
    Properties properties;  // Beside version and createdAt.
  };
  const Properties type = {{"relationshipType", "relationship_type"}};
  const Properties rank = {{"relevanceScore", "relevance_score"}, {"position", "position"}};
  Properties ranked_by = rank;
  ranked_by["addedBy"] = "added_by";
  const std::vector<Expected> all = {
      {"project_memberships",
       "HAS_MEMBER",
       "projects",
       "project_id",
       "users",
       "user_id",
       {{"role", "role"}}},
      {"thread_relationships", "PARENT_OF", "threads", "parent_thread_id", "threads",
       "child_thread_id", type},
      {"thread_content", "INCLUDES", "threads", "thread_id", "content_items", "content_item_id",
       ranked_by},
      {"content_tags", "TAGGED_WITH", "content_items", "content_item_id", "tags", "tag_id", {}},
      {"message_relationships", "REPLIED_WITH", "messages", "message_id", "messages", "reply_id",
       type},
      {"message_context_items", "USED_CONTEXT", "messages", "message_id", "content_items",
       "content_item_id", rank},
  };
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.table);
    const RelationshipRule& found = relationship(expected.table);
    EXPECT_EQ(found.type, expected.type);
    EXPECT_EQ(found.start.table, (TableName{"public", expected.start}));
    EXPECT_THAT(found.start.columns, ElementsAre(expected.start_column));
    EXPECT_EQ(found.end.table, (TableName{"public", expected.end}));
    EXPECT_THAT(found.end.columns, ElementsAre(expected.end_column));
    EXPECT_THAT(found.key, ElementsAre(expected.start_column, expected.end_column));
    Properties properties = expected.properties;
    properties["version"] = "version";
    properties["createdAt"] = "created_at";
    EXPECT_EQ(found.properties.columns, properties);
  }
}

TEST_F(BuiltinMapping, demands_the_columns_that_it_names) {
  EXPECT_THAT(rule("content_items").named,
              ElementsAre("id", "project_id", "storage_backend", "storage_key"));
  EXPECT_THAT(rule("text_content").named, ElementsAre("body", "content_item_id"));
  EXPECT_THAT(rule("thread_content").named,
              ElementsAre("added_by", "content_item_id", "created_at", "position",
                          "relevance_score", "thread_id", "version"));
}

}  // namespace
}  // namespace cnx::mapping
