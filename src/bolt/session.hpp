// A chain of queries, each of which sees what the ones before it committed, on whatever server it
// runs. For tools and set-up work; the apply stage owns a Connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "bolt/router.hpp"

namespace bolt {

// One thread. The router outlives it.
class Session {
 public:
  // `transaction`: of every query; its bookmarks are what the first is to see.
  explicit Session(Router& router, TransactionOptions transaction = {})
      : router_(router), transaction_(std::move(transaction)) {}

  // As Connection::query, on a server that the router chooses. Tells the router of errors; retries
  // nothing.
  cnx::Result<QueryResult> query(std::string_view text, const Value& parameters,
                                 cnx::TimePoint deadline);

  // What a later reader must name to see all that was done here.
  const std::vector<std::string>& bookmarks() const { return transaction_.bookmarks; }

 private:
  Router& router_;
  TransactionOptions transaction_;
};

}  // namespace bolt
