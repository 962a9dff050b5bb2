#include "change/pg_snapshot.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cnx::change {
namespace {

// A server has at most 2^18 - 1 backends, each of them in one transaction, and as many prepared ones.
constexpr size_t kRunningMax = 1u << 19;

std::optional<uint64_t> read_id(std::string_view text) {
  uint64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

// Up to the separator; `rest` goes on behind it, and is empty where there was none.
std::string_view take(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

tl::unexpected<Error> malformed() {
  return fail(ErrorKind::malformed, "not a snapshot of the form xmin:xmax:xip,…");
}

}  // namespace

Result<PgSnapshot> PgSnapshot::parse(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') != 2) return malformed();
  PgSnapshot snapshot;
  std::optional<uint64_t> xmin = read_id(take(text, ':'));
  std::optional<uint64_t> xmax = read_id(take(text, ':'));
  if (!xmin || !xmax || *xmin == 0 || *xmin > *xmax) return malformed();
  if (!text.empty() && text.back() == ',') return malformed();
  snapshot.xmin_ = *xmin;
  snapshot.xmax_ = *xmax;
  while (!text.empty()) {
    std::optional<uint64_t> id = read_id(take(text, ','));
    if (!id || *id < *xmin || *id >= *xmax) return malformed();
    const bool ascends = snapshot.running_.empty() || *id > snapshot.running_.back();
    if (!ascends || snapshot.running_.size() == kRunningMax) return malformed();
    snapshot.running_.push_back(*id);
  }
  return snapshot;
}

std::string PgSnapshot::to_string() const {
  std::string text = std::to_string(xmin_) + ":" + std::to_string(xmax_) + ":";
  for (size_t i = 0; i < running_.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(running_[i]);
  }
  return text;
}

bool PgSnapshot::sees(Xid xid) const {
  if (xmax_ == 0) return false;
  // Modulo 2^32, as PostgreSQL compares them.
  const auto distance = static_cast<int32_t>(xid.value() - static_cast<uint32_t>(xmax_));
  if (distance >= 0) return false;
  const uint64_t behind = static_cast<uint64_t>(-static_cast<int64_t>(distance));
  if (behind > xmax_) return true;  // Before the first epoch: frozen long ago.
  const uint64_t full = xmax_ - behind;
  if (full < xmin_) return true;
  return !std::binary_search(running_.begin(), running_.end(), full);
}

}  // namespace cnx::change
