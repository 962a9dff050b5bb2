// Every error that a server may answer with, and what is done about it: one table, from which retry_class.hpp decides and
// docs/errors.md is made. What is not in it is unknown, and unknown stops the line.
#pragma once

#include <span>
#include <string_view>

#include "base/error.hpp"

namespace cnx::stream {

enum class RetryClass {
  at_once,      // Again at once; from the second time on with back-off.
  later,        // The server refused for now: the same again, with back-off and jitter.
  reconnect,    // The connection is of no use any more: a new one, with back-off. What became of a transaction is asked of
                // the position in the graph.
  smaller,      // The same again with back-off, then in smaller batches; never a dead letter.
  in_pieces,    // Too much at once, and the same again would fail again: a removal goes in pieces, a batch is halved, a
                // transaction goes in numbered pieces, and a large row that is too much alone is a dead letter.
  dead_letter,  // The data of some row is refused: the row is looked for and becomes a dead letter, the rest is applied.
  stop,         // A person must look. Also everything unknown: the retried list is narrow on purpose.
};

std::string_view to_string(RetryClass retry);
// A sentence of what is done, for docs/errors.md.
std::string_view meaning(RetryClass retry);

struct ErrorRow {
  // Of Neo4j "Neo.…", or a SQLSTATE; a prefix of such where it is not whole: it ends with a dot, or has fewer than five
  // characters. The first that fits counts.
  std::string_view code;
  // What the message must contain besides; empty: anything. Where it does not, the next row counts.
  std::string_view says;
  RetryClass retry;
  // What it means, and a person's next step; one sentence each.
  std::string_view what;
  std::string_view advice;

  bool is_prefix() const { return code.ends_with('.') || code.size() < 5; }
};

// In the order of the page: longer codes before the prefixes that they begin with.
std::span<const ErrorRow> neo4j_errors();
std::span<const ErrorRow> postgres_errors();

// Null: it is unknown. `message`: the server's.
const ErrorRow* find_error(std::string_view code, std::string_view message);

// What no server said, by its kind.
struct ErrorKindRow {
  ErrorKind kind;
  RetryClass retry;
  std::string_view what;
};
std::span<const ErrorKindRow> error_kinds();

}  // namespace cnx::stream
