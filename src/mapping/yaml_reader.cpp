// See yaml_reader.hpp.
#include "mapping/yaml_reader.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace cnx::mapping {
namespace {

// PostgreSQL's names are at most 63 bytes; labels and properties may be longer, and nobody writes
// one of a kilobyte.
constexpr size_t kLongestText = 1024;

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

YAML::Mark mark_of(const YAML::Node& node, const YAML::Mark& otherwise) {
  YAML::Mark mark = node.Mark();
  return mark.is_null() || node.IsNull() ? otherwise : mark;
}

}  // namespace

void YamlReader::fault(const YAML::Mark& mark, std::string message, std::string suggestion) {
  int line = mark.is_null() ? 0 : mark.line + 1;
  int column = mark.is_null() ? 0 : mark.column + 1;
  faults_.push_back({file_, line, column, std::move(message), std::move(suggestion)});
}

std::vector<Fault> YamlReader::take_faults() {
  std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::exchange(faults_, {});
}

std::optional<std::vector<MapEntry>> YamlReader::map(const YAML::Node& node, const YAML::Mark& mark,
                                                     const std::string& what) {
  if (!node.IsMap()) {
    fault(mark_of(node, mark), what + " must be a map");
    return std::nullopt;
  }
  std::vector<MapEntry> entries;
  std::map<std::string, int> first_lines;
  for (const auto& pair : node) {
    auto key = text(pair.first, mark_of(pair.first, mark_of(node, mark)), "a key of " + what);
    if (!key) continue;
    auto [first, is_new] = first_lines.emplace(key->text, key->mark.line + 1);
    if (!is_new) {
      fault(key->mark, "`" + key->text + "` stands twice in " + what + ", first in line " +
                           std::to_string(first->second));
      continue;
    }
    YAML::Mark value_mark = mark_of(pair.second, key->mark);
    entries.push_back({*std::move(key), pair.second, value_mark});
  }
  return entries;
}

std::optional<Scalar> YamlReader::text(const YAML::Node& node, const YAML::Mark& mark,
                                       const std::string& what) {
  YAML::Mark at = mark_of(node, mark);
  if (node.IsNull() || (node.IsScalar() && node.Scalar().empty())) {
    fault(at, what + " is empty");
  } else if (!node.IsScalar()) {
    fault(at, what + " must be one word");
  } else if (node.Scalar().size() > kLongestText) {
    fault(at, what + " is longer than " + std::to_string(kLongestText) + " bytes");
  } else if (has_control_character(node.Scalar())) {
    fault(at, what + " has a control character in it");
  } else {
    return Scalar{node.Scalar(), at};
  }
  return std::nullopt;
}

std::optional<std::vector<Scalar>> YamlReader::texts(const YAML::Node& node, const YAML::Mark& mark,
                                                     const std::string& what) {
  if (!node.IsSequence()) {
    auto one = text(node, mark, what);
    if (!one) return std::nullopt;
    return std::vector<Scalar>{*std::move(one)};
  }
  std::vector<Scalar> list;
  std::set<std::string> seen;
  bool good = true;
  for (const auto& item : node) {
    auto one = text(item, mark_of(item, mark_of(node, mark)), what);
    if (!one) {
      good = false;
    } else if (!seen.insert(one->text).second) {
      fault(one->mark, "`" + one->text + "` stands twice in " + what);
      good = false;
    } else {
      list.push_back(*std::move(one));
    }
  }
  if (list.empty() && good) {
    fault(mark_of(node, mark), what + " is empty");
    good = false;
  }
  if (!good) return std::nullopt;
  return list;
}

Fields::Fields(YamlReader& reader, std::vector<MapEntry> entries, std::string kind,
               std::span<const std::string_view> known, std::span<const std::string_view> elsewhere)
    : reader_(reader), entries_(std::move(entries)) {
  for (const MapEntry& entry : entries_) {
    const std::string& key = entry.key.text;
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    if (std::find(elsewhere.begin(), elsewhere.end(), key) != elsewhere.end()) {
      reader_.fault(entry.key.mark, "`" + key + "` has no meaning for " + kind);
    } else {
      reader_.fault(entry.key.mark, "unknown key `" + key + "` in " + kind,
                    did_you_mean(key, known));
    }
  }
}

const MapEntry* Fields::find(std::string_view key) const {
  auto at = std::find_if(entries_.begin(), entries_.end(),
                         [&](const MapEntry& entry) { return entry.key.text == key; });
  return at == entries_.end() ? nullptr : &*at;
}

std::optional<Scalar> Fields::text(std::string_view key) {
  const MapEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  return reader_.text(entry->value, entry->mark, "`" + std::string(key) + "`");
}

std::optional<std::vector<Scalar>> Fields::texts(std::string_view key) {
  const MapEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  return reader_.texts(entry->value, entry->mark, "`" + std::string(key) + "`");
}

}  // namespace cnx::mapping
