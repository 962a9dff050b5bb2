#include "mapping/bindings.hpp"

namespace cnx::mapping {

const Binding* Bindings::known(const change::RelationPtr& relation) const {
  auto found = bindings_.find(relation->oid);
  return found != bindings_.end() && found->second.relation == relation ? &found->second : nullptr;
}

bool Bindings::has_form(const TableName& table) const {
  return model_->find_node(table) != nullptr || model_->find_relationship(table) != nullptr;
}

Result<const Binding*> Bindings::bind(const change::RelationPtr& relation) {
  if (const Binding* found = known(relation)) return found;
  const TableName name{relation->schema, relation->name};
  NodeTable* node = model_->find_node(name);
  RelationshipTable* relationship = model_->find_relationship(name);
  if (node == nullptr && relationship == nullptr) return nullptr;
  Result<Binding> bound =
      node != nullptr ? mapping::bind(*node, relation, *types_) : mapping::bind(*relationship, relation, *types_);
  if (!bound) return fail(std::move(bound.error()));
  return &bindings_.insert_or_assign(relation->oid, std::move(*bound)).first->second;
}

}  // namespace cnx::mapping
