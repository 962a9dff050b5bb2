// Runs the case files: a mapping and row changes become statements with their parameters, and a
// graph, which must not depend on where the batches are cut. README.md says how a case is written.
#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "cypher/plan.hpp"
#include "cypher/testing/show.hpp"
#include "mapping/testing/execution.hpp"
#include "mapping/testing/source.hpp"

namespace cnx {
namespace {

using mapping::Merge;
using mapping::testing::Execution;
using mapping::testing::MemoryGraph;
using mapping::testing::References;
using mapping::testing::Row;
using mapping::testing::Source;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

struct Case {
  std::string file;
  YAML::Node head;  // Mapping and tables.
  YAML::Node body;
  std::string name() const { return body["name"].as<std::string>(); }
};

void PrintTo(const Case& shown, std::ostream* out) {
  *out << shown.file << ": " << shown.name();
}

std::vector<Case> all_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(CNX_CASES)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const auto& file : files) {
    YAML::Node root = YAML::LoadFile(file);
    for (const YAML::Node& each : root["cases"]) cases.push_back({file.stem(), root, each});
  }
  return cases;
}

std::string test_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.file + "_" + info.param.name();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

Row row_of(const YAML::Node& node) {
  Row row;
  for (const YAML::Node& value : node) {
    row.push_back(value.IsNull() ? std::nullopt : std::optional(value.as<std::string>()));
  }
  return row;
}

std::vector<std::string> texts_of(const YAML::Node& node) {
  return node ? node.as<std::vector<std::string>>() : std::vector<std::string>();
}

class CaseTest : public ::testing::TestWithParam<Case> {
 protected:
  const YAML::Node& body() const { return GetParam().body; }

  void feed(Merge& merge, const YAML::Node& transaction) {
    merge.begin_transaction();
    for (const YAML::Node& change : transaction) {
      if (change["insert"]) {
        source_.insert(merge, change["insert"].as<std::string>(), row_of(change["row"]));
      } else if (change["update"]) {
        source_.update(merge, change["update"].as<std::string>(), row_of(change["row"]),
                       row_of(change["old"]));
      } else if (change["remove"]) {
        source_.remove(merge, change["remove"].as<std::string>(), row_of(change["old"]));
      } else {
        for (const std::string& table : texts_of(change["truncate"])) {
          merge.truncate({"public", table});
        }
      }
    }
  }

  const mapping::NodeTable& table(const YAML::Node& name) {
    return source_.node(name.as<std::string>());
  }
  mapping::Key key(const mapping::NodeTable& table, const YAML::Node& value) {
    if (table.integer_key) return mapping::Key(value.as<int64_t>());
    return mapping::Key(value.as<std::string>());
  }

  // The graph before the changes.
  MemoryGraph start() {
    MemoryGraph graph;
    if (const YAML::Node before = body()["before"]) {
      Merge merge(source_.model());
      feed(merge, before);
      Execution(graph).run(merge.take());
    }
    for (const YAML::Node& each : body()["theirs"]) {
      const mapping::NodeTable& from = table(each[0]);
      const mapping::NodeTable& to = table(each[3]);
      EXPECT_TRUE(
          graph.relate(from, key(from, each[1]), each[2].as<std::string>(), to, key(to, each[4])));
    }
    return graph;
  }

  void expect_outcome(const MemoryGraph& graph, const Execution& execution) {
    if (const YAML::Node fails = body()["fails"]) {
      ASSERT_FALSE(execution.faults().empty());
      EXPECT_THAT(execution.faults().front(), HasSubstr(fails.as<std::string>()));
      return;
    }
    EXPECT_THAT(execution.faults(), ::testing::IsEmpty());
    EXPECT_THAT(graph.lines(), UnorderedElementsAreArray(texts_of(body()["graph"])));
  }

  Source source_{GetParam().head["mapping"].as<std::string>(), texts_of(GetParam().head["tables"]),
                 GetParam().head["references"].as<std::string>("follow") == "stay" ? References::stay : References::follow};
};

TEST_P(CaseTest, becomes_what_it_says) {
  ASSERT_FALSE(source_.error()) << source_.error()->describe();
  Merge merge(source_.model());
  {
    SCOPED_TRACE("in one batch");
    MemoryGraph graph = start();
    for (const YAML::Node& transaction : body()["changes"]) feed(merge, transaction);
    const mapping::Mutations mutations = merge.take();
    if (body()["statements"]) {
      const cypher::Plan plan(source_.model());
      EXPECT_THAT(cypher::testing::show(plan.statements(mutations)),
                  ElementsAreArray(texts_of(body()["statements"])));
    }
    Execution execution(graph);
    execution.run(mutations);
    expect_outcome(graph, execution);
  }
  SCOPED_TRACE("in one batch a transaction");
  MemoryGraph graph = start();
  Execution execution(graph);
  for (const YAML::Node& transaction : body()["changes"]) {
    feed(merge, transaction);
    execution.run(merge.take());
  }
  expect_outcome(graph, execution);
}

INSTANTIATE_TEST_SUITE_P(Files, CaseTest, ::testing::ValuesIn(all_cases()), test_name);

}  // namespace
}  // namespace cnx
