// What a value is called in the graph: STRING, LIST OF INTEGER, … as Cypher names its types.
#pragma once

#include <string>

#include "postgres/text_codec.hpp"

namespace cnx::pipeline {

std::string form_name(postgres::ValueForm form);
std::string form_name(const postgres::Codec& codec);

}  // namespace cnx::pipeline
