// Rows whose change the graph refused, and that are dead letters by now (contextnexus.dead_letters): what the stream and the
// copy tell of their keys later is held behind the letter, which stays true whatever follows, since a retry reads the row as
// it is then. No I/O.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "change/event.hpp"
#include "mapping/lacking_rows.hpp"

namespace cnx::apply {

struct DeadKey {
  mapping::RowKey key;
  // Its letter's position: what stands before it was applied, also where it comes again. 0/0: of the copy.
  change::Position since;
  // It was refused again behind its own removal: it stays dead whatever the stream tells.
  bool lasting = false;
  // The graph keeps what it has of the row, which a person is to judge (contextnexus.conflicts).
  bool conflict = false;
};

// What became of a change of a dead key, for the letter.
struct DeadNote {
  mapping::RowKey key;
  change::Position position;
  bool ended = false;  // The row is gone, or has another key: the letter is of nothing any more. Else: held behind it.
};

// How a change is to be taken.
enum class Verdict {
  as_it_is,
  passes_by,     // Held behind the letter.
  as_removal,    // Of its old key, where the row was; at its new key it is held.
  overwrites,    // A row in conflict takes another key, and its node goes along: the row is written over it.
  needs_letter,  // It brings a dead row to a key that has no letter yet: that comes first.
};

// One thread.
class DeadRows {
 public:
  explicit DeadRows(const std::vector<DeadKey>& keys);

  bool empty() const { return tables_.empty(); }
  // The removal of a dead key is right whatever stood there: it counts, and the key is dead no more.
  Verdict judge(const mapping::Binding& binding, const change::RowChange& change);
  // Whatever the position: the copy, and a read again, bring a row as it is behind every letter.
  bool contains(const mapping::RowKey& key) const;
  void truncate(const mapping::TableName& table, change::Position position);
  // From this position on.
  void add(const DeadKey& key);

  bool has_notes() const { return !notes_.empty(); }
  // What judge() and truncate() found since the last call.
  std::vector<DeadNote> take_notes() { return std::exchange(notes_, {}); }

 private:
  using Keys = std::unordered_map<std::string, DeadKey>;  // By identity_of.

  // The key's, where it is dead at that position; null: it is not.
  const DeadKey* find(const mapping::Binding& binding, const std::vector<change::DatumView>& row,
                      change::Position position) const;
  void hold(const DeadKey& dead, change::Position position);
  void end(const DeadKey& dead, change::Position position);

  std::map<mapping::TableName, Keys> tables_;
  std::vector<DeadNote> notes_;
};

// Different for different keys of one table.
std::string identity_of(const mapping::RowKey& key);

}  // namespace cnx::apply
