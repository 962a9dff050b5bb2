#include "bolt/session.hpp"

namespace bolt {

cnx::Result<QueryResult> Session::query(std::string_view text, const Value& parameters,
                                        cnx::TimePoint deadline) {
  CNX_TRY(Lease lease,
          router_.acquire({transaction_.mode, transaction_.database, transaction_.bookmarks},
                          deadline));
  auto result = lease->query(text, parameters, deadline, transaction_);
  if (!result) {
    router_.report(lease, result.error(), transaction_.database);
    return result;
  }
  // The new one follows all that it was asked to follow.
  if (!result->bookmark.empty()) transaction_.bookmarks = {result->bookmark};
  return result;
}

}  // namespace bolt
