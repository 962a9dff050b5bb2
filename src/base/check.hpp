// Broken invariants end the process: going on with state that cannot be would corrupt the graph.
// Never for bytes, rows or answers from outside: those are an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace cnx {

[[noreturn]] inline void fail_check(const char* file, int line, const char* invariant) {
  std::fprintf(stderr, "contextnexus: broken invariant at %s:%d: %s\n", file, line, invariant);
  std::abort();
}

}  // namespace cnx

// CNX_CHECK(condition, "the invariant in words"): in every build.
#define CNX_CHECK(condition, invariant) \
  ((condition) ? static_cast<void>(0) : ::cnx::fail_check(__FILE__, __LINE__, invariant))
