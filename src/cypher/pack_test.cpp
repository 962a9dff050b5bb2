#include "cypher/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cypher/testing/show.hpp"

namespace cnx::cypher {
namespace {

using mapping::Properties;
using mapping::PropertyName;

// As the server would read it.
bolt::Value packed(const change::Value& value) {
  Bytes bytes;
  bolt::Packer packer(bytes);
  pack(packer, value);
  auto unpacked = bolt::unpack(bytes, {});
  EXPECT_TRUE(unpacked) << unpacked.error().describe();
  return unpacked ? *std::move(unpacked) : bolt::Value();
}

TEST(Pack, every_kind_of_value_becomes_its_own_kind) {
  EXPECT_EQ(packed(change::Null{}), bolt::Value());
  EXPECT_EQ(packed(true), bolt::Value(true));
  EXPECT_EQ(packed(int64_t{-7}), bolt::Value(-7));
  EXPECT_EQ(packed(std::numeric_limits<int64_t>::min()),
            bolt::Value(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(packed(0.1), bolt::Value(0.1));
  EXPECT_EQ(packed(std::string("é\xF0\x9F\x90\x98")), bolt::Value("é\xF0\x9F\x90\x98"));
  const Bytes bytes = {std::byte{0}, std::byte{255}};
  EXPECT_EQ(packed(bytes), bolt::Value(bytes));
  EXPECT_EQ(packed(change::Date{-1}), bolt::Value(bolt::Date{-1}));
  EXPECT_EQ(packed(change::LocalTime{5}), bolt::Value(bolt::LocalTime{5}));
  EXPECT_EQ(packed(change::ZonedTime{5, -3600}), bolt::Value(bolt::Time{5, -3600}));
  EXPECT_EQ(packed(change::LocalDateTime{-5, 7}), bolt::Value(bolt::LocalDateTime{-5, 7}));
  EXPECT_EQ(packed(change::ZonedDateTime{-5, 7}), bolt::Value(bolt::DateTime{-5, 7, 0}));
  EXPECT_EQ(packed(change::Interval{1, -2, 3, 4}), bolt::Value(bolt::Duration{1, -2, 3, 4}));
  EXPECT_EQ(packed(change::Point{4326, 1.5, -2}), bolt::Value(bolt::Point2D{4326, 1.5, -2}));
  EXPECT_EQ(packed(change::List{{int64_t{1}, std::string("a")}}),
            bolt::Value(bolt::List{bolt::Value(1), bolt::Value("a")}));
  EXPECT_EQ(packed(change::List{}), bolt::Value(bolt::List{}));
}

TEST(Pack, numbers_that_are_none_stay_what_they_are) {
  EXPECT_TRUE(std::isnan(*packed(std::nan("")).get_if<double>()));
  EXPECT_EQ(packed(-INFINITY), bolt::Value(-INFINITY));
}

TEST(Pack, a_value_that_does_not_fit_is_absent) {
  EXPECT_EQ(packed(change::Unfit{"infinity"}), bolt::Value());
}

TEST(Pack, a_key_is_an_integer_or_text) {
  Bytes bytes;
  bolt::Packer packer(bytes);
  packer.list_header(2);
  pack(packer, mapping::Key(int64_t{7}));
  pack(packer, mapping::Key("7"));
  EXPECT_EQ(bolt::unpack(bytes, {}).value(),
            bolt::Value(bolt::List{bolt::Value(7), bolt::Value("7")}));
}

class PackProperties : public ::testing::Test {
 protected:
  static std::string shown(const Properties& properties, Companions companions) {
    Bytes bytes;
    bolt::Packer packer(bytes);
    pack_map(packer, properties, companions);
    auto unpacked = bolt::unpack(bytes, {});
    EXPECT_TRUE(unpacked);
    EXPECT_EQ(unpacked->get_if<bolt::Map>()->size(), entry_count(properties, companions));
    return testing::show(*unpacked);
  }

  const PropertyName plain_{"plain", "plain__pg", false};
  const PropertyName seen_{"seen", "seen__pg", true};
};

TEST_F(PackProperties, an_unfit_value_stands_in_its_companion) {
  const Properties unfit = {{&plain_, int64_t{1}}, {&seen_, change::Unfit{"infinity"}}};
  const std::string expected = "{plain: 1, seen: null, seen__pg: 'infinity'}";
  EXPECT_EQ(shown(unfit, Companions::when_unfit), expected);
  EXPECT_EQ(shown(unfit, Companions::always), expected);
}

TEST_F(PackProperties, a_value_that_fits_again_removes_its_companion_where_one_may_be) {
  const Properties fit = {{&plain_, int64_t{1}}, {&seen_, change::ZonedDateTime{5, 0}}};
  EXPECT_EQ(shown(fit, Companions::when_unfit), "{plain: 1, seen: @5}");
  EXPECT_EQ(shown(fit, Companions::always), "{plain: 1, seen: @5, seen__pg: null}");
  const Properties null = {{&seen_, change::Null{}}};
  EXPECT_EQ(shown(null, Companions::always), "{seen: null, seen__pg: null}");
}

TEST_F(PackProperties, fields_stand_beside_the_name_that_says_that_they_are_told) {
  const PropertyName meta{"meta", "meta__pg", true, "meta_"};
  const Properties some = {{&meta, change::Fields{{{"a", int64_t{1}}, {"b", change::Null{}}}}}};
  EXPECT_EQ(shown(some, Companions::when_unfit), "{meta: null, meta_a: 1, meta_b: null}");
  EXPECT_EQ(shown(some, Companions::always), "{meta: null, meta_a: 1, meta_b: null, meta__pg: null}");
  EXPECT_EQ(shown({{&meta, change::Fields{}}}, Companions::when_unfit), "{meta: null}");
  EXPECT_EQ(shown({{&meta, change::Unfit{"[1]"}}}, Companions::when_unfit), "{meta: null, meta__pg: '[1]'}");
  EXPECT_EQ(shown({{&meta, change::Null{}}}, Companions::always), "{meta: null, meta__pg: null}");
}

TEST_F(PackProperties, none_are_an_empty_map) {
  EXPECT_EQ(shown({}, Companions::always), "{}");
}

}  // namespace
}  // namespace cnx::cypher
