#include "command/engine_records.hpp"

#include "pipeline/ground.hpp"
#include "pipeline/schema.hpp"

namespace cnx::command {

Result<EngineRecords> open_engine_records(const ConnectionFlags& flags, TimePoint deadline) {
  CNX_TRY(pipeline::PipelineOptions options, source_options(flags));
  CNX_TRY(postgres::Session session, pipeline::open_session(options, deadline));
  CNX_TRY(pipeline::check_engine_version(session, deadline));
  return EngineRecords{std::move(options), std::move(session)};
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string pretty(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cnx::command
