// Finding a relation's column by its name.
#pragma once

#include <optional>
#include <string_view>

#include "change/event.hpp"

namespace cnx::change {

// Its place in the relation's rows; none where the relation lacks it.
inline std::optional<size_t> find_column(const Relation& relation, std::string_view name) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace cnx::change
