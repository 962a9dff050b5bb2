#include "pipeline/check_graph.hpp"

#include <charconv>

#include "bolt/packstream.hpp"
#include "cypher/quote.hpp"
#include "pipeline/graph_indexes.hpp"
#include "pipeline/graph_marks.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatementMax = std::chrono::seconds(15);
// Dynamic labels and types, CYPHER 5 as a prefix: what the statements are written in.
constexpr std::pair<int, int> kVersionMin{5, 26};

TimePoint soon() {
  return Clock::now() + kStatementMax;
}

// Empty where the role may not ask: the edition decides nothing.
std::string read_edition(bolt::Connection& graph) {
  auto rows =
      graph.query("CYPHER 5 CALL dbms.components() YIELD edition RETURN edition", {}, soon());
  if (!rows || rows->records.empty() || rows->records.front().empty()) return {};
  const auto* edition = rows->records.front().front().get_if<std::string>();
  return edition != nullptr ? *edition : std::string();
}

// What the engine does to nodes and relationships, in one statement that leaves nothing.
std::string write_text(const std::set<std::string>& labels, const std::string& type) {
  std::string text = "CYPHER 5 CREATE (a:ContextNexusPosition {_cnx_lock: true})";
  if (!type.empty())
    text += "-[r:" + cypher::quote(type) + " {version: 0}]->(:ContextNexusPosition)";
  size_t number = 0;
  for (const std::string& label : labels) {
    text += " CREATE (n" + std::to_string(number++) + ":" + cypher::quote(label) +
            " {_cnx_stub: true})";
  }
  text += " SET a += {_cnx_lock: null, version: 1}";
  if (!type.empty()) text += " DELETE r";
  return text + " DELETE a";
}

Status expect(bolt::Connection& graph, size_t replies) {
  Status outcome;
  for (size_t i = 0; i < replies; ++i) {
    CNX_TRY(bolt::Reply reply, graph.await_reply(soon()));
    if (!reply.ok() && outcome) outcome = fail(reply.failure.to_error());
  }
  return outcome;
}

// A transaction that is rolled back whatever comes of it.
Status try_and_roll_back(bolt::Connection& graph, const std::string& text) {
  bolt::TransactionOptions transaction;
  transaction.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(kStatementMax);
  graph.begin(transaction);
  CNX_TRY(expect(graph, 1));
  Bytes none;
  bolt::Packer(none).map_header(0);
  graph.run(text, none);
  graph.pull_all();
  Status wrote = expect(graph, 2);
  if (!wrote) {
    CNX_TRY(graph.recover(soon()));
    return wrote;
  }
  graph.rollback();
  return expect(graph, 1);
}

// Labels whose constraint stands; only those are tried, so that no label is made by a trial.
std::set<std::string> judge_constraints(Findings& findings, bolt::Connection& graph,
                                        const mapping::Model& model) {
  std::set<std::string> ready;
  Result<std::set<std::string>> there = read_constraint_names(graph);
  if (!there) {
    findings.warning(
        FindingKind::constraints_unread, "constraints", there.error().describe(),
        "the role should be allowed SHOW CONSTRAINTS; run makes those that are missing");
    return ready;
  }
  std::vector<cypher::Text> missing = all_constraint_texts(model);
  const std::string wanted = std::to_string(missing.size());
  std::erase_if(missing, [&](const cypher::Text& text) { return there->contains(text.name); });
  for (const mapping::NodeTable& table : model.nodes()) {
    if (there->contains("contextnexus_" + table.node->label + "_" + table.key_property))
      ready.insert(table.node->label);
  }
  if (missing.empty()) {
    findings.ok("constraints", wanted + " are there");
    return ready;
  }
  const std::string figure = std::to_string(missing.size()) + " of " + wanted + " are missing";
  // Made as init and run make it, and rolled back: a right that is read may still not do.
  Status made = try_and_roll_back(graph, missing.front().text);
  if (made) {
    findings.warning(FindingKind::constraints_missing, "constraints",
                     figure + "; making one was tried, and rolled back",
                     "contextnexus init makes them beforehand; run does it too");
  } else {
    findings.fault(FindingKind::constraint_refused, "constraints",
                   figure + ", and making one was refused: " + made.error().describe(),
                   "contextnexus init by a role that may; or GRANT CREATE CONSTRAINT (Enterprise, "
                   "Aura) to this one; nodes that share a key must be merged by hand first");
  }
  return ready;
}

void judge_indexes(Findings& findings, bolt::Connection& graph, const mapping::Model& model) {
  const size_t wanted = cypher::indexes(model).size();
  if (wanted == 0) return;
  Result<std::vector<cypher::Index>> missing = missing_indexes(graph, model);
  if (!missing) {
    findings.warning(FindingKind::constraints_unread, "indexes", missing.error().describe(),
                     "the role should be allowed SHOW INDEXES; run makes those that are missing");
  } else if (missing->empty()) {
    findings.ok("indexes", std::to_string(wanted) + " are there");
  } else {
    findings.warning(FindingKind::constraints_missing, "indexes",
                     std::to_string(missing->size()) + " of " + std::to_string(wanted) + " are missing",
                     "contextnexus init makes them beforehand; run does it too");
  }
}

}  // namespace

std::pair<int, int> graph_version(std::string_view agent) {
  size_t slash = agent.find('/');
  if (slash == std::string_view::npos) return {0, 0};
  const char* at = agent.data() + slash + 1;
  const char* end = agent.data() + agent.size();
  std::pair<int, int> version{0, 0};
  auto [after, error] = std::from_chars(at, end, version.first);
  if (error != std::errc{}) return {0, 0};
  if (after != end && *after == '.') std::from_chars(after + 1, end, version.second);
  return version;
}

void judge_graph_version(Findings& findings, std::string_view agent, const std::string& edition) {
  std::string figure(agent);
  if (!edition.empty()) figure += ", " + edition;
  std::pair<int, int> version = graph_version(agent);
  if (version == std::pair<int, int>{0, 0}) {
    findings.warning(FindingKind::neo4j_unknown, "version", figure + ": not a version of Neo4j",
                     "Neo4j 5.26 or later is needed");
  } else if (version < kVersionMin) {
    findings.fault(FindingKind::neo4j_version, "version", figure, "Neo4j 5.26 or later is needed");
  } else {
    findings.ok("version", figure);
  }
}

void check_graph(Findings& findings, bolt::Connection& graph, const mapping::Model* model) {
  judge_graph_version(findings, graph.server().agent, read_edition(graph));
  std::set<std::string> labels;
  std::string type;
  if (model != nullptr) {
    labels = judge_constraints(findings, graph, *model);
    judge_indexes(findings, graph, *model);
    if (!model->relationships().empty()) type = model->relationships().front().type;
  }
  Status wrote = try_and_roll_back(graph, write_text(labels, labels.empty() ? std::string() : type));
  if (wrote) {
    findings.ok("writing",
                "tried and rolled back; labels: " + std::to_string(labels.size() + 1));
  } else {
    findings.fault(FindingKind::writing_refused, "writing", wrote.error(),
                   "the role must be allowed to write (Enterprise and Aura: GRANT WRITE ON GRAPH "
                   "…, CREATE NEW LABEL, TYPE "
                   "and PROPERTY NAME), and the database must not be read-only");
  }
}

}  // namespace cnx::pipeline
