// All that is wrong between a mapping and a catalog, for a person who wants to mend it in one go.
// Model::make stops at the first fault, since a model with one is of no use.
#pragma once

#include <string>
#include <vector>

#include "mapping/rules.hpp"
#include "postgres/catalog.hpp"

namespace cnx::mapping {

struct CatalogFault {
  TableName table;
  int line = 0;         // Of the table's rule in the mapping file; 0 where it is not known.
  std::string message;  // Names the column where there is one.
  std::string advice;   // Empty where nothing is known.
};

// In the mapping's order; empty: Model::make and bind find nothing to refuse either. Pure.
std::vector<CatalogFault> catalog_faults(const Mapping& mapping,
                                         const std::vector<postgres::Table>& catalog);

}  // namespace cnx::mapping
