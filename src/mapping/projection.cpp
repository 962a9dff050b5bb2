// Rows through a binding: keys, properties, what values choose.
#include <charconv>

#include "mapping/binding.hpp"

namespace cnx::mapping {
namespace {

using change::DatumView;

Error datum_error(const Binding& binding, uint16_t column, const char* what) {
  return Error(ErrorKind::malformed, what)
      .with("table", binding.relation->schema + "." + binding.relation->name)
      .with("column", binding.relation->columns[column].name);
}

std::string text_of(const BoundKey& key, const std::vector<DatumView>& row) {
  std::vector<std::string_view> texts;
  for (uint16_t part : key.columns) texts.push_back(row[part].text);
  return key_text(key.forms, texts);
}

Result<Key> make_key(const Binding& binding, const BoundKey& key,
                     const std::vector<DatumView>& row) {
  if (!is_single(key.forms)) return Key(text_of(key, row));
  uint16_t column = key.columns.front();
  std::string_view text = row[column].text;
  if (key.forms.front() != KeyForm::integer) return Key(std::string(text));
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(
        datum_error(binding, column, "a key column of an integer type does not hold an integer"));
  }
  return Key(number);
}

// Null, or the template's text; nullopt where a column is unchanged and so unknown.
std::optional<change::Value> fill(const BoundTemplate& bound, const std::vector<DatumView>& row) {
  std::string text;
  for (const BoundTemplate::Part& part : bound.parts) {
    if (part.column < 0) {
      text += part.text;
      continue;
    }
    const DatumView& datum = row[static_cast<size_t>(part.column)];
    if (datum.kind == DatumView::Kind::unchanged) return std::nullopt;
    if (datum.kind == DatumView::Kind::null) return change::Value(change::Null{});
    text += datum.text;
  }
  return change::Value(std::move(text));
}

std::optional<change::Value> compute(const BoundComputed& computed,
                                     const std::vector<DatumView>& row) {
  if (computed.choice_column >= 0) {
    const DatumView& choice = row[static_cast<size_t>(computed.choice_column)];
    if (choice.kind == DatumView::Kind::unchanged) return std::nullopt;
    for (const auto& [value, bound] : computed.choices) {
      if (choice.kind == DatumView::Kind::text && choice.text == value) return fill(bound, row);
    }
  }
  if (computed.otherwise) return fill(*computed.otherwise, row);
  return change::Value(change::Null{});
}

Status check_has_values(const Binding& binding, const BoundKey& key, const std::vector<DatumView>& row) {
  for (uint16_t column : key.columns) {
    if (row[column].kind != DatumView::Kind::text) {
      return fail(datum_error(binding, column, "a key column holds no value"));
    }
  }
  return {};
}

}  // namespace

Result<Key> project_key(const Binding& binding, const BoundKey& key,
                        const std::vector<DatumView>& row) {
  CNX_TRY(check_has_values(binding, key, row));
  return make_key(binding, key, row);
}

Result<std::string> project_key_text(const Binding& binding, const BoundKey& key,
                                     const std::vector<DatumView>& row) {
  CNX_TRY(check_has_values(binding, key, row));
  return text_of(key, row);
}

Result<std::optional<Key>> project_foreign_key(const Binding& binding, const BoundKey& key,
                                               const std::vector<DatumView>& row) {
  for (uint16_t column : key.columns) {
    if (row[column].kind == DatumView::Kind::null) return std::optional<Key>();
    if (row[column].kind == DatumView::Kind::unchanged) {
      return fail(datum_error(binding, column, "a foreign key's column was left out as unchanged"));
    }
  }
  CNX_TRY(Key made, make_key(binding, key, row));
  return std::optional<Key>(std::move(made));
}

Result<ProjectedProperties> project_properties(const Binding& binding,
                                               const std::vector<BoundProperty>& properties,
                                               const std::vector<BoundComputed>& computed,
                                               const std::vector<DatumView>& row) {
  ProjectedProperties projected;
  projected.properties.reserve(properties.size() + computed.size());
  for (const BoundProperty& bound : properties) {
    const DatumView& datum = row[bound.column];
    if (datum.kind == DatumView::Kind::unchanged) {
      projected.lacks_columns = true;
    } else if (datum.kind == DatumView::Kind::null) {
      projected.properties.push_back({bound.name, change::Null{}});
    } else {
      Result<change::Value> value = postgres::decode(bound.codec, datum.text);
      if (!value) {
        return fail(std::move(value.error())
                        .wrap("reading a column's value")
                        .with("table", binding.relation->schema + "." + binding.relation->name)
                        .with("column", binding.relation->columns[bound.column].name));
      }
      projected.properties.push_back({bound.name, *std::move(value)});
    }
  }
  for (const BoundComputed& bound : computed) {
    if (auto value = compute(bound, row)) {
      projected.properties.push_back({bound.name, *std::move(value)});
    } else {
      projected.lacks_columns = true;
    }
  }
  return projected;
}

Result<ProjectedProperties> project_row(const Binding& binding, const std::vector<DatumView>& row) {
  CNX_TRY(ProjectedProperties projected, project_properties(binding, binding.properties, binding.computed, row));
  projected.properties.insert(projected.properties.end(), binding.constants.begin(), binding.constants.end());
  return projected;
}

Result<ProjectedProperties> project_end(const Binding& binding, const BoundForeignKey& foreign,
                                        const std::vector<DatumView>& row) {
  CNX_TRY(ProjectedProperties projected, project_properties(binding, foreign.properties, {}, row));
  projected.properties.insert(projected.properties.end(), foreign.constants.begin(), foreign.constants.end());
  return projected;
}

ChosenName project_choice(const BoundChoice& choice, const std::vector<DatumView>& row) {
  if (choice.column < 0) return {.known = true};
  const DatumView& datum = row[static_cast<size_t>(choice.column)];
  if (datum.kind == DatumView::Kind::unchanged) return {};
  if (datum.kind == DatumView::Kind::text) {
    auto at = choice.rule->names.find(datum.text);
    if (at != choice.rule->names.end()) return {.known = true, .name = &at->second};
  } else if (choice.rule->if_null) {
    return {.known = true, .name = &*choice.rule->if_null};
  }
  return {.known = true, .name = choice.rule->otherwise ? &*choice.rule->otherwise : nullptr};
}

std::optional<std::string> project_tenant(const Binding& binding,
                                          const std::vector<DatumView>& row) {
  if (binding.tenant_column < 0) return std::nullopt;
  const DatumView& datum = row[static_cast<size_t>(binding.tenant_column)];
  if (datum.kind != DatumView::Kind::text) return std::nullopt;
  return std::string(datum.text);
}

}  // namespace cnx::mapping
