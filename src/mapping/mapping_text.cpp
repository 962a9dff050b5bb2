#include "mapping/mapping_text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "mapping/yaml_text.hpp"

namespace cnx::mapping {
namespace {

constexpr size_t kWidth = 118;
constexpr size_t kNameWidth = 100;    // PostgreSQL's names have 63 bytes, with a schema twice that.
constexpr size_t kReasonColumn = 40;  // Where a reason begins behind what it is the reason of.

std::string sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text + ".";
}

// `text` with a reason behind it, in the column of all reasons.
std::string with_reason(std::string text, const std::string& reason) {
  const size_t width = letters(text);
  text.append(width < kReasonColumn ? kReasonColumn - width : 1, ' ');
  return text + "# " + comment_text(sentence(reason), std::string::npos) + "\n";
}

// [a, b, …], over several lines where it is long.
std::string flow_list(const std::string& start, const std::vector<std::string>& items) {
  std::string all, line = start + "[";
  const size_t indent = letters(line);
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "]");
    if (letters(line) + letters(item) + 1 > kWidth && letters(line) > indent) {
      all += line + "\n";
      line = std::string(indent, ' ');
    } else if (i > 0) {
      line += ' ';
    }
    line += item;
  }
  return all + line + "\n";
}

class Writer {
 public:
  explicit Writer(const Inferred& inferred) : inferred_(inferred) {}

  std::string run() {
    name_entries();
    head();
    defaults();
    text_ += "\ntables:\n";
    tables();
    left_out();
    return std::move(text_);
  }

 private:
  // What other entries call a table: its own name, with its schema's before it where two are called
  // alike.
  void name_entries() {
    std::set<std::string> taken;
    auto give = [&](const TableName& table) {
      std::string handle = table.name;
      if (taken.contains(handle)) handle = table.schema + "_" + table.name;
      for (int number = 2; !taken.insert(handle).second; ++number) {
        handle = table.schema + "_" + table.name + "_" + std::to_string(number);
      }
      handles_.emplace(table, handle);
    };
    for (const InferredTable& table : inferred_.tables) give(table.rule.table);
    for (const LeftOut& out : inferred_.left_out) {
      if (out.entry) give(out.table);
    }
  }

  const std::string& handle(const TableName& table) const { return handles_.at(table); }

  void head() {
    std::string name = comment_text(inferred_.name, std::string::npos);
    if (name.empty()) name = "inferred";
    text_ += comment_lines(
        "How the database " + name +
            " becomes a graph, inferred from its catalog by `contextnexus init --from`.",
        0);
    text_ +=
        "#\n"
        "# The file is yours: give labels and relationships the names that you use, and take out "
        "what the graph does not need.\n"
        "# Every column of a node's table becomes a property, named in camelCase (created_at: "
        "createdAt), unless it is excluded.\n"
        "# A foreign key becomes a relationship to the node that it refers to. The language: "
        "mappings/README.md.\n"
        "#\n"
        "#   contextnexus explain TABLE --mapping FILE   what one table becomes, with the "
        "statements\n"
        "#   contextnexus check --mapping FILE           whether it fits both databases\n"
        "#   contextnexus init --mapping FILE            prepares both\n"
        "#   contextnexus run --mapping FILE             copies what is there, then follows\n"
        "\n"
        "version: 1\n";
    text_ += "name: " + yaml_scalar(name) + "\n";
    text_ += "schema: " + yaml_scalar(inferred_.schema) + "\n";
    text_ += "naming: camelCase\n";
  }

  // The key that most nodes have, so that only the others say theirs.
  void defaults() {
    std::map<std::vector<std::string>, size_t> counts;
    for (const InferredTable& table : inferred_.tables) {
      if (const auto* node = std::get_if<NodeRule>(&table.rule.form)) ++counts[node->key];
    }
    size_t most = 0;
    std::vector<std::string> key;
    for (const auto& [each, count] : counts) {
      if (count > most) key = each;
      most = std::max(most, count);
    }
    if (most < 3 || most * 2 < inferred_.nodes()) return;
    default_key_ = key;
    text_ += "\n# Of every table that does not say its own.\ndefaults:\n  key: " + yaml_words(key) +
             "\n";
  }

  void section(const std::string& title) {
    const std::string name = " " + title;
    const size_t width = letters(name) + 4;
    text_ += "\n  # " + std::string(width < kWidth ? kWidth - width : 3, '-') + name + "\n";
  }

  void tables() {
    std::set<std::string> schemas;
    for (const InferredTable& table : inferred_.tables) schemas.insert(table.rule.table.schema);
    std::string schema;
    bool first = true;
    for (const InferredTable& table : inferred_.tables) {
      const TableName& name = table.rule.table;
      if (schemas.size() > 1 && (first || name.schema != schema)) {
        section(comment_text(name.schema, kNameWidth));
      } else if (!first) {
        text_ += "\n";
      }
      schema = name.schema;
      first = false;
      write(table);
    }
  }

  static std::string remark_lines(const std::vector<std::string>& all) {
    std::string lines;
    for (const std::string& each : all) lines += comment_lines(each, 2);
    return lines;
  }

