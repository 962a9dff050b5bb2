// Faults as text, and the search for what was meant.
#include "mapping/fault.hpp"

#include <algorithm>

namespace cnx::mapping {
namespace {

// Words of a mapping are short; comparing longer ones would only cost time on a hostile file.
constexpr size_t kLongestWord = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Edit distance (optimal string alignment): insert, remove, replace or swap neighbours; capitals do
// not count.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = last[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string format(std::span<const Fault> faults) {
  std::string text;
  for (const Fault& fault : faults) {
    text += fault.file;
    if (fault.line > 0) {
      text += ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column);
    }
    text += ": " + fault.message;
    if (!fault.suggestion.empty()) text += " (" + fault.suggestion + ")";
    text += "\n";
  }
  return text;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (std::string_view candidate : known) {
    if (candidate.size() > kLongestWord) continue;
    size_t found = distance(word, candidate);
    if (found < best_distance) {
      best_distance = found;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  std::string_view meant = nearest(word, known);
  return meant.empty() ? std::string() : "did you mean `" + std::string(meant) + "`?";
}

}  // namespace cnx::mapping
