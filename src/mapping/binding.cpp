#include "mapping/binding.hpp"

#include <algorithm>

#include "change/columns.hpp"
#include "mapping/names.hpp"

namespace cnx::mapping {
namespace {

Error lacks_column(const change::Relation& relation, const std::string& column) {
  return Error(ErrorKind::invalid, "the mapping uses a column that the table no longer has")
      .with("table", relation.schema + "." + relation.name)
      .with("column", column)
      .advise("correct the mapping, or bring the column back");
}

Result<uint16_t> column_index(const change::Relation& relation, const std::string& name) {
  if (auto found = change::find_column(relation, name)) return static_cast<uint16_t>(*found);
  return fail(lacks_column(relation, name));
}

// Binds one table; the two forms share everything but where their parts are written.
class Binder {
 public:
  Binder(Binding& binding, const TableRule& rule, PropertyNames& names,
         const postgres::TypeCatalog& types)
      : binding_(binding),
        relation_(*binding.relation),
        rule_(rule),
        names_(names),
        types_(types) {}

  Result<BoundKey> key(const std::vector<std::string>& columns, const std::vector<KeyForm>& forms) {
    BoundKey bound{.columns = {}, .forms = forms};
    for (const std::string& column : columns) {
      CNX_TRY(uint16_t index, column_index(relation_, column));
      bound.columns.push_back(index);
    }
    return bound;
  }

  // The row's own key: its types are known from the catalog, and all of the graph's keys are of them.
  Status own_key(const std::vector<std::string>& columns, const std::vector<KeyForm>& forms) {
    CNX_TRY(binding_.key, key(columns, forms));
    for (size_t i = 0; i < forms.size(); ++i) {
      const change::Column& column = relation_.columns[binding_.key.columns[i]];
      CNX_TRY(KeyForm form, key_form(types_, column.type));
      if (form == forms[i]) continue;
      return fail(Error(ErrorKind::state, "the type of the table's key has changed")
                      .with("table", to_string(rule_.table))
                      .with("column", column.name)
                      .advise("the graph has to be built anew"));
    }
    return {};
  }

  Result<std::vector<BoundProperty>> listed(PropertyNames& names, const ListedProperties& properties) {
    std::vector<BoundProperty> bound;
    for (const auto& [name, column] : properties.columns) {
      CNX_TRY(std::optional<uint16_t> index, index_unless_default(column));
      if (!index) continue;
      CNX_TRY(BoundProperty made, property(names, name, *index, properties.forms));
      bound.push_back(std::move(made));
    }
    return bound;
  }

  Result<BoundChoice> choice(const std::optional<ValueChoice>& rule) {
    if (!rule) return BoundChoice{};
    CNX_TRY(uint16_t index, column_index(relation_, rule->column));
    return BoundChoice{.column = index, .rule = &*rule};
  }

  Properties constants(PropertyNames& names, const Constants& values) {
    Properties bound;
    for (const auto& [name, value] : values) bound.push_back({names.intern(name, false), value});
    return bound;
  }

  Status all(const PropertyRules& rules, Naming naming) {
    std::vector<std::string> columns;
    for (const change::Column& column : relation_.columns) columns.push_back(column.name);
    CNX_TRY(check_properties(rule_, rules, naming, columns));
    for (size_t i = 0; i < columns.size(); ++i) {
      for (const std::string& name : properties_of(rules, naming, columns[i])) {
        CNX_TRY(BoundProperty made, property(names_, name, static_cast<uint16_t>(i), rules.forms));
        binding_.properties.push_back(std::move(made));
      }
    }
    for (const auto& [name, column] : rules.renamed) CNX_TRY(index_unless_default(column));
    for (const ComputedProperty& computed : rules.computed) CNX_TRY(this->computed(computed));
    return {};
  }

