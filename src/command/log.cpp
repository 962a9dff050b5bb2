#include "command/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace cnx::command {
namespace {

constexpr auto kTime = "%Y-%m-%dT%H:%M:%S.%eZ";

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_.format(message, time);
    const std::string line = log_line_json({time.data(), time.size()}, view(spdlog::level::to_string_view(message.level)),
                                           view(message.payload)) +
                             "\n";
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }

 private:
  spdlog::pattern_formatter time_{kTime, spdlog::pattern_time_type::utc, ""};
};

}  // namespace

void set_up_log(const config::LogOptions& options) {
  spdlog::drop("contextnexus");
  spdlog::set_default_logger(spdlog::stderr_logger_mt("contextnexus"));
  if (options.format == "json") {
    spdlog::set_formatter(std::make_unique<JsonFormatter>());
  } else {
    spdlog::set_pattern(std::string(kTime) + " %l %v", spdlog::pattern_time_type::utc);
  }
  spdlog::set_level(spdlog::level::from_str(options.level));
}

std::string log_line_json(std::string_view time, std::string_view level, std::string_view message) {
  nlohmann::ordered_json line = {
      {"time", std::string(time)}, {"level", std::string(level)}, {"message", std::string(message)}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cnx::command
