#include "pipeline/infer.hpp"

#include <algorithm>

#include "mapping/load.hpp"
#include "mapping/mapping_text.hpp"
#include "postgres/session.hpp"
#include "postgres/table_list.hpp"

namespace cnx::pipeline {
namespace {

// A catalog of thousands of tables is read in seconds.
constexpr Duration kLookMax = std::chrono::seconds(60);

bool has_entry(const mapping::Inferred& inferred) {
  return !inferred.tables.empty() ||
         std::any_of(inferred.left_out.begin(), inferred.left_out.end(),
                     [](const mapping::LeftOut& out) { return out.entry; });
}

Error nothing_to_map(const postgres::TableList& list) {
  Error error(
      ErrorKind::invalid,
      list.tables.empty()
          ? "there is no table to infer a mapping from"
          : "there are only views, foreign tables and their like, which the log knows nothing of");
  return std::move(error)
      .with("database", list.database)
      .advise("look into another database, or name the schema by --schema");
}

}  // namespace

Result<InferredMapping> infer_mapping(const postgres::ConnectionOptions& options,
                                      const std::vector<std::string>& schemas) {
  const TimePoint deadline = Clock::now() + kLookMax;
  CNX_TRY(postgres::Session session, postgres::Session::open(options, deadline));
  CNX_TRY(postgres::TableList list, postgres::list_tables(session, schemas, deadline));
  InferredMapping made{mapping::infer(list), {}};
  if (!has_entry(made.inferred)) return fail(nothing_to_map(list));
  made.text = mapping::mapping_text(made.inferred);
  auto loaded = mapping::load(made.text, "the inferred mapping");
  if (loaded) return made;
  return fail(Error(ErrorKind::unsupported,
                    "the mapping that was inferred is none that this program reads:\n" +
                        mapping::format(loaded.error()))
                  .advise("take fewer tables at once by --schema, and report this"));
}

}  // namespace cnx::pipeline
