#include "pipeline/metrics.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace cnx::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(const Figures& figures) {
  const telemetry::Health health{.healthy = true, .state = "idle", .reason = "", .since = {}};
  return metrics_text({.figures = figures, .health = health, .readiness = {}, .version = "1 (x)"}, "p");
}

TEST(ThePageOfMetrics, is_what_the_program_prints) {
  std::ifstream stream(CNX_TEST_DATA "/../../docs/metrics.md", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == metrics_page()) << "stale: contextnexus docs metrics > docs/metrics.md";
}

TEST(TheTableOfMetrics, keeps_to_prometheus_conventions) {
  std::vector<telemetry::MetricInfo> infos;
  for (const Metric& metric : metrics()) infos.push_back(metric.info);
  EXPECT_THAT(telemetry::faults_of(infos), ::testing::IsEmpty());
}

TEST(TheMetrics, show_the_figures_and_nothing_that_is_not_known) {
  Figures figures(telemetry::TelemetryOptions{});
  std::string text = text_of(figures);
  for (const char* unknown : {"contextnexus_stubs", "retained_wal", "safe_wal", "lag_bytes", "table_rows"}) {
    EXPECT_THAT(text, Not(HasSubstr(unknown)));
  }
  figures.stubs = 0;
  figures.retained_wal_bytes = 1 << 20;
  figures.lane.rows = 5;
  figures.tables.add("public.tags", 5);
  text = text_of(figures);
  for (const char* line : {"contextnexus_stubs{pipeline=\"p\"} 0\n", "contextnexus_retained_wal_bytes{pipeline=\"p\"} 1048576\n",
                           "contextnexus_applied_rows_total{pipeline=\"p\"} 5\n",
                           "contextnexus_table_rows_total{pipeline=\"p\",table=\"public.tags\"} 5\n",
                           "contextnexus_state{pipeline=\"p\",state=\"idle\"} 1\n", "contextnexus_state{pipeline=\"p\",state=\"stalled\"} 0\n",
                           "contextnexus_build_info{pipeline=\"p\",version=\"1 (x)\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace cnx::pipeline
