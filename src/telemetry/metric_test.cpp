#include "telemetry/metric.hpp"

#include <gmock/gmock.h>

#include "telemetry/named_counts.hpp"

namespace cnx::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Family family(MetricInfo info, Samples samples) { return {info, std::move(samples)}; }

TEST(AnExposition, has_every_series_with_its_pipeline) {
  Samples counter;
  counter.add("a \"quoted\"\nname\\", 3);
  Samples gauge;
  gauge.add(0.5);
  const std::vector<Family> families = {
      family({"contextnexus_rows_total", MetricKind::counter, "table", "Rows."}, counter),
      family({"contextnexus_lag_seconds", MetricKind::gauge, "", "Lag."}, gauge)};
  const std::string text = exposition(families, "p");
  EXPECT_THAT(text, HasSubstr("# HELP contextnexus_rows_total Rows.\n# TYPE contextnexus_rows_total counter\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_rows_total{pipeline=\"p\",table=\"a \\\"quoted\\\"\\nname\\\\\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_lag_seconds{pipeline=\"p\"} 0.5\n"));
}

TEST(AnExposition, leaves_out_what_is_not_known) {
  const std::vector<Family> families = {family({"contextnexus_stubs", MetricKind::gauge, "", "Stubs."}, {})};
  EXPECT_THAT(exposition(families, "p"), Not(HasSubstr("contextnexus_stubs")));
}

TEST(AHistogram, counts_each_value_in_its_bucket_and_all_above_it) {
  Histogram histogram(lag_bounds());
  for (const double value : {0.0005, 0.001, 0.002, 100000.0}) histogram.observe(value);
  Samples samples;
  samples.add(histogram.read());
  const std::vector<Family> families = {family({"contextnexus_x_seconds", MetricKind::histogram, "", "X."}, samples)};
  const std::string text = exposition(families, "p");
  EXPECT_THAT(text, HasSubstr("contextnexus_x_seconds_count{pipeline=\"p\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_x_seconds_bucket{pipeline=\"p\",le=\"0.001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_x_seconds_bucket{pipeline=\"p\",le=\"0.0025\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_x_seconds_bucket{pipeline=\"p\",le=\"7200\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("contextnexus_x_seconds_bucket{pipeline=\"p\",le=\"+Inf\"} 4\n"));
}

TEST(TheNamesOfMetrics, are_held_against_the_conventions) {
  const std::vector<MetricInfo> wrong = {{"contextnexus_rows", MetricKind::counter, "", "Rows."},
                                         {"rows_total", MetricKind::counter, "", "Rows."},
                                         {"contextnexus_lag_seconds", MetricKind::gauge, "", ""},
                                         {"contextnexus_lag_seconds", MetricKind::gauge, "", "Twice."},
                                         {"contextnexus_no-name", MetricKind::gauge, "", "Name."},
                                         {"contextnexus_size", MetricKind::histogram, "0", "Unit."}};
  EXPECT_EQ(faults_of(wrong).size(), 7u);
}

TEST(NamedCounts, have_so_many_names_and_count_all_others_together) {
  NamedCounts counts;
  counts.add("none", 1);
  EXPECT_TRUE(counts.read().empty()) << "no names: nothing is counted";
  counts.limit(2);
  for (const char* name : {"b", "a", "c", "d", "a"}) counts.add(name, 10);
  const std::vector<std::pair<std::string, uint64_t>> expected = {{"a", 20}, {"b", 10}, {"other", 20}};
  EXPECT_EQ(counts.read(), expected);
}

TEST(NamedCounts, take_a_name_that_says_other_for_what_it_says) {
  NamedCounts counts;
  counts.limit(2);
  counts.add(kOtherName, 1);
  counts.add("a", 1);
  counts.add("b", 1);
  counts.add("c", 1);
  const std::vector<std::pair<std::string, uint64_t>> expected = {{"a", 1}, {"b", 1}, {"other", 2}};
  EXPECT_EQ(counts.read(), expected) << "no name twice";
}

}  // namespace
}  // namespace cnx::telemetry
