#include "pipeline/metrics.hpp"

#include <fmt/format.h>

namespace cnx::pipeline {
namespace {

using telemetry::MetricKind;
using telemetry::Samples;

constexpr MetricKind kCounter = MetricKind::counter;
constexpr MetricKind kGauge = MetricKind::gauge;
constexpr MetricKind kHistogram = MetricKind::histogram;

void add(Samples& out, uint64_t value) { out.add(static_cast<double>(value)); }

// Servers are asked now and then: below 0 they were not yet, or do not say.
void add_known(Samples& out, int64_t value) {
  if (value >= 0) out.add(static_cast<double>(value));
}

void add_all(Samples& out, const telemetry::NamedCounts& counts) {
  for (const auto& [name, count] : counts.read()) out.add(name, static_cast<double>(count));
}

const std::array kMetrics = {
    // The line as a whole.
    Metric{{"contextnexus_build_info", kGauge, "version", "Always 1; the label says which program runs."},
           [](const Reading& r, Samples& out) { out.add(r.version, 1); }},
    Metric{{"contextnexus_healthy", kGauge, "", "1 where /healthz says so: what should move does, or nothing should. Else 0."},
           [](const Reading& r, Samples& out) { out.add(r.health.healthy ? 1 : 0); }},
    Metric{{"contextnexus_ready", kGauge, "", "1 where /readyz says so: the graph is in step within health.ready_lag_seconds. Else 0."},
           [](const Reading& r, Samples& out) { out.add(r.readiness.ready ? 1 : 0); }},
    Metric{{"contextnexus_state", kGauge, "state", "1 for the state that /healthz tells, 0 for all others."},
           [](const Reading& r, Samples& out) {
             for (size_t i = 0; i < telemetry::kStateWords; ++i) {
               const std::string_view word = telemetry::state_word(i);
               out.add(std::string(word), word == r.health.state ? 1 : 0);
             }
           }},
    Metric{{"contextnexus_retries_total", kCounter, "side",
            "Failures that are tried again: of postgresql (the replication connection), of neo4j, and of the start as a whole."},
           [](const Reading& r, Samples& out) {
             for (const Side side : kSides) out.add(std::string(to_string(side)), static_cast<double>(r.figures.retries(side)));
           }},

    // Lag.
    Metric{{"contextnexus_lag_bytes", kGauge, "", "PostgreSQL's log that the graph does not have yet. 0: it is in step. Not there while rows are copied."},
           [](const Reading& r, Samples& out) {
             if (r.figures.applied_lsn > 0) add(out, r.figures.lag_bytes());
           }},
    Metric{{"contextnexus_lag_seconds", kGauge, "",
            "At most so old is the oldest committed change that the graph does not have; where nothing is known of it, since the "
            "process began. 0: it is in step. By both servers' clocks."},
           [](const Reading& r, Samples& out) { out.add(r.figures.lag_seconds()); }},
    Metric{{"contextnexus_commit_to_visible_seconds", kHistogram, "",
            "From the commit in PostgreSQL until the graph shows it: of each batch, its oldest transaction. By both servers' clocks."},
           [](const Reading& r, Samples& out) { out.add(r.figures.commit_to_visible.read()); }},

    // From PostgreSQL.
    Metric{{"contextnexus_source_connected", kGauge, "", "1 while the replication connection stands. Else 0."},
           [](const Reading& r, Samples& out) { out.add(r.figures.capture.connected ? 1 : 0); }},
    Metric{{"contextnexus_received_bytes_total", kCounter, "", "Bytes of changes that PostgreSQL sent."},
           [](const Reading& r, Samples& out) { add(out, r.figures.capture.bytes); }},
    Metric{{"contextnexus_received_rows_total", kCounter, "", "Row changes that PostgreSQL sent and that are not the engine's own; after a reconnect some come again."},
           [](const Reading& r, Samples& out) { add(out, r.figures.capture.rows); }},
    Metric{{"contextnexus_received_transactions_total", kCounter, "", "Transactions of them that were whole."},
           [](const Reading& r, Samples& out) { add(out, r.figures.capture.transactions); }},
    Metric{{"contextnexus_retained_wal_bytes", kGauge, "", "Log that PostgreSQL keeps for the slot. Asked every 10 seconds, also while paused."},
           [](const Reading& r, Samples& out) { add_known(out, r.figures.retained_wal_bytes); }},
    Metric{{"contextnexus_safe_wal_bytes", kGauge, "",
            "Log that may still be written before PostgreSQL gives up the slot. Not there without max_slot_wal_keep_size."},
           [](const Reading& r, Samples& out) { add_known(out, r.figures.safe_wal_bytes); }},

    // To Neo4j.
    Metric{{"contextnexus_graph_connected", kGauge, "", "1 while the connection that applies changes stands; while nothing changes it is not tried. Else 0."},
           [](const Reading& r, Samples& out) { out.add(r.figures.lane.connected ? 1 : 0); }},
    Metric{{"contextnexus_batches_total", kCounter, "", "Batches of the stream that Neo4j has committed."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.batches); }},
    Metric{{"contextnexus_applied_rows_total", kCounter, "", "Row changes of the stream that are in the graph."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.rows); }},
    Metric{{"contextnexus_applied_transactions_total", kCounter, "", "Transactions of the stream that are in the graph."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.transactions); }},
    Metric{{"contextnexus_batch_seconds", kHistogram, "",
            "From the first word of a batch to Neo4j until its commit is answered; with what was tried again in between."},
           [](const Reading& r, Samples& out) { out.add(r.figures.transaction.read()); }},
    Metric{{"contextnexus_removals_in_pieces_total", kCounter, "", "Batches that removed more than one Neo4j transaction may, and were done in pieces."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.removals_in_pieces); }},
    Metric{{"contextnexus_conflicts_total", kCounter, "",
            "Updates of the stream that met what somebody else wrote in the graph, and were settled as they were written."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.conflicts); }},
    Metric{{"contextnexus_conflicts_decided_total", kCounter, "",
            "Those that were decided first: their rows were read again, a function was asked, or they wait for a person."},
           [](const Reading& r, Samples& out) { add(out, r.figures.conflicts_decided); }},
    Metric{{"contextnexus_conflicts_waiting", kGauge, "", "Conflicts that wait for a person, or are being resolved for PostgreSQL."},
           [](const Reading& r, Samples& out) { add(out, r.figures.conflicts_waiting); }},
    Metric{{"contextnexus_refused_updates_total", kCounter, "", "Of contextnexus_conflicts_total: the graph kept what it had."},
           [](const Reading& r, Samples& out) { add(out, r.figures.lane.refused); }},
    Metric{{"contextnexus_stubs", kGauge, "",
            "Nodes that relationships lead to and that have no row yet. Counted label by label, every 15 seconds at most, and so seldom "
            "that it takes a hundredth of one of Neo4j's threads at most."},
           [](const Reading& r, Samples& out) { add_known(out, r.figures.stubs); }},

    // Tables and tenants.
    Metric{{"contextnexus_table_rows_total", kCounter, "table",
            "Rows of the table that were copied or whose changes were applied. The first telemetry.tables_max tables by name, the others as `other`."},
           [](const Reading& r, Samples& out) { add_all(out, r.figures.tables); }},
    Metric{{"contextnexus_tenant_rows_total", kCounter, "tenant",
            "The same by tenant, where the mapping names its column. The first telemetry.tenants_max tenants, the others as `other`. "
            "Removals of which PostgreSQL tells the key alone belong to none."},
           [](const Reading& r, Samples& out) { add_all(out, r.figures.tenants); }},
    Metric{{"contextnexus_tables_held", kGauge, "", "Tables that cannot be followed as they are; `contextnexus status` says why."},
           [](const Reading& r, Samples& out) { add(out, r.figures.tables_held); }},
    Metric{{"contextnexus_tables_copying", kGauge, "", "Tables that are being read again while the line is up."},
           [](const Reading& r, Samples& out) { add(out, r.figures.tables_copying); }},
    Metric{{"contextnexus_copied_rows_total", kCounter, "", "Rows that were there before, or were read again, and are in the graph."},
           [](const Reading& r, Samples& out) { add(out, r.figures.copied_rows); }},
    Metric{{"contextnexus_copied_batches_total", kCounter, "", "Batches of them."},
           [](const Reading& r, Samples& out) { add(out, r.figures.copied_batches); }},

    // In between, and back.
    Metric{{"contextnexus_queue_bytes", kGauge, "queue", "What waits in memory: events for a batch, batches for Neo4j, the audit for PostgreSQL."},
           [](const Reading& r, Samples& out) {
             out.add("events", static_cast<double>(r.figures.events_bytes));
             out.add("batches", static_cast<double>(r.figures.batches_bytes));
             out.add("audit", static_cast<double>(r.figures.audit_bytes));
           }},
    Metric{{"contextnexus_write_back_rows_total", kCounter, "", "Rows that PostgreSQL was told are in the graph."},
           [](const Reading& r, Samples& out) { add(out, r.figures.write_back.written); }},
    Metric{{"contextnexus_write_back_locked_total", kCounter, "", "Rows that somebody had locked then, and that were left for another round."},
           [](const Reading& r, Samples& out) { add(out, r.figures.write_back.locked); }},
    Metric{{"contextnexus_write_back_failures_total", kCounter, "", "Failures of the write-back; the line goes on meanwhile."},
           [](const Reading& r, Samples& out) { add(out, r.figures.write_back.failures); }},
    Metric{{"contextnexus_audit_rows_total", kCounter, "", "Rows that were written into contextnexus.audit_log."},
           [](const Reading& r, Samples& out) { add(out, r.figures.audit.written); }},
    Metric{{"contextnexus_audit_failures_total", kCounter, "", "Failures of writing them, each of which is tried again."},
           [](const Reading& r, Samples& out) { add(out, r.figures.audit.failures); }},
    Metric{{"contextnexus_audit_dropped_total", kCounter, "", "What found no room and was let go: at the level `failures` alone."},
           [](const Reading& r, Samples& out) { add(out, r.figures.audit.dropped); }},
};