  // The column whose fields are properties under their own names.
  Status fields(const NodeTable& table) {
    const std::string& column = table.node->properties.fields;
    if (column.empty()) return {};
    CNX_TRY(uint16_t index, column_index(relation_, column));
    CNX_TRY(postgres::Codec codec, codec_of(relation_.columns[index]));
    const std::string companion = property_name(table.naming, column) + "__pg";
    binding_.properties.push_back({.column = index,
                                   .name = names_.intern_fields(companion),
                                   .codec = postgres::codec_as(postgres::ValueForm::as_fields, codec),
                                   .own_names = &table.own_names});
    return {};
  }

  // Of a further node: without a value in a column that it is made of, beside the row's own, it is not there.
  Status needs(const NodeTable& table) {
    const TableRule& rule = *table.rule;
    for (const std::string& column : columns_of(table.node->properties)) {
      const auto& key = table.node->key;
      const bool of_row = std::find(key.begin(), key.end(), column) != key.end() || column == rule.version_column ||
                          column == rule.tenant_column;
      if (of_row) continue;
      CNX_TRY(uint16_t index, column_index(relation_, column));
      binding_.needs.push_back(index);
    }
    return {};
  }

  Result<std::vector<BoundProperty>> shared(NodeTable& table, const std::vector<uint16_t>& columns) {
    std::vector<BoundProperty> bound;
    if (table.shared_properties.empty()) return bound;
    std::vector<postgres::Codec> codecs;
    for (size_t i = 0; i < columns.size(); ++i) {
      CNX_TRY(BoundProperty made, property(table.names, table.shared_properties[i], columns[i], {}));
      codecs.push_back(made.codec);
      bound.push_back(std::move(made));
    }
    if (table.shared_codecs.empty()) table.shared_codecs = codecs;
    if (table.shared_codecs == codecs) return bound;
    return fail(Error(ErrorKind::invalid, "a node that tables share would have a property of another type here")
                    .with("table", to_string(rule_.table))
                    .with("label", table.node->label)
                    .advise("give one of them another label, or one type to the columns"));
  }

  Status tenant(const std::string& column) {
    if (column.empty()) return {};
    CNX_TRY(std::optional<uint16_t> index, index_unless_default(column));
    if (index) binding_.tenant_column = *index;
    return {};
  }

 private:
  // None where the relation lacks a column that the file's defaults alone name.
  Result<std::optional<uint16_t>> index_unless_default(const std::string& column) {
    const std::optional<size_t> found = change::find_column(relation_, column);
    if (found) return std::optional<uint16_t>(static_cast<uint16_t>(*found));
    if (rule_.named.contains(column)) return fail(lacks_column(relation_, column));
    return std::optional<uint16_t>();
  }

  Result<BoundProperty> property(PropertyNames& names, const std::string& name, uint16_t index,
                                 const AskedForms& forms) {
    const change::Column& column = relation_.columns[index];
    CNX_TRY(postgres::Codec codec, codec_of(column));
    auto asked = forms.find(name);
    if (asked != forms.end()) codec = postgres::codec_as(asked->second, codec);
    const bool flattened = codec.form == postgres::ValueForm::as_fields;
    const PropertyName* interned = names.intern(name, postgres::may_be_unfit(codec), flattened);
    return BoundProperty{.column = index, .name = interned, .codec = codec};
  }

  // A relation may be older than the catalog: a type that is gone went with its column, whose values are removed once the
  // stream is there.
  Result<postgres::Codec> codec_of(const change::Column& column) const {
    auto codec = postgres::codec_for(types_, column.type, column.type_modifier);
    if (codec || codec.error().kind() != ErrorKind::state) return codec;
    return postgres::Codec{};
  }

  Result<BoundTemplate> bound_template(const Template& source) {
    BoundTemplate bound;
    for (const Template::Part& part : source.parts) {
      BoundTemplate::Part& added = bound.parts.emplace_back();
      if (part.is_column) {
        CNX_TRY(added.column, column_index(relation_, part.text));
      } else {
        added.text = part.text;
      }
    }
    return bound;
  }

