// What a value is called in the graph, for people.
#pragma once

#include <string>

#include "postgres/text_codec.hpp"

namespace cnx::pipeline {

std::string graph_form(const postgres::Codec& codec);
// Of a constant of the mapping's.
std::string graph_form(const change::Value& constant);

}  // namespace cnx::pipeline
