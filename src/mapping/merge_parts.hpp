// What merging the rows of nodes and of relationships have in common. Private to Merge.
#pragma once

#include <utility>

#include "mapping/binding.hpp"
#include "mapping/entity_states.hpp"
#include "mapping/merge.hpp"

namespace cnx::mapping {

template <typename E>
void take_row(E& entity, ProjectedProperties&& projected) {
  entity.lacks_columns =
      projected.lacks_columns && (entity.lacks_columns || entity.properties.empty());
  merge_properties(entity.properties, std::move(projected.properties));
}

// Before the entity takes the row: what the graph should have of it is what the first row of the batch was before.
template <typename E, typename Table>
Status take_old(E& entity, const Table& table, const Binding& binding, const std::vector<change::DatumView>& old_row, const OldRow& told) {
  entity.overwrites = entity.overwrites || told.overwrites;
  const bool first = entity.before && !entity.replaced && entity.properties.empty();
  if (!first || !told.is_full || !tells_old(table)) return {};
  CNX_TRY(ProjectedProperties base, project_row(binding, old_row));
  if (!base.lacks_columns) entity.base = std::move(base.properties);
  return {};
}

template <typename States, typename Rows, typename M>
void take_user_rows(const States& states, Rows& rows, M& mutations) {
  mutations.user_rows = std::move(rows.rows);
  for (const auto& key : rows.keys) {
    if (!states.alive(key)) mutations.user_removed.push_back(key);
  }
}

}  // namespace cnx::mapping
