#include "apply/server_message.hpp"

#include <gtest/gtest.h>

namespace cnx::apply {
namespace {

// As Neo4j 5.26 says them; "secret" and 4711 are a row's values.
TEST(ServersMessage, keeps_names_and_loses_values) {
  struct Case {
    const char* message;
    const char* kept;
  };
  for (const Case& each : {
           Case{"Node(7) already exists with label `User` and property `email` = 'secret'", "label `User` and property `email` ="},
           Case{"Node(7) already exists with label `User` and property `age` = 4711", "property `age` ="},
           Case{"Property value is too large to index, please see index documentation for limitations. Index: Index( id=4, "
                "name='by_text', type='RANGE' ), entity id: 4711, property size: 8168, value: [String(\"secret\")].",
                "too large to index"},
           Case{"Property values can only be of primitive types or arrays thereof. Encountered: Map{secret -> Long(4711)}.",
                "primitive types or arrays thereof. Encountered"},
           Case{"Failed to invoke procedure `apoc.util.validate`: Caused by: java.lang.RuntimeException: secret 4711",
                "Failed to invoke procedure `apoc.util.validate`: Caused by"},
           Case{"Text cannot be parsed to a Date\n\"secret\"\n ^", "cannot be parsed to a Date"},
           Case{"Expected a numeric value for toInteger(), but was: secret", "Expected a numeric value for toInteger(), but was"},
           Case{"Cannot merge node using null property value for id in {name: secret}", "Cannot merge node using null property value for id"},
           Case{"It isn't a secret", "It isn"},
       }) {
    const std::string shown = without_values(each.message);
    EXPECT_NE(shown.find(each.kept), std::string::npos) << shown;
    EXPECT_EQ(shown.find("secret"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("4711"), std::string::npos) << shown;
  }
}

TEST(ServersMessage, without_a_value_is_as_it_was) {
  for (const char* message : {"Collections containing null values can not be stored in properties.", "/ by zero", ""}) {
    EXPECT_EQ(without_values(message), message);
  }
}

}  // namespace
}  // namespace cnx::apply
