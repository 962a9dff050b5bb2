// The `indexes` of a table: a list of `kind: properties`.
#include <charconv>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

// What Neo4j's vector indexes take.
constexpr int kDimensionsMax = 4096;
constexpr const char* kForm = "write `- range: property`, or another of text, fulltext, point and vector";

std::optional<int> read_dimensions(Draft& draft, Fields& fields, const Scalar& kind) {
  auto text = fields.text("dimensions");
  if (!text) {
    if (fields.find("dimensions") == nullptr) {
      draft.reader.fault(kind.mark, "an index of vectors needs its `dimensions`",
                         "how many numbers each vector has, as in `dimensions: 384`");
    }
    return std::nullopt;
  }
  int number = 0;
  const char* last = text->text.data() + text->text.size();
  auto [end, error] = std::from_chars(text->text.data(), last, number);
  if (error == std::errc{} && end == last && number >= 1 && number <= kDimensionsMax) return number;
  draft.reader.fault(text->mark, "`dimensions` is a number from 1 to " + std::to_string(kDimensionsMax));
  return std::nullopt;
}

void read_vector(Draft& draft, Fields& fields, const Scalar& kind, IndexRule& index) {
  index.dimensions = read_dimensions(draft, fields, kind).value_or(0);
  index.similarity = keys::kSimilarities.front();
  auto similarity = fields.text("similarity");
  if (!similarity) return;
  for (std::string_view known : keys::kSimilarities) {
    if (similarity->text == known) {
      index.similarity = known;
      return;
    }
  }
  draft.reader.fault(similarity->mark, "`similarity` is `cosine` or `euclidean`",
                     did_you_mean(similarity->text, keys::kSimilarities));
}

// The entry that says the kind; two or none are a fault.
const MapEntry* find_kind(Draft& draft, const std::vector<MapEntry>& entries, const YAML::Mark& mark) {
  const MapEntry* found = nullptr;
  for (const MapEntry& entry : entries) {
    if (!find_index_kind(entry.key.text)) continue;
    if (found != nullptr) {
      draft.reader.fault(entry.key.mark, "an index is of one kind", "give each an item of the list");
      return nullptr;
    }
    found = &entry;
  }
  if (found == nullptr) draft.reader.fault(mark, "an item of `indexes` has no kind", kForm);
  return found;
}

std::optional<IndexRule> read_index(Draft& draft, const YAML::Node& item, const YAML::Mark& mark,
                                    const std::vector<std::string>& on) {
  auto map = draft.reader.map(item, mark, "an index");
  if (!map) return std::nullopt;
  const YAML::Mark place = map->empty() ? mark : map->front().key.mark;
  const size_t before = draft.reader.fault_count();
  Fields fields(draft.reader, *map, "an index", keys::kIndex);
  const MapEntry* kind = find_kind(draft, *map, place);
  if (kind == nullptr) return std::nullopt;
  IndexRule index;
  index.kind = *find_index_kind(kind->key.text);
  auto properties = fields.texts(kind->key.text);
  if (!properties) return std::nullopt;
  index.properties = plain(*properties);
  const bool takes_several = index.kind == IndexKind::range || index.kind == IndexKind::fulltext;
  if (!takes_several && properties->size() > 1) {
    draft.reader.fault((*properties)[1].mark, "an index of the kind `" + kind->key.text + "` is of one property");
  }
  if (index.kind == IndexKind::vector) {
    read_vector(draft, fields, kind->key, index);
  } else {
    for (const char* word : {"dimensions", "similarity"}) {
      const MapEntry* entry = fields.find(word);
      if (entry == nullptr) continue;
      draft.reader.fault(entry->key.mark, "`" + std::string(word) + "` has no meaning for an index of the kind `" + kind->key.text + "`");
    }
  }
  if (draft.reader.fault_count() > before) return std::nullopt;
  for (const std::string& each : on) draft.indexes.push_back({kind->key.mark, each, index});
  return index;
}

}  // namespace

void read_indexes(Draft& draft, const MapEntry& field, TableRule& rule, const std::vector<std::string>& on,
                  const std::string& further_label) {
  if (!field.value.IsSequence()) {
    draft.reader.fault(field.mark, "`indexes` must be a list", kForm);
    return;
  }
  for (const auto& item : field.value) {
    std::optional<IndexRule> index = read_index(draft, item, field.mark, on);
    if (!index) continue;
    index->label = further_label;
    rule.indexes.push_back(*std::move(index));
  }
}

void check_indexes(Draft& draft) {
  for (size_t i = 0; i < draft.indexes.size(); ++i) {
    const DraftIndex& mine = draft.indexes[i];
    for (size_t k = 0; k < i; ++k) {
      const DraftIndex& other = draft.indexes[k];
      const bool one = mine.on == other.on && mine.rule.kind == other.rule.kind && mine.rule.properties == other.rule.properties;
      if (!one || mine.rule == other.rule) continue;
      draft.reader.fault(mine.mark, "the same index stands in line " + std::to_string(other.mark.line + 1) + " with other numbers",
                         "one label or type has one index of a kind and its properties");
      break;
    }
  }
}

}  // namespace cnx::mapping
