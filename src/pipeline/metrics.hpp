// The one table of all metrics: what each is called, what it means, and which figure it shows. /metrics and docs/metrics.md
// are made from it; a new one is a line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipeline/figures.hpp"
#include "telemetry/metric.hpp"

namespace cnx::pipeline {

// What a reading looks at.
struct Reading {
  const Figures& figures;
  const telemetry::Health& health;
  telemetry::Readiness readiness;
  std::string version;
};

struct Metric {
  telemetry::MetricInfo info;
  void (*read)(const Reading&, telemetry::Samples&);  // Adds what is known now, or nothing.
};

std::span<const Metric> metrics();

// All of them as Prometheus reads them. Any thread.
std::string metrics_text(const Reading& reading, const std::string& pipeline);

// docs/metrics.md.
std::string metrics_page();

}  // namespace cnx::pipeline
