// The tables of the model as their rows came last: each bound once for each description of it.
#pragma once

#include <unordered_map>

#include "mapping/binding.hpp"

namespace cnx::mapping {

// One thread: that of whoever has the model.
class Bindings {
 public:
  // Both must outlive it.
  Bindings(Model& model, const postgres::TypeCatalog& types) : model_(&model), types_(&types) {}

  // Null: the relation was not bound as it is described now. Valid until it is bound anew.
  const Binding* known(const change::RelationPtr& relation) const;
  // Null where the table has no form in the graph. Errors: those of bind(). Valid until the relation is bound anew.
  Result<const Binding*> bind(const change::RelationPtr& relation);
  bool has_form(const TableName& table) const;

 private:
  Model* model_;
  const postgres::TypeCatalog* types_;
  std::unordered_map<change::Oid, Binding> bindings_;
};

}  // namespace cnx::mapping
