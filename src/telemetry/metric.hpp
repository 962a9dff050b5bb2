// What a metric is, and metrics as the text that Prometheus reads. Knows of no figure where it comes from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/histogram.hpp"

namespace cnx::telemetry {

enum class MetricKind { counter, gauge, histogram };

// One family, as the table of metrics has it.
struct MetricInfo {
  std::string_view name;   // contextnexus_…, the unit last: _total, _seconds, _bytes.
  MetricKind kind = MetricKind::gauge;
  std::string_view label;  // The one that its series differ in, beside `pipeline`; empty: one series.
  std::string_view help;   // Sentences.
};

// What one family has now. None added: the family is left out, since what is not known is not 0.
class Samples {
 public:
  struct One {
    std::string label;  // The label's value.
    double value = 0;
    Histogram::Reading histogram;
  };
  void add(double value) { all_.push_back({{}, value, {}}); }
  void add(std::string label, double value) { all_.push_back({std::move(label), value, {}}); }
  void add(Histogram::Reading reading) { all_.push_back({{}, 0, std::move(reading)}); }
  const std::vector<One>& all() const { return all_; }

 private:
  std::vector<One> all_;
};

struct Family {
  MetricInfo info;
  Samples samples;
};

// The text exposition format 0.0.4. `pipeline` is a label of every series. Pure.
std::string exposition(std::span<const Family> families, const std::string& pipeline);
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

// What is wrong with the names of a table of metrics by Prometheus' conventions; empty: nothing. Pure, for tests.
std::vector<std::string> faults_of(std::span<const MetricInfo> metrics);

std::string_view to_string(MetricKind kind);

}  // namespace cnx::telemetry