  // The entry's name and, where they are not plain from it, the table's schema and name.
  void entry(const TableName& table) {
    text_ += "  " + yaml_scalar(handle(table)) + ":\n";
    // A dot in the name is no schema's, and the file has to say so.
    const bool dotted = table.name.find('.') != std::string::npos;
    if (table.schema != inferred_.schema || dotted)
      text_ += "    schema: " + yaml_scalar(table.schema) + "\n";
    if (handle(table) != table.name) text_ += "    table: " + yaml_scalar(table.name) + "\n";
  }

  std::string end(const TableName& table, const std::vector<std::string>& columns) const {
    return "{" + yaml_scalar(handle(table)) + ": " + yaml_words(columns) + "}";
  }

  void write(const InferredTable& table) {
    text_ += remark_lines(table.remarks);
    entry(table.rule.table);
    if (const auto* node = std::get_if<NodeRule>(&table.rule.form)) {
      write(table, *node);
    } else {
      write(table, std::get<RelationshipRule>(table.rule.form));
    }
    for (const std::string& why : table.without_relationship) text_ += comment_lines(why, 4);
  }

  void write(const InferredTable& table, const NodeRule& node) {
    text_ += "    node: " + yaml_scalar(node.label) + "\n";
    if (node.key != default_key_) text_ += "    key: " + yaml_words(node.key) + "\n";
    excluded(table.excluded);
    if (!table.renamed.empty()) text_ += "    properties:\n";
    for (const NamedProperty& each : table.renamed) {
      text_ += with_reason("      " + yaml_scalar(each.property) + ": " + yaml_scalar(each.column),
                           "in camelCase it would be another column's name, or the engine's");
    }
    if (!node.relationships.empty()) text_ += "    relationships:\n";
    for (const ForeignKeyRule& rule : node.relationships) {
      text_ +=
          "      - " + yaml_scalar(rule.type) + ": {to: " + end(rule.other, rule.columns) + "}\n";
    }
  }

  void excluded(const std::vector<ColumnNote>& notes) {
    if (notes.size() == 1) {
      text_ += with_reason("    exclude: [" + yaml_scalar(notes[0].column) + "]", notes[0].reason);
      return;
    }
    if (!notes.empty()) text_ += "    exclude:\n";
    for (const ColumnNote& note : notes) {
      text_ += with_reason("      - " + yaml_scalar(note.column), note.reason);
    }
  }

  void write(const InferredTable& table, const RelationshipRule& relationship) {
    text_ += "    relationship: " + yaml_scalar(relationship.type) + "\n";
    text_ += "    from: " + end(relationship.start.table, relationship.start.columns) + "\n";
    text_ += "    to: " + end(relationship.end.table, relationship.end.columns) + "\n";
    std::vector<std::string> items;
    for (const NamedProperty& each : table.properties) {
      const bool plain = property_name(Naming::camel_case, each.column) == each.property;
      items.push_back(plain ? yaml_scalar(each.column)
                            : "{" + yaml_scalar(each.property) + ": " + yaml_scalar(each.column) +
                                  "}");
    }
    if (!items.empty()) text_ += flow_list("    properties: ", items);
    for (const ColumnNote& note : table.excluded) {
      text_ +=
          comment_lines("Not among its properties: " + note.column + " (" + note.reason + ").", 4);
    }
  }

  // First those that have an entry and could become something, then what is none of the log's.
  void left_out() {
    bool begun = inferred_.tables.empty();
    std::string before;
    for (const LeftOut& out : inferred_.left_out) {
      if (!out.entry) continue;
      const std::string why = reason_of(out);
      if (!std::exchange(begun, true))
        section("left out");
      else if (why != before && !text_.ends_with("tables:\n"))
        text_ += "\n";
      // Said once for neighbours of one fate.
      if (why != before) text_ += why;
      before = why;
      const TableName& table = out.table;
      const bool plain = table.schema == inferred_.schema && handle(table) == table.name &&
                         table.name.find('.') == std::string::npos;
      if (plain) {
        text_ += "  " + yaml_scalar(table.name) + ": none\n";
      } else {
        entry(table);
        text_ += "    graph: none\n";
      }
    }
    others();
  }

  static std::string reason_of(const LeftOut& out) {
    std::string text =
        remark_lines(out.remarks) + comment_lines("Not in the graph: " + out.reason + ".", 2);
    if (!out.cure.empty()) text += comment_lines("Cure: " + out.cure + ".", 2);
    return text;
  }

  void others() {
    std::vector<std::pair<std::string, std::string>> rows;
    size_t width = 0;
    for (const LeftOut& out : inferred_.left_out) {
      if (out.entry) continue;
      const bool own = out.table.schema == inferred_.schema;
      rows.emplace_back(
          comment_text(own ? out.table.name : postgres::to_string(out.table), kNameWidth),
          out.reason + (out.cure.empty() ? "" : "; " + out.cure));
      width = std::max(width, letters(rows.back().first));
    }
    if (rows.empty()) return;
    text_ += "\n# Not mapped:\n";
    for (const auto& [name, reason] : rows) {
      text_ += "#   " + name + std::string(width - letters(name) + 2, ' ') + reason + "\n";
    }
  }

  const Inferred& inferred_;
  std::map<TableName, std::string> handles_;
  std::vector<std::string> default_key_;
  std::string text_;
};

}  // namespace

std::string mapping_text(const Inferred& inferred) {
  return Writer(inferred).run();
}

}  // namespace cnx::mapping
