// What stays behind where nodes take other keys: relationships of rows that still name the key as it was, and that nothing in
// the database makes follow. After the batch each leads to the node that has the key then: another one, or a stub.
#include <algorithm>
#include <map>

#include "mapping/merge.hpp"
#include "mapping/sha256.hpp"

namespace cnx::mapping {
namespace {

// Longer ones are hashed, as keys of several columns are (key_form.hpp).
constexpr size_t kLongestWaiting = 1024;

using Along = std::map<Key, std::vector<Key>>;  // By the key that the other end gives up.

}  // namespace

Key waiting_key(const Key& key) {
  const auto* number = std::get_if<int64_t>(&key);
  std::string text = number != nullptr ? std::to_string(*number) : std::get<std::string>(key);
  if (text.size() > kLongestWaiting) text = "sha256:" + sha256_hex(text);
  return "_cnx_waiting:" + text;
}

// In the order of the keys. None where all rows that name the table's nodes follow them.
std::vector<GivenUp> Merge::find_given_up(const NodeTable& table) const {
  std::vector<GivenUp> found;
  if (table.staying.empty()) return found;
  const auto& places = nodes_[table.index].places();
  for (const auto& [key, before] : places) {
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == key) continue;
      auto place = places.find(before[i]);
      // What was met on the way may be no stub, and then stays.
      found.push_back({.key = before[i], .taken = i > 0 || (place != places.end() && !place->second.empty())});
    }
  }
  std::sort(found.begin(), found.end(), [](const GivenUp& x, const GivenUp& y) { return x.key < y.key; });
  return found;
}

std::vector<LeftBehind> Merge::find_left_behind(const GivenUpKeys& given_up) const {
  std::vector<LeftBehind> found;
  for (const NodeTable& table : model_->nodes()) {
    if (given_up[table.index].empty()) continue;
    for (const Reference& reference : table.staying) found.push_back(left_behind_of(table, reference, given_up));
  }
  return found;
}

LeftBehind Merge::left_behind_of(const NodeTable& table, const Reference& reference, const GivenUpKeys& given_up) const {
  Along along;
  for (const Reference& each : table.staying) {
    if (same_relationships(each, reference)) find_along(table, each, !given_up[each.other->index].empty(), along);
  }
  LeftBehind left{.table = &table, .reference = &reference, .rows = {}};
  for (const GivenUp& each : given_up[table.index]) {
    left.rows.push_back({.key = each.key, .along = std::move(along[each.key])});
  }
  return left;
}

// Rows whose relationships go along: the node that has the key that they name had another one, where they led to it.
void Merge::find_along(const NodeTable& table, const Reference& reference, bool other_waits, Along& along) const {
  auto moved_from = [&](const Key& key) {
    std::optional<Key> before = kept_before(table, key);
    return before && !(*before == key) ? before : std::nullopt;
  };
  if (reference.child != nullptr) {
    for (const Entity<Key>& child : nodes_[reference.child->index].entities()) {
      if (child.removed || !child.before || !child.ends[reference.foreign_key].key) continue;
      auto from = moved_from(*child.ends[reference.foreign_key].key);
      if (from) along[*from].push_back(*child.before);
    }
    return;
  }
  const bool at_start = reference.at_start;
  for (const Entity<RelationshipKey>& row : relationships_[reference.relationship->index].entities()) {
    if (row.removed) continue;
    auto from = moved_from(at_start ? row.key.start : row.key.end);
    if (!from) continue;
    if (!reference.relationship->key_is_pair) {
      along[*from].push_back(row.key.own);
      continue;
    }
    // One that did not lead there before is no relationship of that node's.
    if (!row.before || !((at_start ? row.before->start : row.before->end) == *from)) continue;
    const Key& other_key = at_start ? row.before->end : row.before->start;
    along[*from].push_back(other_key);
    // Where its other end was left behind first.
    if (other_waits) along[*from].push_back(waiting_key(other_key));
  }
}

}  // namespace cnx::mapping
