// The transactions that the stream has told of and that a new snapshot might not see yet. PostgreSQL writes a commit to its log,
// from where the stream has it, before the transaction is visible to others; with a synchronous standby that is away, long before.
// A read that has to show all that was streamed waits until there are none.
#pragma once

#include <mutex>
#include <set>

#include "change/ids.hpp"
#include "change/pg_snapshot.hpp"

namespace cnx::capture {

// Any thread.
class ToldTransactions {
 public:
  void add(change::Xid xid) {
    std::lock_guard lock(mutex_);
    xids_.insert(xid);
  }
  // Takes off those that `snapshot` sees; whether none is left.
  bool are_seen_by(const change::PgSnapshot& snapshot) {
    std::lock_guard lock(mutex_);
    std::erase_if(xids_, [&](change::Xid xid) { return snapshot.sees(xid); });
    return xids_.empty();
  }

 private:
  std::mutex mutex_;
  std::set<change::Xid> xids_;
};

}  // namespace cnx::capture
