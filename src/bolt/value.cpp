#include "bolt/value.hpp"

#include <algorithm>

namespace bolt {

size_t Map::size() const {
  return entries_.size();
}
bool Map::empty() const {
  return entries_.empty();
}

const Value* Map::find(std::string_view key) const {
  auto found = std::find_if(entries_.begin(), entries_.end(),
                            [key](const MapEntry& entry) { return entry.key == key; });
  return found == entries_.end() ? nullptr : &found->value;
}

void Map::add(std::string key, Value value) {
  entries_.push_back(MapEntry{std::move(key), std::move(value)});
}
void Map::reserve(size_t entries) {
  entries_.reserve(entries);
}

std::vector<MapEntry>::const_iterator Map::begin() const {
  return entries_.begin();
}
std::vector<MapEntry>::const_iterator Map::end() const {
  return entries_.end();
}

bool operator==(const Map& left, const Map& right) {
  return left.entries_ == right.entries_;
}
bool operator==(const Value& left, const Value& right) {
  return left.kinds_ == right.kinds_;
}

}  // namespace bolt
