// Rows through a binding: keys, properties, what values choose.
#include <algorithm>
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

Error unreadable(const Binding& binding, uint16_t column, Error&& error) {
  return std::move(error)
      .wrap("reading a column's value")
      .with("table", binding.relation->schema + "." + binding.relation->name)
      .with("column", binding.relation->columns[column].name);
}

// An object with a field that the node cannot have beside its own properties does not fit.
change::Value with_own_names(const BoundProperty& bound, change::Value value, std::string_view text) {
  const auto* fields = std::get_if<change::Fields>(&value);
  if (fields == nullptr) return value;
  const bool fits = std::all_of(fields->items.begin(), fields->items.end(), [&](const change::Field& field) {
    return !field.name.empty() && !field.name.starts_with("_cnx_") && !bound.own_names->contains(field.name);
  });
  return fits ? std::move(value) : change::Value(change::Unfit{std::string(text)});
}

// Of what PostgreSQL holds equal, the one text that all rows agree on.
Result<Properties> project_made(const Binding& binding, const BoundForeignKey& foreign, const std::vector<DatumView>& row) {
  Properties properties;
  for (size_t i = 0; i < foreign.made.size(); ++i) {
    const BoundProperty& bound = foreign.made[i];
    auto value = postgres::decode(bound.codec, canonical(foreign.key.forms[i], row[bound.column].text));
    if (!value) return fail(unreadable(binding, bound.column, std::move(value.error())));
    properties.push_back({bound.name, *std::move(value)});
  }
  return properties;
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
      if (!value) return fail(unreadable(binding, bound.column, std::move(value.error())));
      if (bound.own_names != nullptr) value = with_own_names(bound, *std::move(value), datum.text);
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

bool is_there(const Binding& binding, const std::vector<DatumView>& row) {
  // What is left out as unchanged is large, and so no NULL.
  const auto has_value = [&](uint16_t column) { return row[column].kind != DatumView::Kind::null; };
  return binding.needs.empty() || std::any_of(binding.needs.begin(), binding.needs.end(), has_value);
}

Result<ForeignEnd> project_foreign_end(const Binding& binding, const BoundForeignKey& foreign, const std::vector<DatumView>& row) {
  ForeignEnd end;
  if (foreign.shared) {
    const auto count = [&](DatumView::Kind kind) {
      return std::count_if(foreign.key.columns.begin(), foreign.key.columns.end(), [&](uint16_t column) { return row[column].kind == kind; });
    };
    if (count(DatumView::Kind::null) > 0) return end;
    end.unknown = count(DatumView::Kind::unchanged) > 0;
    end.lacks_columns = end.unknown && count(DatumView::Kind::text) > 0;
    if (end.unknown) return end;
  }
  CNX_TRY(end.key, project_foreign_key(binding, foreign.key, row));
  if (end.key) {
    CNX_TRY(end.made, project_made(binding, foreign, row));
  }
  CNX_TRY(ProjectedProperties projected, project_properties(binding, foreign.properties, {}, row));
  end.properties = std::move(projected.properties);
  end.properties.insert(end.properties.end(), foreign.constants.begin(), foreign.constants.end());
  end.lacks_columns = projected.lacks_columns;
  return end;
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
