// A graph's model for people and for tools: as text, as a Mermaid class diagram, as SVG. All pure.
#pragma once

#include <string>

#include "pipeline/graph_model.hpp"

namespace cnx::command {

// No line is longer than `width` characters, but for a single word that is. 40 at least.
std::string text_of(const pipeline::GraphModel& model, size_t width);
// https://mermaid.js.org/syntax/classDiagram.html. Characters that mean something there are told by their numbers.
std::string mermaid_of(const pipeline::GraphModel& model);
// A whole document. The same model gives the same bytes.
std::string svg_of(const pipeline::GraphModel& model);

}  // namespace cnx::command
