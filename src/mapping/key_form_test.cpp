#include "mapping/key_form.hpp"

#include <gmock/gmock.h>

namespace cnx::mapping {
namespace {

using postgres::TypeCatalog;

std::string text_of(KeyForm form, std::string_view text) { return key_text({form}, {text}); }

TEST(KeyForm, follows_from_the_type_alone_with_domains_taken_off) {
  TypeCatalog types = TypeCatalog::built_in();
  postgres::TypeInfo domain;
  domain.oid = change::Oid(90'000);
  domain.name = "posint";
  domain.kind = postgres::TypeKind::domain;
  domain.base = change::Oid(23);
  types.add(domain);
  postgres::TypeInfo citext;
  citext.oid = change::Oid(90'001);
  citext.name = "citext";
  types.add(citext);
  EXPECT_EQ(*key_form(types, change::Oid(90'000)), KeyForm::integer);
  EXPECT_EQ(*key_form(types, change::Oid(90'001)), KeyForm::folded);
  EXPECT_EQ(*key_form(types, change::Oid(2950)), KeyForm::plain);
  EXPECT_EQ(*key_form(types, change::Oid(1042)), KeyForm::trimmed);
  EXPECT_EQ(*key_form(types, change::Oid(1700)), KeyForm::number);
  EXPECT_EQ(*key_form(types, change::Oid(1082)), KeyForm::printed);
  EXPECT_FALSE(key_form(types, change::Oid(90'002)));
  postgres::TableColumn column;
  column.type = change::Oid(90'000);
  column.base_type = change::Oid(23);
  EXPECT_EQ(key_form(column), KeyForm::integer);
}

TEST(KeyForm, only_one_column_of_a_plain_type_stands_for_itself) {
  EXPECT_TRUE(is_single({KeyForm::integer}));
  EXPECT_TRUE(is_single({KeyForm::plain}));
  EXPECT_FALSE(is_single({KeyForm::trimmed}));
  EXPECT_FALSE(is_single({KeyForm::integer, KeyForm::integer}));
}

TEST(KeyText, columns_never_run_into_each_other) {
  const std::vector<KeyForm> two = {KeyForm::plain, KeyForm::plain};
  EXPECT_EQ(key_text(two, {"x", "y|z"}), "1:x3:y|z");
  EXPECT_EQ(key_text(two, {"x|y", "z"}), "3:x|y1:z");
  EXPECT_NE(key_text(two, {"1:", ""}), key_text(two, {"1", ":"}));
  EXPECT_EQ(key_text({KeyForm::plain}, {"é"}), "2:é") << "bytes are counted";
}

TEST(KeyText, is_one_for_what_postgresql_holds_equal) {
  EXPECT_EQ(text_of(KeyForm::trimmed, "AT   "), text_of(KeyForm::trimmed, "AT"));
  EXPECT_EQ(text_of(KeyForm::trimmed, "    "), "0:");
  EXPECT_NE(text_of(KeyForm::trimmed, " AT"), text_of(KeyForm::trimmed, "AT"));
  EXPECT_EQ(text_of(KeyForm::folded, "ÄPFEL İ"), text_of(KeyForm::folded, "äpfel İ"));
  for (const char* zero : {"0", "-0", "0.00", "-0.000"}) EXPECT_EQ(text_of(KeyForm::number, zero), "1:0");
  EXPECT_EQ(text_of(KeyForm::number, "1.500"), "3:1.5");
  EXPECT_EQ(text_of(KeyForm::number, "100"), "3:100");
  EXPECT_EQ(text_of(KeyForm::number, "100.00"), "3:100");
  EXPECT_EQ(text_of(KeyForm::number, "1e+20"), "5:1e+20");
  EXPECT_EQ(text_of(KeyForm::number, "-Infinity"), "9:-Infinity");
  EXPECT_EQ(text_of(KeyForm::number, "NaN"), "3:NaN");
}

TEST(KeyText, is_short_enough_for_an_index) {
  const std::string nearly(1018, 'x');
  EXPECT_EQ(text_of(KeyForm::plain, nearly), "1018:" + nearly);
  const std::string long_text(2700, 'x');
  const std::string key = text_of(KeyForm::plain, long_text);
  EXPECT_TRUE(key.starts_with("sha256:"));
  EXPECT_EQ(key.size(), 71u);
  EXPECT_NE(key, text_of(KeyForm::plain, long_text + "y"));
}

TEST(KeyText, bytes_that_are_no_utf8_are_kept) {
  EXPECT_EQ(text_of(KeyForm::folded, "A\xff\xc3"), "3:a\xff\xc3");
}

}  // namespace
}  // namespace cnx::mapping
