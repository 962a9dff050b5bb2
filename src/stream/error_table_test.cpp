#include "stream/error_table.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

namespace cnx::stream {
namespace {

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream stream(CNX_TEST_DATA "/errors/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  EXPECT_FALSE(lines.empty()) << name;
  return lines;
}

TEST(ErrorTable, knows_every_code_of_neo4j_and_of_postgresql) {
  for (const char* file : {"neo4j-5.26.txt", "postgresql-15.txt"}) {
    for (const std::string& code : lines_of(file)) {
      if (file[0] == 'p' && find_error(code, "") == nullptr) {
        // Classes of which no statement of this program can get one.
        const std::set<std::string> others = {"09", "0B", "0F", "0L", "0P", "0Z", "20", "21", "24", "26", "27", "2B",
                                              "2D", "2F", "34", "38", "39", "3B", "3F", "44", "HV"};
        EXPECT_TRUE(others.contains(code.substr(0, 2))) << code;
        continue;
      }
      EXPECT_NE(find_error(code, ""), nullptr) << code;
    }
  }
}

TEST(ErrorTable, no_row_hides_behind_one_above_it) {
  for (std::span<const ErrorRow> rows : {neo4j_errors(), postgres_errors()}) {
    for (const ErrorRow& row : rows) {
      const std::string code = std::string(row.code) + (row.is_prefix() ? "?" : "");
      EXPECT_EQ(find_error(code, row.says), &row) << code;
      EXPECT_FALSE(row.what.empty()) << code;
      const bool ends = row.retry == RetryClass::stop || row.retry == RetryClass::dead_letter;
      EXPECT_FALSE(ends && row.advice.empty()) << code;
    }
  }
}

TEST(ErrorTable, every_kind_is_there_once_but_what_a_server_says) {
  std::set<ErrorKind> kinds;
  for (const ErrorKindRow& row : error_kinds()) EXPECT_TRUE(kinds.insert(row.kind).second);
  EXPECT_EQ(kinds.size(), 7u);
  EXPECT_FALSE(kinds.contains(ErrorKind::server));
}

}  // namespace
}  // namespace cnx::stream
