// A segment of the copy: the rows of a table between two keys, read under one snapshot. What is copied, up to which
// key, stands in the graph beside the rows, so that a copy that was killed goes on where it was; and of each change
// that the stream brings it says whether the row that was copied shows it already.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "change/ids.hpp"

namespace cnx::change {

// How two values of a key column compare, as PostgreSQL orders them.
enum class KeyOrder : uint8_t {
  integer,  // int2, int4, int8.
  bytes,    // uuid, bytea in hex, text and varchar under collation C: the order of their text's bytes.
};

struct KeyColumn {
  std::string name;
  KeyOrder order = KeyOrder::bytes;
  friend bool operator==(const KeyColumn&, const KeyColumn&) = default;
};

// The first columns of a key, or all, in PostgreSQL's text. Empty: no bound.
using KeyBound = std::vector<std::string>;

struct Segment {
  std::string key;  // Of its node: "<pipeline>/<number>".
  std::string schema;
  std::string table;
  // The key that orders the table's rows; empty: nothing does, and the table is one segment that starts over.
  std::vector<KeyColumn> key_columns;
  KeyBound above;  // The keys that follow this one,
  KeyBound upto;   // up to this one.
  // The key of the last row that is in the graph.
  KeyBound last;
  uint64_t rows = 0;      // In the graph.
  uint64_t estimate = 0;  // What PostgreSQL's statistics let expect.
  bool done = false;
  // Rows of a read that does not count may be in the graph: they go first.
  bool dirty = false;
  // The snapshot that its rows are read under, as pg_current_snapshot() prints it; empty: the slot's, in which nothing
  // that the stream brings is visible.
  std::string snapshot;
  // Every transaction that the snapshot sees ends at or below this in the log; 0/0 with the slot's.
  Lsn seen_until;
  // The files of the table and its partitions before the snapshot was taken: a rewritten table looks empty to an older
  // snapshot, and nothing is sent for that.
  std::string files;

  bool ordered() const { return !key_columns.empty(); }
};

// Row-wise, as far as both reach. An integer column whose text is none is ErrorKind::malformed.
Result<std::strong_ordering> compare_keys(const std::vector<KeyColumn>& columns, const KeyBound& a, const KeyBound& b);
// Whether the key lies in the segment. Pure.
Result<bool> contains(const Segment& segment, const KeyBound& key);

}  // namespace cnx::change
