#include "cypher/led.hpp"

#include "bolt/packstream.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

// How many entries a map of ours has that begins so; its header is one byte up to fifteen (PackStream, "Dictionary").
std::optional<size_t> entries(BytesView map) {
  constexpr unsigned kTinyMap = 0xA0;
  if (map.empty()) return std::nullopt;
  const auto first = std::to_integer<unsigned>(map.front());
  if ((first & 0xF0u) != kTinyMap) return std::nullopt;
  return first & 0x0Fu;
}

}  // namespace

std::optional<Led> led(std::string_view lead, BytesView parameters, const Statement& statement) {
  constexpr std::string_view kLanguage = "CYPHER 5 ";
  const bool divides = statement.needs_entity || statement.fails_on_conflict;
  const std::optional<std::string_view> body = body_of(*statement.text);
  const std::optional<size_t> leading = entries(parameters);
  const std::optional<size_t> following = entries(statement.parameters);
  if (statement.is_users || divides || !body || !leading || !following || !lead.starts_with(kLanguage)) return std::nullopt;
  Led led;
  // An aggregate: what is behind it does not begin before all in front of it is done.
  led.text = text(std::string(lead.substr(kLanguage.size())) + " WITH count(*) AS led " + std::string(*body));
  bolt::Packer packer(led.parameters);
  packer.map_header(*leading + *following);
  led.parameters.insert(led.parameters.end(), parameters.begin() + 1, parameters.end());
  led.parameters.insert(led.parameters.end(), statement.parameters.begin() + 1, statement.parameters.end());
  return led;
}

}  // namespace cnx::cypher
