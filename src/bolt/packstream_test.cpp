#include "bolt/packstream.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bolt/testing/golden.hpp"
#include "bolt/testing/random_bytes.hpp"

namespace bolt {
namespace {

using testing::from_hex;
using testing::to_hex;

cnx::Bytes packed(const Value& value, Dialect dialect = {}) {
  cnx::Bytes bytes;
  Packer(bytes).value(value, dialect);
  return bytes;
}

std::string hex_of(const Value& value, Dialect dialect = {}) {
  return to_hex(packed(value, dialect));
}

cnx::ErrorKind kind_of(std::string_view hex, Dialect dialect = {}) {
  auto value = unpack(from_hex(hex), dialect);
  EXPECT_FALSE(value) << hex;
  return value ? cnx::ErrorKind::internal : value.error().kind();
}

// A message is a structure: packed again it must be what was sent.
cnx::Bytes pack_structure(const Structure& structure, Dialect dialect) {
  cnx::Bytes bytes;
  Packer packer(bytes);
  packer.structure_header(structure.fields.size(), structure.tag);
  for (const Value& field : structure.fields) packer.value(field, dialect);
  return bytes;
}

TEST(PackStream, captured_messages_are_read_and_written_as_the_same_bytes) {
  for (const auto& golden : testing::read_golden()) {
    if (golden.message.starts_with("HANDSHAKE")) continue;
    SCOPED_TRACE(golden.name);
    // Without the UTC patch clients also sent legacy structures, which only the 4.4 dialect reads.
    cnx::Bytes message = testing::dechunk(golden.bytes);
    auto structure = unpack_structure(message, golden.dialect);
    ASSERT_TRUE(structure) << structure.error().describe();
    EXPECT_EQ(to_hex(pack_structure(*structure, golden.dialect)), to_hex(message));
    EXPECT_EQ(to_hex(testing::chunk(message)), to_hex(golden.bytes));
  }
}

TEST(PackStream, every_truncation_of_captured_messages_is_malformed) {
  for (const auto& golden : testing::read_golden()) {
    if (golden.message.starts_with("HANDSHAKE")) continue;
    cnx::Bytes message = testing::dechunk(golden.bytes);
    for (size_t length = 0; length < message.size(); ++length) {
      auto structure = unpack_structure(cnx::BytesView(message).first(length), golden.dialect);
      ASSERT_FALSE(structure) << golden.name << " cut at " << length;
      EXPECT_EQ(structure.error().kind(), cnx::ErrorKind::malformed);
    }
    message.push_back(std::byte{0});
    EXPECT_FALSE(unpack_structure(message, golden.dialect))
        << golden.name << " with a byte behind it";
  }
}

TEST(PackStream, integers_take_their_smallest_form_and_come_back) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "00"},
      {1, "01"},
      {127, "7f"},
      {-1, "ff"},
      {-16, "f0"},
      {-17, "c8ef"},
      {-128, "c880"},
      {-129, "c9ff7f"},
      {128, "c90080"},
      {32767, "c97fff"},
      {-32768, "c98000"},
      {32768, "ca00008000"},
      {-32769, "caffff7fff"},
      {2147483647, "ca7fffffff"},
      {-2147483648ll, "ca80000000"},
      {2147483648ll, "cb0000000080000000"},
      {-2147483649ll, "cbffffffff7fffffff"},
      {std::numeric_limits<int64_t>::max(), "cb7fffffffffffffff"},
      {std::numeric_limits<int64_t>::min(), "cb8000000000000000"}};
  for (auto [number, hex] : cases) {
    EXPECT_EQ(hex_of(Value(number)), hex);
    EXPECT_EQ(unpack(from_hex(hex), {}).value(), Value(number));
  }
}

TEST(PackStream, integers_may_come_wider_than_needed) {
  for (const char* hex : {"c807", "c90007", "ca00000007", "cb0000000000000007"}) {
    EXPECT_EQ(unpack(from_hex(hex), {}).value(), Value(7)) << hex;
  }
}