constexpr std::string_view kPageHead = R"(# Metrics

This page is made by `contextnexus docs metrics`; a test fails where it is stale. [Operating](operating.md) says how Prometheus gets them and what
is worth an alert.

`http://127.0.0.1:9747/metrics` (`telemetry.listen`). Every series has the label `pipeline`, and the one that is named here. Counters begin at 0
with each process. What is not known is not there: a gauge that is missing is not 0.

| name | kind | label | meaning |
|---|---|---|---|
)";

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

std::string metrics_text(const Reading& reading, const std::string& pipeline) {
  std::vector<telemetry::Family> families;
  for (const Metric& metric : kMetrics) {
    telemetry::Family& family = families.emplace_back(telemetry::Family{.info = metric.info, .samples = {}});
    metric.read(reading, family.samples);
  }
  return telemetry::exposition(families, pipeline);
}

std::string metrics_page() {
  std::string page(kPageHead);
  for (const Metric& metric : kMetrics) {
    const std::string label = metric.info.label.empty() ? "" : fmt::format("`{}`", metric.info.label);
    page += fmt::format("| `{}` | {} | {} | {} |\n", metric.info.name, telemetry::to_string(metric.info.kind), label, metric.info.help);
  }
  return page;
}

}  // namespace cnx::pipeline