  Status computed(const ComputedProperty& rule) {
    BoundComputed bound;
    bound.name = names_.intern(rule.property, false);
    if (!rule.choice_column.empty()) {
      CNX_TRY(bound.choice_column, column_index(relation_, rule.choice_column));
    }
    for (const auto& [value, choice] : rule.choices) {
      CNX_TRY(BoundTemplate made, bound_template(choice));
      bound.choices.emplace_back(value, std::move(made));
    }
    if (rule.otherwise) {
      CNX_TRY(bound.otherwise, bound_template(*rule.otherwise));
    }
    binding_.computed.push_back(std::move(bound));
    return {};
  }

  Binding& binding_;
  const change::Relation& relation_;
  const TableRule& rule_;
  PropertyNames& names_;
  const postgres::TypeCatalog& types_;
};

}  // namespace

namespace {

Result<Binding> bind_one(NodeTable& table, change::RelationPtr relation, const postgres::TypeCatalog& types) {
  Binding binding;
  binding.node = &table;
  binding.relation = std::move(relation);
  Binder binder(binding, *table.rule, table.names, types);
  CNX_TRY(binder.own_key(table.node->key, table.key_forms));
  CNX_TRY(binder.all(table.node->properties, table.naming));
  CNX_TRY(binder.fields(table));
  binding.constants = binder.constants(table.names, table.node->properties.constants);
  CNX_TRY(binding.label, binder.choice(table.node->labels));
  for (ForeignKey& foreign : table.foreign_keys) {
    BoundForeignKey& bound = binding.foreign_keys.emplace_back();
    CNX_TRY(bound.key, binder.key(foreign.columns, foreign.other->key_forms));
    CNX_TRY(bound.properties, binder.listed(foreign.names, foreign.rule->properties));
    bound.constants = binder.constants(foreign.names, foreign.rule->properties.constants);
    bound.shared = foreign.shared != nullptr;
    if (bound.shared) {
      CNX_TRY(bound.made, binder.shared(*foreign.shared, bound.key.columns));
    }
  }
  CNX_TRY(binder.tenant(table.tenant_column));
  if (table.main != nullptr) CNX_TRY(binder.needs(table));
  return binding;
}

}  // namespace

size_t Binding::elements() const {
  size_t count = 1 + foreign_keys.size();
  for (const Binding& part : parts) count += part.elements();
  return count;
}

Result<Binding> bind(NodeTable& table, change::RelationPtr relation, const postgres::TypeCatalog& types) {
  CNX_TRY(Binding binding, bind_one(table, relation, types));
  for (NodeTable* part : table.parts) {
    CNX_TRY(Binding bound, bind_one(*part, relation, types));
    binding.parts.push_back(std::move(bound));
  }
  return binding;
}

Result<Binding> bind(RelationshipTable& table, change::RelationPtr relation,
                     const postgres::TypeCatalog& types) {
  Binding binding;
  binding.relationship = &table;
  binding.relation = std::move(relation);
  const RelationshipRule& rule = *table.relationship;
  Binder binder(binding, *table.rule, table.names, types);
  if (table.key_is_pair) {
    CNX_TRY(binding.key, binder.key(rule.key, {}));
  } else {
    CNX_TRY(binder.own_key(rule.key, table.key_forms));
  }
  CNX_TRY(binding.start, binder.key(rule.start.columns, table.start->key_forms));
  CNX_TRY(binding.end, binder.key(rule.end.columns, table.end->key_forms));
  CNX_TRY(binding.properties, binder.listed(table.names, rule.properties));
  binding.constants = binder.constants(table.names, rule.properties.constants);
  CNX_TRY(binding.type, binder.choice(rule.types));
  CNX_TRY(binder.tenant(table.tenant_column));
  return binding;
}

}  // namespace cnx::mapping