TEST(PackStream, lengths_change_form_at_their_boundaries) {
  const std::pair<size_t, std::array<const char*, 4>> cases[] = {
      {0, {"80", "90", "a0", "cc00"}},
      {15, {"8f", "9f", "af", "cc0f"}},
      {16, {"d010", "d410", "d810", "cc10"}},
      {255, {"d0ff", "d4ff", "d8ff", "ccff"}},
      {256, {"d10100", "d50100", "d90100", "cd0100"}},
      {65535, {"d1ffff", "d5ffff", "d9ffff", "cdffff"}},
      {65536, {"d200010000", "d600010000", "da00010000", "ce00010000"}}};
  for (const auto& [size, heads] : cases) {
    Map map;
    for (size_t i = 0; i < size; ++i) map.add(std::to_string(i), Value());
    const Value values[] = {std::string(size, 'x'), List(size), map, cnx::Bytes(size)};
    for (size_t kind = 0; kind < heads.size(); ++kind) {
      SCOPED_TRACE(heads[kind]);
      cnx::Bytes bytes = packed(values[kind]);
      EXPECT_EQ(to_hex(cnx::BytesView(bytes).first(std::string_view(heads[kind]).size() / 2)),
                heads[kind]);
      EXPECT_EQ(unpack(bytes, {}).value(), values[kind]);
      bytes.pop_back();
      EXPECT_FALSE(unpack(bytes, {}));
    }
  }
}

TEST(PackStream, structures_have_the_bytes_that_neo4j_showed) {
  const std::pair<Value, const char*> cases[] = {
      {Date{19782}, "b144c94d46"},
      {LocalTime{45296789000000}, "b174cb000029327b048f40"},
      {Time{45296000000000, 7200}, "b254cb000029324bfd6000c91c20"},
      {LocalDateTime{1709210096, 789}, "b264ca65e079f0c90315"},
      {DateTime{1709202896, 789, 7200}, "b349ca65e05dd0c90315c91c20"},
      {DateTimeZoneId{1709206496, 789, "Europe/Stockholm", false},
       "b369ca65e06be0c90315d0104575726f70652f53746f636b686f6c6d"},
      {Duration{14, 3, 5, 6}, "b4450e030506"},
      {Point2D{4326, 12.5, -7.25}, "b358c910e6c14029000000000000c1c01d000000000000"},
      {Vector{Vector::Element::float32, from_hex("3f8000004000000040400000")},
       "b256cc01c6cc0c3f8000004000000040400000"},
  };
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(hex_of(value), hex);
    EXPECT_EQ(unpack(from_hex(hex), {}).value(), value) << hex;
  }
}

TEST(PackStream, a_date_time_is_utc_whatever_its_form_on_the_wire) {
  Value instant = DateTime{1709202896, 789, 7200};
  Dialect legacy(Version{4, 4});
  EXPECT_EQ(hex_of(instant, legacy), "b346ca65e079f0c90315c91c20");
  EXPECT_EQ(unpack(packed(instant, legacy), legacy).value(), instant);
  EXPECT_EQ(kind_of("b346ca65e079f0c90315c91c20", Version{5, 0}), cnx::ErrorKind::malformed);
  EXPECT_EQ(kind_of("b349ca65e05dd0c90315c91c20", legacy), cnx::ErrorKind::malformed);
  EXPECT_TRUE(unpack(from_hex("b349ca65e05dd0c90315c91c20"), Dialect(Version{4, 4}, true)));
}

TEST(PackStream, kinds_of_later_versions_are_malformed_before_them) {
  const char* uuid = "e00123456789abcdef0123456789abcdef";
  EXPECT_EQ(kind_of(uuid, Version{6, 0}), cnx::ErrorKind::malformed);
  EXPECT_EQ(hex_of(unpack(from_hex(uuid), Version{6, 1}).value()), uuid);
  const char* vector = "b256cc01c6cc043f800000";
  EXPECT_EQ(kind_of(vector, Version{5, 8}), cnx::ErrorKind::malformed);
  EXPECT_TRUE(unpack(from_hex(vector), Version{6, 0}));
  EXPECT_EQ(hex_of(unpack(from_hex("b43f84555549440601a0"), Version{6, 0}).value()),
            "b43f84555549440601a0");
}

TEST(PackStream, structures_that_do_not_fit_their_tag_are_malformed) {
  for (const char* hex : {
           "b144", "b14480", "b2440102",
           "b047",                      // A date: no field, a string, two fields; an unknown tag.
           "b35890c100", "b358811101",  // Points of other things.
           "b256cc01c6cc03000000",      // A vector of three quarters of an element.
           "b256cc01c7cc00", "b256cc00cc00",  // A vector of unknown elements.
           "b34e0190a0",                      // A node without element id (5.0 has one).
           "b35090909200",                    // A path of nothing.
       }) {
    EXPECT_EQ(kind_of(hex), cnx::ErrorKind::malformed) << hex;
  }
}

