#include "telemetry/log_line.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "telemetry/timestamp.hpp"

namespace cnx::telemetry {
namespace {

constexpr std::string_view kTime = "2026-01-31T12:00:00.000Z";

TEST(ALogLine, is_the_same_event_as_text_and_as_json) {
  const Event event{Level::warning, "slot_wait", "PostgreSQL waits", {{"slot", "x"}, {"seconds", 2.5}, {"rows", size_t{7}}, {"all", true}}};
  EXPECT_EQ(line_text(kTime, event), "2026-01-31T12:00:00.000Z warning PostgreSQL waits");
  EXPECT_EQ(line_json(kTime, event),
            R"({"ts":"2026-01-31T12:00:00.000Z","level":"warning","event":"slot_wait","message":"PostgreSQL waits",)"
            R"("slot":"x","seconds":2.5,"rows":7,"all":true})");
}

TEST(ALogLine, is_one_line_whatever_bytes_it_holds) {
  const Event event{Level::info, "e", "a \"quote\"\n\xff", {{"field", "b\n\xff"}}};
  EXPECT_EQ(line_text(kTime, event).find('\n'), std::string::npos);
  const std::string line = line_json(kTime, event);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["message"], "a \"quote\"\n\xEF\xBF\xBD");
  EXPECT_EQ(json["field"], "b\n\xEF\xBF\xBD");
}

TEST(AnErrorsFields, are_its_words_and_the_other_sides_code) {
  const std::vector<Field> fields = fields_of(Error(ErrorKind::server, "28P01", "refused").wrap("connecting"));
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(std::get<std::string>(fields[1].value), "28P01");
  EXPECT_EQ(fields_of(Error(ErrorKind::timeout, "late")).size(), 1u);
}

TEST(ATimestamp, is_utc_with_milliseconds_also_before_1970) {
  using std::chrono::milliseconds;
  const auto at = [](int64_t since) { return std::chrono::system_clock::time_point(milliseconds(since)); };
  EXPECT_EQ(timestamp(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(timestamp(at(1769860800123)), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(timestamp(at(-1)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace cnx::telemetry
