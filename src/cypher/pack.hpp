// Values, keys and properties in PackStream, as parameters of our statements.
#pragma once

#include "bolt/packstream.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

void pack(bolt::Packer& packer, const change::Value& value);
void pack(bolt::Packer& packer, const mapping::Key& key);

enum class Companions {
  when_unfit,  // A new entity: nothing is to be removed.
  always,      // An entity that may be there: the companion of a value that fits is removed (R3).
};

// A value that the graph has no form for: it is absent, and its exact text is in its companion (R3).
bool is_unfit(const mapping::Property& property);
// Whether a row has an entry for the property's companion, and that entry's value.
bool writes_companion(const mapping::Property& property, Companions companions);
void pack_companion(bolt::Packer& packer, const mapping::Property& property);

// The entries that `properties` make in a map: each property, and its companion where it has one.
size_t entry_count(const mapping::Properties& properties, Companions companions);
void pack_entries(bolt::Packer& packer, const mapping::Properties& properties,
                  Companions companions);
// One map of nothing else.
void pack_map(bolt::Packer& packer, const mapping::Properties& properties, Companions companions);

}  // namespace cnx::cypher
