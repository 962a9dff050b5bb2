#include "mapping/infer_names.hpp"

#include <gmock/gmock.h>

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;

constexpr unsigned kBoolean = 16, kInteger = 23, kText = 25, kTimestamp = 1114;

TEST(InferNames, words_are_found_in_every_spelling) {
  for (const char* name : {"order_details", "OrderDetails", "orderDetails", "ORDER_DETAILS",
                           "Order Details", "order-details"}) {
    EXPECT_THAT(words_of(name), ElementsAre("order", "details")) << name;
  }
  EXPECT_THAT(words_of("HTTPServers"), ElementsAre("http", "servers"));
  EXPECT_THAT(words_of("address2"), ElementsAre("address2"));
  EXPECT_THAT(words_of("___"), ElementsAre("___"));
  EXPECT_THAT(words_of("a.b"), ElementsAre("a.b"));
}

TEST(InferNames, a_label_is_the_singular_in_pascal_case) {
  EXPECT_EQ(label_of("customers"), "Customer");
  EXPECT_EQ(label_of("categories"), "Category");
  EXPECT_EQ(label_of("addresses"), "Address");
  EXPECT_EQ(label_of("people"), "Person");
  EXPECT_EQ(label_of("statuses"), "Status");
  EXPECT_EQ(label_of("series"), "Series");
  EXPECT_EQ(label_of("order_details"), "OrderDetail");
  EXPECT_EQ(label_of("us_states"), "UsState");
  EXPECT_EQ(label_of("Order Details"), "OrderDetail");
  EXPECT_EQ(label_of("TBL_USERS"), "TblUser");
}

TEST(InferNames, a_label_of_other_signs_is_the_name_itself) {
  EXPECT_EQ(label_of("städte"), "Städte");
  EXPECT_EQ(label_of("заказы"), "заказы");
  EXPECT_EQ(label_of("Mixed Case``\"\"x.y"), "Mixed Case``\"\"x.y");
  EXPECT_EQ(label_of("a.b"), "a.b");
}

TEST(InferNames, no_label_or_type_is_the_engines) {
  EXPECT_EQ(label_of("context_nexus_things"), "TableContextNexusThing");
  EXPECT_EQ(label_of("_cnx_$"), "cnx_$");
  EXPECT_EQ(label_of("a$__pg"), "a$__pg_");
  EXPECT_EQ(type_of_table("_cnx_$"), "_CNX_$");
}

TEST(InferNames, a_type_says_has_but_where_the_column_is_a_phrase) {
  EXPECT_EQ(type_of_base("customer"), "HAS_CUSTOMER");
  EXPECT_EQ(type_of_base("supportRep"), "HAS_SUPPORT_REP");
  for (const char* phrase :
       {"reports_to", "created_by", "lives_in", "part_of", "moved_from", "ship_via"}) {
    EXPECT_EQ(type_of_base(phrase), upper_snake(phrase));
  }
  EXPECT_EQ(type_of_base("by"), "HAS_BY");
  EXPECT_EQ(type_of_base("has_part"), "HAS_PART");
}

TEST(InferNames, a_table_that_is_a_verb_stays_one) {
  EXPECT_EQ(type_of_table("likes"), "LIKES");
  EXPECT_EQ(type_of_table("knows"), "KNOWS");
  EXPECT_EQ(type_of_table("order_details"), "ORDER_DETAIL");
}

TEST(InferNames, a_columns_base_is_without_its_ending) {
  EXPECT_EQ(base_of_column("customer_id", ""), "customer");
  EXPECT_EQ(base_of_column("customerId", ""), "customer");
  EXPECT_EQ(base_of_column("dept_no", ""), "dept");
  EXPECT_EQ(base_of_column("country_code", ""), "country");
  EXPECT_EQ(base_of_column("personid", ""), "person");
  EXPECT_EQ(base_of_column("m_creatorid", "m_"), "creator");
  EXPECT_EQ(base_of_column("id", ""), "");
  EXPECT_EQ(base_of_column("bid", ""), "bid");
  EXPECT_EQ(base_of_column("reports_to", ""), "reports_to");
}

TEST(InferNames, a_prefix_is_one_where_all_columns_have_it) {
  EXPECT_EQ(shared_prefix({"m_id", "m_creatorid", "m_content"}), "m_");
  EXPECT_EQ(shared_prefix({"pe_personid", "pe_email"}), "pe_");
  EXPECT_EQ(shared_prefix({"customer_id", "customer_note"}), "");
  EXPECT_EQ(shared_prefix({"m_id", "m_creatorid", "content"}), "");
  EXPECT_EQ(shared_prefix({"_a", "_b", "_c"}), "");
}

TEST(InferNames, secrets_are_known_by_name_and_type) {
  for (const char* secret :
       {"password", "user_passwd", "pwd", "client_secret", "token", "apiKey", "api_key", "APIKEY",
        "password_hash", "content_hash", "salt", "private_key", "credit_card", "card_number", "cvv",
        "SSN", "refresh_token", "hashed_password"}) {
    EXPECT_TRUE(looks_secret(secret, kText, false)) << secret;
  }
  EXPECT_TRUE(looks_secret("cvv", kInteger, false));
  EXPECT_TRUE(looks_secret("hash", kText, true));
  EXPECT_FALSE(looks_secret("hash", kText, false));
  EXPECT_FALSE(looks_secret("password_changed_at", kTimestamp, false));
  EXPECT_FALSE(looks_secret("secret", kBoolean, false));
  for (const char* harmless : {"token_id", "token_count", "secretary", "tokens", "passwords_policy",
                               "salty", "card", "name"}) {
    EXPECT_FALSE(looks_secret(harmless, kText, false)) << harmless;
  }
}

TEST(InferNames, sql_names_are_quoted_where_they_have_to_be) {
  EXPECT_EQ(sql_name("orders_2"), "orders_2");
  EXPECT_EQ(sql_name("Order"), "\"Order\"");
  EXPECT_EQ(sql_name(postgres::TableName{"public", "a b"}), "public.\"a b\"");
}

}  // namespace
}  // namespace cnx::mapping
