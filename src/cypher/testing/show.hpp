// Statements as a person reads them: the name, and the parameters unpacked again. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bolt/packstream.hpp"
#include "cypher/statement.hpp"

namespace cnx::cypher::testing {

inline std::string show(const bolt::Value& value);

inline std::string show(const bolt::Map& map) {
  std::string text;
  for (const bolt::MapEntry& entry : map) {
    text += (text.empty() ? "" : ", ") + entry.key + ": " + show(entry.value);
  }
  return "{" + text + "}";
}

inline std::string show(const bolt::Value& value) {
  if (value.is_null()) return "null";
  if (const auto* truth = value.get_if<bool>()) return *truth ? "true" : "false";
  if (const auto* number = value.get_if<int64_t>()) return std::to_string(*number);
  if (const auto* text = value.get_if<std::string>()) return "'" + *text + "'";
  if (const auto* map = value.get_if<bolt::Map>()) return show(*map);
  if (const auto* moment = value.get_if<bolt::DateTime>()) {
    return "@" + std::to_string(moment->seconds);
  }
  if (const auto* list = value.get_if<bolt::List>()) {
    std::string text;
    for (const bolt::Value& item : *list) text += (text.empty() ? "" : ", ") + show(item);
    return "[" + text + "]";
  }
  return "<another value>";
}

// The parameters, as the server would read them.
inline bolt::Map parameters_of(const Statement& statement) {
  auto unpacked = bolt::unpack(statement.parameters, {});
  EXPECT_TRUE(unpacked) << *statement.name << ": " << unpacked.error().describe();
  const auto* map = unpacked ? unpacked->get_if<bolt::Map>() : nullptr;
  EXPECT_NE(map, nullptr) << *statement.name;
  return map != nullptr ? *map : bolt::Map();
}

// "insert Parent {rows: [{id: 1}]}": what is in `batch` stands beside the other parameters.
inline std::string show(const Statement& statement) {
  bolt::Map shown;
  for (const bolt::MapEntry& entry : parameters_of(statement)) {
    const auto* batch = entry.key == "batch" ? entry.value.get_if<bolt::Map>() : nullptr;
    if (batch == nullptr) {
      shown.add(entry.key, entry.value);
      continue;
    }
    for (const bolt::MapEntry& inner : *batch) shown.add(inner.key, inner.value);
  }
  return *statement.name + " " + show(shown);
}

inline std::vector<std::string> show(const std::vector<Statement>& statements) {
  std::vector<std::string> lines;
  for (const Statement& statement : statements) lines.push_back(show(statement));
  return lines;
}

}  // namespace cnx::cypher::testing
