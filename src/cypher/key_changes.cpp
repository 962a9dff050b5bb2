#include "cypher/key_changes.hpp"

#include <algorithm>
#include <unordered_set>

#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Key;
using mapping::NodeMutations;

struct Move {
  Key from;
  Key to;
};

void add(const Text& text, const std::vector<Move>& moves, std::vector<Statement>& out) {
  if (moves.empty()) return;
  out.push_back(rows_statement(text, moves, [](bolt::Packer& packer, const Move& move) {
    packer.map_header(2);
    pack_key_entry(packer, "f", move.from);
    pack_key_entry(packer, "t", move.to);
  }));
}

// Where a key is taken that another node of the batch gives up (a chain, a swap), all go through
// temporary keys: a unique value must be free before it is taken.
void move_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  std::vector<Move> takeovers;
  for (const mapping::Takeover& each : node.takeovers) takeovers.push_back({each.node, each.stub});
  add(texts.take_over, takeovers, out);
  std::unordered_set<Key, mapping::KeyHash> given_up;
  std::vector<Move> moves;
  for (const mapping::KeyChange& change : node.key_changes) {
    given_up.insert(change.from);
    moves.push_back({change.from, change.to});
  }
  const bool chained = std::any_of(moves.begin(), moves.end(),
                                   [&](const Move& move) { return given_up.contains(move.to); });
  if (!chained) {
    add(texts.change_key, moves, out);
    return;
  }
  std::vector<Move> away;
  std::vector<Move> home;
  for (size_t i = 0; i < moves.size(); ++i) {
    Key temporary = "_cnx_moving:" + std::to_string(i);
    away.push_back({moves[i].from, temporary});
    home.push_back({temporary, moves[i].to});
  }
  add(texts.change_key, away, out);
  add(texts.change_key, home, out);
}

// What waited goes on.
void bring_back(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  std::vector<Move> to_nodes;
  std::vector<Move> to_keys;
  for (const mapping::GivenUp& each : node.given_up) {
    const Key waiting = mapping::waiting_key(each.key);
    if (each.taken) {
      to_nodes.push_back({each.key, waiting});
    } else {
      to_keys.push_back({waiting, each.key});
    }
  }
  add(texts.take_over, to_nodes, out);
  add(texts.change_key, to_keys, out);
}

}  // namespace

size_t place_of(const mapping::LeftBehind& left) {
  return static_cast<size_t>(left.reference - left.table->staying.data());
}

void pack_left_behind(bolt::Packer& packer, const mapping::LeftBehind::Row& row) {
  packer.map_header(3);
  pack_key_entry(packer, "k", row.key);
  pack_key_entry(packer, "t", mapping::waiting_key(row.key));
  packer.string("x");
  packer.list_header(row.along.size());
  for (const Key& key : row.along) pack(packer, key);
}

void leave_behind(const NodeTexts& texts, const mapping::LeftBehind& left, std::vector<Statement>& out) {
  out.push_back(rows_statement(texts.leave_behind[place_of(left)], left.rows, pack_left_behind));
}

void change_keys(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  move_nodes(texts, node, out);
  bring_back(texts, node, out);
}

}  // namespace cnx::cypher
