#include "command/graph_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "command/table_text.hpp"

namespace cnx::command {
namespace {

using pipeline::ExplainedProperty;
using pipeline::GraphModel;

constexpr size_t kWidthMin = 40;

std::string head_of(const GraphModel::Node& node) {
  std::string text = "(:" + node.label;
  if (!node.more_labels.empty()) text += fmt::format(" and {}", fmt::join(node.more_labels, ", "));
  return text + " {" + node.key_property + "})";
}

std::string pattern_of(const GraphModel& model, const GraphModel::Relationship& relationship) {
  return "(:" + model.nodes[relationship.start].label + ")-[:" + relationship.type + "]->(:" +
         model.nodes[relationship.end].label + ")";
}

std::vector<std::string> words_of(const std::vector<ExplainedProperty>& properties) {
  std::vector<std::string> words;
  for (const ExplainedProperty& property : properties) words.push_back(property.name + " " + property.form);
  return words;
}

void add_wrapped(std::string& text, const std::string& indent, const std::vector<std::string>& words, size_t width) {
  std::string line = indent;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
    if (line.size() > indent.size() && length_of(line) + 1 + length_of(word) > width) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  if (line.size() > indent.size()) text += line + "\n";
}

void add_headed(std::string& text, const std::string& head, const std::vector<std::string>& made_by, size_t width) {
  const std::string beside = fmt::format("from {}", fmt::join(made_by, ", "));
  if (length_of(head) + length_of(beside) + 4 <= width) {
    text += "  " + head + "  " + beside + "\n";
    return;
  }
  text += "  " + head + "\n";
  add_wrapped(text, "      ", made_by, width);
}

// Mermaid's way to say a character that it would read as its own.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ' ' || static_cast<signed char>(c) < 0;
    if (plain) {
      out += c;
    } else {
      out += "#" + std::to_string(static_cast<unsigned char>(c)) + ";";
    }
  }
  return out;
}

}  // namespace

std::string text_of(const GraphModel& model, size_t width) {
  width = std::max(width, kWidthMin);
  std::string text = model.name + ": " + std::to_string(model.nodes.size()) + " labels, " +
                     std::to_string(model.relationships.size()) + " relationships\n\nnodes\n";
  for (const GraphModel::Node& node : model.nodes) {
    add_headed(text, head_of(node), node.tables, width);
    add_wrapped(text, "      ", words_of(node.properties), width);
  }
  if (!model.relationships.empty()) text += "\nrelationships\n";
  for (const GraphModel::Relationship& relationship : model.relationships) {
    add_headed(text, pattern_of(model, relationship), relationship.made_by, width);
    add_wrapped(text, "      ", words_of(relationship.properties), width);
  }
  if (!model.unmapped.empty()) text += "\nwithout a form in the graph\n";
  add_wrapped(text, "  ", model.unmapped, width);
  return text;
}

std::string mermaid_of(const GraphModel& model) {
  std::string text = "classDiagram\n  direction LR\n";
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const GraphModel::Node& node = model.nodes[i];
    text += "  class n" + std::to_string(i) + "[\"" + mermaid_text(node.label) + "\"] {\n";
    for (const std::string& label : node.more_labels) text += "    <<" + mermaid_text(label) + ">>\n";
    for (const ExplainedProperty& property : node.properties) {
      text += "    " + std::string(property.name == node.key_property ? "*" : "") + mermaid_text(property.name) + " " +
              mermaid_text(property.form) + "\n";
    }
    text += "  }\n";
  }
  for (const GraphModel::Relationship& relationship : model.relationships) {
    text += "  n" + std::to_string(relationship.start) + " --> n" + std::to_string(relationship.end) + " : " +
            mermaid_text(relationship.type) + "\n";
  }
  return text;
}

}  // namespace cnx::command
