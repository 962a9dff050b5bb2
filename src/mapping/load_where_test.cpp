#include <gmock/gmock.h>

#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

tl::expected<Mapping, std::vector<Fault>> load_where(const std::string& where) {
  return load("version: 1\nname: t\ntables:\n  a: {node: A, key: id, where: " + where + "}\n", "f");
}

TEST(Where, is_kept_as_written) {
  EXPECT_EQ(load_where("deleted_at IS NULL")->tables[0].where, "deleted_at IS NULL");
  EXPECT_EQ(load_where("\"a = 'x'\\nAND b > 1\"")->tables[0].where, "a = 'x'\nAND b > 1");
  auto join = load("version: 1\nname: t\ntables:\n  a: {node: A, key: id}\n  j: {relationship: J, from: {a: x}, to: {a: y}, where: x > 1}\n", "f");
  EXPECT_EQ(join->tables[1].where, "x > 1");
}

TEST(Where, is_a_text) {
  const std::string fault = ": `where` must be a condition in SQL (as in `where: deleted_at IS NULL`)\n";
  EXPECT_EQ(format(load_where("[x]").error()), "f:4:32" + fault);
  EXPECT_EQ(format(load_where("").error()), "f:4:25" + fault);
  EXPECT_EQ(format(load_where("' '").error()), "f:4:32" + fault);
}

TEST(Where, changes_the_fingerprint) {
  auto without = load("version: 1\nname: t\ntables:\n  a: {node: A, key: id}\n", "f");
  EXPECT_NE(load_where("a > 1")->fingerprint, without->fingerprint);
  EXPECT_NE(load_where("a > 1")->fingerprint, load_where("a > 2")->fingerprint);
}

}  // namespace
}  // namespace cnx::mapping