TEST(PackStream, indices_of_a_path_lie_within_it) {
  Node node{1, {"A"}, {}, "4:x:1"};
  UnboundRelationship relationship{2, "T", {}, "5:x:2"};
  auto reread = [&](std::vector<int64_t> indices) {
    return unpack(packed(Path{{node, node}, {relationship}, std::move(indices)}), {}).has_value();
  };
  EXPECT_TRUE(reread({}));
  EXPECT_TRUE(reread({1, 1, -1, 0}));
  for (std::vector<int64_t> bad :
       std::vector<std::vector<int64_t>>{{1},
                                         {0, 1},
                                         {2, 1},
                                         {-2, 1},
                                         {1, 2},
                                         {1, -1},
                                         {std::numeric_limits<int64_t>::min(), 0}}) {
    EXPECT_FALSE(reread(bad));
  }
}

TEST(PackStream, lengths_that_are_not_there_do_not_allocate) {
  for (const char* hex :
       {"ceffffffff", "d2ffffffff", "d6ffffffff00", "daffffffff00", "d6ffffffff90", "bf4e"}) {
    EXPECT_EQ(kind_of(hex), cnx::ErrorKind::malformed) << hex;
  }
}

TEST(PackStream, nesting_is_bounded) {
  auto nested = [](int depth) {
    cnx::Bytes bytes(static_cast<size_t>(depth), std::byte{0x91});
    bytes.push_back(std::byte{0xC0});
    return unpack(bytes, {}).has_value();
  };
  EXPECT_TRUE(nested(kDepthMax));
  EXPECT_FALSE(nested(kDepthMax + 1));
  EXPECT_FALSE(nested(1000000));
}

TEST(PackStream, markers_that_mean_nothing_are_malformed) {
  for (int marker :
       {0xC4, 0xC5, 0xC6, 0xC7, 0xCF, 0xD3, 0xD7, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xE1, 0xEF}) {
    const auto byte = static_cast<std::byte>(marker);
    EXPECT_FALSE(unpack(cnx::BytesView(&byte, 1), Version{6, 1})) << marker;
  }
  EXPECT_EQ(kind_of("a10101"), cnx::ErrorKind::malformed);  // A map with a number as key.
  EXPECT_EQ(kind_of(""), cnx::ErrorKind::malformed);
}

TEST(PackStream, random_bytes_are_a_value_or_malformed) {
  testing::RandomBytes random;
  for (int round = 0; round < 20000; ++round) {
    cnx::Bytes bytes = random.bytes(random.below(64));
    auto value = unpack(bytes, Version{6, 1});
    if (!value) {
      EXPECT_EQ(value.error().kind(), cnx::ErrorKind::malformed);
    }
  }
}

TEST(PackStream, captured_messages_with_a_changed_byte_are_read_or_malformed) {
  testing::RandomBytes random;
  for (const auto& golden : testing::read_golden()) {
    if (golden.message.starts_with("HANDSHAKE")) continue;
    cnx::Bytes message = testing::dechunk(golden.bytes);
    for (int round = 0; round < 20; ++round) {
      cnx::Bytes changed = message;
      changed[random.below(changed.size())] = random.byte();
      auto structure = unpack_structure(changed, golden.dialect);
      if (!structure) {
        EXPECT_EQ(structure.error().kind(), cnx::ErrorKind::malformed);
      }
    }
  }
}

TEST(Value, stays_small_however_large_its_kinds_are) {
  EXPECT_LE(sizeof(Value), 40u);
}

TEST(Map, finds_values_by_key_and_type) {
  Map map{{"id", 7}, {"name", "Ann"}, {"known", true}};
  EXPECT_EQ(*map.get_if<int64_t>("id"), 7);
  EXPECT_EQ(*map.get_if<std::string>("name"), "Ann");
  EXPECT_EQ(map.get_if<int64_t>("name"), nullptr);
  EXPECT_EQ(map.find("absent"), nullptr);
}

}  // namespace
}  // namespace bolt
