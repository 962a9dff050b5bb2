#include "bolt/handshake.hpp"

#include <gtest/gtest.h>

#include "bolt/testing/golden.hpp"
#include "bolt/testing/random_bytes.hpp"

namespace bolt {
namespace {

using testing::from_hex;
using testing::to_hex;

// The server's bytes, one at a time; the handshake must end with the last.
Version agree(Handshake& handshake, std::string_view hex) {
  handshake.take_outgoing();
  cnx::Bytes answer = from_hex(hex);
  for (size_t i = 0; i < answer.size(); ++i) {
    cnx::BytesView input = cnx::BytesView(answer).subspan(i, 1);
    auto done = handshake.receive(input);
    EXPECT_TRUE(done) << hex;
    if (!done) return {};
    EXPECT_EQ(*done, i + 1 == answer.size()) << i;
  }
  return handshake.chosen();
}

cnx::Error refusal(std::string_view hex, Version newest = kNewestVersion) {
  Handshake handshake(newest);
  cnx::Bytes answer = from_hex(hex);
  cnx::BytesView input(answer);
  auto done = handshake.receive(input);
  EXPECT_FALSE(done) << hex;
  return done ? cnx::Error(cnx::ErrorKind::internal, "agreed") : done.error();
}

TEST(Handshake, proposes_the_manifest_and_the_old_ranges_newest_first) {
  EXPECT_EQ(to_hex(Handshake(kNewestVersion).take_outgoing()),
            "6060b017"
            "000001ff"
            "00080805"
            "00000404"
            "00000000");
  EXPECT_EQ(to_hex(Handshake({5, 4}).take_outgoing()),
            "6060b017"
            "00040405"
            "00000404"
            "00000000"
            "00000000");
  EXPECT_EQ(to_hex(Handshake({4, 4}).take_outgoing()),
            "6060b017"
            "00000404"
            "00000000"
            "00000000"
            "00000000");
}

TEST(Handshake, picks_the_highest_known_version_of_a_manifest) {
  const char* neo4j_5_26 = "000001ff 03 00040404 00040405 00020805 00";
  const char* neo4j_2026 = "000001ff 04 00040404 00040405 00020805 00010106 00";
  Handshake five(kNewestVersion);
  EXPECT_EQ(agree(five, neo4j_5_26), (Version{5, 8}));
  EXPECT_EQ(to_hex(five.take_outgoing()), "0000080500");
  Handshake six(kNewestVersion);
  EXPECT_EQ(agree(six, neo4j_2026), (Version{6, 0}));
  EXPECT_EQ(to_hex(six.take_outgoing()), "0000000600");
  Handshake bounded({5, 7});
  EXPECT_EQ(agree(bounded, neo4j_2026), (Version{5, 7}));
}

TEST(Handshake, takes_capabilities_of_several_bytes_and_claims_none) {
  Handshake handshake(kNewestVersion);
  EXPECT_EQ(agree(handshake, "000001ff 01 00040405 8801"), (Version{5, 4}));
  EXPECT_EQ(to_hex(handshake.take_outgoing()), "0000040500");
}

TEST(Handshake, takes_the_answer_of_servers_without_manifest) {
  for (auto [hex, version] :
       {std::pair{"00000405", Version{5, 4}}, std::pair{"00000404", Version{4, 4}}}) {
    Handshake handshake(kNewestVersion);
    EXPECT_EQ(agree(handshake, hex), version);
    EXPECT_TRUE(handshake.take_outgoing().empty());
  }
}

TEST(Handshake, leaves_what_follows_it) {
  Handshake handshake(kNewestVersion);
  cnx::Bytes answer = from_hex("00000405aabb");
  cnx::BytesView input(answer);
  EXPECT_TRUE(handshake.receive(input).value());
  EXPECT_EQ(input.size(), 2u);
}

TEST(Handshake, says_why_there_is_no_agreement) {
  EXPECT_EQ(refusal("00000000").kind(), cnx::ErrorKind::unsupported);
  EXPECT_EQ(refusal("48545450").kind(), cnx::ErrorKind::unsupported);
  EXPECT_NE(refusal("48545450").message().find("HTTP"), std::string::npos);
  EXPECT_NE(refusal("15030300").advice().find("+s"), std::string::npos);
  EXPECT_EQ(refusal("000001ff 01 00000003 00").kind(), cnx::ErrorKind::unsupported);
  EXPECT_EQ(refusal("000001ff 01 00000106 00").kind(), cnx::ErrorKind::unsupported)
      << "6.1 is never chosen";
  EXPECT_EQ(refusal("000001ff 00 00").kind(), cnx::ErrorKind::unsupported);
}

TEST(Handshake, answers_out_of_bounds_are_malformed) {
  EXPECT_EQ(refusal("12345678").kind(), cnx::ErrorKind::malformed);
  EXPECT_EQ(refusal("00000505").kind(), cnx::ErrorKind::malformed);
  EXPECT_EQ(refusal("00000106").kind(), cnx::ErrorKind::malformed);
  EXPECT_EQ(refusal("00000405", {4, 4}).kind(), cnx::ErrorKind::malformed) << "it was not proposed";
  EXPECT_EQ(refusal("000001ff 41").kind(), cnx::ErrorKind::malformed);
  EXPECT_EQ(refusal("000001ff ffffffffffffffffffff").kind(), cnx::ErrorKind::malformed);
  EXPECT_EQ(refusal("000001ff 01 00040405 ffffffffffffffffffff").kind(), cnx::ErrorKind::malformed);
}

TEST(Handshake, answers_of_captured_servers_agree) {
  for (const auto& golden : testing::read_golden()) {
    if (golden.message != "HANDSHAKE" || golden.from_client) continue;
    Handshake handshake(std::min(golden.dialect.version, kNewestVersion));
    agree(handshake, to_hex(golden.bytes));
    EXPECT_EQ(handshake.chosen(), std::min(golden.dialect.version, kNewestVersion)) << golden.name;
  }
}

TEST(Handshake, random_answers_end_in_agreement_or_error_within_bounds) {
  testing::RandomBytes random;
  for (int round = 0; round < 2000; ++round) {
    Handshake handshake(kNewestVersion);
    cnx::Bytes answer = from_hex(round % 2 == 0 ? "000001ff" : "");
    for (std::byte byte : random.bytes(400)) answer.push_back(byte);
    cnx::BytesView input(answer);
    auto done = handshake.receive(input);
    EXPECT_TRUE(!done || *done) << "a manifest of more than 64 ranges";
  }
}

}  // namespace
}  // namespace bolt
