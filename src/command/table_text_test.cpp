// The table of the preflight: grades in front, cures beneath, nothing beyond the terminal's edge.
#include "command/table_text.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace cnx::command {
namespace {

using pipeline::Finding;
using pipeline::Grade;

pipeline::CheckReport report() {
  return {{Finding{Grade::ok, std::nullopt, "PostgreSQL", "wal_level", "logical", ""},
           Finding{Grade::fault, std::nullopt, "PostgreSQL", "table public.tags", "no primary key",
                   "make (id) the primary key"},
           Finding{Grade::warning, std::nullopt, "Neo4j", "constraints", "3 of 12 are missing",
                   "contextnexus init makes them"}}};
}

TEST(TableText, each_line_has_its_grade_and_each_cure_stands_beneath) {
  EXPECT_EQ(table_text(report(), 100),
            "PostgreSQL\n"
            "ok       wal_level          logical\n"
            "fault    table public.tags  no primary key\n"
            "         → make (id) the primary key\n"
            "\n"
            "Neo4j\n"
            "warning  constraints        3 of 12 are missing\n"
            "         → contextnexus init makes them\n");
}

TEST(TableText, nothing_goes_beyond_the_edge_but_a_word_that_is_too_long) {
  pipeline::CheckReport made = report();
  made.findings.push_back(
      {Grade::fault, std::nullopt, "pipeline", "table a_schema_with_a_long_name.a_table_with_a_longer_one",
       "an UPDATE or DELETE does not tell the key … and PostgreSQL refuses it once published",
       "give it a primary key that is not DEFERRABLE, or ALTER TABLE … REPLICA IDENTITY FULL"});
  for (size_t width : {40, 60, 80, 120}) {
    std::istringstream lines(table_text(made, width));
    for (std::string line; std::getline(lines, line);) {
      size_t characters = 0;
      for (char c : line) characters += (c & 0xC0) != 0x80;
      bool is_long_name = line.find("a_schema_with_a_long_name") != std::string::npos;
      EXPECT_TRUE(characters <= width || is_long_name) << width << ": " << line;
    }
  }
}

TEST(TableText, a_cure_of_several_findings_in_a_row_stands_once_beneath_the_last) {
  EXPECT_EQ(table_text({{Finding{Grade::fault, std::nullopt, "mapping", "table a", "missing", "make it"},
                         Finding{Grade::fault, std::nullopt, "mapping", "table b", "missing", "make it"},
                         Finding{Grade::fault, std::nullopt, "mapping", "table c", "odd", "mend it"}}},
                       80),
            "mapping\n"
            "fault    table a  missing\n"
            "fault    table b  missing\n"
            "         → make it\n"
            "fault    table c  odd\n"
            "         → mend it\n");
}

TEST(TableText, a_report_of_nothing_is_empty) {
  EXPECT_EQ(table_text({}, 80), "");
}

}  // namespace
}  // namespace cnx::command
