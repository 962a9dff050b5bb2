#include "bolt/url.hpp"

#include <gtest/gtest.h>

namespace bolt {
namespace {

TEST(Url, says_host_port_and_user) {
  Options options = parse_url("bolt://neo4j:secret@db.example:7688").value();
  EXPECT_EQ(options.host, "db.example");
  EXPECT_EQ(options.port, 7688);
  EXPECT_EQ(options.auth.scheme, Auth::Scheme::basic);
  EXPECT_EQ(options.auth.user, "neo4j");
  EXPECT_EQ(options.auth.password.reveal(), "secret");
  EXPECT_EQ(options.encryption, Encryption::none);
  EXPECT_FALSE(options.routing);
}

TEST(Url, has_defaults) {
  Options options = parse_url("neo4j://localhost").value();
  EXPECT_EQ(options.port, 7687);
  EXPECT_EQ(options.auth.scheme, Auth::Scheme::none);
  EXPECT_TRUE(options.routing);
  EXPECT_TRUE(parse_url("bolt://localhost/"));
}

TEST(Url, schemes_choose_encryption_and_routing) {
  EXPECT_EQ(parse_url("bolt+s://h")->encryption, Encryption::verified);
  EXPECT_EQ(parse_url("bolt+ssc://h")->encryption, Encryption::trusting);
  EXPECT_EQ(parse_url("neo4j+s://h")->encryption, Encryption::verified);
  EXPECT_EQ(parse_url("neo4j+ssc://h")->encryption, Encryption::trusting);
  EXPECT_TRUE(parse_url("neo4j+ssc://h")->routing);
  EXPECT_FALSE(parse_url("bolt+s://h")->routing);
}

TEST(Url, is_percent_decoded) {
  Options options = parse_url("bolt://us%40er:p%3Aa%2Fs%25s%C3%A9@h").value();
  EXPECT_EQ(options.auth.user, "us@er");
  EXPECT_EQ(options.auth.password.reveal(), "p:a/s%s\xC3\xA9");
  EXPECT_EQ(parse_url("bolt://user:a:b@c@h")->auth.password.reveal(), "a:b@c");
}

TEST(Url, takes_ipv6_addresses_in_brackets) {
  EXPECT_EQ(parse_url("bolt://[::1]:17687")->host, "::1");
  EXPECT_EQ(parse_url("bolt://[::1]:17687")->port, 17687);
  EXPECT_EQ(parse_url("bolt://u:p@[fe80::1]")->host, "fe80::1");
}

TEST(Url, query_is_the_routing_context) {
  Options options = parse_url("neo4j://h?region=eu%20west&policy=fast").value();
  EXPECT_EQ(*options.routing_context.get_if<std::string>("region"), "eu west");
  EXPECT_EQ(*options.routing_context.get_if<std::string>("policy"), "fast");
  EXPECT_FALSE(parse_url("bolt://h?region=eu"));
}

TEST(Url, refuses_everything_else_without_repeating_it) {
  for (const char* url : {"",
                          "localhost",
                          "http://h",
                          "bolt:/h",
                          "bolt://",
                          "bolt://:7687",
                          "bolt://h:",
                          "bolt://h:0",
                          "bolt://h:65536",
                          "bolt://h:7x",
                          "bolt://h:-1",
                          "bolt://::1",
                          "bolt://[::1",
                          "bolt://[::1]x",
                          "bolt://[]",
                          "bolt://h/db",
                          "bolt://h#f",
                          "bolt://secret%zz@h",
                          "bolt://u:secret%2@h",
                          "bolt://u:secret%ff@h",
                          "bolt://:secret@h",
                          "bolt://@h",
                          "bolt://a b",
                          "neo4j://h?a",
                          "neo4j://h?a=",
                          "neo4j://h?=b",
                          "neo4j://h?a=1&a=2",
                          "neo4j://h?address=x",
                          "neo4j://h?a=secret%"}) {
    auto options = parse_url(url);
    ASSERT_FALSE(options) << url;
    EXPECT_EQ(options.error().kind(), cnx::ErrorKind::invalid) << url;
    EXPECT_EQ(options.error().describe().find("secret"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace bolt
