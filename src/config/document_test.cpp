#include "config/document.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "config/option_table.hpp"

namespace cnx::config {
namespace {

std::string file(const std::string& name) {
  std::ifstream stream(CNX_TEST_DATA "/../../docs/" + name, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(ThePageOfTheConfiguration, is_what_the_program_prints) {
  EXPECT_TRUE(file("configuration.md") == configuration_page())
      << "stale: contextnexus docs configuration > docs/configuration.md";
  EXPECT_TRUE(file("configuration.schema.json") == configuration_schema())
      << "stale: contextnexus docs schema > docs/configuration.schema.json";
}

TEST(TheOptionTable, has_every_option_once_in_a_known_section_with_a_word_of_help) {
  std::set<std::string_view> known;
  for (const Section& section : sections()) known.insert(section.name);
  std::set<std::string> names;
  for (const Option& option : options()) {
    EXPECT_TRUE(known.contains(section_of(option))) << option.key;
    EXPECT_TRUE(names.insert(std::string(option.key)).second) << option.key;
    EXPECT_TRUE(names.insert(environment_name(option)).second) << option.key;
    EXPECT_FALSE(option.help.empty()) << option.key;
  }
}

TEST(TheOptionTable, has_units_last_in_the_names_of_numbers) {
  for (const Option& option : options()) {
    if (std::holds_alternative<SecondsForm>(option.form)) {
      EXPECT_NE(option.key.find("_seconds"), std::string_view::npos) << option.key;
    }
    if (std::holds_alternative<BytesForm>(option.form)) {
      EXPECT_NE(option.key.find("_bytes"), std::string_view::npos) << option.key;
    }
  }
}

}  // namespace
}  // namespace cnx::config
