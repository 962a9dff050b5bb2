#include "pipeline/catalog_watch.hpp"

#include "capture/snapshot/snapshot_stage.hpp"
#include "pipeline/table_shape.hpp"

namespace cnx::pipeline {
namespace {

// The catalog is looked at so often.
constexpr Duration kCatalogLook = std::chrono::seconds(2);
constexpr Duration kLookMax = std::chrono::seconds(30);

}  // namespace

bool CatalogWatch::expects(const change::Relation& relation) const {
  for (const postgres::Table& table : ground_.catalog.tables) {
    if (table.name.schema == relation.schema && table.name.name == relation.name) {
      const std::string described = change::describe(relation);
      return described == change::describe(*capture::relation_of(table)) || accepted_.contains(described);
    }
  }
  return true;
}

void CatalogWatch::accept(const change::Relation& relation) { accepted_.insert(change::describe(relation)); }

Result<bool> CatalogWatch::changed(postgres::Session& session) {
  const TimePoint now = Clock::now();
  has_asked_ = now >= looked_at_ + kCatalogLook;
  if (!has_asked_) return false;
  looked_at_ = now;
  CNX_TRY(std::string mark, read_catalog_mark(session, options_.mapping.table_names(), options_.publication(), now + kLookMax));
  return mark != ground_.catalog_mark;
}

}  // namespace cnx::pipeline
