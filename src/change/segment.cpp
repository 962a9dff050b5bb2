#include "change/segment.hpp"

#include <algorithm>
#include <charconv>

namespace cnx::change {
namespace {

Result<int64_t> integer(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  return fail(ErrorKind::malformed, "a key column of an integer type holds something else");
}

}  // namespace

Result<std::strong_ordering> compare_keys(const std::vector<KeyColumn>& columns, const KeyBound& a, const KeyBound& b) {
  const size_t length = std::min({columns.size(), a.size(), b.size()});
  for (size_t i = 0; i < length; ++i) {
    if (columns[i].order == KeyOrder::integer) {
      CNX_TRY(int64_t left, integer(a[i]));
      CNX_TRY(int64_t right, integer(b[i]));
      if (left != right) return left <=> right;
    } else if (const int order = a[i].compare(b[i]); order != 0) {
      return order <=> 0;
    }
  }
  return std::strong_ordering::equal;
}

Result<bool> contains(const Segment& segment, const KeyBound& key) {
  if (!segment.above.empty()) {
    CNX_TRY(std::strong_ordering order, compare_keys(segment.key_columns, key, segment.above));
    if (order <= 0) return false;
  }
  if (segment.upto.empty()) return true;
  CNX_TRY(std::strong_ordering order, compare_keys(segment.key_columns, key, segment.upto));
  return order <= 0;
}

}  // namespace cnx::change
