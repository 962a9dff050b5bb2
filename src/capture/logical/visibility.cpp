#include "capture/logical/visibility.hpp"

#include <algorithm>
#include <charconv>

namespace cnx::capture {
namespace {

// A server has at most 2^18 - 1 backends, each of them in one transaction, and as many prepared ones.
constexpr size_t kRunningMax = 1u << 19;

Error malformed() { return Error(ErrorKind::malformed, "a snapshot's text is not as PostgreSQL prints it"); }

// The number at the start, up to `end` or the text's end; both are taken off.
Result<uint64_t> take_number(std::string_view& text, char end) {
  uint64_t number = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return fail(malformed());
  text.remove_prefix(static_cast<size_t>(after - text.data()));
  if (text.empty()) {
    if (end == ':') return fail(malformed());
    return number;
  }
  if (text.front() != end) return fail(malformed());
  text.remove_prefix(1);
  if (end == ',' && text.empty()) return fail(malformed());
  return number;
}

}  // namespace

Result<SnapshotVisibility> SnapshotVisibility::parse(std::string_view text) {
  SnapshotVisibility snapshot;
  CNX_TRY(snapshot.xmin_, take_number(text, ':'));
  CNX_TRY(snapshot.xmax_, take_number(text, ':'));
  if (snapshot.xmin_ == 0 || snapshot.xmin_ > snapshot.xmax_) return fail(malformed());
  while (!text.empty()) {
    CNX_TRY(uint64_t running, take_number(text, ','));
    const bool ascends = snapshot.running_.empty() || running > snapshot.running_.back();
    if (running < snapshot.xmin_ || running >= snapshot.xmax_ || !ascends) return fail(malformed());
    if (snapshot.running_.size() == kRunningMax) return fail(malformed());
    snapshot.running_.push_back(running);
  }
  return snapshot;
}

bool SnapshotVisibility::sees(change::Xid xid) const {
  const auto distance = static_cast<int32_t>(xid.value() - static_cast<uint32_t>(xmax_));
  if (distance >= 0) return false;
  const uint64_t back = static_cast<uint64_t>(-static_cast<int64_t>(distance));
  if (back > xmax_) return true;  // From before the first epoch's start: frozen long ago.
  const uint64_t full = xmax_ - back;
  return full < xmin_ || !std::binary_search(running_.begin(), running_.end(), full);
}

}  // namespace cnx::capture
