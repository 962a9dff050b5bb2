#include "mapping/singular.hpp"

#include <gtest/gtest.h>

namespace cnx::mapping {
namespace {

TEST(Singular, names_one_of_many) {
  for (const auto& [plural, one] : std::initializer_list<std::pair<const char*, const char*>>{
           {"customers", "customer"}, {"categories", "category"},
           {"addresses", "address"},  {"people", "person"},
           {"statuses", "status"},    {"series", "series"},
           {"details", "detail"},     {"states", "state"},
           {"boxes", "box"},          {"branches", "branch"},
           {"wishes", "wish"},        {"houses", "house"},
           {"causes", "cause"},       {"databases", "database"},
           {"purchases", "purchase"}, {"courses", "course"},
           {"phases", "phase"},       {"viruses", "virus"},
           {"bonuses", "bonus"},      {"classes", "class"},
           {"processes", "process"},  {"sizes", "size"},
           {"prices", "price"},       {"invoices", "invoice"},
           {"heroes", "hero"},        {"photos", "photo"},
           {"schemas", "schema"},     {"ties", "tie"},
           {"companies", "company"},  {"movies", "movie"},
           {"caches", "cache"},       {"children", "child"},
           {"indices", "index"},      {"indexes", "index"},
           {"analyses", "analysis"},  {"leaves", "leaf"},
           {"moves", "move"},         {"curves", "curve"},
           {"menus", "menu"},         {"keys", "key"},
           {"days", "day"},           {"uses", "use"},
           {"topics", "topic"},       {"cars", "car"},
           {"quizzes", "quiz"},       {"employees", "employee"},
           {"fees", "fee"},           {"licenses", "license"}}) {
    EXPECT_EQ(singular(plural), one);
  }
}

TEST(Singular, leaves_alone_what_is_one_already) {
  for (const char* word :
       {"status", "address", "analysis", "basis", "staff", "news",   "species",  "gas",
        "bus",    "alias",   "class",    "sms",   "data",  "region", "media",    "person",
        "canvas", "radius",  "census",   "this",  "s",     "",       "inventory"}) {
    EXPECT_EQ(singular(word), word);
  }
}

TEST(Singular, keeps_what_is_no_english_word_whole) {
  for (const char* word : {"städtes", "Orders", "a.b's", "заказы", "2s"})
    EXPECT_EQ(singular(word), word);
}

}  // namespace
}  // namespace cnx::mapping
