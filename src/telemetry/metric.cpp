#include "telemetry/metric.hpp"

#include <prometheus/check_names.h>
#include <prometheus/text_serializer.h>

#include <set>

namespace cnx::telemetry {
namespace {

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return prometheus::MetricType::Counter;
    case MetricKind::gauge: return prometheus::MetricType::Gauge;
    case MetricKind::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric series(const MetricInfo& info, const Samples::One& one, const std::string& pipeline) {
  prometheus::ClientMetric metric;
  if (!pipeline.empty()) metric.label.push_back({"pipeline", pipeline});
  if (!info.label.empty()) metric.label.push_back({std::string(info.label), one.label});
  metric.counter.value = one.value;
  metric.gauge.value = one.value;
  if (info.kind != MetricKind::histogram) return metric;
  metric.histogram.sample_count = one.histogram.cumulative.back();
  metric.histogram.sample_sum = one.histogram.sum;
  for (size_t i = 0; i < one.histogram.bounds.size(); ++i) {
    metric.histogram.bucket.push_back({one.histogram.cumulative[i], one.histogram.bounds[i]});
  }
  return metric;
}

}  // namespace

std::string exposition(std::span<const Family> families, const std::string& pipeline) {
  std::vector<prometheus::MetricFamily> all;
  for (const Family& family : families) {
    if (family.samples.all().empty()) continue;
    prometheus::MetricFamily& out = all.emplace_back();
    out.name = family.info.name;
    out.help = family.info.help;
    out.type = type_of(family.info.kind);
    for (const Samples::One& one : family.samples.all()) out.metric.push_back(series(family.info, one, pipeline));
  }
  return prometheus::TextSerializer().Serialize(all);
}

std::vector<std::string> faults_of(std::span<const MetricInfo> metrics) {
  std::vector<std::string> faults;
  std::set<std::string_view> names;
  for (const MetricInfo& metric : metrics) {
    auto fault = [&](const char* what) { faults.push_back(std::string(metric.name) + ": " + what); };
    if (!prometheus::CheckMetricName(std::string(metric.name))) fault("is no name of a metric");
    if (!metric.label.empty() && !prometheus::CheckLabelName(std::string(metric.label))) fault("its label is no name of one");
    if (!metric.name.starts_with("contextnexus_")) fault("does not begin with contextnexus_");
    if ((metric.kind == MetricKind::counter) != metric.name.ends_with("_total")) fault("a counter, and nothing else, ends with _total");
    if (metric.kind == MetricKind::histogram && !metric.name.ends_with("_seconds")) fault("lacks its unit");
    if (metric.help.empty() || !metric.help.ends_with(".")) fault("is not explained by a sentence");
    if (!names.insert(metric.name).second) fault("is there twice");
  }
  return faults;
}

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::gauge: return "gauge";
    case MetricKind::histogram: return "histogram";
  }
  return "gauge";
}

}  // namespace cnx::telemetry
