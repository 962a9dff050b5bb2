#include "command/given_words.hpp"

#include <gtest/gtest.h>

namespace cnx::command {
namespace {

constexpr size_t kNone = std::string_view::npos;

TEST(AWord, holds_a_secret_where_it_is_a_url_with_a_password_or_says_one) {
  for (const char* word : {"bolt://neo4j:secret@host", "postgresql://u:p@ss w'o%41@host/db", "host=x password = 'a b'",
                           "neo4j.password=secret", "neo4j.bearer_token=secret", "postgresql://host/db?password=secret",
                           "host=x PASSWORD=secret", "sslpassword=secret", "neo4j.url=bolt://a:b@c"}) {
    EXPECT_EQ(secret_begins(word), 0u) << word;
  }
  EXPECT_EQ(secret_begins("--neo4j=bolt://neo4j:secret@host"), 8u);
  EXPECT_EQ(secret_begins("--set=neo4j.password=secret"), 6u);
}

TEST(AWord, holds_none_where_it_names_a_place_or_a_file) {
  for (const char* word : {"run", "--once", "bolt://host:7687", "postgresql://user@host:5432/db", "neo4j.password=file:/run/secret",
                           "--role-password-file=/run/secret", "password", "apply.batch_rows=200", "host=x user=y", ""}) {
    EXPECT_EQ(secret_begins(word), kNone) << word;
  }
}

TEST(GivenWords, keep_the_secret_and_show_none_of_it) {
  char verb[] = "run";
  char flag[] = "--neo4j=bolt://neo4j:secret@host";
  char other[] = "a:b://c:d@e";
  char* words[] = {verb, flag, other};
  const GivenWords given(3, words);
  EXPECT_EQ(given.words()[1], "--neo4j=bolt://neo4j:secret@host");
  EXPECT_STREQ(verb, "run");
  EXPECT_STREQ(flag, "--neo4j=(hidden)");
  EXPECT_EQ(std::string(flag, sizeof flag).find("secret"), std::string::npos) << "also behind the end";
  EXPECT_STREQ(other, "(hidden)");
  EXPECT_EQ(given.without_secrets("not expected: --neo4j=bolt://neo4j:secret@host!"), "not expected: --neo4j=(hidden)!");
}

}  // namespace
}  // namespace cnx::command
