#include "telemetry/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "telemetry/timestamp.hpp"

namespace cnx::telemetry {
namespace {

constexpr auto kLogger = "contextnexus";

// The log is the process's, as standard error is. Set before there are threads.
struct Form {
  bool set = false;
  bool json = false;
  std::string pipeline;
};
Form& form() {
  static Form form;
  return form;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::error: return spdlog::level::err;
    case Level::warning: return spdlog::level::warn;
    case Level::info: return spdlog::level::info;
    case Level::debug: return spdlog::level::debug;
    case Level::trace: return spdlog::level::trace;
  }
  return spdlog::level::err;
}

}  // namespace

void set_up_log(const LogOptions& options) {
  form() = {.set = true, .json = options.format == "json", .pipeline = options.pipeline};
  spdlog::drop(kLogger);
  spdlog::set_default_logger(spdlog::stderr_logger_mt(kLogger));
  spdlog::set_pattern("%v");
  spdlog::set_level(spdlog::level::from_str(options.level));
}

bool logs(Level level) { return form().set && spdlog::default_logger_raw()->should_log(level_of(level)); }

void log(Event event) {
  if (!logs(event.level)) return;
  const std::string time = timestamp(std::chrono::system_clock::now());
  if (form().json && !form().pipeline.empty()) {
    event.fields.insert(event.fields.begin(), Field("pipeline", form().pipeline));
  }
  const std::string line = form().json ? line_json(time, event) : line_text(time, event);
  spdlog::default_logger_raw()->log(level_of(event.level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace cnx::telemetry
